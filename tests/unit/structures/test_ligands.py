import numpy as np
import pytest
from ase import Atoms
from ase.io import write

from qdcomp.errors import InputError, ParseError
from qdcomp.structures import (
    build_counterion,
    build_ion_pair,
    build_molecule,
    cut_tails,
    list_ligands,
    load_ligand,
    remove_proton,
)

SMALL = ("PEA", "DDA_C1", "DDA_C4", "NBA", "IPA", "MA", "FA", "acetate", "sulfobetaine")


@pytest.mark.parametrize(
    ("name", "formula", "n_atoms", "charge"),
    [
        ("PEA", "C8H12N", 21, 1),
        ("NBA", "C4H12N", 17, 1),
        ("IPA", "C3H10N", 14, 1),
        ("DDA_C4", "C10H24N", 35, 1),
        ("DDA_C2", "C6H16N", 23, 1),
        ("DDA_C1", "C4H12N", 17, 1),
        ("MA", "CH6N", 8, 1),
        ("acetate", "C2H3O2", 7, -1),
    ],
)
def test_formulas_and_charges_are_those_of_the_collected_ligands(name, formula, n_atoms, charge):
    ligand = load_ligand(name)
    assert ligand.atoms.get_chemical_formula("hill") == formula
    assert (len(ligand.atoms), ligand.charge) == (n_atoms, charge)
    assert (ligand.atoms.numbers.sum() - charge) % 2 == 0


def test_the_library_has_every_truncation_and_sources():
    entries = {entry.name: entry for entry in list_ligands()}
    assert {f"DDA_C{length}" for length in range(1, 9)} <= set(entries)
    assert {"PEA", "MPEA", "DDA", "NBA", "IPA", "OLA", "MA", "FA", "oleate"} <= set(entries)
    assert all(entry.source and entry.description for entry in entries.values())
    assert entries["DDA_C3"].smiles == "CCC[N+](C)(C)CCC"


@pytest.mark.parametrize("name", SMALL)
def test_bonds_are_chemical_bonds(name):
    ligand = load_ligand(name)
    first, second = ligand.bonds.T
    lengths = np.linalg.norm(ligand.atoms.positions[first] - ligand.atoms.positions[second], axis=1)
    assert lengths.min() > 0.9 and lengths.max() < 1.9
    apart = ligand.atoms.get_all_distances()
    apart[first, second] = apart[second, first] = 9.0
    np.fill_diagonal(apart, 9.0)
    assert apart.min() > 1.5


def test_the_same_seed_gives_the_same_geometry():
    first, again, other = (load_ligand("NBA", seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.atoms.positions, again.atoms.positions)
    assert not np.array_equal(first.atoms.positions, other.atoms.positions)


def test_an_extended_chain_is_all_trans():
    """All-trans octylammonium: 1.27 Å a carbon along the axis, 9 to 10.5 Å to its last H."""
    ligand = load_ligand("OctA", conformer="extended")
    chain = [index for index, atom in enumerate(ligand.atoms) if atom.symbol in "CN"]
    order = np.argsort(np.linalg.norm(ligand.atoms.positions[chain], axis=1))
    chain = [chain[index] for index in order]
    for quartet in zip(chain, chain[1:], chain[2:], chain[3:], strict=False):
        assert abs(ligand.atoms.get_dihedral(*quartet) - 180.0) < 5.0
    assert ligand.length_angstrom > 10.0
    assert "all trans" in ligand.conformer


def test_the_lowest_conformer_is_no_higher_than_the_extended():
    lowest, extended = (load_ligand("NBA", conformer=choice) for choice in ("lowest", "extended"))
    assert lowest.conformer_energy_ev <= extended.conformer_energy_ev + 1e-4


def test_symmetry_numbers():
    assert load_ligand("MA").symmetry_number == 3
    assert load_ligand("DDA_C1").symmetry_number == 12
    assert load_ligand("PEA").symmetry_number == 1


def test_a_smiles_is_as_good_as_a_name():
    by_name, by_smiles = load_ligand("PEA"), load_ligand("[NH3+]CCc1ccccc1")
    np.testing.assert_array_equal(by_name.atoms.positions, by_smiles.atoms.positions)
    assert by_smiles.head_group == "primary ammonium"


def test_files_of_the_collection_are_read(shared_data):
    folder = shared_data / "structures" / "ligands_generated_rdkit"
    for path in (folder / "PEA.xyz", folder / "PEA.sdf"):
        ligand = load_ligand(path, charge=1)
        assert (ligand.name, ligand.charge, ligand.head_group) == ("PEA", 1, "primary ammonium")
        assert ligand.conformer_energy_ev is None
        assert ligand.atoms[ligand.head_atom].symbol == "N"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("PEB", "did you mean PEA"),
        ("NCCc1ccccc1", "no head group"),
        ("[NH3+]CCc1cccc", "is not a SMILES"),
        ("C[NH4]", "is a charge missing"),
        ("CC[NH3+].[Br-]", "more than one molecule"),
        ("[NH3+]CC[NH3+]", "2 head groups"),
        ("[NH3+]CCC(=O)[O-]", "needs"),
        ("[NH3+]C[CH2]", "radical"),
        ("nowhere.xyz", "no file"),
    ],
)
def test_what_is_no_ligand_is_refused(name, message):
    with pytest.raises(InputError, match=message):
        load_ligand(name)


def test_a_file_without_charge_and_a_broken_one_are_refused(tmp_path):
    path = tmp_path / "ligand.xyz"
    write(path, load_ligand("MA").atoms)
    with pytest.raises(InputError, match="does not say the charge"):
        load_ligand(path)
    assert load_ligand(path, charge=1).head_group == "primary ammonium"
    path.write_text("3\n\nC 0 0 0\n")
    with pytest.raises(ParseError, match=r"ligand\.xyz"):
        load_ligand(path, charge=1)
    with pytest.raises(InputError, match=r"charge \+1 e, and \+2 e"):
        load_ligand("MA", charge=2)


@pytest.mark.parametrize(
    ("name", "counterion"), [("PEA", "Br"), ("DDA_C2", "Br"), ("acetate", "Cs")]
)
def test_a_counterion_is_in_contact_and_clashes_with_nothing(name, counterion):
    pair = build_ion_pair(load_ligand(name), counterion)
    assert pair.charge == 0
    assert pair.atoms.numbers.sum() % 2 == 0
    distances = pair.atoms.get_distances(-1, range(len(pair.atoms) - 1))
    assert 2.2 < distances.min() < 4.0
    assert pair.ligand_index.tolist() == [0] * (len(pair.atoms) - 1) + [-1]


def test_a_pair_of_equal_charges_is_refused():
    with pytest.raises(InputError, match="no neutral pair"):
        build_ion_pair(load_ligand("MA"), "Cs")


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
    with pytest.raises(InputError, match="no proton"):
        remove_proton(load_ligand("DDA_C1"), load_ligand("DDA_C1").atoms.positions)
