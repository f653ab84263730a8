import numpy as np
import pytest

from qdcomp.errors import InputError, ParseError
from qdcomp.trajectory import read_ener, read_xyz

HARTREE_EV = 27.211386245988
HEADER = (
    "#     Step Nr.          Time[fs]        Kin.[a.u.]          Temp[K]            "
    "Pot.[a.u.]        Cons Qty[a.u.]        UsedTime[s]\n"
)


def lines(steps, shift: float = 0.0) -> str:
    return "".join(
        f"{step:10d}{10.0 * step:20.6f}{0.5:20.9f}{300.0:20.9f}{-26.5 - shift:20.9f}"
        f"{-26.0:20.9f}{1.25:20.9f}\n"
        for step in steps
    )


@pytest.fixture
def ener_file(tmp_path):
    def write(text: str):
        path = tmp_path / "dot-1.ener"
        path.write_text(text)
        return path

    return write


def test_a_real_file_agrees_with_the_energies_in_the_trajectory(shared_data):
    folder = shared_data / "md" / "autofox_cp2k_md"
    energies = read_ener(folder / "cp2k-1.ener")
    trajectory = read_xyz(folder / "cp2k-pos-1.xyz")
    np.testing.assert_array_equal(energies.steps, trajectory.steps)
    np.testing.assert_array_equal(energies.times_fs, trajectory.times_fs)
    np.testing.assert_allclose(
        energies.potential_energies_ev, trajectory.energies_ev, atol=1e-9 * HARTREE_EV
    )
    assert energies.conserved_energies_ev[0] == -5.549591123 * HARTREE_EV
    assert energies.temperatures_k[0] == 300.0
    assert energies.warnings == ()


def test_columns_have_their_units(ener_file):
    energies = read_ener(ener_file(HEADER + lines([0, 1])))
    np.testing.assert_array_equal(energies.times_fs, [0.0, 10.0])
    np.testing.assert_allclose(energies.kinetic_energies_ev, 0.5 * HARTREE_EV)
    np.testing.assert_allclose(energies.potential_energies_ev, -26.5 * HARTREE_EV)
    np.testing.assert_array_equal(energies.walltimes_s, 1.25)


@pytest.mark.parametrize("lost", [1, 10, 100, 121])
def test_a_cut_last_line_is_left_out_and_told(ener_file, lost):
    energies = read_ener(ener_file((HEADER + lines(range(4)))[:-lost]))
    np.testing.assert_array_equal(energies.steps, np.arange(3))
    (warning,) = energies.warnings
    assert "the last line, 5, is cut off" in warning


def test_two_runs_in_one_file_are_told_apart(ener_file):
    path = ener_file(HEADER + lines(range(5)) + HEADER + lines(range(3, 6), shift=1.0))
    with pytest.raises(ParseError, match="two runs in one file: step 3 follows step 4") as caught:
        read_ener(path)
    assert caught.value.line == 8
    energies = read_ener(path, on_restart="keep_last")
    np.testing.assert_array_equal(energies.steps, np.arange(6))
    np.testing.assert_allclose(
        energies.potential_energies_ev, np.array([-26.5] * 3 + [-27.5] * 3) * HARTREE_EV
    )
    assert "restarted at step 3" in energies.warnings[0]


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        (HEADER, "holds no energies", None),
        ("", "holds no energies", None),
        (HEADER + "1 2 3\n", "expected 7 columns", 2),
        (HEADER + lines([0]).replace(f"{300.0:20.9f}", "*" * 20), "expected 7|too wide", 2),
        (HEADER + lines([0]).replace(f"{-26.0:20.9f}", f"{'NaN':>20s}"), "not a finite", 2),
    ],
)
def test_bad_files_are_named_by_line(ener_file, text, said, line):
    with pytest.raises(ParseError, match=said) as caught:
        read_ener(ener_file(text))
    assert caught.value.line == line


def test_a_missing_file_and_an_unknown_policy_are_errors(tmp_path):
    with pytest.raises(ParseError, match="cannot be read"):
        read_ener(tmp_path / "none.ener")
    with pytest.raises(InputError, match="on_restart must be"):
        read_ener(tmp_path / "none.ener", on_restart="guess")
