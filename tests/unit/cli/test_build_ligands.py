from collections import Counter

import pytest
from typer.testing import CliRunner

from qdcomp.cli.application import application
from qdcomp.cli.covered_surfaces import read_shell, read_size
from qdcomp.errors import InputError
from qdcomp.structures import read_structure

runner = CliRunner()


def build(folder, *arguments):
    """Structure and text of a call of ``qdcomp build``."""
    out = folder / "built.extxyz"
    result = runner.invoke(application, ["build", *arguments, "--out", str(out)])
    assert result.exit_code == 0, result.exception or result.output
    return read_structure(out), result.output


def test_a_covered_slab_says_how_it_is_covered(tmp_path):
    structure, text = build(
        tmp_path, "--slab", "2x2x1", "--crystal", "orthorhombic", "--ligand", "NBA"
    )
    assert structure.kind == "slab" and structure.ligands == ("NBA",) * 8
    assert "8 NBA; smallest contact 2." in text
    assert "156 atoms, 1.352 nm² a side, charge +0 e" in text
    assert "top: 2.96 chains/nm²" in text


def test_sites_are_named_and_the_rest_emptied(tmp_path):
    arguments = ("--slab", "2x2x1", "--ligand", "MA", "--sites", "A1,B2", "--vacant", "rest")
    structure, _ = build(tmp_path, *arguments)
    counts = structure.atoms.symbols.formula.count()
    assert (structure.ligands, counts.get("Cs", 0), counts["Br"]) == (("MA", "MA"), 0, 10)


def test_a_mixed_coverage_of_a_slab_is_drawn(tmp_path):
    mixed = ("--ligand", "MA:0.5", "--ligand", "FA:0.5", "--coverage", "0.5")
    structure, _ = build(tmp_path, "--slab", "2x2x1", *mixed, "--seed", "3")
    assert Counter(structure.ligands) == {"MA": 2, "FA": 2}
    assert (structure.atoms.numbers == 55).sum() == 4


def test_a_bare_slab_of_another_facet(tmp_path):
    structure, text = build(
        tmp_path, "--slab", "1x1x2", "--facet", "110", "--termination", "CsPbBr", "--freeze", "none"
    )
    assert structure.kind == "slab" and not structure.frozen.any()
    assert "chains" not in text


def test_a_dot_gets_its_shell_and_a_picture(tmp_path):
    picture = tmp_path / "dot.png"
    arguments = ("--cells", "2", "--ligand", "MA", "--coverage", "0.5", "--picture", str(picture))
    structure, text = build(tmp_path, *arguments)
    assert structure.ligands == ("MA",) * 9
    assert picture.is_file() and "9 MA" in text


def test_the_file_is_named_after_slab_and_ligand(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runner.invoke(application, ["build", "--slab", "1x1x1", "--ligand", "C[NH3+]"])
    assert [path.name for path in tmp_path.iterdir()] == ["slab_1x1x1_CNH3.extxyz"]


def test_the_vacuum_is_raised_where_it_may(tmp_path):
    short = ("--slab", "1x1x1", "--ligand", "PEA", "--vacuum", "12")
    result = runner.invoke(application, ["build", *short])
    assert isinstance(result.exception, InputError)
    assert "vacuum of 12 Å is too small for PEA" in str(result.exception)
    structure, _ = build(tmp_path, *short, "--sites", "A1", "--grow-cell")
    assert structure.atoms.cell[2, 2] > 12 + 5.87


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--slab", "2x2"], "expected surface cells and layers, like 2x2x1"),
        (["--slab", "2x2x1", "--cells", "3"], "--cells 3 is for dots"),
        (["--slab", "2x2x1", "--sides", "three"], "both or one"),
        (["--slab", "2x2x1", "--charge", "neutral"], "a slab that ends in AX is neutral"),
        (["--slab", "2x2x1", "--freeze", "shell:1"], "of a slab, expected all or none"),
        (["--facet", "110"], "--facet 110 is for slabs"),
        (["--sites", "A1"], "there are none; name one, like --ligand PEA"),
        (["--slab", "2x2x1", "--ligand", "MA", "--sites", "A1,A1"], "already taken"),
        (["--slab", "2x2x1", "--ligand", "MA", "--sites", "Z9"], "no site 'Z9'"),
        (["--slab", "2x2x1", "--ligand", "MA", "--coverage", "1.5"], "coverage of 1.5"),
        (["--slab", "2x2x1", "--ligand", "MA", "--sites", "A1", "--coverage", "1"], "one of them"),
        (["--ligand", "MA", "--coverage", "1.5"], "coverage of 1.5"),
        (["--ligand", "MA", "--vacant", "rest"], "--vacant rest is for slabs"),
        (["--ligand", "MA", "--sites", "A1"], "the sites of a dot are drawn"),
        (["--ligand", "MA:0.5", "--ligand", "FA"], "some with a fraction, some without"),
    ],
)
def test_options_that_contradict_each_other_are_refused(tmp_path, arguments, message):
    result = runner.invoke(application, ["build", *arguments, "--out", str(tmp_path / "x.extxyz")])
    assert isinstance(result.exception, InputError)
    assert message in str(result.exception)
    assert not list(tmp_path.iterdir())


def test_fractions_follow_the_last_colon():
    assert read_shell(["PEA:0.7", "MA:0.3"]) == (("PEA", 0.7), ("MA", 0.3))
    assert read_shell(["PEA", "MA"]) == (("PEA", 0.5), ("MA", 0.5))
    assert read_shell(["c1:c:c:c:c:c1C[NH3+]"]) == (("c1:c:c:c:c:c1C[NH3+]", 1.0),)


def test_sizes_are_read():
    assert read_size("2x3x1") == read_size("2×3×1") == (2, 3, 1)


def test_a_slab_without_a_sites_takes_no_ligand():
    result = runner.invoke(
        application, ["build", "--slab", "2x2x1", "--termination", "PbBr2", "--ligand", "MA"]
    )
    assert isinstance(result.exception, InputError)
    assert "ends in PbBr2 and has no A site" in str(result.exception)
