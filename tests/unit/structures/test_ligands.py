import re
import sys

import numpy as np
import pytest
from ase.io import read, write
from rdkit.Chem import (
    CanonSmiles,
    GetFormalCharge,
    MolFromSmiles,
    MolToMolFile,
    MolToSmiles,
    RemoveHs,
)
from rdkit.Chem.rdDepictor import Compute2DCoords
from rdkit.Chem.rdMolDescriptors import CalcMolFormula

from qdcomp.errors import InputError, ParseError
from qdcomp.structures import build_molecule, list_ligands, load_ligand, write_structure
from qdcomp.structures.conformers import choose_conformer
from qdcomp.structures.ligands import summarise_ligand
from qdcomp.structures.molecule_input import parse_smiles

SMALL = ("PEA", "DDA_C1", "DDA_C4", "NBA", "IPA", "MA", "FA", "acetate", "sulfobetaine")


def test_the_library_agrees_with_the_collected_table(shared_data):
    """Names, SMILES, formulas, atoms, charges and electrons, each collected independently."""
    text = (shared_data / "structures/MANIFEST.md").read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in text.split("```")[1].strip().splitlines()]
    assert len(rows) == 12
    for name, _, smiles, formula, n_atoms, charge, electrons, *_ in rows:
        molecule = parse_smiles(next(e.smiles for e in list_ligands() if name in _names(e)))
        assert CanonSmiles(MolToSmiles(RemoveHs(molecule))) == CanonSmiles(smiles)
        assert CalcMolFormula(molecule).rstrip("+-") == formula.rstrip("+-")
        assert molecule.GetNumAtoms() == int(n_atoms)
        assert GetFormalCharge(molecule) == int(charge)
        nuclei = sum(atom.GetAtomicNum() for atom in molecule.GetAtoms())
        assert nuclei - int(charge) == int(electrons)


def _names(entry):
    return (entry.name, *entry.aliases)


@pytest.mark.parametrize("name", SMALL)
def test_the_charge_is_that_of_the_site(name):
    ligand = load_ligand(name)
    assert ligand.charge == {"A": 1, "X": -1, "AX": 0}[ligand.site]
    assert ligand.partial_charges.sum() == pytest.approx(ligand.charge, abs=1e-6)
    assert (ligand.atoms.numbers.sum() - ligand.charge) % 2 == 0
    assert not ligand.atoms.pbc.any() and not ligand.atoms.cell.array.any()
    np.testing.assert_array_equal(ligand.atoms.positions[ligand.head_atom], 0.0)


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


def test_a_chain_that_ends_in_a_ring_is_stretched_too():
    """Anti phenethylammonium: the lowest conformer of the free cation is gauche."""
    ligand = load_ligand("PEA", conformer="extended")
    assert abs(ligand.atoms.get_dihedral(0, 1, 2, 3) - 180.0) < 5.0
    assert ligand.length_angstrom == pytest.approx(7.5, abs=0.1)
    assert load_ligand("MPEA", conformer="extended").length_angstrom > 8.0


@pytest.mark.parametrize("name", ["DDA", "DDA_C4", "DDA_C6", "DDA_C7", "DDA_C8"])
def test_two_extended_tails_are_one_zigzag_through_the_nitrogen(name):
    """C2v: the axis between the tails turns one into the other."""
    ligand = load_ligand(name, conformer="extended")
    assert ligand.symmetry_number == 2
    bones = ligand.atoms[ligand.atoms.numbers > 1].positions
    flatness = np.linalg.svd(bones - bones.mean(axis=0), compute_uv=False)[2]
    assert flatness == pytest.approx(np.sqrt(2) * 1.23, abs=0.1)  # the methyls alone stand out
    nitrogen = ligand.atoms.positions[ligand.atoms.symbols == "N"][0]
    reach = np.sort(np.linalg.norm(bones - nitrogen, axis=1))
    assert reach[-1] == pytest.approx(reach[-2], abs=0.01)


def test_the_third_and_fourth_tail_are_a_zigzag_of_their_own():
    """Tetrabutylammonium, D2d: a fourfold rotoreflection, three twofold axes."""
    ligand = load_ligand("CCCC[N+](CCCC)(CCCC)CCCC", conformer="extended")
    assert ligand.symmetry_number == 4


@pytest.mark.parametrize("name", ["NBA", "DDA_C8"])
def test_the_lowest_conformer_is_no_higher_than_the_extended(name):
    lowest, extended = (load_ligand(name, conformer=choice) for choice in ("lowest", "extended"))
    assert lowest.conformer_energy_ev <= extended.conformer_energy_ev + 1e-4


def test_conformers_of_seed_zero_differ():
    """RDKit makes of its own seed 0 the same conformer every time."""
    molecule = parse_smiles("CCCCCC[NH3+]")
    choose_conformer(molecule, 6, "lowest", 0)
    first, second = (molecule.GetConformer(number).GetPositions() for number in (0, 1))
    assert np.abs(first - second).max() > 0.1


def test_the_conformer_of_xtb_is_relaxed_and_lowest():
    pytest.importorskip("tblite")
    ligand = load_ligand("PEA", conformer="xtb")
    assert "GFN2-xTB" in ligand.conformer
    assert ligand.atoms.get_distance(0, 1) == pytest.approx(1.50, abs=0.05)
    again = load_ligand("PEA", conformer="xtb")
    np.testing.assert_allclose(ligand.atoms.positions, again.atoms.positions, atol=1e-6)


def test_without_tblite_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "tblite.ase", None)
    with pytest.raises(InputError, match=r"qdcomp\[xtb\]"):
        load_ligand("MA", conformer="xtb")
    with pytest.raises(InputError, match="expected lowest, extended, xtb"):
        load_ligand("MA", conformer="best")


def test_symmetry_numbers():
    assert load_ligand("MA").symmetry_number == 3
    assert load_ligand("DDA_C1").symmetry_number == 12
    assert load_ligand("PEA").symmetry_number == 1


def test_a_smiles_is_as_good_as_a_name_and_as_another_name():
    by_name, by_smiles = load_ligand("PEA"), load_ligand("[NH3+]CCc1ccccc1")
    np.testing.assert_array_equal(by_name.atoms.positions, by_smiles.atoms.positions)
    assert by_smiles.head_group == "primary ammonium"
    assert load_ligand("Phenethylammonium").name == load_ligand("pea").name == "PEA"
    assert load_ligand("octylammonium").name == "OctA"


@pytest.mark.parametrize(
    ("smiles", "group"),
    [
        ("C[NH2+]C", "secondary ammonium"),
        ("C[NH+](C)C", "tertiary ammonium"),
        ("CCS(=O)(=O)[O-]", "sulfonate"),
        ("CC[S-]", "thiolate"),
        ("CCP(=O)(O)[O-]", "phosphonate"),
        ("CC(N)=[NH2+]", "amidinium"),
    ],
)
def test_head_groups_beyond_the_library(smiles, group):
    assert load_ligand(smiles).head_group == group


def test_a_summary_needs_no_relaxation_and_agrees_with_the_ligand():
    entry = next(entry for entry in list_ligands() if entry.name == "OctA")
    summary, ligand = summarise_ligand(entry), load_ligand("OctA", conformer="extended")
    assert (summary.formula, summary.charge) == (ligand.formula, ligand.charge)
    assert summary.head_group == ligand.head_group
    assert summary.length_angstrom == pytest.approx(ligand.length_angstrom, abs=0.3)


def test_generated_files_of_the_collection_are_read(shared_data):
    folder = shared_data / "structures" / "ligands_generated_rdkit"
    for path in (folder / "PEA.xyz", folder / "PEA.sdf"):
        ligand = load_ligand(path, charge=1)
        assert (ligand.name, ligand.charge, ligand.head_group) == ("PEA", 1, "primary ammonium")
        assert ligand.conformer_energy_ev is None
        assert ligand.atoms[ligand.head_atom].symbol == "N"
        apart = ligand.atoms.get_all_distances()
        np.testing.assert_allclose(apart, read(path).get_all_distances(), atol=1e-3)


@pytest.mark.parametrize(
    ("name", "charge", "formula", "group"),
    [
        ("didecyldimethylammonium_C22H48N+", 1, "C22H48N+", "quaternary ammonium"),
        ("nonanoate", -1, "C9H17O2-", "carboxylate"),
        ("acetate_CAT", -1, "C2H3O2-", "carboxylate"),
    ],
)
def test_public_files_of_the_collection_are_read(shared_data, name, charge, formula, group):
    path = shared_data / "structures" / "ligands_public" / f"{name}.xyz"
    ligand = load_ligand(path, charge=charge)
    assert (ligand.formula, ligand.head_group) == (formula, group)
    with pytest.raises(ParseError, match=re.escape(path.name)):
        load_ligand(path, charge=-charge)


def test_public_files_that_are_no_ligand_are_refused(shared_data):
    folder = shared_data / "structures" / "ligands_public"
    with pytest.raises(InputError, match="no head group"):
        load_ligand(folder / "octylamine.xyz", charge=0)
    with pytest.raises(InputError, match="unknown kind"):
        load_ligand(folder / "formamidinium_FA-001.vasp", charge=1)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("PEB", "Did you mean PEA"),
        ("DDA_C9", "Did you mean DDA_C"),
        ("xyzzy", "is not a SMILES: syntax error at character 1, 'x'"),
        ("NCCc1ccccc1", "no head group"),
        ("[NH3+]CCc1cccc", "is not a SMILES: unclosed ring"),
        ("CC(C[NH3+]", r"open parentheses at character 3, '\('"),
        ("CX[NH3+]", "syntax error at character 2, 'X'"),
        ("C[NH4]", "valence for atom # 1 N.* Is a charge missing"),
        ("", "empty"),
        ("CC[NH3+].[Br-]", r"more than one molecule, like a salt: CC\[NH3\+\] and \[Br-\]"),
        ("[NH3+]CC[NH3+]", "2 head groups"),
        ("[NH3+]CCC(=O)[O-]", "needs"),
        ("[NH3+]C[CH2]", "radical"),
        ("nowhere.xyz", "no file"),
    ],
)
def test_what_is_no_ligand_is_refused(name, message):
    with pytest.raises(InputError, match=message):
        load_ligand(name)


def test_a_file_that_says_its_charge_needs_no_other(tmp_path):
    path = write_structure(build_molecule(load_ligand("MA")), tmp_path / "MA.extxyz")
    assert load_ligand(path).charge == 1


def test_a_mol_file_without_hydrogens_is_refused(tmp_path):
    molecule = MolFromSmiles("C[NH3+]")
    Compute2DCoords(molecule)
    path = tmp_path / "MA.mol"
    MolToMolFile(molecule, str(path))
    with pytest.raises(ParseError, match="hydrogens are missing"):
        load_ligand(path)


def test_a_file_without_charge_and_a_broken_one_are_refused(tmp_path):
    path = tmp_path / "ligand.xyz"
    write(path, load_ligand("MA").atoms)
    with pytest.raises(InputError, match="does not say the charge"):
        load_ligand(path)
    assert load_ligand(path, charge=1).head_group == "primary ammonium"
    with pytest.raises(InputError, match="odd number"):
        load_ligand(path, charge=0)
    with pytest.raises(ParseError, match=r"are the charge and all hydrogens right"):
        load_ligand(path, charge=-1)
    path.write_text("3\n\nC 0 0 0\n")
    with pytest.raises(ParseError, match=r"ligand\.xyz"):
        load_ligand(path, charge=1)
    with pytest.raises(InputError, match=r"charge \+1 e, and \+2 e"):
        load_ligand("MA", charge=2)
