"""Frames, restarts and foreign directories, on small files in CP2K's formats."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from qdcomp.engines.base import DynamicsSettings, EngineJob
from qdcomp.engines.cp2k import Cp2kEngine, read_cp2k_directory
from qdcomp.engines.cp2k.continuation import continue_other_run, continue_same_run
from qdcomp.engines.cp2k.inputs import prepare_job, write_input
from qdcomp.engines.cp2k.job_file import read_job_file
from qdcomp.engines.cp2k.restart_files import (
    find_restart,
    is_whole_wavefunction,
    trim_cut_ends,
)
from qdcomp.errors import EngineError, InputError, ParseError
from qdcomp.structures import build_quantum_dot
from qdcomp.units import HARTREE_EV

TIMESTEP = 10.0
SYMBOLS = ("Cs", "Pb", "Br")


def place(step: int, marker: float = 0.0) -> np.ndarray:
    """Positions that tell their step and who wrote them; recomputed ones differ in the noise."""
    return np.arange(9.0).reshape(3, 3) + 0.1 * step + marker


def xyz_frame(step: int, values: np.ndarray, energy: float) -> str:
    rows = "".join(
        f"{symbol:>3} {x:19.10f} {y:19.10f} {z:19.10f}\n"
        for symbol, (x, y, z) in zip(SYMBOLS, values, strict=True)
    )
    return f"       3\n i = {step:8d}, time = {TIMESTEP * step:12.3f}, E = {energy:19.10f}\n{rows}"


def ener_line(step: int, energy: float) -> str:
    return (
        f"{step:10d} {TIMESTEP * step:20.6f} {0.01 * step:20.9f} {100.0 + step:20.9f} "
        f"{energy:20.9f} {energy + 0.01 * step:20.9f} {1.5:20.9f}\n"
    )


def output_step(step: int, homo: float, *, converged: bool = True) -> str:
    verdict = "*** SCF run converged in     6 steps ***" if converged else "SCF run NOT converged"
    return f"""
 SCF WAVEFUNCTION OPTIMIZATION
  {verdict if converged else " *** WARNING in qs_scf.F:598 :: SCF run NOT converged ***"}
  Eigenvalues of the occupied subspace spin            1
 ---------------------------------------------
      -0.50000000     {homo:.8f}
 Fermi Energy [eV] :   -4.618749

  Lowest Eigenvalues of the unoccupied subspace spin            1
 -----------------------------------------------------
 OT| Eigensolver reached convergence in 123 iterations
      -0.10000000

 ENERGY| Total FORCE_EVAL ( QS ) energy [a.u.]:    -10.0

 MD| Step number                                   {step}
 MD| Time [fs]                                     {TIMESTEP * step}
"""


HEAD = (
    "  **** **** ******  **  PROGRAM STARTED AT               2026-01-01 10:00:00.000\n"
    " CP2K| version string:                     CP2K version 2023.1\n"
    " GLOBAL| Run type                                        MD\n"
)
END = "  **** **** ******  **  PROGRAM ENDED AT                 2026-01-01 10:01:00.000\n"


def write_run(
    directory: Path,
    steps: range,
    *,
    marker: float = 0.0,
    stem: str = "qdcomp",
    orbitals: bool = True,
    ended: bool = True,
) -> None:
    """Append a run of these steps to a directory, as CP2K does."""
    energies = [-10.0 + 0.001 * step + marker for step in steps]
    texts = {
        f"{stem}-pos-1.xyz": "".join(
            xyz_frame(s, place(s, marker), e) for s, e in zip(steps, energies, strict=True)
        ),
        f"{stem}-vel-1.xyz": "".join(xyz_frame(s, place(s, marker) * 1e-4, -1.0) for s in steps),
        f"{stem}-frc-1.xyz": "".join(xyz_frame(s, place(s, marker) * 1e-3, -1.0) for s in steps),
        f"{stem}-1.ener": "# Step Nr. Time[fs] Kin. Temp Pot. Cons UsedTime\n"
        + "".join(ener_line(s, e) for s, e in zip(steps, energies, strict=True)),
        "cp2k.out": HEAD
        + "".join(output_step(s, -0.2 - 0.001 * s - marker) for s in steps if orbitals)
        + (END if ended else ""),
    }
    for name, text in texts.items():
        with (directory / name).open("a") as stream:
            stream.write(text)


def write_restart(path: Path, step: int) -> None:
    path.write_text(
        f" &MOTION\n   &MD\n     STEP_START_VAL  {step}\n   &END MD\n &END MOTION\n"
        " &FORCE_EVAL\n   &SUBSYS\n     &COORD\n     &END COORD\n   &END SUBSYS\n &END FORCE_EVAL\n"
    )


def write_wavefunction(path: Path, records: int = 3) -> None:
    record = (8).to_bytes(4, "little") + bytes(8) + (8).to_bytes(4, "little")
    path.write_bytes(record * records)


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
        job, dynamics=dynamics, box_angstrom=21.0, positions=moved, charge=charge
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
    assert (job.box_angstrom, job.origin) == (before.box_angstrom, before.origin)
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


# directories that qdcomp did not make


def test_a_foreign_directory(tmp_path: Path) -> None:
    write_run(tmp_path, range(21), stem="dot")
    found = read_cp2k_directory(tmp_path)
    assert found.symbols == SYMBOLS
    assert found.timestep_fs == pytest.approx(TIMESTEP)
    assert found.version == "2023.1"
    assert found.n_frames == 21
    frames = list(found.frames())
    assert [frame.step for frame in frames] == found.steps.tolist() == list(range(21))
    assert all(frame.homo_ev is not None and frame.velocities is not None for frame in frames)
    assert found.warnings == ()


def test_a_real_foreign_directory(shared_data: Path) -> None:
    found = read_cp2k_directory(shared_data / "md" / "autofox_cp2k_md")
    assert (found.n_frames, len(found.symbols)) == (101, 540)
    assert found.timestep_fs == pytest.approx(25.0)
    assert "no frontier orbitals" in found.warnings[0]


def test_the_last_frame_cut_mid_line_leaves_the_good_ones(tmp_path: Path) -> None:
    write_run(tmp_path, range(10), stem="dot")
    path = tmp_path / "dot-pos-1.xyz"
    path.write_bytes(path.read_bytes()[:-25])
    found = read_cp2k_directory(tmp_path)
    assert found.n_frames == 9
    assert any("cut off" in text for text in found.warnings)
    assert sum(1 for _ in found.frames()) == 9


def test_velocities_printed_less_often_than_positions_are_not_used(tmp_path: Path) -> None:
    write_run(tmp_path, range(10), stem="dot")
    sparse = "".join(xyz_frame(step, place(step), -1.0) for step in range(0, 10, 3))
    (tmp_path / "dot-vel-1.xyz").write_text(sparse)
    (tmp_path / "dot-1.ener").write_text("".join(ener_line(s, -10.0) for s in range(0, 10, 5)))
    found = read_cp2k_directory(tmp_path)
    assert found.n_frames == 10
    assert len(found.warnings) == 2
    assert all(frame.velocities is None and frame.forces is not None for frame in found.frames())


def test_not_a_number_names_the_frame(tmp_path: Path) -> None:
    write_run(tmp_path, range(5), stem="dot")
    path = tmp_path / "dot-pos-1.xyz"
    lines = path.read_text().splitlines(keepends=True)
    lines[5 * 3 + 3] = " Pb NaN 0.0 0.0\n"
    path.write_text("".join(lines))
    with pytest.raises(ParseError, match=r"line 19"):
        list(read_cp2k_directory(tmp_path).frames())


def test_two_runs_in_one_file_are_told_from_a_restart(tmp_path: Path) -> None:
    write_run(tmp_path, range(6), stem="dot", ended=False)
    write_run(tmp_path, range(4, 10), stem="dot", marker=1e-3)
    found = read_cp2k_directory(tmp_path)
    assert found.n_frames == 10
    assert any("restarted" in text for text in found.warnings)


@pytest.mark.parametrize(
    ("second", "marker"), [(range(10), 0.0), (range(3, 10), 0.5)], ids=["from zero", "elsewhere"]
)
def test_two_runs_in_one_file_are_an_error(tmp_path: Path, second: range, marker: float) -> None:
    write_run(tmp_path, range(6), stem="dot")
    write_run(tmp_path, second, stem="dot", marker=marker)
    with pytest.raises(ParseError, match=r"two runs are mixed.*line 3[0-9]|line 3.*two runs"):
        read_cp2k_directory(tmp_path)


def test_two_outputs_in_one_file_are_an_error(tmp_path: Path) -> None:
    write_run(tmp_path, range(6), stem="dot")
    with (tmp_path / "cp2k.out").open("a") as stream:
        stream.write(HEAD + "".join(output_step(step, -0.3) for step in range(6)) + END)
    with pytest.raises(ParseError, match="holds two runs"):
        read_cp2k_directory(tmp_path)


def test_orbitals_for_fewer_steps_than_frames_cut_the_ends(tmp_path: Path) -> None:
    write_run(tmp_path, range(10), stem="dot", orbitals=False)
    (tmp_path / "cp2k.out").write_text(
        HEAD + "".join(output_step(step, -0.3) for step in range(2, 8)) + END
    )
    found = read_cp2k_directory(tmp_path)
    assert found.steps.tolist() == list(range(2, 8))
    assert any("10 frames and orbital energies for 6" in text for text in found.warnings)


def test_orbitals_missing_in_the_middle_are_an_error(tmp_path: Path) -> None:
    write_run(tmp_path, range(10), stem="dot", orbitals=False)
    (tmp_path / "cp2k.out").write_text(
        HEAD + "".join(output_step(step, -0.3) for step in range(0, 10, 2)) + END
    )
    with pytest.raises(ParseError, match=r"4 of 9 frames have no orbital energies \(steps 1, 3"):
        read_cp2k_directory(tmp_path)


def test_orbitals_of_another_run_are_an_error(tmp_path: Path) -> None:
    write_run(tmp_path, range(10), stem="dot", orbitals=False)
    (tmp_path / "cp2k.out").write_text(
        HEAD + "".join(output_step(step, -0.3) for step in range(50, 60)) + END
    )
    with pytest.raises(ParseError, match="no step in common"):
        read_cp2k_directory(tmp_path)


def test_unconverged_steps_are_named(tmp_path: Path) -> None:
    write_run(tmp_path, range(6), stem="dot", orbitals=False)
    (tmp_path / "cp2k.out").write_text(
        HEAD + "".join(output_step(s, -0.3, converged=s != 4) for s in range(6)) + END
    )
    found = read_cp2k_directory(tmp_path)
    assert found.unconverged_steps == (4,)
    assert any("step 4" in text and "policy" in text for text in found.warnings)


def strip_times(directory: Path) -> None:
    path = directory / "dot-pos-1.xyz"
    lines = path.read_text().splitlines(keepends=True)
    plain = [line.split(", time")[0] + "\n" if "time" in line else line for line in lines]
    path.write_text("".join(plain))


def test_a_missing_time_step_is_asked_for(tmp_path: Path) -> None:
    write_run(tmp_path, range(5), stem="dot")
    strip_times(tmp_path)
    with pytest.raises(InputError, match="give it: timestep_fs"):
        read_cp2k_directory(tmp_path)
    found = read_cp2k_directory(tmp_path, timestep_fs=5.0)
    assert found.timestep_fs == 5.0
    assert [frame.time_fs for frame in found.frames()] == [0.0, 5.0, 10.0, 15.0, 20.0]
    with pytest.raises(InputError, match="positive"):
        read_cp2k_directory(tmp_path, timestep_fs=0.0)


@pytest.mark.parametrize("text", ["TIMESTEP 2.5", "TIMESTEP [fs] 2.5", "TIMESTEP [ps] 0.0025"])
def test_the_time_step_may_stand_in_the_input(tmp_path: Path, text: str) -> None:
    write_run(tmp_path, range(5), stem="dot")
    strip_times(tmp_path)
    (tmp_path / "dot.inp").write_text(
        f"&MOTION\n &MD\n  {text}\n  TEMPERATURE 10\n &END MD\n&END MOTION\n"
    )
    found = read_cp2k_directory(tmp_path)
    assert found.timestep_fs == pytest.approx(2.5)
    assert found.temperature_k == 10.0


def test_molog_files_stand_in_for_the_output(tmp_path: Path) -> None:
    write_run(tmp_path, range(3), stem="dot", orbitals=False)
    (tmp_path / "cp2k.out").unlink()
    for step in range(3):
        (tmp_path / f"dot-mo-1_{step}.MOLog").write_text(
            " MO| EIGENVALUES, OCCUPATION NUMBERS, AND SPHERICAL EIGENVECTORS\n MO|\n"
            " MO|                             1                      2\n"
            f" MO|                         -0.2{step}    -0.1\n MO|\n"
            " MO|                          2.0     0.0\n MO|\n"
            " MO|   1      1  H  2s        0.0289771531273312    -0.0054498425087201\n"
        )
    homos = [frame.homo_ev for frame in read_cp2k_directory(tmp_path).frames()]
    assert homos == pytest.approx(np.array([-0.20, -0.21, -0.22]) * HARTREE_EV)


def test_a_directory_with_two_trajectories_or_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found none"):
        read_cp2k_directory(tmp_path)
    write_run(tmp_path, range(3), stem="one")
    write_run(tmp_path, range(3), stem="two")
    with pytest.raises(InputError, match=r"one-pos-1\.xyz, two-pos-1\.xyz"):
        read_cp2k_directory(tmp_path)
    with pytest.raises(InputError, match="no directory"):
        read_cp2k_directory(tmp_path / "nowhere")
