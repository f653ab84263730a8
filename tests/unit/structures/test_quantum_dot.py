import itertools
import time
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdcomp.errors import InputError
from qdcomp.structures import build_quantum_dot
from qdcomp.structures.structure import sum_formal_charges

# PHYSICS.md, section 1: cells -> (counts, charge) with eight corners removed, neutral counts
FORMAL = {
    2: ((19, 8, 36), -1),
    3: ((56, 27, 108), 2),
    4: ((117, 64, 240), 5),
    5: ((208, 125, 450), 8),
    6: ((335, 216, 756), 11),
    7: ((504, 343, 1176), 14),
}
NEUTRAL = {
    1: (4, 1, 6),
    2: (20, 8, 36),
    3: (54, 27, 108),
    4: (112, 64, 240),
    5: (200, 125, 450),
    6: (324, 216, 756),
    7: (490, 343, 1176),
}


def count(structure, elements=("Cs", "Pb", "Br")):
    counts = Counter(structure.atoms.get_chemical_symbols())
    return tuple(counts[element] for element in elements)


def on_grid(structure):
    """Ideal sites as (element, three whole numbers of quarter edges × 2n) for exact comparison."""
    half = structure.edge_angstrom / (2 * structure.cells)
    grid = np.rint(structure.atoms.positions / half).astype(int)
    np.testing.assert_allclose(structure.atoms.positions, grid * half, atol=1e-9)
    return list(zip(structure.atoms.get_chemical_symbols(), map(tuple, grid.tolist()), strict=True))


@pytest.mark.parametrize("cells", FORMAL)
def test_formal_dot_has_the_published_atoms_and_charge(cells):
    dot = build_quantum_dot(cells)
    assert (count(dot), dot.charge) == FORMAL[cells]
    assert dot.charge_policy == "formal"


@pytest.mark.parametrize("cells", NEUTRAL)
def test_neutral_dot_has_the_published_atoms(cells):
    dot = build_quantum_dot(cells, charge="neutral")
    assert count(dot) == NEUTRAL[cells]
    assert dot.charge == 0 == sum_formal_charges(dot.atoms.get_chemical_symbols())


@pytest.mark.parametrize("cells", range(1, 25))
def test_counts_and_charge_follow_the_formula(cells):
    dot = build_quantum_dot(cells)
    assert count(dot) == ((cells + 1) ** 3 - 8, cells**3, 3 * cells**2 * (cells + 1))
    assert dot.charge == 3 * cells - 7 == sum_formal_charges(dot.atoms.get_chemical_symbols())
    neutral = build_quantum_dot(cells, charge="neutral")
    assert len(dot.atoms) - len(neutral.atoms) == 3 * cells - 7
    assert sum_formal_charges(neutral.atoms.get_chemical_symbols()) == 0


@given(
    cells=st.integers(1, 12),
    b=st.sampled_from(["Pb", "Ca", "Sn"]),
    x=st.sampled_from(["Cl", "Br", "I"]),
    lattice_constant=st.floats(5.0, 7.0),
)
@settings(max_examples=40, deadline=None)
def test_full_cube_is_bulk_plus_its_surface(cells, b, x, lattice_constant):
    """With its corners, n³ formula units and an AX layer that closes three faces."""
    dot = build_quantum_dot(cells, f"Cs{b}{x}3", lattice_constant, remove_corners=False)
    n = cells
    assert count(dot, ("Cs", b, x)) == ((n + 1) ** 3, n**3, 3 * n**2 * (n + 1))
    assert dot.charge == 3 * n + 1
    assert dot.edge_angstrom == pytest.approx(n * lattice_constant)
    extent = np.ptp(dot.atoms.positions, axis=0)
    np.testing.assert_allclose(extent, dot.edge_angstrom)


@given(cells=st.integers(1, 6))
@settings(max_examples=6, deadline=None)
def test_formal_dot_has_full_cubic_symmetry(cells):
    sites = on_grid(build_quantum_dot(cells))
    original = set(sites)
    assert len(original) == len(sites)  # no two atoms on one site
    for axes in itertools.permutations(range(3)):
        for signs in itertools.product((1, -1), repeat=3):
            image = {
                (element, tuple(sign * site[axis] for sign, axis in zip(signs, axes, strict=True)))
                for element, site in sites
            }
            assert image == original


def test_bonds_of_the_ideal_dot():
    dot = build_quantum_dot(3, lattice_constant=5.87)
    distances = dot.atoms.get_all_distances()
    symbols = np.array(dot.atoms.get_chemical_symbols())
    lead_bromine = distances[np.ix_(symbols == "Pb", symbols == "Br")]
    np.testing.assert_allclose(lead_bromine.min(), 5.87 / 2)
    assert (np.isclose(lead_bromine, 5.87 / 2).sum(axis=1) == 6).all()  # every octahedron whole
    caesium_bromine = distances[np.ix_(symbols == "Cs", symbols == "Br")]
    np.testing.assert_allclose(caesium_bromine.min(), 5.87 / np.sqrt(2))


@pytest.mark.parametrize("seed", range(6))
def test_one_cell_keeps_four_corners_in_a_tetrahedron(seed):
    dot = build_quantum_dot(1, charge="neutral", seed=seed)
    corners = dot.atoms[[atom.index for atom in dot.atoms if atom.symbol == "Cs"]]
    pairs = corners.get_all_distances()[np.triu_indices(4, 1)]
    np.testing.assert_allclose(pairs, dot.edge_angstrom * np.sqrt(2))  # all six face diagonals


def test_two_cells_keep_one_corner():
    dot = build_quantum_dot(2, charge="neutral")
    at_corner = (np.abs(dot.atoms.positions) > 0.49 * dot.edge_angstrom).all(axis=1)
    assert at_corner.sum() == 1


def test_three_cells_lose_an_inverted_pair_of_edge_atoms():
    full = set(on_grid(build_quantum_dot(3)))
    gone = sorted(site for _, site in full - set(on_grid(build_quantum_dot(3, charge="neutral"))))
    assert len(gone) == 2
    assert gone[0] == tuple(-coordinate for coordinate in gone[1])
    assert [abs(coordinate) for coordinate in gone[0]].count(3) == 2  # on an edge, no corner


@pytest.mark.parametrize("cells", [1, *range(3, 25)])
@pytest.mark.parametrize("seed", [0, 1])
def test_neutral_dot_has_no_dipole(cells, seed):
    dot = build_quantum_dot(cells, charge="neutral", seed=seed)
    charges = {"Cs": 1, "Pb": 2, "Br": -1}
    per_atom = np.array([charges[symbol] for symbol in dot.atoms.get_chemical_symbols()])
    dipole = per_atom @ dot.atoms.positions
    np.testing.assert_allclose(dipole, 0, atol=1e-6)


def test_vacancies_are_corners_first_then_edges():
    dot = build_quantum_dot(6, charge="neutral")
    all_sites = set(on_grid(build_quantum_dot(6, remove_corners=False)))
    gone = [site for _, site in all_sites - set(on_grid(dot))]
    on_faces = Counter(sum(abs(coordinate) == 6 for coordinate in site) for site in gone)
    assert on_faces == {3: 8, 2: 11}


def test_seed_decides_reproducibly():
    first, again, other = (
        build_quantum_dot(3, charge="neutral", seed=seed).atoms.positions for seed in (5, 5, 6)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_given_charge_keeps_the_formal_atoms_and_warns():
    dot = build_quantum_dot(3, charge=0)
    assert (dot.charge, dot.charge_policy) == (0, "electrons")
    assert len(dot.atoms) == 191
    assert "+2 electrons" in dot.warnings[0]
    assert build_quantum_dot(3, charge=np.int64(2)).warnings == ()


def test_bare_anion_of_one_cell_is_built_and_said():
    dot = build_quantum_dot(1)
    assert (count(dot), dot.charge) == ((0, 1, 6), -4)
    assert "bare BX6 anion of -4 e" in dot.warnings[0]


def test_description_says_what_was_built():
    description = build_quantum_dot(3, lattice_constant=5.9).description
    assert "3 × 5.9 Å" in description
    assert "Cs56Pb27Br108" in description
    assert "+2 e (formal" in description


def test_atoms_are_ordered_by_site_and_have_no_cell():
    dot = build_quantum_dot(2)
    elements = [element for element, _ in itertools.groupby(dot.atoms.get_chemical_symbols())]
    assert elements == ["Cs", "Pb", "Br"]
    assert not dot.atoms.pbc.any()
    assert dot.atoms.cell.rank == 0


@pytest.mark.parametrize("charge", ["formal", "neutral"])
def test_largest_dot_is_built_within_two_seconds(charge):
    start = time.perf_counter()
    dot = build_quantum_dot(24, charge=charge)
    assert time.perf_counter() - start < 2.0
    assert len(dot.atoms) > 70_000


@pytest.mark.parametrize("cells", [0, -3, 101, 2.5, 3.0, "3", True, None, np.array([3, 4])])
def test_impossible_size_is_refused(cells):
    with pytest.raises(InputError, match=r"cells = .*unit cells along the edge, 1 to 100"):
        build_quantum_dot(cells)


@pytest.mark.parametrize("charge", ["neutrl", "electrons", 1.5, None, True])
def test_unknown_charge_policy_is_refused(charge):
    with pytest.raises(InputError, match="expected 'formal', 'neutral' or a whole number"):
        build_quantum_dot(2, charge=charge)


def test_neutral_dot_cannot_keep_its_corners():
    with pytest.raises(InputError, match="corners first"):
        build_quantum_dot(3, charge="neutral", remove_corners=False)


@pytest.mark.parametrize("seed", [-1, 1.5, "a"])
def test_impossible_seed_is_refused(seed):
    with pytest.raises(InputError, match=r"seed = .*from 0 upwards"):
        build_quantum_dot(3, charge="neutral", seed=seed)


@pytest.mark.parametrize(("file_name", "cells"), [("0.6nm", 1), ("1.2nm", 2), ("1.8nm", 3)])
def test_neutral_dot_has_the_composition_of_the_relaxed_public_one(shared_data, file_name, cells):
    from ase.io import read

    relaxed = read(shared_data / f"md/cspbbr3_infante/cspbbr3_{file_name}_opt.xyz")
    ours = build_quantum_dot(cells, charge="neutral").atoms
    assert ours.get_chemical_formula() == relaxed.get_chemical_formula()
