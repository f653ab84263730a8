import numpy as np
import pytest
from ase import Atoms
from ase.optimize import LBFGS
from scipy.spatial.transform import Rotation

from qdcomp.errors import InputError
from qdcomp.structures import (
    build_counterion,
    build_ion_pair,
    build_molecule,
    cut_tails,
    load_ligand,
    remove_proton,
)


def angle_deg(first, second):
    cosine = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


@pytest.mark.parametrize("halide", ["Cl", "Br", "I"])
def test_a_halide_lies_in_front_of_one_proton(halide):
    ligand = load_ligand("PEA")
    pair = build_ion_pair(ligand, halide)
    distances = pair.atoms.get_distances(-1, range(len(ligand.atoms)))
    nearest = int(np.argmin(distances))
    assert pair.atoms[nearest].symbol == "H"
    assert 2.1 < distances[nearest] < 2.6
    assert 3.1 < distances[ligand.head_atom] < 3.7
    bond = ligand.atoms.positions[nearest] - ligand.atoms.positions[ligand.head_atom]
    assert angle_deg(bond, pair.atoms.positions[-1]) < 1.0
    assert any("proton" in warning for warning in pair.warnings)


@pytest.mark.parametrize("name", ["DDA_C1", "DDA_C2", "DDA_C4"])
def test_a_halide_lies_between_three_carbons_of_a_quaternary_ammonium(name):
    """A tetrahedron: 180° from one carbon, 70.5° from each of the other three."""
    ligand = load_ligand(name)
    pair = build_ion_pair(ligand)
    place = pair.atoms.positions[-1]
    bonded = [pair for pair in ligand.bonds.tolist() if ligand.head_atom in pair]
    carbons = [index for pair in bonded for index in pair if index != ligand.head_atom]
    angles = sorted(angle_deg(ligand.atoms.positions[index], place) for index in carbons)
    np.testing.assert_allclose(angles, [70.5, 70.5, 70.5, 180.0], atol=5.0)
    assert 3.7 < np.linalg.norm(place) < 4.2
    assert pair.warnings == ()


def test_a_halide_binds_both_nitrogens_of_an_amidinium():
    pair = build_ion_pair(load_ligand("FA"))
    nitrogens = [atom.index for atom in pair.atoms if atom.symbol == "N"]
    first, second = pair.atoms.get_distances(-1, nitrogens)
    assert first == pytest.approx(second, abs=0.05)
    assert 3.1 < first < 3.5


@pytest.mark.parametrize("name", ["acetate", "CP(=O)(O)[O-]", "CS(=O)(=O)[O-]"])
def test_caesium_binds_the_bare_oxygens_of_an_anion_alike(name):
    pair = build_ion_pair(load_ligand(name), "Cs")
    bonds = load_ligand(name).bonds.tolist()
    oxygens = [atom.index for atom in pair.atoms if atom.symbol == "O"]
    bare = [index for index in oxygens if sum(index in bond for bond in bonds) == 1]
    distances = pair.atoms.get_distances(-1, bare)
    np.testing.assert_allclose(distances, distances.mean(), atol=0.1)
    assert 2.85 < distances.min() < 3.3


@pytest.mark.parametrize(
    ("name", "counterion"),
    [("PEA", "Br"), ("DDA_C3", "Br"), ("IPA", "I"), ("OLA", "Br"), ("C8-phosphonate", "Cs")],
)
def test_a_pair_is_neutral_has_closed_shells_and_no_clash(name, counterion):
    ligand = load_ligand(name)
    pair = build_ion_pair(ligand, counterion)
    assert (pair.charge, pair.kind, pair.ligands) == (0, "molecule", (ligand.name,))
    electrons = {"Cl": 18, "Br": 36, "I": 54, "Cs": 54}[counterion]
    assert (ligand.atoms.numbers.sum() - ligand.charge + electrons) % 2 == 0
    assert pair.atoms.get_distances(-1, range(len(ligand.atoms))).min() > 2.2
    assert pair.ligand_index.tolist() == [0] * len(ligand.atoms) + [-1]
    np.testing.assert_array_equal(pair.atoms.positions[:-1], ligand.atoms.positions)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["DDA_C1", "MA"])
def test_a_pair_relaxes_into_no_saddle(name):
    """From other places about the head GFN2-xTB finds nothing lower."""
    tblite = pytest.importorskip("tblite.ase")
    ligand = load_ligand(name)
    pair = build_ion_pair(ligand).atoms
    place = pair.positions[-1].copy()
    turned = [place @ rotation for rotation in Rotation.random(40, random_state=5).as_matrix()]
    apart = np.linalg.norm(np.array(turned)[:, None] - ligand.atoms.positions, axis=2).min(axis=1)
    others = [start for start, least in zip(turned, apart, strict=True) if least > 2.3]
    energies = []
    for start in (place, *others[:3]):
        atoms = pair.copy()
        atoms.positions[-1] = start
        atoms.calc = tblite.TBLite(method="GFN2-xTB", verbosity=0)
        LBFGS(atoms, logfile=None).run(fmax=0.03, steps=150)
        energies.append(atoms.get_potential_energy())
    assert len(energies) == 4
    assert energies[0] < min(energies) + 0.01


def test_a_zwitterion_stays_alone():
    pair = build_ion_pair(load_ligand("lecithin-head"))
    assert len(pair.atoms) == 28 and pair.charge == 0


def test_a_pair_whose_charges_do_not_cancel_is_refused():
    with pytest.raises(InputError, match=r"no neutral pair.*Br"):
        build_ion_pair(load_ligand("MA"), "Cs")
    with pytest.raises(InputError, match=r"no neutral pair.*Cs"):
        build_ion_pair(load_ligand("acetate"), "Br")
    with pytest.raises(InputError, match="no ion of a perovskite"):
        build_ion_pair(load_ligand("MA"), "F")


def test_molecules_carry_their_charge():
    assert build_molecule(load_ligand("MA")).charge == 1
    assert build_counterion("Br").charge == -1


def test_tails_are_closed_shell_molecules_where_they_were():
    for name, formulas in (("PEA", ["C8H10"]), ("DDA_C4", ["C4H10", "C4H10"]), ("MA", ["CH4"])):
        ligand = load_ligand(name)
        placed = ligand.atoms.positions + np.array([1.0, -2.0, 30.0])
        tails = cut_tails(ligand, placed)
        assert [tail.get_chemical_formula("hill") for tail in tails] == formulas
        for tail in tails:
            own = {tuple(np.round(position, 6)) for position in tail.positions[:-1]}
            assert own <= {tuple(np.round(position, 6)) for position in placed}
            nearest = np.sort(tail.get_distances(-1, range(len(tail) - 1)))
            assert nearest[0] == pytest.approx(1.09)
            assert nearest[1] > 1.6


def test_an_amine_is_the_ammonium_less_a_proton():
    ligand = load_ligand("PEA")
    amine = remove_proton(ligand, ligand.atoms.positions)
    assert isinstance(amine, Atoms)
    assert amine.get_chemical_formula("hill") == "C8H11N"
    kept = ligand.atoms.copy()
    del kept[[atom.index for atom in kept if atom.symbol == "H"]]
    np.testing.assert_array_equal(amine[amine.numbers > 1].positions, kept.positions)
    with pytest.raises(InputError, match="no proton"):
        remove_proton(load_ligand("DDA_C1"), load_ligand("DDA_C1").atoms.positions)


def test_what_carries_the_other_charge_of_a_zwitterion_is_no_tail():
    """Of 3-(butyldimethylammonio)propanesulfonate only butane is a neutral molecule."""
    ligand = load_ligand("sulfobetaine")
    (tail,) = cut_tails(ligand, ligand.atoms.positions)
    assert tail.get_chemical_formula("hill") == "C4H10"


def test_a_ring_through_the_head_is_one_tail():
    ligand = load_ligand("C[N+]1(C)CCCCC1")
    (tail,) = cut_tails(ligand, ligand.atoms.positions)
    assert tail.get_chemical_formula("hill") == "C5H12"


def test_a_head_group_alone_has_no_tail():
    with pytest.raises(InputError, match="without a tail"):
        cut_tails(load_ligand("FA"), load_ligand("FA").atoms.positions)
