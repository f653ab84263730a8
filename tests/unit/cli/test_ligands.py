"""The library as a table, and one ligand in full."""

import pytest
from ase.io import read
from typer.testing import CliRunner

from qdcomp.cli.application import application
from qdcomp.errors import InputError
from qdcomp.structures import list_ligands, load_ligand, read_structure


def call(*arguments):
    return CliRunner().invoke(application, ["ligands", *arguments])


def test_the_list_has_every_ligand_with_what_a_user_chooses_by():
    result = call("list")
    assert result.exit_code == 0, result.output
    lines = {line.split()[0]: line for line in result.output.splitlines() if line}
    assert {entry.name for entry in list_ligands()} <= set(lines)
    for text in ("C8H12N+", "+1 e", "primary ammonium, cation on an A site", "7.", "Mi et al."):
        assert text in lines["PEA"]
    assert "-1 e" in lines["oleate"] and "anion on an X site" in lines["oleate"]
    assert "zwitterion" in lines["lecithin-head"]


def test_one_is_shown_and_written(tmp_path):
    path = tmp_path / "pea.xyz"
    result = call("show", "PEA", "--conformer", "extended", "--xyz", str(path))
    assert result.exit_code == 0, result.output
    ligand = load_ligand("PEA", conformer="extended")
    for text in ("C8H12N+, 21 atoms, 66 electrons, charge +1 e", "chains all trans", "T·S"):
        assert text in result.output
    assert f"{ligand.length_angstrom:.2f} Å" in result.output
    assert read(path).get_chemical_formula() == ligand.atoms.get_chemical_formula()
    structure = read_structure(path)
    assert (structure.charge, structure.kind, structure.ligands) == (1, "molecule", ("PEA",))


def test_a_smiles_and_a_written_file_are_shown(tmp_path):
    path = tmp_path / "propylammonium.xyz"
    result = call("show", "CCC[NH3+]", "--xyz", str(path))
    assert "given as SMILES" in result.output
    again = call("show", str(path))
    assert again.exit_code == 0, again.output
    assert "C3H10N+, 14 atoms" in again.output
    assert "geometry of propylammonium.xyz" in again.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("show", "PAE"), "Did you mean"),
        (("show", "[NH3+]CC)"), "close parentheses at character 9"),
        (("show", "MA", "--conformer", "best"), "expected lowest, extended, xtb"),
        (("show", "none.sdf"), "no file none.sdf"),
    ],
)
def test_what_cannot_be_shown_is_said(arguments, message):
    result = call(*arguments)
    assert isinstance(result.exception, InputError)
    assert message in str(result.exception)
