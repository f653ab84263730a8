import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdcomp.structures import build_core_shell_dot, build_quantum_dot, recognise_dot


@given(cells=st.integers(1, 6), lattice_constant=st.floats(5.3, 6.4), seed=st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_lattice_of_a_shaken_dot_is_found(cells, lattice_constant, seed):
    """Thermal motion of 0.15 Å, another origin and another order do not hide the layers."""
    dot = build_quantum_dot(cells, lattice_constant=lattice_constant)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(dot.atoms))
    positions = dot.atoms.positions + rng.normal(0, 0.15, (len(order), 3)) + rng.uniform(-9, 9, 3)
    symbols = np.array(dot.atoms.get_chemical_symbols())
    found = recognise_dot(symbols[order].tolist(), positions[order])
    assert found is not None
    assert found.cells == cells
    error = 0.15 if cells == 1 else 0.05  # one cell has six bonds to tell, and they shake
    assert found.lattice_constant == pytest.approx(lattice_constant, rel=error)
    np.testing.assert_array_equal(found.depth_cells, dot.depth_cells[order])


def test_core_shell_dot_is_found():
    dot = build_core_shell_dot(4)
    found = recognise_dot(dot.atoms.get_chemical_symbols(), dot.atoms.positions)
    np.testing.assert_array_equal(found.depth_cells, dot.depth_cells)


def test_turned_dot_is_not_mistaken():
    dot = build_quantum_dot(3)
    dot.atoms.rotate(45, "z")
    assert recognise_dot(dot.atoms.get_chemical_symbols(), dot.atoms.positions) is None


def test_what_is_no_cubic_dot_is_not_recognised():
    dot = build_quantum_dot(2)
    symbols, positions = dot.atoms.get_chemical_symbols(), dot.atoms.positions
    lead = symbols.index("Pb")
    without = [number for number in range(len(symbols)) if number != lead]
    assert recognise_dot([symbols[k] for k in without], positions[without]) is None
    assert recognise_dot(["O", "H", "H"], np.eye(3)) is None
    assert recognise_dot(symbols, np.zeros_like(positions)) is None
    assert recognise_dot(symbols, 10 * positions) is None  # nm taken for Å


def test_stranger_has_no_depth():
    dot = build_quantum_dot(2)
    symbols = [*dot.atoms.get_chemical_symbols(), "N", "Br"]
    positions = np.vstack([dot.atoms.positions, [[0.0, 0.0, 9.0], [0.0, 0.0, 25.0]]])
    found = recognise_dot(symbols, positions)
    np.testing.assert_array_equal(found.depth_cells[:-2], dot.depth_cells)
    assert np.isnan(found.depth_cells[-2:]).all()


@pytest.mark.parametrize(
    ("file_name", "cells"), [("0.6nm_opt", 1), ("1.2nm_opt", 2), ("1.8nm_opt", 3)]
)
def test_relaxed_public_dots_have_the_layers_of_ours(shared_data, file_name, cells):
    from ase.io import read

    relaxed = read(shared_data / f"md/cspbbr3_infante/cspbbr3_{file_name}.xyz")
    found = recognise_dot(relaxed.get_chemical_symbols(), relaxed.positions)
    ours = build_quantum_dot(cells, charge="neutral")
    assert found.cells == cells
    for element in ("Cs", "Pb", "Br"):
        theirs = found.depth_cells[np.array(relaxed.get_chemical_symbols()) == element]
        built = ours.depth_cells[np.array(ours.atoms.get_chemical_symbols()) == element]
        np.testing.assert_array_equal(np.sort(theirs), np.sort(built))
