"""VASP jobs from inputs to results through custodian, with the stand-in, which is told to fail.

Each failure ends in recovery or in a clear error, and none changes the physics.
"""

import dataclasses
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from builders.vasp_jobs import make_mixed_slab, make_slab_job
from builders.vasp_potcars import write_potcars
from builders.vasp_stand_in import install_stand_in
from pymatgen.io.vasp.inputs import Incar

from qdcomp.engines import Engine, EngineResult, load_engine
from qdcomp.engines.base import DynamicsSettings, EngineJob, RelaxationSettings
from qdcomp.engines.vasp.allowed_changes import FREE_TAGS
from qdcomp.errors import ConvergenceError, EngineError, WalltimeReached
from qdcomp.recipes.jobs import job_execution, walltime
from qdcomp.recipes.jobs.job_execution import RunRecord, read_run_record, run_job

ENERGY_EV = -45.3956
"""Of the relaxed slab, to 1 meV whichever way it was relaxed."""

Tell = Callable[..., None]


@pytest.fixture(scope="module")
def binaries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install_stand_in(tmp_path_factory.mktemp("bin"))


@pytest.fixture
def engine(tmp_path: Path, binaries: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setenv("QDCOMP_VASP", str(binaries))
    monkeypatch.delenv("QDCOMP_VASP_GAMMA", raising=False)
    monkeypatch.delenv("VASP_STAND_IN", raising=False)
    monkeypatch.setenv("PMG_VASP_PSP_DIR", str(write_potcars(tmp_path / "sets")))
    monkeypatch.setattr(job_execution, "_POLL_S", 0.05)
    return load_engine("vasp")


@pytest.fixture
def tell(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> Tell:
    """Tell the stand-in what to do wrong."""
    monkeypatch.setenv("QDCOMP_SHARED", str(shared_data.parent))
    return lambda **told: monkeypatch.setenv("VASP_STAND_IN", json.dumps(told))


def make_slab() -> Atoms:
    """Make the slab near a minimum of the stand-in's potential: all relaxations end there."""
    slab = make_mixed_slab()
    slab.positions = [
        [0.26, 0.16, 9.35], [3.26, 0.77, 12.25], [3.26, 4.23, 11.46], [-0.93, 2.33, 12.16],
        [0.26, -0.72, 14.09], [1.45, 2.33, 12.16], [3.26, 2.79, 13.74],
    ]  # fmt: skip
    slab.rattle(0.08, seed=2)
    return slab


def make_relaxation(**changes: Any) -> EngineJob:
    relaxation = RelaxationSettings(max_force_ev_per_angstrom=0.02)
    return make_slab_job("relax", **{"relaxation": relaxation, "atoms": make_slab()} | changes)


def make_dynamics(steps: int = 40, **changes: Any) -> EngineJob:
    """Dynamics without a thermostat, of which a run that was cut off repeats the numbers."""
    dynamics = DynamicsSettings(300.0, 0.5, steps, thermostat_time_fs=None, **changes)
    return make_slab_job("dynamics", dynamics=dynamics, atoms=make_slab())


def write(engine: Engine, directory: Path, job: EngineJob) -> Path:
    directory.mkdir()
    engine.write_inputs(directory, job)
    return directory


def finish(engine: Engine, directory: Path) -> tuple[RunRecord, EngineResult]:
    record = run_job(engine, directory)
    assert engine.is_complete(directory)
    return record, engine.parse(directory)


def assert_same_physics(directory: Path) -> None:
    """Compare the inputs of every part with those of the last."""
    last = Incar.from_file(directory / "INCAR")
    free = FREE_TAGS | {"NSW", "RANDOM_SEED"}
    for path in directory.glob("INCAR.part*"):
        part = Incar.from_file(path)
        changed = {tag for tag in {*part, *last} if part.get(tag) != last.get(tag)}
        assert changed <= free, f"{path.name}: {changed}"
        number = path.suffix
        kpoints = (directory / f"KPOINTS{number}").read_text()
        assert kpoints == (directory / "KPOINTS").read_text()
        ours = (directory / f"POSCAR{number}").read_text().splitlines()
        theirs = (directory / "POSCAR").read_text().splitlines()
        cells = [np.loadtxt(lines[2:5]) * float(lines[1]) for lines in (ours, theirs)]
        np.testing.assert_allclose(cells[0], cells[1], atol=1e-9)
        assert [line.split() for line in ours[5:7]] == [line.split() for line in theirs[5:7]]


def text(name: str, **told: Any) -> dict[str, Any]:
    return {"failure": "text", "file": name, "at_step": 3} | told


# what the stand-in is told, what is corrected
RECOVERIES: dict[str, tuple[dict[str, Any], str]] = {
    "brmix": (text("handler_texts/vasp.brmix", starts=1), "ISTART = 1"),
    "zbrent": (text("handler_texts/vasp.zbrent", starts=1), "NELMIN = 8"),
    "edddav": (text("handler_texts/vasp.edddav", starts=1), "ALGO = All"),
    "eddrmm": (text("handler_texts/vasp.eddrmm", starts=1), "POTIM = 0.25"),
    "zpotrf": (text("handler_texts/vasp.ztrtri", starts=1), "ISYM = 0"),
    "rhosyg": (text("handler_texts/vasp.rhosyg", starts=1), "SYMPREC = 0.0001"),
    "pricelv": (text("handler_texts/vasp.pricelv", starts=1), "SYMPREC = 1e-06"),
    "too few bands": (text("too_few_bands/vasp.too_few_bands", starts=1), "NBANDS = 36"),
    "amin": ({"failure": "warning", "file": "handler_texts/vasp.amin", "starts": 1}, "AMIN = 0.01"),
    "k-points": (text("handler_texts/std_err.txt.kpoints_trans", starts=1), "ISYM = 0"),
    "positive energy": ({"failure": "positive_energy", "starts": 1, "at_step": 2}, "POTIM = 0.25"),
    "energy jumps": ({"failure": "jump", "starts": 1, "at_step": 4}, "POTIM = 0.25"),
    "not converged": ({"failure": "unconverged", "starts": 1, "at_step": 4}, "ALGO = All"),
    "frozen": ({"failure": "hang", "idle": 7 * 3600, "starts": 1, "at_step": 4}, "last structure"),
}


@pytest.mark.parametrize("name", RECOVERIES)
def test_a_failure_is_recovered_from(engine: Engine, tmp_path: Path, tell: Tell, name: str) -> None:
    told, corrected = RECOVERIES[name]
    tell(**told)
    directory = write(engine, tmp_path / "job", make_relaxation(settings={"nelm": 20}))
    record, result = finish(engine, directory)
    assert record.runs == 2
    assert len(result.corrections) == 1 and corrected in result.corrections[0]
    assert result.energy_ev == pytest.approx(ENERGY_EV, abs=1e-3)
    assert_same_physics(directory)
    assert result.level == engine.parse(directory).level


# what the stand-in is told, what the error says
ENDS: dict[str, tuple[dict[str, Any], str]] = {
    "brmix for ever": (text("handler_texts/vasp.brmix"), "proposed KPOINTS.*Refused"),
    "rotation matrix": (text("handler_texts/vasp.sgrcon"), "proposed KPOINTS.*Refused"),
    "LREAL": (text("handler_texts/vasp.real_optlay"), "real_optlay.*no correction"),
    "tetrahedra": (text("handler_texts/vasp.dentet"), "dentet.*proposed KPOINTS.*Refused"),
    "memory": (text("handler_texts/std_err.txt.oom"), "out_of_memory"),
    "INCAR": (text("handler_texts/vasp.read_error"), "typo in the INCAR"),
    "no output": ({"failure": "no_output"}, r"return code is 1.*OUTCAR|vasprun.xml: not there"),
    "killed": ({"failure": "kill", "at_step": 4}, "return code is -9"),
    "never converged": (
        {"failure": "unconverged"}, "stopped after .* corrections, the last .*Non-converging job"),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDS)
def test_what_cannot_be_mended_ends_in_a_clear_error(
    engine: Engine, tmp_path: Path, tell: Tell, name: str
) -> None:
    told, said = ENDS[name]
    tell(**told)
    directory = write(engine, tmp_path / "job", make_relaxation(settings={"nelm": 20}))
    with pytest.raises(EngineError, match=f"(?s){said}") as caught:
        run_job(engine, directory)
    assert str(directory) in str(caught.value)
    assert not engine.is_complete(directory)
    assert_same_physics(directory)
    assert read_run_record(directory) is not None


def test_a_cut_vasprun_is_replaced_by_outcar(engine: Engine, tmp_path: Path, tell: Tell) -> None:
    tell(failure="truncate")
    directory = write(engine, tmp_path / "job", make_relaxation())
    record, result = finish(engine, directory)
    assert record.runs == 1 and result.energy_ev == pytest.approx(ENERGY_EV, abs=1e-3)
    assert any("vasprun.xml is cut off" in warning for warning in result.warnings)


def test_a_relaxation_that_used_up_its_steps_says_so(engine: Engine, tmp_path: Path) -> None:
    job = make_relaxation(relaxation=RelaxationSettings(0.02, max_steps=10))
    directory = write(engine, tmp_path / "job", job)
    with pytest.raises(ConvergenceError, match=r"0\.02 eV/Å in 10 of 10 steps, largest force"):
        run_job(engine, directory)


@pytest.mark.parametrize("torn", [False, True])
def test_a_killed_relaxation_goes_on(
    engine: Engine, tmp_path: Path, tell: Tell, torn: bool
) -> None:
    tell(failure="kill", at_step=8, starts=1, torn=torn)
    directory = write(engine, tmp_path / "job", make_relaxation())
    with pytest.raises(EngineError):
        run_job(engine, directory)
    assert engine.count_steps(directory) == 7
    partial = engine.parse(directory)
    assert partial.steps == 7 and any("cut off after 7" in text for text in partial.warnings)
    record, result = finish(engine, directory)
    assert record.runs == 2
    assert result.energy_ev == pytest.approx(ENERGY_EV, abs=1e-3)
    assert result.steps == engine.count_steps(directory) > 8


@pytest.mark.parametrize("torn", [False, True])
def test_killed_dynamics_loses_no_step(
    engine: Engine, tmp_path: Path, tell: Tell, torn: bool
) -> None:
    whole = write(engine, tmp_path / "whole", make_dynamics())
    finish(engine, whole)
    expected = list(engine.read_frames(whole))
    directory = write(engine, tmp_path / "job", make_dynamics())
    for at_step in (15, 12):
        tell(failure="kill", at_step=at_step, torn=torn)
        with pytest.raises(EngineError):
            run_job(engine, directory)
    tell()
    record, result = finish(engine, directory)
    frames = list(engine.read_frames(directory))
    assert record.runs == 3 and result.steps == 40
    assert [frame.step for frame in frames] == list(range(1, 41))
    # a fresh start from the last frames has velocities to second order in the time step
    near = 2e-3 if torn else 1e-6
    for frame, same in zip(frames, expected, strict=True):
        np.testing.assert_allclose(frame.positions, same.positions, atol=near)
        assert frame.homo_ev == pytest.approx(same.homo_ev, abs=2e-4)
    jumps = np.diff([frame.positions for frame in frames], axis=0)
    assert np.abs(jumps).max() < 0.1


@pytest.mark.parametrize("task", ["dynamics", "relax"])
def test_vasp_ends_before_its_batch_job_and_goes_on_in_the_next(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
    job = make_dynamics() if task == "dynamics" else make_relaxation()
    whole = write(engine, tmp_path / "whole", job)
    _, expected = finish(engine, whole)
    directory = write(engine, tmp_path / "job", job)
    # asked at once, and killed long after: the stand-in ends after its first step
    monkeypatch.setenv("QDCOMP_DEADLINE", str(time.time() + 1000.0))
    with monkeypatch.context() as patch:
        patch.setattr(walltime, "MARGIN_STEPS", 0.0)
        patch.setattr(walltime, "choose_least_margin", lambda _: 2000.0)
        patch.setattr(job_execution, "_POLL_S", 0.001)
        with pytest.raises(WalltimeReached):
            run_job(engine, directory)
    assert 1 <= engine.count_steps(directory) < expected.steps
    record, result = finish(engine, directory)
    assert [piece.end for piece in record.pieces] == ["walltime", "complete"]
    assert not (directory / "STOPCAR").exists() and result.corrections == ()
    assert result.energy_ev == pytest.approx(expected.energy_ev, abs=1e-3)
    if task == "dynamics":
        frames = list(engine.read_frames(directory))
        assert [frame.step for frame in frames] == list(range(1, 41))
        for frame, same in zip(frames, engine.read_frames(whole), strict=True):
            np.testing.assert_allclose(frame.positions, same.positions, atol=1e-6)


def test_segments_join_without_a_seam(engine: Engine, tmp_path: Path) -> None:
    whole = write(engine, tmp_path / "whole", make_dynamics(30))
    finish(engine, whole)
    first = write(engine, tmp_path / "first", make_dynamics(18))
    _, end = finish(engine, first)
    job = make_dynamics(12, first_step=18)
    second = write(engine, tmp_path / "second", dataclasses.replace(job, atoms=end.atoms))
    engine.restart_from(second, first)
    finish(engine, second)
    frames = [*engine.read_frames(first), *engine.read_frames(second)]
    assert [frame.step for frame in frames] == list(range(1, 31))
    for frame, same in zip(frames, engine.read_frames(whole), strict=True):
        np.testing.assert_allclose(frame.positions, same.positions, atol=1e-6)
        assert frame.conserved_energy_ev == pytest.approx(same.conserved_energy_ev, abs=1e-5)


def test_results_do_not_depend_on_the_order_of_the_atoms(engine: Engine, tmp_path: Path) -> None:
    slab = make_slab()
    plain = write(engine, tmp_path / "plain", make_relaxation())
    _, expected = finish(engine, plain)
    order = np.random.default_rng(5).permutation(len(slab))
    mixed = write(engine, tmp_path / "mixed", make_relaxation(atoms=slab[order]))
    _, result = finish(engine, mixed)
    assert result.atoms.get_chemical_symbols() == [slab.symbols[atom] for atom in order]
    positions, forces = expected.atoms.positions[order], expected.forces_ev_per_angstrom
    np.testing.assert_allclose(result.atoms.positions, positions, atol=2e-3)
    assert forces is not None and result.forces_ev_per_angstrom is not None
    np.testing.assert_allclose(result.forces_ev_per_angstrom, forces[order], atol=0.02)
    share, same = expected.frontier[0].homo_population, result.frontier[0].homo_population
    assert share is not None and same is not None
    np.testing.assert_allclose(same, share[order], atol=1e-9)


def test_a_job_that_is_complete_is_not_run_again(engine: Engine, tmp_path: Path) -> None:
    directory = write(engine, tmp_path / "job", make_relaxation())
    finish(engine, directory)
    written = (directory / "OUTCAR").stat().st_mtime_ns
    assert run_job(engine, directory).runs == 1
    assert (directory / "OUTCAR").stat().st_mtime_ns == written
