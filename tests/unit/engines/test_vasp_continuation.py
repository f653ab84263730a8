"""A run that was cut off goes on, and nothing that it wrote is lost."""

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders.vasp_jobs import make_slab_job, write_wavecar
from builders.vasp_potcars import write_potcars
from pymatgen.io.vasp.inputs import Incar, Poscar

from qdcomp.engines.base import DynamicsSettings, RelaxationSettings
from qdcomp.engines.vasp import VaspEngine
from qdcomp.engines.vasp.continuation import (
    continue_other_run,
    continue_same_run,
    count_part_steps,
    count_whole_steps,
)
from qdcomp.engines.vasp.corrections import read_refusal, record_refusal
from qdcomp.engines.vasp.input_check import require_own_inputs
from qdcomp.engines.vasp.inputs import prepare_job, write_inputs
from qdcomp.engines.vasp.job_file import JobFile, read_job_file
from qdcomp.engines.vasp.parts import find_part_files
from qdcomp.engines.vasp.poscar import render_poscar
from qdcomp.engines.vasp.wavecar import is_whole_wavefunction
from qdcomp.errors import EngineError

STEP_FS = 2.0
RELAX_LINE = "{:4d} F= -.50000000E+02 E0= -.50000000E+02  d E =-.1E+01\n"
LAST_OF_STEP = "  total energy   ETOTAL =       -50.000000 eV\n"
DYNAMICS_LINE = "{:7d} T=   300. E= -.5E+02 F= -.5E+02 E0= -.5E+02  EK= 0.2E+00 SP= 0. SK= 0.\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = write_potcars(tmp_path / "sets")
    monkeypatch.setenv("PMG_VASP_PSP_DIR", str(root))
    return root / "POT_GGA_PAW_PBE"


def make_directory(directory: Path, folder: Path, task: Any = "relax", **changes: Any) -> Path:
    directory.mkdir()
    if task == "dynamics":
        changes["settings"] = {"thermostat": "nose"}
        changes.setdefault("dynamics", DynamicsSettings(300.0, STEP_FS, 20))
    write_inputs(directory, prepare_job(make_slab_job(task, **changes), folder))
    return directory


def pretend(
    directory: Path,
    steps: int,
    *,
    contcar: str = "whole",
    frames: int = 0,
    moves: int | None = None,
) -> JobFile:
    """Write what VASP leaves after some steps; in each, every atom moves 0.01 Å along x."""
    job = read_job_file(directory)
    line = RELAX_LINE if job.dynamics is None else DYNAMICS_LINE
    (directory / "OSZICAR").write_text("".join(line.format(n + 1) for n in range(steps)))
    for name in ("OUTCAR", "vasp.out", "vasprun.xml"):
        (directory / name).write_text(f"{name} of {steps} steps\n")
    if job.dynamics is not None:
        done = LAST_OF_STEP * (steps if moves is None else moves)
        (directory / "OUTCAR").write_text(f"OUTCAR of {steps} steps\n{done}")
    start = Poscar.from_file(directory / "POSCAR", check_for_potcar=False)
    first = np.array(start.structure.frac_coords)
    header = (directory / "POSCAR").read_text().splitlines(keepends=True)[:7]
    text = "".join(header)
    for frame in range(frames):
        moved = (first + np.array([0.01 * frame / 6.0, 0, 0])) % 1.0
        rows = "".join(" ".join(f"{x:.8f}" for x in row) + "\n" for row in moved)
        text += f"Direct configuration= {frame + 1:5d}\n{rows}"
    if frames:
        (directory / "XDATCAR").write_text(text)
    moved = job.positions + np.array([0.01 * steps, 0, 0])
    velocities = None if job.dynamics is None else np.full_like(moved, 0.01 / STEP_FS)
    written = render_poscar(dataclasses.replace(job, positions=moved, velocities=velocities))
    cut = {"whole": len(written), "empty": 0, "cut": int(0.7 * len(written))}
    (directory / "CONTCAR").write_text(written[: cut[contcar]])
    return job


@pytest.mark.parametrize("task", ["relax", "dynamics"])
def test_a_run_goes_on_from_contcar_and_keeps_its_parts(
    tmp_path: Path, folder: Path, task: Any
) -> None:
    directory = make_directory(tmp_path / "job", folder, task)
    write_wavecar(directory / "WAVECAR")
    waves = (directory / "WAVECAR").read_bytes()
    total = read_job_file(directory).steps
    for part, steps in enumerate((3, 4), start=1):
        pretend(directory, steps)
        contcar = (directory / "CONTCAR").read_text()
        continue_same_run(directory)
        assert (directory / "POSCAR").read_text() == contcar
        kept = (directory / f"OUTCAR.part{part}").read_text()
        assert kept.startswith(f"OUTCAR of {steps} steps\n")
        assert not (directory / "OUTCAR").exists() and not (directory / "vasp.out").exists()
    job = read_job_file(directory)
    assert (job.earlier_steps, job.steps_before) == ((0, 3), 7)
    assert Incar.from_file(directory / "INCAR")["NSW"] == total - 7
    assert (directory / "WAVECAR").read_bytes() == waves
    found = find_part_files(directory, "OSZICAR", job)
    assert [(steps, path.name) for steps, path in found] == [
        (0, "OSZICAR.part1"),
        (3, "OSZICAR.part2"),
    ]


@pytest.mark.parametrize("contcar", ["empty", "cut"])
def test_a_contcar_that_is_not_whole_falls_back_to_the_last_frame(
    tmp_path: Path, folder: Path, contcar: str
) -> None:
    directory = make_directory(tmp_path / "job", folder)
    before = pretend(directory, 4, contcar=contcar, frames=4)
    continue_same_run(directory)
    job = read_job_file(directory)
    assert job.steps_before == 3  # the fourth is done again
    poscar = Poscar.from_file(directory / "POSCAR", check_for_potcar=False)
    positions = job.restore_order(np.array(poscar.structure.cart_coords))
    assert positions == pytest.approx(before.positions + np.array([0.03, 0, 0]), abs=1e-6)
    assert any("CONTCAR of part 1" in text for text in job.warnings)


def test_dynamics_without_a_whole_contcar_gets_velocities_from_its_frames(
    tmp_path: Path, folder: Path
) -> None:
    directory = make_directory(tmp_path / "job", folder, "dynamics")
    pretend(directory, 5, contcar="cut", frames=5)
    continue_same_run(directory)
    poscar = Poscar.from_file(directory / "POSCAR", check_for_potcar=False)
    expected = np.tile([0.01 / STEP_FS, 0, 0], (7, 1))
    assert np.array(poscar.velocities) == pytest.approx(expected, abs=1e-7)
    job = read_job_file(directory)
    assert job.steps_before == 4
    assert any("velocities from the last frames" in text for text in job.warnings)


def test_steps_that_outcar_lost_are_done_again(tmp_path: Path, folder: Path) -> None:
    directory = make_directory(tmp_path / "job", folder, "dynamics")
    before = pretend(directory, 6, frames=6, moves=4)  # CONTCAR is of step 6
    (directory / "OUTCAR").write_text((directory / "OUTCAR").read_text() + LAST_OF_STEP[:-9])
    assert count_whole_steps(directory, before) == 4
    continue_same_run(directory)
    job = read_job_file(directory)
    assert job.steps_before == 3  # the fourth is done again
    assert Incar.from_file(directory / "INCAR")["NSW"] == 17
    poscar = Poscar.from_file(directory / "POSCAR", check_for_potcar=False)
    positions = job.restore_order(np.array(poscar.structure.cart_coords))
    assert positions == pytest.approx(before.positions + np.array([0.03, 0, 0]), abs=1e-6)


@pytest.mark.parametrize(("task", "frames"), [("relax", 0), ("dynamics", 2)])
def test_without_a_last_structure_the_part_is_done_again(
    tmp_path: Path, folder: Path, task: Any, frames: int
) -> None:
    directory = make_directory(tmp_path / "job", folder, task)
    start = (directory / "POSCAR").read_text()
    pretend(directory, 5, contcar="empty", frames=frames)
    continue_same_run(directory)
    job = read_job_file(directory)
    assert (job.steps_before, job.earlier_steps) == (0, (0,))
    assert (directory / "POSCAR").read_text() == start


def test_a_contcar_of_other_atoms_is_not_taken(tmp_path: Path, folder: Path) -> None:
    directory = make_directory(tmp_path / "job", folder)
    start = (directory / "POSCAR").read_text()
    pretend(directory, 2)
    other = (directory / "CONTCAR").read_text().replace("Cs Br Pb", "Cs Cl Pb")
    (directory / "CONTCAR").write_text(other)
    continue_same_run(directory)
    assert (directory / "POSCAR").read_text() == start


def test_a_step_of_which_the_line_or_frame_is_cut_off_does_not_count(
    tmp_path: Path, folder: Path
) -> None:
    directory = make_directory(tmp_path / "job", folder, "dynamics")
    job = pretend(directory, 4, frames=4)
    text = (directory / "OSZICAR").read_text()
    (directory / "OSZICAR").write_text(text[:-5])
    assert count_part_steps(directory, job) == 3
    (directory / "OSZICAR").write_text(text)
    frames = (directory / "XDATCAR").read_text()
    (directory / "XDATCAR").write_text(frames[:-5])
    assert (count_part_steps(directory, job), count_whole_steps(directory, job)) == (4, 3)


def test_a_kill_while_files_are_set_aside_is_undone(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = make_directory(tmp_path / "job", folder)
    pretend(directory, 3)
    monkeypatch.setattr(
        "qdcomp.engines.vasp.continuation.write_inputs", lambda *_: (_ for _ in ()).throw(OSError)
    )
    with pytest.raises(OSError):
        continue_same_run(directory)
    monkeypatch.undo()
    monkeypatch.setenv("PMG_VASP_PSP_DIR", str(folder.parent))
    assert (directory / "OUTCAR.part1").exists() and not (directory / "OUTCAR").exists()
    continue_same_run(directory)
    job = read_job_file(directory)
    assert (job.steps_before, job.earlier_steps) == (3, (0,))
    assert (directory / "OUTCAR.part1").read_text() == "OUTCAR of 3 steps\n"


class Killed(BaseException):
    """The process ends here."""


def kill_at_change(patch: pytest.MonkeyPatch, number: int) -> None:
    """Let the process end at its change number `number` to files, text being half written."""
    left = iter(range(number))

    def wrap(name: str) -> None:
        original = getattr(Path, name)

        def changed(path: Path, *arguments: Any, **named: Any) -> Any:
            if next(left, None) is None:
                if name == "write_text":
                    original(path, arguments[0][: len(arguments[0]) // 2])
                raise Killed
            return original(path, *arguments, **named)

        patch.setattr(Path, name, changed)

    for name in ("write_text", "replace", "unlink"):
        wrap(name)


@pytest.mark.parametrize("task", ["relax", "dynamics"])
def test_a_kill_at_any_change_is_mended_by_one_resume(
    tmp_path: Path, folder: Path, task: Any
) -> None:
    made = make_directory(tmp_path / "made", folder, task)
    pretend(made, 3, frames=3)
    continue_same_run(made)
    pretend(made, 4, frames=4)
    for name in ("WAVECAR", "STOPCAR", "stderr.txt"):
        (made / name).touch()
    kills = 0
    for number in range(100):
        directory = Path(shutil.copytree(made, tmp_path / f"killed_at_{number}"))
        with pytest.MonkeyPatch.context() as patch:
            kill_at_change(patch, number)
            try:
                continue_same_run(directory)
            except Killed:
                kills += 1
        if (directory / "vasp.out").is_file():  # what tells a run to go on with
            continue_same_run(directory)
        job = read_job_file(directory)
        require_own_inputs(directory, job)
        assert (job.steps_before, job.earlier_steps) == (7, (0, 3))
        for part, steps in ((1, 3), (2, 4)):
            for name in ("OUTCAR", "vasp.out"):
                kept = (directory / f"{name}.part{part}").read_text()
                assert kept.startswith(f"{name} of {steps} steps\n")
        assert not any((directory / name).exists() for name in ("OUTCAR", "vasp.out", "STOPCAR"))
        if kills <= number:
            break
    assert kills > 15


def test_a_run_that_never_wrote_starts_as_it_was(tmp_path: Path, folder: Path) -> None:
    directory = make_directory(tmp_path / "job", folder)
    (directory / "WAVECAR").touch()
    (directory / "STOPCAR").write_text("LSTOP = .TRUE.\n")
    before = read_job_file(directory)
    continue_same_run(directory)
    assert read_job_file(directory).earlier_steps == before.earlier_steps == ()
    assert not (directory / "WAVECAR").exists() and not (directory / "STOPCAR").exists()


@pytest.mark.parametrize("damage", ["cut off", "zeros"])
def test_a_damaged_wavefunction_is_left_out_and_named(
    tmp_path: Path, folder: Path, damage: str
) -> None:
    directory = make_directory(tmp_path / "job", folder)
    pretend(directory, 3)
    path = directory / "WAVECAR"
    write_wavecar(path)
    assert is_whole_wavefunction(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-80] if damage == "cut off" else bytes(len(whole)))
    assert VaspEngine().restart_from(directory, directory) == (
        "WAVECAR cut off or empty: went on without a wavefunction to start from",
    )
    assert not path.exists()


def test_a_refusal_is_forgotten_when_the_run_is_started_again(tmp_path: Path, folder: Path) -> None:
    directory = make_directory(tmp_path / "job", folder)
    pretend(directory, 3)
    record_refusal(directory, "something")
    VaspEngine().restart_from(directory, directory)
    assert read_refusal(directory) is None
    assert read_job_file(directory).steps_before == 3


def test_the_last_step_of_a_relaxation_is_never_more_than_the_study_allows(
    tmp_path: Path, folder: Path
) -> None:
    directory = make_directory(tmp_path / "job", folder, relaxation=RelaxationSettings(max_steps=5))
    pretend(directory, 4)
    continue_same_run(directory)
    assert Incar.from_file(directory / "INCAR")["NSW"] == 1


def test_the_next_segment_goes_on_from_the_last(tmp_path: Path, folder: Path) -> None:
    previous = make_directory(tmp_path / "one", folder, "dynamics")
    pretend(previous, 20)
    write_wavecar(previous / "WAVECAR")
    later = DynamicsSettings(300.0, STEP_FS, 30, first_step=20)
    directory = make_directory(tmp_path / "two", folder, "dynamics", dynamics=later)
    continue_other_run(directory, previous)
    assert (directory / "POSCAR").read_text() == (previous / "CONTCAR").read_text()
    waves = (previous / "WAVECAR").read_bytes()
    assert (directory / "WAVECAR").read_bytes() == waves
    incar = Incar.from_file(directory / "INCAR")
    assert incar["NSW"] == 30 and incar["RANDOM_SEED"] == [1, 20, 0]


def test_a_wavefunction_that_does_not_fit_is_left(tmp_path: Path, folder: Path) -> None:
    previous = make_directory(tmp_path / "one", folder, "relax", settings={"encut_ev": 300})
    write_wavecar(previous / "WAVECAR")
    directory = make_directory(tmp_path / "two", folder, "energy")
    continue_other_run(directory, previous)
    assert not (directory / "WAVECAR").exists()


def test_a_segment_needs_a_whole_structure_to_go_on_from(tmp_path: Path, folder: Path) -> None:
    previous = make_directory(tmp_path / "one", folder, "dynamics")
    pretend(previous, 20, contcar="cut")
    directory = make_directory(tmp_path / "two", folder, "dynamics")
    with pytest.raises(EngineError, match="no whole CONTCAR"):
        continue_other_run(directory, previous)
