"""Every public error text of VASP: which of custodian's handlers fires, and what is let pass."""

import gzip
import logging
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from builders.vasp_error_texts import NOTHING, TEXTS
from builders.vasp_jobs import make_slab_job, write_wavecar
from builders.vasp_potcars import write_potcars
from custodian import Custodian
from custodian.custodian import Job
from custodian.vasp.handlers import VaspErrorHandler
from pymatgen.io.vasp.inputs import Incar

from qdcomp.engines.base import DynamicsSettings, EngineJob
from qdcomp.engines.deadline import forget_stop, note_stop
from qdcomp.engines.vasp import VaspEngine
from qdcomp.engines.vasp.allowed_changes import FREE_TAGS, REASONS, judge_actions
from qdcomp.engines.vasp.corrections import (
    CORRECTIONS_NAME,
    REFUSAL_NAME,
    read_corrections,
    read_refusal,
)
from qdcomp.engines.vasp.handlers import GuardedHandler, make_handlers
from qdcomp.engines.vasp.inputs import prepare_job, write_inputs
from qdcomp.engines.vasp.job_file import JobFile, read_job_file
from qdcomp.errors import EngineError, ParseError

PHYSICS = frozenset(
    {
        "ENCUT", "PREC", "NGX", "NGY", "NGZ", "LREAL", "ISMEAR", "SIGMA", "EDIFF", "EDIFFG",
        "ISPIN", "GGA", "METAGGA", "LHFCALC", "IVDW", "NELECT", "NUPDOWN", "KSPACING", "KGAMMA",
        "ISIF", "NSW", "LPEAD", "TEBEG", "TEEND", "MDALGO", "LDIPOL", "MAGMOM",
    }
)  # fmt: skip


@pytest.fixture(scope="module")
def data_sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_potcars(tmp_path_factory.mktemp("sets"))


@pytest.fixture
def folder(data_sets: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PMG_VASP_PSP_DIR", str(data_sets))
    return data_sets / "POT_GGA_PAW_PBE"


@pytest.fixture(scope="module")
def written_job(data_sets: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A relaxation as it is written, to be copied."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PMG_VASP_PSP_DIR", str(data_sets))
        directory = tmp_path_factory.mktemp("written") / "job"
        return make_directory(directory, make_slab_job("relax"), data_sets / "POT_GGA_PAW_PBE")


@pytest.fixture
def job_directory(
    tmp_path: Path, written_job: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A relaxation in one directory, while the process stands in another that looks the same."""
    for name in ("job", "elsewhere"):
        shutil.copytree(written_job, tmp_path / name)
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path / "job"


def make_directory(directory: Path, job: EngineJob, folder: Path) -> Path:
    directory.mkdir()
    write_inputs(directory, prepare_job(job, folder))
    return directory


def place(source: Path, directory: Path) -> None:
    """Put a text where VASP would have written it."""
    names = {"std_err": "stderr.txt", "OSZICAR": "OSZICAR", "vasprun": "vasprun.xml"}
    name = next((names[stem] for stem in names if source.name.startswith(stem)), "vasp.out")
    data = source.read_bytes()
    (directory / name).write_bytes(gzip.decompress(data) if source.suffix == ".gz" else data)


def run_handlers(directory: Path) -> tuple[GuardedHandler, dict[str, Any]] | None:
    for handler in make_handlers(directory):
        if handler.check(str(directory)):
            assert isinstance(handler, GuardedHandler)
            return handler, handler.correct(str(directory))
    return None


def physics(directory: Path) -> dict[str, Any]:
    incar = Incar.from_file(directory / "INCAR")
    return {tag: incar[tag] for tag in incar if tag not in FREE_TAGS} | {
        name: (directory / name).read_bytes() for name in ("KPOINTS", "POTCAR", "POSCAR")
    }


def test_what_may_change_is_not_the_physics() -> None:
    assert FREE_TAGS.isdisjoint(PHYSICS)
    assert set(REASONS) >= PHYSICS & {"ENCUT", "PREC", "LREAL", "SIGMA", "EDIFF", "EDIFFG"}


@pytest.mark.parametrize(
    ("text", "handler", "error", "outcome"), TEXTS, ids=[entry[0] for entry in TEXTS]
)
def test_each_public_error_text(
    job_directory: Path,
    shared_data: Path,
    text: str,
    handler: str | None,
    error: str | None,
    outcome: str | None,
) -> None:
    before = physics(job_directory)
    if error == "coef":
        write_wavecar(job_directory / "WAVECAR")
    place(shared_data / "vasp" / "failed" / text, job_directory)
    found = run_handlers(job_directory)
    assert physics(job_directory) == before
    if handler is None or error is None or outcome is None:
        assert found is None
        return
    assert found is not None and found[0].name == handler
    assert error in found[1]["errors"][0]
    if outcome == NOTHING or outcome.startswith("refused"):
        assert found[1]["actions"] is None
        said = read_refusal(job_directory)
        assert said is not None and error in said
        assert outcome in said or f"proposed {outcome.split()[-1]}" in said
        assert not (job_directory / "vasp.out.part1").exists()
        return
    assert outcome in found[1]["actions"][0]
    assert read_refusal(job_directory) is None
    assert not (job_directory / "WAVECAR").exists()
    (made,) = read_corrections(job_directory)
    assert handler in made and outcome in made
    assert run_handlers(job_directory) is None  # the old text is set aside, and fires once


def test_every_text_is_in_the_table(shared_data: Path) -> None:
    inputs = {"INCAR", "KPOINTS", "POSCAR", "CONTCAR", "OUTCAR"}
    root = shared_data / "vasp" / "failed"
    there = {
        str(path.relative_to(root))
        for path in root.rglob("*")
        if path.is_file() and path.name not in inputs
    }
    assert there - {entry[0] for entry in TEXTS} == {"nonconv/OSZICAR"}  # has a test of its own


def test_ten_steps_without_convergence_take_another_minimiser(
    tmp_path: Path, folder: Path, shared_data: Path
) -> None:
    job = make_slab_job("relax", settings={"nelm": 10})
    directory = make_directory(tmp_path / "job", job, folder)
    text = (shared_data / "vasp/failed/nonconv/OSZICAR").read_text()
    (directory / "OSZICAR").write_text(text)
    assert run_handlers(directory) is None
    (directory / "OSZICAR").write_text(3 * text)
    shutil.copyfile(directory / "POSCAR", directory / "CONTCAR")
    found = run_handlers(directory)
    assert found is not None and found[0].name == "NonConvergingErrorHandler"
    assert found[1]["actions"] == ["ALGO = All, ISEARCH = 1"]


def test_a_last_field_that_did_not_converge_takes_a_safer_minimiser(
    tmp_path: Path, folder: Path, shared_data: Path
) -> None:
    directory = make_directory(
        tmp_path / "job", make_slab_job("energy", settings={"algo": "Fast"}), folder
    )
    place(shared_data / "vasp/failed/unconverged/vasprun.xml.electronic.gz", directory)
    found = run_handlers(directory)
    assert found is not None and found[1]["actions"] == ["ALGO = Normal"]
    assert Incar.from_file(directory / "INCAR")["ALGO"] == "Normal"


def test_a_second_correction_follows_the_first(job_directory: Path, shared_data: Path) -> None:
    handlers = make_handlers(job_directory)
    text = shared_data / "vasp/failed/handler_texts/vasp.brmix"
    said = []
    for _ in range(2):
        place(text, job_directory)
        fired = next(handler for handler in handlers if handler.check(str(job_directory)))
        said.append(fired.correct(str(job_directory)))
    assert said[0]["actions"] == ["IMIX = 1"]
    # what is left of the next rung once the k-points are refused only undoes the first
    assert said[1]["actions"] is None
    assert "generation_style = Gamma" in (read_refusal(job_directory) or "")
    assert Incar.from_file(job_directory / "INCAR")["IMIX"] == 1
    assert (job_directory / "INCAR.part1").is_file() and (job_directory / "vasp.out").is_file()


def test_a_refusal_is_not_forgotten_when_another_handler_corrects(
    job_directory: Path, shared_data: Path
) -> None:
    """custodian asks every handler in turn: the run ends, and says which correction was refused."""
    failed = shared_data / "vasp" / "failed"
    place(failed / "handler_texts/vasp.dentet", job_directory)
    place(failed / "handler_texts/std_err.txt.kpoints_trans", job_directory)
    before = physics(job_directory)
    handlers = list(make_handlers(job_directory))
    custodian = Custodian(handlers, [_NothingToRun()], 10, directory=str(job_directory))
    custodian.run()
    corrections = custodian.run_log[-1]["corrections"]
    assert [correction["actions"] for correction in corrections] == [None, None]
    assert physics(job_directory) == before
    assert "dentet" in (read_refusal(job_directory) or "")
    assert read_corrections(job_directory) == ()
    assert (job_directory / "vasp.out").is_file()
    with pytest.raises(EngineError, match=r"dentet.*may not change the physics"):
        VaspEngine().parse(job_directory)
    assert not VaspEngine().is_complete(job_directory)


class _NothingToRun(Job):
    """A job whose outputs are there already."""

    def setup(self, directory: str = "./") -> None: ...

    def run(self, directory: str = "./") -> None: ...

    def postprocess(self, directory: str = "./") -> None: ...


@pytest.mark.parametrize("content", ['["ALGO = A', "", "{}", "null", "[1]", "\x00"])
@pytest.mark.parametrize("name", [CORRECTIONS_NAME, REFUSAL_NAME])
def test_damaged_notes_of_corrections_are_named(
    job_directory: Path, name: str, content: str
) -> None:
    (job_directory / name).write_text(content)
    with pytest.raises(ParseError, match=f"{name}: damaged .*Remove the file"):
        read_corrections(job_directory)
        read_refusal(job_directory)
    assert not VaspEngine().is_complete(job_directory)


@pytest.mark.parametrize(
    ("task", "potim"), [("dynamics", 1.0), ("vibrations", 0.015), ("relax", 0.25)]
)
def test_the_step_changes_in_relaxations_only(
    tmp_path: Path, folder: Path, shared_data: Path, task: Any, potim: float
) -> None:
    dynamics = DynamicsSettings(300.0, 1.0, 20, thermostat_time_fs=None)
    job = make_slab_job(task, dynamics=dynamics if task == "dynamics" else None)
    directory = make_directory(tmp_path / "job", job, folder)
    failed = shared_data / "vasp" / "failed"
    place(failed / "potim/OSZICAR", directory)
    assert run_handlers(directory) is not None
    assert Incar.from_file(directory / "INCAR")["POTIM"] == potim
    refused = read_refusal(directory)
    assert (refused is None) == (task == "relax")
    if refused:
        assert "may not change the physics" in refused


def test_a_frozen_job_starts_again_from_its_last_structure(
    job_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (job_directory / "vasp.out").write_text("running\n")
    (job_directory / "OSZICAR").write_text("   1 F= -.5E+02 E0= -.5E+02  d E =-.1E+01\n")
    moved = (job_directory / "POSCAR").read_text().replace("qdcomp relax", "as VASP wrote it")
    (job_directory / "CONTCAR").write_text(moved)
    assert run_handlers(job_directory) is None
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 7 * 3600)
    found = run_handlers(job_directory)
    assert found is not None and found[0].name == "FrozenJobErrorHandler"
    assert found[1]["actions"] == ["on from the last structure"]
    assert (job_directory / "POSCAR").read_text() == moved
    assert read_job_file(job_directory).steps_before == 1


ACTIONS: list[tuple[dict[str, Any], str]] = [
    ({"dict": "INCAR", "action": {"_set": {tag: 3}}}, tag)
    for tag in sorted(PHYSICS - {"NSW"})
] + [
    ({"dict": "KPOINTS", "action": {"_set": {"kpoints": ((5, 5, 1),)}}}, "KPOINTS"),
    ({"dict": "POSCAR", "action": {"_set": {"structure": {}}}}, "POSCAR"),
    ({"dict": "INCAR", "action": {"_set": {"NBANDS": 10}}}, "NBANDS"),
    ({"dict": "INCAR", "action": {"_set": {"NELM": 60}}}, "NELM"),
    ({"dict": "INCAR", "action": {"_set": {"ALGO": "None"}}}, "ALGO"),
    ({"dict": "INCAR", "action": {"_set": {"ICHARG": 11}}}, "ICHARG"),
    ({"dict": "INCAR", "action": {"_set": {"IBRION": 0}}}, "IBRION"),
    ({"dict": "INCAR", "action": {"_set": {"IBRION": 3, "IOPT": 7}}}, "IOPT"),
    ({"file": "POTCAR", "action": {"_file_delete": {"mode": "actual"}}}, "POTCAR"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("action", "named"), ACTIONS, ids=[f"{n}-{i}" for i, (_, n) in enumerate(ACTIONS)]
)
def test_no_action_can_change_the_physics(folder: Path, action: dict[str, Any], named: str) -> None:
    job = prepare_job(make_slab_job("relax", settings={"nbands": 40}), folder)
    verdict = judge_actions([action], job)
    assert any(text.startswith((named, f"no {named}")) for text in verdict.refused)
    assert not set(verdict.changes) & PHYSICS


def test_bands_and_steps_may_be_raised(folder: Path) -> None:
    job: JobFile = prepare_job(make_slab_job("relax", settings={"nbands": 40}), folder)
    action = {"dict": "INCAR", "action": {"_set": {"NBANDS": 44, "NELM": 300}}}
    verdict = judge_actions([action], job)
    assert verdict.changes == {"NBANDS": 44, "NELM": 300} and verdict.mends


def test_a_coarse_grid_that_was_chosen_is_no_error_and_a_fine_one_is(
    tmp_path: Path, folder: Path, shared_data: Path
) -> None:
    job = make_slab_job("relax", settings={"prec": "Accurate"})
    directory = make_directory(tmp_path / "job", job, folder)
    place(shared_data / "vasp/failed/aliasing/vasp.aliasing", directory)
    (directory / "OUTCAR").write_text(
        " WARNING: aliasing errors must be expected set NGX to  48 to avoid them\n NGZ is ok\n"
    )
    found = run_handlers(directory)
    assert found is not None and found[1]["actions"] is None
    assert "proposed NGX = 48" in (read_refusal(directory) or "")


def test_custodian_keeps_off_the_terminal(
    job_directory: Path, shared_data: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    before = list(root.handlers)
    place(shared_data / "vasp/failed/handler_texts/vasp.set_core_wf", job_directory)
    run_handlers(job_directory)
    assert root.handlers == before
    assert capfd.readouterr() == ("", "")
    assert "new version of the POTCAR" in (read_refusal(job_directory) or "")


def test_handlers_describe_themselves_for_custodians_log(job_directory: Path) -> None:
    handler = GuardedHandler(str(job_directory), VaspErrorHandler("vasp.out"), monitor=True)
    assert handler.as_dict()["handler"] == "VaspErrorHandler"


@pytest.mark.parametrize(("task", "tag"), [("relax", "LSTOP"), ("energy", "LABORT")])
def test_vasp_is_asked_to_end_and_then_not_corrected(
    tmp_path: Path, folder: Path, shared_data: Path, task: Any, tag: str
) -> None:
    directory = make_directory(tmp_path / "job", make_slab_job(task), folder)
    VaspEngine().request_stop(directory)
    assert (directory / "STOPCAR").read_text() == f"{tag} = .TRUE.\n"
    place(shared_data / "vasp/failed/handler_texts/vasp.brmix", directory)
    note_stop(directory)
    assert run_handlers(directory) is None
    forget_stop(directory)
    assert run_handlers(directory) is not None
