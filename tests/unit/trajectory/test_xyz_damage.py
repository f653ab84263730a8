"""Files that are cut off, broken, mixed or no trajectories: what is kept, and what is said."""

import numpy as np
import pytest

from qdcomp.errors import ParseError
from qdcomp.trajectory import open_xyz, read_xyz

MANY = ["Cs", "Pb", "Br"] * 20
"""Enough atoms for the reader of fixed columns."""


def positions(n_frames: int, n_atoms: int, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.uniform(-9, 9, size=(n_frames, n_atoms, 3)).round(10)


@pytest.mark.parametrize("symbols", [["Cs", "Pb"], MANY], ids=["small", "fixed columns"])
def test_a_file_cut_anywhere_gives_its_whole_frames(text_file, cp2k_text, symbols):
    frames = positions(3, len(symbols))
    text = cp2k_text(frames, range(3), symbols=symbols)
    two = len(cp2k_text(frames[:2], range(2), symbols=symbols))
    for cut in [*range(two + 1, two + 200), *range(len(text) - 70, len(text))]:
        if cut >= len(text) - 1:
            continue
        trajectory = read_xyz(text_file(text[:cut]))
        np.testing.assert_array_equal(trajectory.values, frames[:2])
        if text[two:cut].strip():
            (warning,) = trajectory.warnings
            assert f"the last frame, from line {2 * (len(symbols) + 2) + 1}, is cut off" in warning
            assert "2 whole frames are used" in warning


def test_only_the_line_end_missing_costs_nothing(text_file, cp2k_text):
    frames = positions(3, 5)
    trajectory = read_xyz(text_file(cp2k_text(frames, range(3)).removesuffix("\n")))
    np.testing.assert_array_equal(trajectory.values, frames)
    assert trajectory.warnings == ()


@pytest.mark.parametrize("content", ["", "\n \n", "     5\n i = 0", "5"])
def test_a_file_without_a_whole_frame_is_an_error(text_file, content):
    with pytest.raises(ParseError, match=r"the file is empty|holds no complete frame"):
        read_xyz(text_file(content))


@pytest.mark.parametrize("content", ["&GLOBAL\n  RUN_TYPE MD\n", "hello", "CRYST1\n\n\n"])
def test_a_file_of_another_kind_is_refused_on_line_1(text_file, content):
    with pytest.raises(ParseError, match="begins with its number of atoms") as caught:
        read_xyz(text_file(content))
    assert caught.value.line == 1


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(ParseError, match=r"none\.xyz: cannot be read \(No such file"):
        read_xyz(tmp_path / "none.xyz")


@pytest.mark.parametrize("symbols", [["Cs", "Pb", "Br"], MANY], ids=["small", "fixed columns"])
@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("                 NaN", "atom 2 has 'NaN', not a finite number: the run broke"),
        ("********************", "a number too wide for its column"),
        ("            Infinity", "not a finite number"),
        ("           1.2.3    ", "atom 2 has '1.2.3', not a number"),
        ("                    ", "expected at least 4 columns, got 3"),
    ],
)
def test_a_bad_number_is_named_by_line(text_file, cp2k_text, symbols, bad, said):
    frames = positions(3, len(symbols))
    lines = cp2k_text(frames, range(3), symbols=symbols).split("\n")
    broken = (len(symbols) + 2) + 3  # second frame, second atom
    lines[broken] = lines[broken][:-20] + bad
    path = text_file("\n".join(lines))
    with pytest.raises(ParseError, match=said.replace("*", r"\*")) as caught:
        read_xyz(path)
    assert caught.value.line == broken + 1
    assert caught.value.path == path


@pytest.mark.parametrize("bad", ["                 NaN", "********************"])
def test_a_bad_energy_is_named_by_line(text_file, cp2k_text, bad):
    lines = cp2k_text(positions(2, 5), range(2)).split("\n")
    lines[8] = lines[8][:-20] + bad
    with pytest.raises(ParseError, match="the energy of this frame is") as caught:
        read_xyz(text_file("\n".join(lines)))
    assert caught.value.line == 9


@pytest.mark.parametrize("n_atoms", [5, 60])
def test_another_atom_in_a_later_frame_is_an_error(text_file, cp2k_text, n_atoms):
    first, second = ["Cs"] * n_atoms, ["Cs"] * n_atoms
    second[3] = "Pb"
    frames = positions(2, n_atoms)
    text = cp2k_text(frames[:1], [0], first) + cp2k_text(frames[1:], [1], second)
    with pytest.raises(ParseError, match="atom 4 is 'Pb' here and 'Cs' in the first") as caught:
        read_xyz(text_file(text))
    assert caught.value.line == (n_atoms + 2) + 2 + 4


def test_another_number_of_atoms_is_an_error(text_file, cp2k_text):
    text = cp2k_text(positions(2, 5), range(2)) + cp2k_text(positions(1, 3), [2], ["Cs"] * 3)
    with pytest.raises(ParseError, match="has 3 atoms, the frames before it 5") as caught:
        read_xyz(text_file(text))
    assert caught.value.line == 15


def test_a_line_too_many_is_an_error(text_file, cp2k_text):
    text = cp2k_text(positions(1, 5), [0]) + " Br 1.0 2.0 3.0\n" + cp2k_text(positions(1, 5), [1])
    with pytest.raises(ParseError, match="has lines too many") as caught:
        read_xyz(text_file(text))
    assert caught.value.line == 8


def test_two_runs_in_one_file_are_told_apart(text_file, cp2k_text):
    text = cp2k_text(positions(4, 5), range(4)) + cp2k_text(positions(3, 5, seed=2), range(3))
    said = "two runs in one file: step 0 at 0 fs follows step 3 at 30 fs"
    with pytest.raises(ParseError, match=said) as caught:
        read_xyz(text_file(text))
    assert caught.value.line == 4 * 7 + 2


def test_a_time_that_goes_back_while_steps_go_on_is_never_stitched(text_file, cp2k_text):
    text = cp2k_text(positions(3, 5), range(3)) + cp2k_text(
        positions(2, 5), [3, 4], timestep_fs=1.0
    )
    for on_restart in ("error", "keep_last"):
        with pytest.raises(ParseError, match="two runs in one file: step 3 at 3 fs"):
            read_xyz(text_file(text), on_restart=on_restart)


def test_a_restart_may_replace_the_frames_it_repeats(text_file, cp2k_text):
    old, new = positions(6, 5), positions(4, 5, seed=2)
    text = cp2k_text(old, range(6)) + cp2k_text(new, range(3, 7))
    trajectory = read_xyz(text_file(text), on_restart="keep_last")
    np.testing.assert_array_equal(trajectory.steps, np.arange(7))
    np.testing.assert_array_equal(trajectory.values, [*old[:3], *new])
    (warning,) = trajectory.warnings
    assert "restarted at step 3; 3 earlier frames" in warning


@pytest.mark.parametrize("lost", [1, 30, 75, 200, 300])
def test_a_frame_cut_by_a_kill_and_followed_by_the_restart(text_file, cp2k_text, lost):
    """CP2K appends to the broken line; the frame is left out and the restart's frames are kept."""
    old, new = positions(4, 5), positions(3, 5, seed=2)
    text = cp2k_text(old, range(4))[:-lost] + cp2k_text(new, range(3, 6))
    with pytest.raises(ParseError, match="two runs in one file"):
        read_xyz(text_file(text))
    trajectory = read_xyz(text_file(text), on_restart="keep_last")
    np.testing.assert_array_equal(trajectory.steps, np.arange(6))
    np.testing.assert_array_equal(trajectory.values, [*old[:3], *new])
    assert len(trajectory.warnings) >= 1


def test_a_frame_that_lost_only_its_last_line_and_followed_by_the_restart(text_file, cp2k_text):
    old, new = positions(4, 5), positions(3, 5, seed=2)
    whole = cp2k_text(old, range(4))
    text = whole[: whole.rstrip("\n").rfind("\n") + 1] + cp2k_text(new, range(3, 6))
    trajectory = read_xyz(text_file(text), on_restart="keep_last")
    np.testing.assert_array_equal(trajectory.values, [*old[:3], *new])


def test_missing_frames_are_told(text_file, cp2k_text):
    trajectory = read_xyz(text_file(cp2k_text(positions(5, 5), [0, 10, 20, 50, 60])))
    (warning,) = trajectory.warnings
    assert "line 22: 30 steps after the frame before, where others come every 10" in warning
    assert "missing in 1 places" in warning


def test_memory_stays_one_frame(text_file, cp2k_text):
    """A file is mapped, and only the frame asked for is read."""
    frames = positions(50, 60)
    with open_xyz(text_file(cp2k_text(frames, range(50), MANY))) as file:
        assert file.n_frames == 50
        values = np.empty((60, 3))
        file.read_into(41, values)
        np.testing.assert_array_equal(values, frames[41])
