"""Directories that qdcomp did not make, on small files in CP2K's formats."""

from pathlib import Path

import numpy as np
import pytest
from builders.cp2k_runs import (
    END,
    HEAD,
    SYMBOLS,
    TIMESTEP,
    ener_line,
    output_step,
    place,
    write_run,
    xyz_frame,
)

from qdcomp.engines.cp2k import read_cp2k_directory
from qdcomp.errors import InputError, ParseError
from qdcomp.units import HARTREE_EV


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
