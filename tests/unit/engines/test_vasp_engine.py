"""The engine as the rest of qdcomp uses it, up to the start of VASP."""

from pathlib import Path

import numpy as np
import pytest
from builders.vasp_jobs import make_mixed_slab, make_molecule_job, make_slab_job
from builders.vasp_potcars import write_potcars

from qdcomp.engines import Engine, load_engine
from qdcomp.engines.vasp.corrections import record_refusal
from qdcomp.engines.vasp.job_file import read_job_file
from qdcomp.errors import EngineError, InputError


@pytest.fixture
def engine() -> Engine:
    return load_engine("vasp")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with data sets and the binaries vasp_std and vasp_gam, which do nothing."""
    for name in ("QDCOMP_VASP", "QDCOMP_VASP_GAMMA"):
        monkeypatch.delenv(name, raising=False)
    binaries = tmp_path / "bin"
    binaries.mkdir()
    for name in ("vasp_std", "vasp_gam"):
        (binaries / name).write_text("#!/bin/sh\n")
        (binaries / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(binaries))
    monkeypatch.setenv("PMG_VASP_PSP_DIR", str(write_potcars(tmp_path / "sets")))
    return tmp_path


@pytest.fixture
def directory(machine: Path, engine: Engine) -> Path:
    found = machine / "job"
    found.mkdir()
    engine.write_inputs(found, make_slab_job("relax"))
    return found


def test_it_is_an_engine_and_no_surrogate(engine: Engine) -> None:
    assert isinstance(engine, Engine)
    assert (engine.name, engine.is_surrogate, engine.output_name) == ("vasp", False, "vasp.out")


def test_the_binary_follows_from_the_kpoints_and_the_environment(
    machine: Path, directory: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert engine.command(directory) == ["vasp_std"]
    molecule = machine / "molecule"
    molecule.mkdir()
    engine.write_inputs(molecule, make_molecule_job())
    assert engine.command(molecule) == ["vasp_gam"]
    monkeypatch.setenv("QDCOMP_VASP", "vasp_std -np 4")
    assert engine.command(directory) == engine.command(molecule) == ["vasp_std", "-np", "4"]
    monkeypatch.setenv("QDCOMP_VASP_GAMMA", "vasp_gam -np 2")
    assert engine.command(directory) == ["vasp_std", "-np", "4"]
    assert engine.command(molecule) == ["vasp_gam", "-np", "2"]


def test_a_machine_without_vasp_is_refused_before_any_job(
    machine: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.check(make_slab_job())
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(EngineError, match=r"VASP \(vasp_std\) is not on this machine.*QDCOMP_VASP"):
        engine.check(make_slab_job())
    monkeypatch.setenv("QDCOMP_VASP", "srun vasp_std")
    with pytest.raises(EngineError, match=r"VASP \(srun vasp_std\)"):
        engine.check(make_slab_job())


def test_a_machine_without_data_sets_is_refused_and_still_estimates(
    machine: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_sets = engine.estimate_cost(make_slab_job())
    monkeypatch.delenv("PMG_VASP_PSP_DIR")
    with pytest.raises(InputError, match="PMG_VASP_PSP_DIR"):
        engine.check(make_slab_job())
    assert engine.estimate_cost(make_slab_job()) == with_sets


def test_a_potcar_in_another_order_is_refused_before_each_start(
    directory: Path, engine: Engine
) -> None:
    path = directory / "POTCAR"
    text = path.read_text()
    end = " End of Dataset\n"
    sets = [part + end for part in text.split(end) if part.strip()]
    path.write_text("".join(reversed(sets)))
    with pytest.raises(EngineError, match=r"POTCAR has in another order.*elements are Cs Br Pb"):
        engine.command(directory)
    path.write_text("".join(sets[:2]))
    with pytest.raises(EngineError, match="POTCAR has other data sets"):
        engine.command(directory)
    path.write_text(text.replace("LEXCH  = PE", "LEXCH  = CA"))
    with pytest.raises(EngineError, match=r"LEXCH = CA, CA, CA, expected PE, PE, PE for Cs Br Pb"):
        engine.command(directory)
    path.write_text(text)
    (directory / "vasp.out").write_text("killed\n")
    engine.restart_from(directory, directory)
    assert engine.command(directory) == ["vasp_std"]


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("INCAR", "EDIFFG  =  0.001", "EDIFFG  =  -0.001", "'EDIFFG = -0.001', not"),
        ("INCAR", "IBRION  =  1", "IBRION  =  0", "IBRION = 0"),
        ("KPOINTS", "4 4 1", "2 2 1", "2 2 1"),
        ("POSCAR", "Cs Br Pb", "Cs Pb Br", "Cs Pb Br"),
    ],
)
def test_inputs_that_were_edited_by_hand_are_refused(
    directory: Path, engine: Engine, name: str, old: str, new: str, said: str
) -> None:
    path = directory / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(EngineError, match=f"{name} is not the one of this job: .*{said}"):
        engine.command(directory)
    path.unlink()
    with pytest.raises(EngineError, match=f"{name} missing"):
        engine.command(directory)


def test_a_refused_correction_is_the_error_of_the_run(directory: Path, engine: Engine) -> None:
    record_refusal(directory, "VaspErrorHandler: tet; custodian proposed ISMEAR = 0")
    assert not engine.is_complete(directory)
    with pytest.raises(EngineError, match=r"stopped: VaspErrorHandler: tet.*ISMEAR = 0"):
        engine.parse(directory)


def test_steps_count_over_all_parts(directory: Path, engine: Engine) -> None:
    assert engine.count_steps(directory) == 0
    line = "   1 F= -.50000000E+02 E0= -.50000000E+02  d E =-.1E+01\n"
    (directory / "OSZICAR").write_text(3 * line)
    (directory / "CONTCAR").write_text((directory / "POSCAR").read_text())
    assert engine.count_steps(directory) == 3
    engine.restart_from(directory, directory)
    assert engine.count_steps(directory) == 3
    (directory / "OSZICAR").write_text(line)
    assert engine.count_steps(directory) == 4


def test_frames_are_those_of_dynamics(directory: Path, engine: Engine) -> None:
    with pytest.raises(EngineError, match="'relax' and has no frames"):
        next(engine.read_frames(directory))


def test_atoms_may_come_in_any_order(machine: Path, engine: Engine) -> None:
    shuffled = make_mixed_slab()[np.random.default_rng(3).permutation(7)]
    directory = machine / "shuffled"
    directory.mkdir()
    engine.write_inputs(directory, make_slab_job(atoms=shuffled))
    job = read_job_file(directory)
    assert sorted(job.order) == list(range(7))
    assert job.restore_order(job.positions[list(job.order)]) == pytest.approx(shuffled.positions)


def test_a_job_has_one_thread_unless_told(
    directory: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert engine.environment(directory) == {"OMP_NUM_THREADS": "1"}
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert engine.environment(directory) == {"OMP_NUM_THREADS": "2"}
