"""Frames of dynamics: from job directories and from directories that qdcomp did not make."""

import gzip
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms, units
from builders.vasp_jobs import make_slab_job
from builders.vasp_runs import run_stand_in

from qdcomp.engines import load_engine
from qdcomp.engines.base import DynamicsSettings, EngineJob
from qdcomp.engines.foreign import read_foreign_dynamics
from qdcomp.engines.vasp.directories import make_whole, read_vasp_directory
from qdcomp.engines.vasp.trajectory_files import Unwrapper
from qdcomp.errors import EngineError, InputError, ParseError
from qdcomp.recipes.stages.foreign_run import analyse_foreign_run
from qdcomp.trajectory import open_trajectory

STEPS = 12
STEP_FS = 2.0


def make_cluster() -> Atoms:
    """A positive Cs–Br–Pb cluster, which needs no cell."""
    positions = [[0, 0, 0], [3.7, 0, 0], [6.4, 0.3, 0], [0.3, 3.8, 0.2]]
    return Atoms("CsBrPbBr", positions=np.array(positions))


def make_job(atoms: Atoms, **changes: Any) -> EngineJob:
    dynamics = DynamicsSettings(300.0, STEP_FS, STEPS, thermostat_time_fs=None)
    changes = {"kpoints": (1, 1, 1)} | changes
    return make_slab_job("dynamics", atoms=atoms, dynamics=dynamics, **changes)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_stand_in(
        tmp_path_factory.mktemp("frames") / "job", make_job(make_cluster(), charge=2)
    )


@pytest.fixture
def directory(finished: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(finished, tmp_path / "job"))


def test_frames_are_numbered_timed_and_in_the_jobs_coordinates(finished: Path) -> None:
    frames = list(load_engine("vasp").read_frames(finished))
    assert [frame.step for frame in frames] == list(range(1, STEPS + 1))
    assert [frame.time_fs for frame in frames] == [STEP_FS * n for n in range(1, STEPS + 1)]
    np.testing.assert_allclose(frames[0].positions, make_cluster().positions, atol=1e-6)
    for frame in frames:
        assert frame.velocities is None and frame.forces is not None
        assert frame.potential_energy_ev is not None and frame.kinetic_energy_ev is not None
        total = frame.potential_energy_ev + frame.kinetic_energy_ev
        assert frame.conserved_energy_ev == pytest.approx(total, abs=1e-5)
        assert frame.lumo_ev is not None and frame.homo_ev is not None
        assert frame.lumo_ev > frame.homo_ev
    # F = m a: the forces belong to these positions and atoms
    second = np.diff([frame.positions for frame in frames[:3]], n=2, axis=0)[0] / STEP_FS**2
    masses = make_cluster().get_masses()[:, None] * 103.642696
    forces = frames[1].forces
    assert forces is not None
    np.testing.assert_allclose(second * masses, forces, atol=0.05 * np.abs(forces).max())


def test_the_result_has_velocities_and_the_energy_of_the_last_frame(finished: Path) -> None:
    engine = load_engine("vasp")
    frames = list(engine.read_frames(finished))
    result = engine.parse(finished)
    np.testing.assert_allclose(result.atoms.positions, frames[-1].positions, atol=1e-9)
    speed = np.linalg.norm(frames[-1].positions - frames[-2].positions, axis=1) / STEP_FS
    found = np.linalg.norm(result.atoms.get_velocities() * units.fs, axis=1)
    np.testing.assert_allclose(found, speed, rtol=0.3, atol=1e-4)
    assert result.steps == STEPS and not result.atoms.pbc.any()
    assert result.energy_ev == frames[-1].potential_energy_ev


def test_without_xdatcar_the_positions_are_those_of_outcar(directory: Path) -> None:
    engine = load_engine("vasp")
    expected = list(engine.read_frames(directory))
    (directory / "XDATCAR").unlink()
    for frame, same in zip(engine.read_frames(directory), expected, strict=True):
        np.testing.assert_allclose(frame.positions, same.positions, atol=6e-6)
        assert frame.positions.tolist() != same.positions.tolist()


def test_an_xdatcar_of_another_run_is_not_used(directory: Path) -> None:
    engine = load_engine("vasp")
    expected = list(engine.read_frames(directory))
    text = (directory / "XDATCAR").read_text()
    start = text.index("Direct configuration=     5")
    (directory / "XDATCAR").write_text(text[: text.index("Direct")] + text[start:])
    for frame, same in zip(engine.read_frames(directory), expected, strict=True):
        np.testing.assert_allclose(frame.positions, same.positions, atol=6e-6)


def test_a_missing_step_and_missing_levels_are_named(directory: Path) -> None:
    engine = load_engine("vasp")
    text = (directory / "OUTCAR").read_text()
    (directory / "OUTCAR").write_text(text.replace(" E-fermi", " E-fehler"))
    with pytest.raises(EngineError, match="step 1 has no frontier orbitals"):
        list(engine.read_frames(directory))
    (directory / "OUTCAR").write_text(text)
    job = (directory / "vasp_job.json").read_text()
    job = re.sub(r'"steps_before": 0', '"steps_before": 3', job)
    (directory / "vasp_job.json").write_text(job)
    with pytest.raises(EngineError, match="step 1 is missing"):
        list(engine.read_frames(directory))


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9, 0.999])
def test_dynamics_cut_off_in_its_last_step_is_not_complete(directory: Path, share: float) -> None:
    engine = load_engine("vasp")
    assert engine.is_complete(directory)
    text = (directory / "OUTCAR").read_text()
    last = text.rindex("Iteration")
    end = text.index("\n", text.rindex("  total energy   ETOTAL")) + 1
    (directory / "OUTCAR").write_text(text[: last + int(share * (end - last))])
    assert not engine.is_complete(directory)
    (directory / "OUTCAR").write_text(text[:end])
    assert engine.is_complete(directory)  # killed after its last step
    assert len(list(engine.read_frames(directory))) == STEPS


def test_a_torn_line_in_the_middle_is_named(directory: Path) -> None:
    lines = (directory / "OUTCAR").read_text().splitlines(keepends=True)
    row = next(n for n, line in enumerate(lines) if line.startswith(" POSITION")) + 3
    lines[row] = "      1.00000      2.0****\n"
    (directory / "OUTCAR").write_text("".join(lines))
    with pytest.raises(ParseError, match="expected a position and a force") as caught:
        list(load_engine("vasp").read_frames(directory))
    assert caught.value.line == row + 1


def test_atoms_are_followed_out_of_the_cell() -> None:
    cell = np.diag([5.0, 6.0, 7.0])
    start = np.array([[0.1, 0.1, 6.9]])
    path = start + np.cumsum(np.full((40, 1, 3), [-0.3, 0.2, 0.25]), axis=0)
    wrapped = path - np.floor(path / np.diag(cell)) * np.diag(cell)
    unwrapper = Unwrapper(start)
    for positions, expected in zip(wrapped, path, strict=True):
        np.testing.assert_allclose(unwrapper.place(positions, cell), expected, atol=1e-12)


@pytest.mark.parametrize("shift", [[0, 0, 0], [10, 10, 10], [3, 17, 9]])
def test_a_dot_across_the_wall_is_put_together(shift: list[float]) -> None:
    cell = np.eye(3) * 20.0
    dot = np.random.default_rng(1).uniform(-4, 4, (30, 3))
    moved = dot + shift
    whole = make_whole(moved - np.floor(moved / 20.0) * 20.0, cell)
    offset = whole - dot
    np.testing.assert_allclose(offset, np.tile(offset[0], (30, 1)), atol=1e-9)


def test_a_crystal_stays_where_it_is() -> None:
    cell = np.eye(3) * 6.0
    grid = np.array(np.meshgrid([0.5, 3.5], [0.5, 3.5], [0.5, 3.5])).reshape(3, -1).T
    np.testing.assert_allclose(make_whole(grid, cell), grid, atol=1e-12)


@pytest.fixture
def foreign(finished: Path, tmp_path: Path) -> Path:
    """VASP's files alone, as somebody else would hand them over."""
    folder = tmp_path / "foreign"
    folder.mkdir()
    for name in ("OUTCAR", "XDATCAR", "vasprun.xml", "OSZICAR"):
        shutil.copyfile(finished / name, folder / name)
    return folder


def test_a_foreign_directory_is_read(foreign: Path, finished: Path) -> None:
    found = read_foreign_dynamics(foreign)
    assert found.symbols == ("Cs", "Br", "Br", "Pb")  # the order of POSCAR
    assert (found.timestep_fs, found.temperature_k, found.n_frames) == (STEP_FS, 300.0, STEPS)
    assert found.charge == 2 and found.metadata["charge"] == 2
    assert found.has_frontier_orbitals and found.warnings == ()
    assert found.version == "5.4.4.stand-in"
    expected = list(load_engine("vasp").read_frames(finished))
    order = [0, 1, 3, 2]
    for frame, same in zip(found.frames(), expected, strict=True):
        ours = frame.positions - frame.positions[0]
        theirs = same.positions[order] - same.positions[0]
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
        assert (frame.step, frame.homo_ev) == (same.step, same.homo_ev)


def test_compressed_files_are_read(foreign: Path) -> None:
    plain = [frame.positions for frame in read_vasp_directory(foreign).frames()]
    for name in ("OUTCAR", "XDATCAR"):
        (foreign / f"{name}.gz").write_bytes(gzip.compress((foreign / name).read_bytes()))
        (foreign / name).unlink()
    packed = [frame.positions for frame in read_vasp_directory(foreign).frames()]
    np.testing.assert_array_equal(plain, packed)


def test_vasprun_alone_has_no_levels(foreign: Path) -> None:
    expected = list(read_vasp_directory(foreign).frames())
    (foreign / "OUTCAR").unlink()
    found = read_vasp_directory(foreign)
    assert not found.has_frontier_orbitals and found.charge == 2
    assert "11 of 12 steps have no eigenvalues" in found.warnings[-1]
    assert "OUTCAR is missing" in found.warnings[0]
    for frame, same in zip(found.frames(), expected, strict=True):
        np.testing.assert_allclose(frame.positions, same.positions, atol=1e-6)
        assert frame.conserved_energy_ev == pytest.approx(same.conserved_energy_ev, abs=1e-5)


def test_a_killed_run_ends_with_its_last_whole_step(foreign: Path) -> None:
    text = (foreign / "OUTCAR").read_text()
    cut = text.index("E-fermi", text.index("Iteration      8("))
    (foreign / "OUTCAR").write_text(text[:cut])
    found = read_vasp_directory(foreign)
    assert found.n_frames == 7 == len(list(found.frames()))


def test_an_annealing_has_no_temperature(foreign: Path) -> None:
    text = (foreign / "OUTCAR").read_text()
    (foreign / "OUTCAR").write_text(text.replace("TEEND  = 300.0", "TEEND  = 100.0"))
    found = read_vasp_directory(foreign)
    assert found.temperature_k is None
    assert "changed from 300 to 100 K" in found.warnings[0]


def test_what_is_no_dynamics_is_refused(foreign: Path, shared_data: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no dynamics"):
        read_vasp_directory(shared_data / "vasp/relax_feo_custodian")
    with pytest.raises(InputError, match="neither OUTCAR nor"):
        read_vasp_directory(tmp_path)
    with pytest.raises(InputError, match="no directory"):
        read_vasp_directory(tmp_path / "nowhere")
    with pytest.raises(InputError, match="time step has to be positive"):
        read_vasp_directory(foreign, timestep_fs=-1.0)
    learned = shared_data / "vasp/md_pymatgen/vasprun.ml_md.xml.gz"
    folder = tmp_path / "learned"
    folder.mkdir()
    shutil.copyfile(learned, folder / "vasprun.xml.gz")
    with pytest.raises(InputError, match="80 geometries of a machine-learned force field"):
        read_vasp_directory(folder)


def test_a_real_dynamics_of_liquid_silicon(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "vasp/md_pymatgen/vasprun.md.xml.gz"
    shutil.copyfile(path, tmp_path / "vasprun.xml.gz")
    found = read_vasp_directory(tmp_path)
    assert (found.n_frames, found.timestep_fs, found.temperature_k) == (10, 3.0, 2000.0)
    assert found.charge == 0 and set(found.symbols) == {"Si"}
    frames = list(found.frames())
    moved = np.diff([frame.positions for frame in frames], axis=0)
    assert 0.02 < np.abs(moved).max() < 0.3


def test_a_foreign_dynamics_is_analysed(tmp_path: Path) -> None:
    dynamics = DynamicsSettings(300.0, STEP_FS, 80, thermostat_time_fs=None)
    held = np.array([True, False, False, False])
    job = make_slab_job("dynamics", atoms=make_cluster(), dynamics=dynamics, charge=2,
                        kpoints=(1, 1, 1), frozen=held)  # fmt: skip
    directory = run_stand_in(tmp_path / "job", job)
    folder = tmp_path / "foreign"
    folder.mkdir()
    for name in ("OUTCAR", "XDATCAR"):
        shutil.copyfile(directory / name, folder / name)
    found = analyse_foreign_run(folder, tmp_path / "out", skip_fs=20.0)
    assert found.structure.charge == 2
    assert not any("charge" in text for text in found.warnings)
    assert found.structure.frozen.tolist() == [True, False, False, False]
    assert found.analysis.n_frames == 70 and found.analysis.temperature_k == 300.0
    frames = list(load_engine("vasp").read_frames(directory))[10:]
    gaps = [(frame.lumo_ev or 0.0) - (frame.homo_ev or 0.0) for frame in frames]
    with open_trajectory(found.trajectory_path) as trajectory:
        np.testing.assert_allclose(trajectory.gap_ev, gaps, atol=1e-9)
