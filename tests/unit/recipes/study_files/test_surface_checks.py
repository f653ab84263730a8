"""A study of ligands that cannot mean what it says is refused, once, with what to write instead."""

import re

import pytest
from ase.io import write

from qdcomp.errors import InputError
from qdcomp.recipes.plans.plan import build_structures
from qdcomp.recipes.study_files.studies import read_study
from qdcomp.recipes.study_files.surface_structures import choose_sites, load_entropy_ligand
from qdcomp.structures import load_ligand

TEXT = """\
name: test
recipe: {recipe}
engine: cp2k
slab: {{repeat: [2, 2], crystal: cubic{slab}}}
ligand: {{name: {ligand}}}
{rest}
"""


@pytest.fixture
def read(tmp_path):
    def read(recipe="ligand_binding", *, slab="", ligand="MA", rest=""):
        path = tmp_path / "study.yaml"
        path.write_text(TEXT.format(recipe=recipe, slab=slab, ligand=ligand, rest=rest))
        return read_study(path)

    return read


@pytest.mark.parametrize(("composition", "halide"), [("CsPbCl3", "Cl"), ("CsPbI3", "I")])
def test_the_counterion_is_the_halide_that_leaves_the_slab(read, composition, halide):
    study = read(slab=f", composition: {composition}, termination: Cs{halide}")
    assert study.ligand.counterion == halide
    built = build_structures(study)
    exchanged = built["without"].atoms.symbols.formula.count()
    for symbol, number in built["ion_pair"].atoms.symbols.formula.count().items():
        exchanged[symbol] = exchanged.get(symbol, 0) + number
    assert exchanged == built["complex"].atoms.symbols.formula.count()


@pytest.mark.parametrize("counterion", ["Cl", "I"])
def test_another_counterion_would_not_balance_the_energies(read, counterion):
    with pytest.raises(InputError, match=r"line 5: ligand: .*write counterion: Br, or leave"):
        read(ligand=f"MA, counterion: {counterion}")


@pytest.mark.parametrize(
    ("facet", "bare", "plane"), [("100", "PbBr2", "CsBr"), ("111", "Pb", "CsBr3")]
)
@pytest.mark.parametrize("recipe", ["ligand_binding", "surface_energy", "ligand_pair"])
def test_a_slab_without_a_sites_takes_no_ligands(read, recipe, facet, bare, plane):
    with pytest.raises(InputError) as caught:
        read(recipe, slab=f", facet: {facet}, termination: {bare}")
    (told,) = str(caught.value).splitlines()
    assert f"line 4: slab: the slab ends in {bare} and has no A site" in told
    assert told.endswith(f"use termination: {plane}")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("lowest", "'lowest' chooses no configuration; expected ewald, all, or a list of names"),
        ("Ewald", "'Ewald' chooses"),
        ("al", "'al' chooses"),
        ("3", "'3' chooses"),
        ("[ewald, N2-a]", "'ewald' chooses"),
        ("[N02-a]", "'N02-a' chooses"),
        ("[N2-a, N2-a]", "there twice"),
        ("[N4-b]", "N4-b has 4 ligands, and bound has 0, 1, 2; add 4 to bound"),
        ("[N2-z]", "no configuration N2-z"),
        ("[N2]", "no configuration N2; with 2 ligands there are N2-a, "),
    ],
)
def test_a_configuration_that_there_is_not_is_not_replaced_by_another(read, written, told):
    with pytest.raises(InputError, match=re.escape(told)):
        read("surface_energy", rest=f"coverage: {{bound: [0, 1, 2], configurations: {written}}}")


def test_configurations_are_chosen_by_name_the_others_by_their_electrostatic_energy(read):
    study = read("surface_energy", rest="coverage: {bound: [0, 2, 3], configurations: [N2-c]}")
    assert [entry.name for entry in choose_sites(study)] == ["N0", "N2-c", "N3-a"]


def test_the_entropy_is_that_of_a_ligand_of_the_same_charge_and_site(read):
    assert read(rest="thermodynamics: {ligand: PEA}").thermodynamics.ligand == "PEA"
    told = "line 6: thermodynamics: the entropy of acetate .*-1 e, X site"
    with pytest.raises(InputError, match=told):
        read(rest="thermodynamics: {ligand: acetate}")


def test_the_ligand_of_the_entropy_is_found_beside_its_study_from_any_folder(
    read, tmp_path, monkeypatch
):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    atoms = load_ligand("PEA").atoms
    atoms.info["charge"] = 1
    write(tmp_path / "mine.xyz", atoms, format="extxyz")
    study = read(rest="thermodynamics: {ligand: mine.xyz}")
    assert study.thermodynamics.ligand == str(tmp_path / "mine.xyz")
    (elsewhere / "again.yaml").write_text(study.to_yaml())
    again = read_study(elsewhere / "again.yaml")
    assert load_entropy_ligand(again).atoms.symbols.formula == atoms.symbols.formula


@pytest.mark.parametrize(
    ("recipe", "rest", "sides"),
    [
        ("surface_energy", "coverage: {bound: [0, 1]}", "one side"),
        ("surface_energy", "", "both sides"),
        ("ligand_binding", "", "one side"),
        ("ligand_pair", "", "both sides"),
    ],
)
def test_the_vacuum_is_to_hold_the_ligands_of_the_fullest_surface(read, recipe, rest, sides):
    with pytest.raises(InputError) as caught:
        read(recipe, slab=", vacuum: 9 angstrom", ligand="PEA", rest=rest)
    (told,) = str(caught.value).splitlines()
    assert "line 4: slab: a vacuum of 9 angstrom is too small for PEA" in told
    assert sides in told
    advice = re.search(r"write vacuum: (\d+ angstrom), or leave it out", told)
    read(recipe, slab=f", vacuum: {advice[1]}", ligand="PEA", rest=rest)


def test_a_vacuum_for_one_side_is_too_small_for_two(read):
    one = {"slab": ", vacuum: 18 angstrom", "ligand": "PEA"}
    read("surface_energy", rest="coverage: {bound: [0, 1]}", **one)
    with pytest.raises(InputError, match="high on both sides"):
        read("surface_energy", **one)


@pytest.mark.parametrize("ligand", ["DDA_C2:0.5", "[NH3+]C:0.25"])
def test_a_study_has_one_ligand_and_no_fractions(read, ligand):
    name = ligand.rpartition(":")[0]
    told = (
        f"has a fraction, and the ligands of a study are all the same: write {name}; qdcomp build"
    )
    with pytest.raises(InputError, match=re.escape(told)):
        read(ligand=f"'{ligand}'")


@pytest.mark.parametrize("recipe", ["ligand_binding", "surface_energy", "ligand_pair"])
def test_a_ligand_that_there_is_not_is_told_once(read, recipe):
    with pytest.raises(InputError, match="there is no ligand 'MX'") as caught:
        read(recipe, ligand="MX")
    assert len(str(caught.value).splitlines()) == 1
