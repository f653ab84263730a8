"""Frames and restarts of jobs, on small files in CP2K's formats."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from builders.cp2k_runs import END, TIMESTEP, place, write_restart, write_run, write_wavefunction

from qdcomp.engines.base import DynamicsSettings, EngineJob
from qdcomp.engines.cp2k import Cp2kEngine
from qdcomp.engines.cp2k.continuation import continue_other_run, continue_same_run
from qdcomp.engines.cp2k.inputs import prepare_job, write_input
from qdcomp.engines.cp2k.job_file import read_job_file
from qdcomp.engines.cp2k.outputs import read_output
from qdcomp.engines.cp2k.restart_files import find_restart, is_whole_wavefunction, trim_cut_ends
from qdcomp.errors import EngineError
from qdcomp.structures import build_quantum_dot
from qdcomp.units import HARTREE_EV


@pytest.fixture
def job_directory(tmp_path: Path) -> Path:
    """A job of ten steps, from step 5 on, of which nothing has run."""
    directory = tmp_path / "job"
    directory.mkdir()
    dot = build_quantum_dot(cells=1, charge="neutral", lattice_constant=5.87)
    atoms = dot.atoms[[0, 4, 5]]
    job = EngineJob(
        "dynamics",
        atoms,
        1,
        np.zeros(3, bool),
        box_angstrom=20.0,
        dynamics=DynamicsSettings(10.0, TIMESTEP, 10, 1000.0, True, 5),
    )
    write_input(directory, prepare_job(job, None))
    return directory


# frames of a job of qdcomp


def test_every_step_once_without_the_starting_structure(job_directory: Path) -> None:
    write_run(job_directory, range(5, 16))
    frames = list(Cp2kEngine().read_frames(job_directory))
    assert [frame.step for frame in frames] == list(range(6, 16))
    origin = np.array(read_job_file(job_directory).origin)
    np.testing.assert_allclose(frames[0].positions, place(6) - origin, atol=1e-9)
    assert frames[0].homo_ev == pytest.approx(-0.206 * HARTREE_EV)
    assert frames[0].lumo_ev == pytest.approx(-0.1 * HARTREE_EV)
    assert frames[0].temperature_k == 106.0
    assert frames[0].conserved_energy_ev == pytest.approx((-9.994 + 0.06) * HARTREE_EV)
    assert Cp2kEngine().is_complete(job_directory)
    assert Cp2kEngine().count_steps(job_directory) == 10


def test_recomputed_steps_replace_those_before_the_kill_in_every_file(job_directory: Path) -> None:
    write_run(job_directory, range(5, 12), ended=False)
    write_run(job_directory, range(9, 16), marker=1e-3)
    frames = list(Cp2kEngine().read_frames(job_directory))
    assert [frame.step for frame in frames] == list(range(6, 16))
    origin = np.array(read_job_file(job_directory).origin)
    for frame in frames:
        marker = 1e-3 if frame.step >= 9 else 0.0
        np.testing.assert_allclose(frame.positions + origin, place(frame.step, marker), atol=1e-9)
        assert frame.homo_ev == pytest.approx((-0.2 - 0.001 * frame.step - marker) * HARTREE_EV)
        energy = (-10.0 + 0.001 * frame.step + marker) * HARTREE_EV
        assert frame.potential_energy_ev == pytest.approx(energy)


@pytest.mark.parametrize("name", ["pos-1.xyz", "vel-1.xyz", "frc-1.xyz", "1.ener"])
@pytest.mark.parametrize("cut", [3, 40, 130])
def test_a_kill_in_the_middle_of_a_line_loses_nothing(
    job_directory: Path, name: str, cut: int
) -> None:
    write_run(job_directory, range(5, 12), ended=False)
    path = job_directory / f"qdcomp-{name}"
    path.write_bytes(path.read_bytes()[:-cut])
    trim_cut_ends(job_directory)
    write_run(job_directory, range(9, 16))
    steps = [frame.step for frame in Cp2kEngine().read_frames(job_directory)]
    assert steps == list(range(6, 16))


def test_a_line_cut_off_by_a_kill_does_not_run_into_the_next_start(job_directory: Path) -> None:
    write_run(job_directory, range(5, 9), ended=False)
    output = job_directory / "cp2k.out"
    output.write_text(output.read_text() + " ENERGY| Total FORCE_EVAL ( QS ) energy [a.u.]:  -1")
    assert [step.number for step in read_output(output).steps] == [5, 6, 7, 8]
    trim_cut_ends(job_directory)
    write_run(job_directory, range(8, 16))
    assert len(list(Cp2kEngine().read_frames(job_directory))) == 10
    assert read_output(output).runs == 2


def test_an_unfinished_job_gives_its_whole_frames(job_directory: Path) -> None:
    write_run(job_directory, range(5, 12), ended=False)
    path = job_directory / "qdcomp-frc-1.xyz"
    path.write_bytes(path.read_bytes()[:-30])
    engine = Cp2kEngine()
    assert [frame.step for frame in engine.read_frames(job_directory)] == list(range(6, 11))
    assert not engine.is_complete(job_directory)


def test_a_step_without_orbitals_is_an_error(job_directory: Path) -> None:
    write_run(job_directory, range(5, 16), orbitals=False)
    with pytest.raises(EngineError, match="step 6 has no frontier orbitals"):
        list(Cp2kEngine().read_frames(job_directory))


def test_the_result_has_the_last_structure_with_its_velocities(job_directory: Path) -> None:
    write_run(job_directory, range(5, 16))
    result = Cp2kEngine().parse(job_directory)
    assert result.steps == 10
    assert result.version == "2023.1"
    assert np.any(result.atoms.get_momenta())
    assert result.forces_ev_per_angstrom is not None
    assert result.frontier[0].homo_ev == pytest.approx(-0.215 * HARTREE_EV)


# restarts


def test_a_kill_goes_on_from_the_newest_whole_restart(job_directory: Path) -> None:
    write_run(job_directory, range(5, 12), ended=False)
    write_restart(job_directory / "qdcomp-1.restart", 11)
    write_restart(job_directory / "qdcomp-1.restart.bak-1", 10)
    continue_same_run(job_directory)
    job = read_job_file(job_directory)
    assert job.restart is not None
    assert (job.restart.counters, job.restart.steps) == (True, 4)
    assert "STEP_START_VAL  11" in (job_directory / "continue-from.restart").read_text()
    assert "STEPS 4" in (job_directory / "cp2k.inp").read_text()


def test_a_restart_that_was_cut_off_is_passed_over(job_directory: Path) -> None:
    write_restart(job_directory / "qdcomp-1.restart", 11)
    write_restart(job_directory / "qdcomp-1.restart.bak-1", 10)
    path = job_directory / "qdcomp-1.restart"
    path.write_text(path.read_text()[:-30])
    found = find_restart(job_directory)
    assert found is not None
    assert found.step == 10


@pytest.mark.parametrize("damage", ["cut off", "zeros"])
def test_damage_is_named_with_what_was_taken_instead(job_directory: Path, damage: str) -> None:
    write_run(job_directory, range(5, 12), ended=False)
    for suffix, step in (("", 11), (".bak-1", 10)):
        write_restart(job_directory / f"qdcomp-1.restart{suffix}", step)
        write_wavefunction(job_directory / f"qdcomp-RESTART.wfn{suffix}")
    for name in ("qdcomp-1.restart", "qdcomp-RESTART.wfn"):
        path = job_directory / name
        whole = path.read_bytes()
        path.write_bytes(whole[:-6] if damage == "cut off" else bytes(len(whole)))
    assert Cp2kEngine().restart_from(job_directory, job_directory) == (
        "qdcomp-1.restart cut off or empty: went on from qdcomp-1.restart.bak-1",
        "qdcomp-RESTART.wfn cut off or empty: went on from qdcomp-RESTART.wfn.bak-1",
    )
    assert "STEPS 5" in (job_directory / "cp2k.inp").read_text()
    assert is_whole_wavefunction(job_directory / "qdcomp-RESTART.wfn")


@pytest.mark.parametrize("name", ["cp2k.out", "qdcomp-1.ener", "qdcomp-vel-1.xyz"])
def test_a_run_goes_on_before_the_first_step_that_a_file_lacks(
    job_directory: Path, name: str
) -> None:
    write_run(job_directory, range(5, 12), ended=False)
    path = job_directory / name
    whole = path.read_bytes()
    shorter = job_directory.with_name("shorter")
    shorter.mkdir()
    write_run(shorter, range(5, 10), ended=False)
    path.write_bytes(whole[: (shorter / name).stat().st_size + 20])  # a full disk in step 10
    for suffix, step in (("", 11), (".bak-1", 10), (".bak-2", 9)):
        write_restart(job_directory / f"qdcomp-1.restart{suffix}", step)
    continue_same_run(job_directory)
    assert "STEPS 6" in (job_directory / "cp2k.inp").read_text()


@pytest.mark.parametrize("how", ["terminated by external request", "terminated - exceeded"])
def test_a_step_that_a_stop_cut_off_is_no_unconverged_one(job_directory: Path, how: str) -> None:
    write_run(job_directory, range(5, 9), ended=False)
    with (job_directory / "cp2k.out").open("a") as stream:
        stream.write(
            f"\n *** SCF run {how} ***\n\n"
            " *** WARNING in qs_scf.F:598 :: SCF run NOT converged ***\n"
            f"\n *** MD run {how} ***\n\n{END}"
        )
    output = read_output(job_directory / "cp2k.out")
    assert output.stopped and output.ended
    assert [step.number for step in output.steps] == [5, 6, 7, 8]
    assert output.unconverged_steps == ()
    assert not Cp2kEngine().is_complete(job_directory)


def test_a_run_killed_after_its_last_step_computes_that_again(job_directory: Path) -> None:
    write_restart(job_directory / "qdcomp-1.restart", 15)
    write_restart(job_directory / "qdcomp-1.restart.bak-1", 14)
    continue_same_run(job_directory)
    assert "STEPS 1" in (job_directory / "cp2k.inp").read_text()


def test_a_run_killed_before_its_first_restart_starts_again(job_directory: Path) -> None:
    before = (job_directory / "cp2k.inp").read_text()
    continue_same_run(job_directory)
    assert (job_directory / "cp2k.inp").read_text() == before


def test_a_damaged_wavefunction_gives_way_to_the_one_before(job_directory: Path) -> None:
    newest = job_directory / "qdcomp-RESTART.wfn"
    write_wavefunction(newest)
    newest.write_bytes(newest.read_bytes()[:-6])
    write_wavefunction(job_directory / "qdcomp-RESTART.wfn.bak-1", 5)
    assert not is_whole_wavefunction(newest)
    continue_same_run(job_directory)
    assert is_whole_wavefunction(newest)
    assert newest.stat().st_size == 5 * 16
    assert read_job_file(job_directory).wavefunction


def test_without_any_whole_wavefunction_the_guess_is_atomic(job_directory: Path) -> None:
    (job_directory / "qdcomp-RESTART.wfn").write_bytes(b"half")
    continue_same_run(job_directory)
    assert "SCF_GUESS ATOMIC" in (job_directory / "cp2k.inp").read_text()
    assert not (job_directory / "qdcomp-RESTART.wfn").exists()


def make_next(job_directory: Path, first_step: int, charge: int = 1) -> Path:
    directory = job_directory.with_name("next")
    directory.mkdir()
    job = read_job_file(job_directory)
    dynamics = dataclasses.replace(job.dynamics, first_step=first_step)  # type: ignore[type-var]
    moved = job.positions + 0.3
    later = dataclasses.replace(
        job,
        dynamics=dynamics,
        cell=((21.0, 0.0, 0.0), (0.0, 21.0, 0.0), (0.0, 0.0, 21.0)),
        positions=moved,
        charge=charge,
    )
    write_input(directory, later)
    return directory


def test_the_next_segment_goes_on_with_thermostat_box_and_counters(job_directory: Path) -> None:
    write_restart(job_directory / "qdcomp-1.restart", 15)
    write_wavefunction(job_directory / "qdcomp-RESTART.wfn")
    following = make_next(job_directory, 15)
    continue_other_run(following, job_directory)
    job, before = read_job_file(following), read_job_file(job_directory)
    assert job.restart is not None
    assert (job.restart.counters, job.restart.steps) == (True, 10)
    assert (job.cell, job.origin) == (before.cell, before.origin)
    assert job.wavefunction
    text = (following / "cp2k.inp").read_text()
    assert "RESTART_THERMOSTAT T" in text
    assert "&VELOCITY" not in text


def test_a_new_production_run_counts_from_zero(job_directory: Path) -> None:
    write_restart(job_directory / "qdcomp-1.restart", 15)
    following = make_next(job_directory, 0)
    continue_other_run(following, job_directory)
    assert "RESTART_COUNTERS F" in (following / "cp2k.inp").read_text()


def test_a_wavefunction_of_another_charge_is_left(job_directory: Path) -> None:
    write_restart(job_directory / "qdcomp-1.restart", 15)
    write_wavefunction(job_directory / "qdcomp-RESTART.wfn")
    following = make_next(job_directory, 15, charge=-1)
    continue_other_run(following, job_directory)
    assert not read_job_file(following).wavefunction


def test_going_on_from_a_run_without_restart_is_an_error(job_directory: Path) -> None:
    following = make_next(job_directory, 15)
    with pytest.raises(EngineError, match="no whole restart file"):
        continue_other_run(following, job_directory)
