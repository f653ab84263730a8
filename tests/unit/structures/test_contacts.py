import numpy as np
import pytest
from ase import Atoms
from ase.neighborlist import neighbor_list

from qdcomp.errors import InputError
from qdcomp.structures import Structure, build_quantum_dot, smallest_contact
from qdcomp.structures.contacts import find_bonds, find_pairs

METHANE = np.array([[0, 0, 0], [1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], dtype=float)
METHANE[1:] *= 1.09 / np.sqrt(3)


def build_ligands(*centres, cell=None, pbc=False, wrap=False):
    """Methanes, each a ligand of its own."""
    positions = np.concatenate([METHANE + centre for centre in np.array(centres, dtype=float)])
    atoms = Atoms("CH4" * len(centres), positions=positions, cell=cell, pbc=pbc)
    if wrap:
        atoms.wrap()
    n_atoms = len(atoms)
    return Structure(
        atoms=atoms,
        charge=0,
        charge_policy="given",
        depth_cells=np.full(n_atoms, np.nan),
        frozen=np.zeros(n_atoms, dtype=bool),
        edge_angstrom=0.0,
        cells=0,
        composition="CH4",
        description="methanes",
        kind="slab" if cell is not None else "molecule",
        ligand_index=np.repeat(np.arange(len(centres)), 5),
        ligands=("CH4",) * len(centres),
    )


@pytest.mark.parametrize("pbc", [(False,) * 3, (True, True, False), (True, True, True)])
def test_pairs_are_those_of_a_neighbour_list(pbc):
    rng = np.random.default_rng(3)
    cell = np.array([[6.0, 0, 0], [2.0, 5.0, 0], [0.5, -1.0, 7.0]])
    positions = rng.uniform(-8, 12, (25, 3))
    pairs = find_pairs(positions, 4.5, cell, np.array(pbc))
    found = np.linalg.norm(positions[pairs.second] + pairs.offset - positions[pairs.first], axis=1)
    atoms = Atoms("H25", positions=positions, cell=cell, pbc=pbc)
    expected = neighbor_list("d", atoms, 4.5)
    assert len(expected) == 2 * len(found)
    np.testing.assert_allclose(np.sort(np.tile(found, 2)), np.sort(expected), atol=1e-12)


def test_an_atom_and_its_image_are_a_pair():
    pairs = find_pairs(np.zeros((1, 3)), 2.5, 2.0 * np.eye(3), np.array([True, False, False]))
    assert [int(pairs.first[0]), int(pairs.second[0])] == [0, 0]
    assert np.linalg.norm(pairs.offset, axis=1).tolist() == [2.0]


def test_bonds_and_angles_of_a_molecule_are_no_contacts():
    structure = build_ligands((0, 0, 0))
    assert len(find_bonds(structure.atoms, structure.ligand_index).first) == 4
    with pytest.raises(InputError, match="no two atoms"):
        smallest_contact(structure)


def test_the_nearest_atoms_of_two_molecules_are_found():
    structure = build_ligands((0, 0, 0), (4.0, 0, 0))
    distances = structure.atoms.get_all_distances()[:5, 5:]
    contact = smallest_contact(structure)
    assert contact.distance_angstrom == pytest.approx(distances.min())
    assert {int(structure.ligand_index[atom]) for atom in contact[1:]} == {0, 1}


def test_a_molecule_meets_its_own_image():
    cell = np.diag([3.2, 20.0, 20.0])
    contact = smallest_contact(build_ligands((0, 0, 0), cell=cell, pbc=(True, True, False)))
    alone = METHANE[:, None] + [3.2, 0, 0] - METHANE[None]
    assert contact.distance_angstrom == pytest.approx(np.linalg.norm(alone, axis=-1).min())


def test_a_molecule_cut_by_the_cell_is_the_same_molecule():
    cell = np.diag([9.0, 8.0, 20.0])
    centres = ((0.2, 0.1, 10.0), (4.4, 7.9, 10.0))
    pbc = (True, True, False)
    whole = smallest_contact(build_ligands(*centres, cell=cell, pbc=pbc))
    cut = smallest_contact(build_ligands(*centres, cell=cell, pbc=pbc, wrap=True))
    assert cut.distance_angstrom == pytest.approx(whole.distance_angstrom)


def test_a_structure_without_ligands_has_no_contacts():
    with pytest.raises(InputError, match="no ligands"):
        smallest_contact(build_quantum_dot(2))
