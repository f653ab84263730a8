import numpy as np
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import shortest_path

from qdcomp.structures import load_ligand, measure_upright_length
from qdcomp.structures.placement_geometry import bend_joints
from qdcomp.structures.upright_conformers import find_upright_conformers


def stand(name, conformer="lowest"):
    """Positions of the upright conformers, and the ligand."""
    ligand = load_ligand(name, conformer=conformer)
    upright = find_upright_conformers(ligand)
    points = bend_joints(upright.ligand, upright.angles) @ upright.frames.transpose(0, 2, 1)
    return points, ligand


def count_bonds(ligand):
    """Bonds between the head and each atom."""
    n_atoms = len(ligand.atoms)
    bonds = coo_matrix((np.ones(len(ligand.bonds)), ligand.bonds.T), shape=(n_atoms, n_atoms))
    return shortest_path(bonds, directed=False, unweighted=True)[ligand.head_atom]


@pytest.mark.parametrize("conformer", ["lowest", "extended"])
def test_both_tails_of_a_quaternary_ammonium_lead_away(conformer):
    """All-trans they point in opposite directions; the ends must not."""
    points, ligand = stand("DDA_C4", conformer)
    carbons = np.flatnonzero(ligand.atoms.numbers == 6)
    ends = carbons[count_bonds(ligand)[carbons] == 4]
    assert len(ends) == 2
    assert points[:, ends, 2].min() > 2.0
    assert points[:, carbons, 2].min() > -1.7  # methyl groups at the head, no tail


def test_a_single_tail_stands_straight():
    points, _ = stand("NBA")
    zigzag = 3 * 1.27 + 0.5  # three C-C of 1.27 Å along the chain, C-N and the last C-H above
    assert points[0, :, 2].max() > zigzag
    assert np.linalg.norm(points[0, :, :2], axis=1).max() < 2.6


def test_the_head_is_the_origin_and_conformers_differ():
    points, ligand = stand("DDA_C2")
    assert np.abs(points[:, ligand.head_atom]).max() < 1e-12
    for first in range(len(points)):
        for second in range(first):
            assert np.abs(points[first] - points[second]).max() > 0.3


def test_a_folded_ligand_is_measured_upright():
    oleyl = load_ligand("OLA")
    assert measure_upright_length(oleyl) > 15.0
    assert measure_upright_length(load_ligand("MA")) == pytest.approx(1.9, abs=0.2)
