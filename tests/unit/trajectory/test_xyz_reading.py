"""What is read from xyz files: numbers, units, comment lines, beside ASE."""

import ase.io
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdcomp.errors import InputError
from qdcomp.trajectory import iterate_xyz, open_xyz, read_xyz
from qdcomp.trajectory.xyz_atoms import read_values
from qdcomp.trajectory.xyz_columns import FixedColumns
from qdcomp.trajectory.xyz_comment import Columns

HARTREE_EV = 27.211386245988
BOHR = 0.529177210903
ATOMIC_TIME_FS = 0.02418884326585
CP2K = Columns(species=0, first_value=1)


def test_cp2k_positions_are_ases_to_the_last_bit(shared_data):
    path = shared_data / "md" / "autofox_cp2k_md" / "cp2k-pos-1.xyz"
    trajectory = read_xyz(path)
    atoms = ase.io.read(path, index=":")
    np.testing.assert_array_equal(trajectory.values, [frame.positions for frame in atoms])
    assert list(trajectory.symbols) == atoms[0].get_chemical_symbols()
    np.testing.assert_array_equal(trajectory.steps, 10 * np.arange(101))
    np.testing.assert_array_equal(trajectory.times_fs, 25.0 * np.arange(101))
    assert trajectory.energies_ev[0] == pytest.approx(-6.3226095136 * HARTREE_EV, rel=1e-14)
    assert trajectory.warnings == ()


def test_cp2k_forces_become_ev_per_angstrom(shared_data):
    path = shared_data / "md" / "autofox_cp2k_md" / "cp2k-frc-1.xyz"
    first = next(iterate_xyz(path, "force"))
    expected = np.array([-0.0000089060, -0.0000120511, 0.0000210843]) * HARTREE_EV / BOHR
    np.testing.assert_allclose(first.values[0], expected, rtol=1e-14)


def test_cp2k_velocities_become_angstrom_per_fs(text_file, cp2k_text):
    path = text_file(cp2k_text(np.full((1, 5, 3), 0.0001), [0]))
    values = read_xyz(path, "velocity").values
    np.testing.assert_allclose(values, 1e-4 * BOHR / ATOMIC_TIME_FS, rtol=1e-14)


@pytest.mark.parametrize(
    ("quantity", "unit", "factor"),
    [("position", "bohr", BOHR), ("velocity", "angstrom/ps", 1e-3), ("force", "ev/angstrom", 1.0)],
)
def test_another_unit_may_be_given(text_file, cp2k_text, quantity, unit, factor):
    path = text_file(cp2k_text(np.full((1, 5, 3), 0.25), [0]))
    assert np.all(read_xyz(path, quantity, unit=unit).values == 0.25 * factor)


@pytest.mark.parametrize(
    ("name", "n_atoms"), [("0.6nm_opt", 11), ("1.8nm_opt", 189), ("2.4nm_primary_opt", 710)]
)
def test_relaxed_dots_are_one_frame_without_time(shared_data, name, n_atoms):
    path = shared_data / "md" / "cspbbr3_infante" / f"cspbbr3_{name}.xyz"
    trajectory = read_xyz(path)
    assert trajectory.values.shape == (1, n_atoms, 3)
    assert trajectory.times_fs is None
    assert trajectory.steps is not None
    np.testing.assert_array_equal(trajectory.values[0], ase.io.read(path).positions)


def test_extended_xyz_gives_columns_cell_and_keys(tmp_path):
    rng = np.random.default_rng(3)
    frames = []
    for step in range(3):
        atoms = ase.Atoms("CsPbBr3", positions=rng.normal(size=(5, 3)), cell=[6.0, 7.0, 8.0])
        atoms.arrays["forces"] = rng.normal(size=(5, 3))
        atoms.arrays["tag"] = np.arange(5)
        atoms.info = {"step": step, "time": 2.5 * step, "energy": -3.5, "name": "a dot"}
        frames.append(atoms)
    path = tmp_path / "dot.extxyz"
    ase.io.write(path, frames, format="extxyz", columns=["symbols", "tag", "positions", "forces"])
    positions, forces = read_xyz(path), read_xyz(path, "force")
    read_by_ase = ase.io.read(path, index=":")
    np.testing.assert_array_equal(positions.values, [frame.positions for frame in read_by_ase])
    np.testing.assert_array_equal(forces.values, [frame.get_forces() for frame in read_by_ase])
    np.testing.assert_array_equal(positions.cells, np.tile(np.diag([6.0, 7.0, 8.0]), (3, 1, 1)))
    np.testing.assert_array_equal(positions.times_fs, [0.0, 2.5, 5.0])
    np.testing.assert_array_equal(positions.energies_ev, [-3.5] * 3)
    assert next(iterate_xyz(path)).info["name"] == "a dot"
    with pytest.raises(InputError, match="has no velocity columns"):
        read_xyz(path, "velocity", unit="angstrom/fs")


def test_reference_frames_in_extended_xyz_are_ases(shared_data, tmp_path):
    path = shared_data / "model_fit" / "cp2k_pbe_frames.extxyz"
    first = ase.io.read(path, index=0)
    one = tmp_path / "one.extxyz"
    one.write_text("".join(path.read_text().splitlines(keepends=True)[: len(first) + 2]))
    np.testing.assert_array_equal(read_xyz(one).values[0], first.positions)
    np.testing.assert_array_equal(read_xyz(one, "force").values[0], first.get_forces())


def test_a_plain_xyz_file_is_in_angstrom(text_file):
    path = text_file("2\nwater, somehow\nO 0 0.5 1e-1\nH 1 2 -3.25\n")
    trajectory = read_xyz(path)
    np.testing.assert_array_equal(trajectory.values, [[[0, 0.5, 0.1], [1, 2, -3.25]]])
    assert trajectory.steps is None
    with pytest.raises(InputError, match="give unit as one of"):
        read_xyz(path, "velocity")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"quantity": "charge"}, "quantity must be one of position, velocity, force"),
        ({"unit": "parsec"}, "unit of position must be one of angstrom, bohr, nm"),
        ({"on_restart": "guess"}, "on_restart must be 'error' or 'keep_last'"),
    ],
)
def test_unknown_arguments_are_refused(text_file, cp2k_text, arguments, said):
    path = text_file(cp2k_text(np.zeros((1, 5, 3)), [0]))
    with pytest.raises(InputError, match=said):
        open_xyz(path, **arguments)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1.5D-03", 1.5e-3), ("-2.5d+1", -25.0), ("0.1-104", 1e-105), ("1e300", 1e300)],
)
def test_fortran_exponents_are_read(text_file, text, value):
    path = text_file(f"1\n i = 0, time = 0.0, E = -1.0\nCs {text} 0.0 1.0\n")
    assert read_xyz(path).values[0, 0, 0] == value


def test_line_ends_of_windows_and_blank_lines_at_the_end_are_read(text_file, cp2k_text):
    positions = np.random.default_rng(1).uniform(-9, 9, size=(3, 60, 3)).round(10)
    text = cp2k_text(positions, range(3), symbols=["Cs"] * 60)
    path = text_file(text.replace("\n", "\r\n") + "\r\n \r\n")
    trajectory = read_xyz(path)
    np.testing.assert_array_equal(trajectory.values, positions)
    assert trajectory.warnings == ()


def test_iterating_gives_the_same_frames_as_reading(text_file, cp2k_text):
    positions = np.random.default_rng(1).uniform(-9, 9, size=(7, 60, 3)).round(10)
    path = text_file(cp2k_text(positions, range(7), symbols=["Pb", "Br"] * 30))
    stacked = read_xyz(path)
    for index, frame in enumerate(iterate_xyz(path)):
        assert frame.step == stacked.steps[index]
        assert frame.time_fs == stacked.times_fs[index]
        assert frame.energy_ev == stacked.energies_ev[index]
        assert frame.symbols == stacked.symbols
        np.testing.assert_array_equal(frame.values, stacked.values[index])


def test_frames_of_a_closed_file_are_gone(text_file, cp2k_text):
    file = open_xyz(text_file(cp2k_text(np.zeros((1, 5, 3)), [0])))
    file.close()
    with pytest.raises(InputError, match="is closed"):
        file.read_into(0, np.empty((5, 3)))


@settings(max_examples=60, deadline=None)
@given(
    numbers=st.lists(
        st.decimals(-99999, 99999, places=10, allow_nan=False), min_size=9, max_size=9
    ),
    symbol=st.sampled_from(["H", "Cs"]),
)
def test_fixed_columns_are_float_of_the_text_bit_for_bit(numbers, symbol):
    texts = [f"{number:20.10f}" for number in numbers]
    block = "".join(
        f"{symbol:>3s}" + "".join(texts[3 * row : 3 * row + 3]) + "\n" for row in range(3)
    ).encode()
    fixed = FixedColumns.detect(block, CP2K)
    assert fixed is not None
    values = np.empty((3, 3))
    assert fixed.read(np.frombuffer(block, dtype=np.uint8), values)
    expected = np.array([float(text) for text in texts]).reshape(3, 3)
    assert values.tobytes() == expected.tobytes()


@pytest.mark.parametrize("form", ["20.10f", "16.8f", "12.6f", "25.17f", "22.16f"])
def test_every_width_gives_float_of_the_text_or_is_left_alone(form):
    rng = np.random.default_rng(4)
    rows = rng.normal(scale=30.0, size=(200, 3))
    rows[0] = [-0.0, 0.0, 123.0]
    lines = ["Cs " + " ".join(format(value, form) for value in row) for row in rows]
    block = "".join(f"{line}\n" for line in lines).encode()
    expected = np.array([[float(text) for text in line.split()[1:]] for line in lines])
    fixed = FixedColumns.detect(block, CP2K)
    assert fixed is not None
    values = np.empty_like(rows)
    done = fixed.read(np.frombuffer(block, dtype=np.uint8), values)
    assert done == (form in {"20.10f", "16.8f", "12.6f"})  # the others pass 2⁵³ digits
    if done:
        assert values.tobytes() == expected.tobytes()
    general = read_values(block, CP2K, ("Cs",) * 200, "x.xyz", 3)
    assert general.tobytes() == expected.tobytes()


@pytest.mark.parametrize(
    "line",
    [
        " Cs        1.0000000000        2.0000000000                 NaN",
        " Cs        1.0000000000        2.0000000000********************",
        " Cs        1.0000000000        2.0000000000     3.000000000E+00",
        " Cs        1.0000000000        2.0000000000        3.00000000 0",
        " Cs        1.0000000000        2.0000000000         .0000000000",
        " Cs        1.0000000000        2.0000000000      1 3.0000000000",
        " Cs        1.0000000000        2.0000000000      --3.0000000000",
        " Cs        1.0000000000        2.0000000000      -.3.0000000000",
        " Cs        1.0000000000        2.0000000000     3-33.0000000000",
        " Pb        1.0000000000        2.0000000000        3.0000000000",
        "Cs         1.0000000000        2.0000000000        3.0000000000",
        " Cs        1.0000000000        2.0000000000        3,0000000000",
    ],
)
def test_fixed_columns_leave_alone_whatever_is_unusual(line):
    good = " Cs        1.0000000000        2.0000000000       -3.0000000000\n"
    fixed = FixedColumns.detect((good * 3).encode(), CP2K)
    values = np.empty((3, 3))
    assert fixed.read(np.frombuffer((good * 3).encode(), dtype=np.uint8), values)
    block = good + line + "\n" + good
    assert len(block) == 3 * len(good)
    assert not fixed.read(np.frombuffer(block.encode(), dtype=np.uint8), values)
