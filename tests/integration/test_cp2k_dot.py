"""Real CP2K on the smallest dot, Cs4PbBr6: energy and gap two ways, dynamics through a kill -9."""

import math
import os
import shutil
import signal
import subprocess
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from qdcomp.engines import DynamicsSettings, Engine, EngineJob, EngineResult, load_engine
from qdcomp.errors import EngineError
from qdcomp.settings import read_machine_settings
from qdcomp.trajectory import Frame
from qdcomp.units import AMU_ANGSTROM2_PER_FS2_EV, HARTREE_EV

pytestmark = [
    pytest.mark.cp2k,
    pytest.mark.slow,
    pytest.mark.skipif(
        not read_machine_settings().cp2k_command,
        reason="cp2k.psmp is not installed (Debian: apt-get install cp2k cp2k-data)",
    ),
]

SETTINGS = {
    "basis": "SZV-MOLOPT-SR-GTH",
    "cutoff_ry": 120,
    "eps_scf": 1e-6,
    "eps_default": 1e-12,
}
BOX_ANGSTROM = 12.5
STEPS = 5
PATIENCE_S = 300.0


def make_dot() -> Atoms:
    """Cs4PbBr6 near its minimum: Pb in an octahedron of Br at 3.12 Å, Cs on four corners."""
    br, cs = 3.1205, 2.37
    corners = [(-1, -1, -1), (1, 1, -1), (-1, 1, 1), (1, -1, 1)]
    axes = [tuple(sign * row) for row in np.eye(3) for sign in (-1, 1)]
    positions = [*(cs * np.array(corner) for corner in corners), np.zeros(3)]
    positions += [br * np.array(axis) for axis in axes]
    return Atoms("Cs4PbBr6", positions=positions)


def make_job(task: str, **changes: object) -> EngineJob:
    settings = SETTINGS | dict(changes.pop("settings", {}))  # type: ignore[call-overload]
    return EngineJob(
        task,  # type: ignore[arg-type]
        make_dot(),
        0,
        np.zeros(11, bool),
        box_angstrom=BOX_ANGSTROM,
        settings=settings,
        **changes,  # type: ignore[arg-type]
    )


def make_dynamics(first_step: int = 0, steps: int = STEPS) -> DynamicsSettings:
    return DynamicsSettings(100.0, 10.0, steps, 50.0, True, first_step)


def start(engine: Engine, directory: Path) -> subprocess.Popen[bytes]:
    with (directory / engine.output_name).open("ab") as output:
        return subprocess.Popen(
            engine.command(directory),
            cwd=directory,
            stdout=output,
            env=os.environ | engine.environment(directory),
            start_new_session=True,
        )


def run(engine: Engine, directory: Path) -> EngineResult:
    assert start(engine, directory).wait(PATIENCE_S) == 0
    assert engine.is_complete(directory)
    return engine.parse(directory)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return load_engine("cp2k")


@pytest.fixture(scope="module")
def single_point(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("energy")
    engine.write_inputs(directory, make_job("energy"))
    run(engine, directory)
    return directory


@pytest.fixture(scope="module")
def unbroken(
    engine: Engine, single_point: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[Frame]:
    """Frames of a run that nobody stopped."""
    directory = tmp_path_factory.mktemp("unbroken")
    engine.write_inputs(directory, make_job("dynamics", dynamics=make_dynamics()))
    engine.restart_from(directory, single_point)
    run(engine, directory)
    return list(engine.read_frames(directory))


@pytest.fixture(scope="module")
def killed(engine: Engine, single_point: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run, killed with SIGKILL in its middle and gone on with."""
    directory = tmp_path_factory.mktemp("killed")
    engine.write_inputs(directory, make_job("dynamics", dynamics=make_dynamics()))
    engine.restart_from(directory, single_point)
    process = start(engine, directory)
    deadline = time.monotonic() + PATIENCE_S
    while engine.count_steps(directory) < STEPS // 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert 0 < engine.count_steps(directory) < STEPS
    assert not engine.is_complete(directory)
    engine.restart_from(directory, directory)
    run(engine, directory)
    return directory


def test_energy_and_gap_are_the_known_ones(engine: Engine, single_point: Path) -> None:
    # CP2K 2023.1 with these settings, by OT and by diagonalisation alike
    result = engine.parse(single_point)
    assert result.energy_ev == pytest.approx(-164.877298 * HARTREE_EV, abs=3e-4)
    assert result.frontier[0].gap_ev == pytest.approx(2.7756, abs=0.005)
    assert result.unconverged_steps == ()
    assert not any("density touches" in text for text in result.warnings)


def test_the_forces_have_the_symmetry_of_the_dot(engine: Engine, single_point: Path) -> None:
    forces = engine.parse(single_point).forces_ev_per_angstrom
    assert forces is not None
    lengths = np.linalg.norm(forces, axis=1)
    assert lengths[4] < 0.02
    assert np.ptp(lengths[:4]) < 0.02
    assert np.ptp(lengths[5:]) < 0.02


def test_diagonalisation_finds_the_same_energy_and_gap(
    engine: Engine, single_point: Path, tmp_path: Path
) -> None:
    settings = {"scf_solver": "diagonalization"}
    engine.write_inputs(tmp_path, make_job("energy", settings=settings))
    diagonal, minimised = run(engine, tmp_path), engine.parse(single_point)
    assert diagonal.energy_ev is not None
    assert minimised.energy_ev is not None
    difference = abs(diagonal.energy_ev - minimised.energy_ev) / HARTREE_EV / 11
    assert difference < 1e-6
    for name in ("homo_ev", "lumo_ev"):
        one, other = (getattr(result.frontier[0], name) for result in (diagonal, minimised))
        assert one == pytest.approx(other, abs=0.005)


def test_every_step_has_everything(unbroken: list[Frame]) -> None:
    assert [frame.step for frame in unbroken] == list(range(1, STEPS + 1))
    assert [frame.time_fs for frame in unbroken] == [10.0 * n for n in range(1, STEPS + 1)]
    gaps = [frame.lumo_ev - frame.homo_ev for frame in unbroken]  # type: ignore[operator]
    assert all(2.3 < gap < 3.0 for gap in gaps)
    assert len(set(gaps)) == STEPS


def test_velocities_carry_the_kinetic_energy(unbroken: list[Frame]) -> None:
    masses = make_dot().get_masses()
    for frame in unbroken:
        assert frame.velocities is not None
        kinetic = 0.5 * AMU_ANGSTROM2_PER_FS2_EV * (masses[:, None] * frame.velocities**2).sum()
        assert kinetic == pytest.approx(frame.kinetic_energy_ev, rel=1e-4)


def test_the_work_of_the_forces_is_the_change_in_energy(unbroken: list[Frame]) -> None:
    for before, after in pairwise(unbroken):
        assert before.forces is not None
        assert after.forces is not None
        work = 0.5 * ((before.forces + after.forces) * (after.positions - before.positions)).sum()
        gained = after.potential_energy_ev - before.potential_energy_ev  # type: ignore[operator]
        assert -work == pytest.approx(gained, abs=5e-4)


def test_a_killed_run_ends_with_the_frames_of_an_unbroken_one(
    engine: Engine, killed: Path, unbroken: list[Frame]
) -> None:
    frames = list(engine.read_frames(killed))
    assert [frame.step for frame in frames] == list(range(1, STEPS + 1))
    for frame, expected in zip(frames, unbroken, strict=True):
        np.testing.assert_allclose(frame.positions, expected.positions, atol=2e-5)
        assert frame.homo_ev == pytest.approx(expected.homo_ev, abs=0.002)
        assert frame.temperature_k == pytest.approx(expected.temperature_k, rel=1e-3)
        assert frame.conserved_energy_ev == pytest.approx(expected.conserved_energy_ev, abs=1e-3)


def test_the_next_segment_goes_on_without_a_seam(
    engine: Engine, killed: Path, tmp_path: Path
) -> None:
    directory = tmp_path / "segment"
    directory.mkdir()
    job = make_job("dynamics", dynamics=make_dynamics(STEPS, 2))
    engine.write_inputs(directory, job)
    engine.restart_from(directory, killed)
    run(engine, directory)
    last, *following = [*list(engine.read_frames(killed))[-1:], *engine.read_frames(directory)]
    assert [frame.step for frame in following] == [STEPS + 1, STEPS + 2]
    assert following[0].time_fs == pytest.approx(10.0 * (STEPS + 1))
    assert math.dist(last.positions[0], following[0].positions[0]) < 0.05
    drift = [frame.conserved_energy_ev - last.conserved_energy_ev for frame in following]  # type: ignore[operator]
    assert max(map(abs, drift)) < 2e-3


def test_an_input_that_cp2k_refuses_is_an_error_in_its_words(
    engine: Engine, single_point: Path, tmp_path: Path
) -> None:
    shutil.copyfile(single_point / "cp2k_job.json", tmp_path / "cp2k_job.json")
    text = (single_point / "cp2k.inp").read_text()
    (tmp_path / "cp2k.inp").write_text(text.replace("BASIS_SET SZV", "BASIS_SET NOSUCH"))
    assert start(engine, tmp_path).wait(PATIENCE_S) != 0
    assert not engine.is_complete(tmp_path)
    with pytest.raises(EngineError, match=r"CP2K 2\d+\.\d stopped: .*NOSUCH"):
        engine.parse(tmp_path)
