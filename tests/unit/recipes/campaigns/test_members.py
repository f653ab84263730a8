import re

import pytest
from builders.small_studies import write_study

from qdcomp.errors import InputError
from qdcomp.recipes.campaigns.members import check_members, describe_members, read_members
from qdcomp.recipes.campaigns.sweep_section import MAX_MEMBERS, take_sweep
from qdcomp.recipes.jobs.planned_job import derive_seed
from qdcomp.recipes.study_files.studies import read_study
from qdcomp.recipes.study_files.study_document import Problems, compose_document
from qdcomp.resources import find_study

LINES = 13  # of the study before the sweep


@pytest.fixture
def read(tmp_path):
    def read(more, **options):
        return read_members(write_study(tmp_path / "small.yaml", more=more), **options)

    return read


def names(found):
    return [member.study.name for member in found.members]


def test_a_study_without_a_sweep_is_its_only_member(read):
    found = read("")
    assert (found.sweep, names(found)) == (None, ["small"])


def test_members_are_the_product_and_named_by_their_values(read):
    found = read("sweep: {sizes: [1, 2], structure.composition: [CsPbBr3, CsPbCl3], seeds: [7, 9]}")
    assert names(found)[:3] == ["small-n1-CsPbBr3-s7", "small-n1-CsPbBr3-s9", "small-n1-CsPbCl3-s7"]
    assert len(set(names(found))) == 8 == found.sweep.n_members
    last = found.members[-1].study
    assert (last.structure.cells, last.structure.composition, last.seed) == (2, "CsPbCl3", 9)
    assert last.sampling.steps == 30
    assert found.members[-1].values == {
        "structure.cells": "2", "structure.composition": "CsPbCl3", "seed": "9",
    }  # fmt: skip
    assert list(found.groups)[-1] == "small-n2-CsPbCl3"
    assert describe_members(found) == (
        "8 members: 2 × structure.cells, 2 × structure.composition, 2 × seed"
    )


def test_each_member_is_the_study_that_one_would_write_for_it(read, tmp_path):
    swept = read("sweep: {sampling.temperatures: [10 K, 50 K]}").members[1].study
    alone = read_study(write_study(tmp_path / "alone.yaml", temperature="50 K"))
    assert swept.study_hash == alone.study_hash
    assert swept.name == "small-temperatures50K"


def test_a_number_of_seeds_is_derived_from_the_studys_own_and_may_grow(read):
    three, five = read("sweep: {seeds: 3}"), read("sweep: {seeds: 5}")
    assert names(five)[:3] == names(three) == ["small-s1", "small-s2", "small-s3"]
    seeds = [member.study.seed for member in five.members]
    assert len(set(seeds)) == 5 and seeds[0] == derive_seed(2, "member 1")


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ("relaxation.max_force: [1 meV/angstrom, 20 meV/angstrom]",
         ["max_force1meVangstrom", "max_force20meVangstrom"]),
        ("structure.charge: [-1, 1]", ["chargem1", "charge1"]),
        ("structure.charge: [formal, neutral]", ["formal", "neutral"]),
        ("sampling.thermostat_time: [1 ps, none]", ["thermostat_time1ps", "none"]),
    ],
)  # fmt: skip
def test_names_are_words_that_folders_can_have(read, values, labels):
    assert names(read(f"sweep: {{{values}}}")) == [f"small-{label}" for label in labels]


def test_values_that_read_alike_are_numbered(tmp_path):
    ligands = "sweep: {ligands: ['CC[NH3+]', 'C(C)[NH3+]', PEA, tails/lauryl.xyz]}"
    path = tmp_path / "ligands.yaml"
    _, sweep = take_sweep(compose_document(path, ligands), Problems(path))
    assert sweep.axes[0].name == "ligand.name"
    assert sweep.axes[0].labels == ("CCNH3_1", "CCNH3_2", "PEA", "lauryl")


@pytest.mark.parametrize(
    ("sweep", "expected"),
    [
        ("sweep: 3", "line 14: sweep: expected 'setting: [value, value]' lines"),
        ("sweep:\n  sizes: 3", "line 15: sweep.sizes: expected a list, like"),
        ("sweep:\n  sizes: []", "line 15: sweep.sizes: expected a list"),
        ("sweep:\n  sizes: [[1], 2]", "each value of a sweep is a single one"),
        ("sweep:\n  sizes: [1, 1]", "line 15: sweep.sizes: 1 is there 2 times"),
        ("sweep:\n  sizes: [1]\n  structure.cells: [2]", "structure.cells is there twice"),
        ("sweep:\n  seeds: many", "line 15: sweep.seeds: expected how many seeds"),
        ("sweep:\n  seeds: [1, 1]", "line 15: sweep.seeds: expected different whole numbers"),
        ("sweep:\n  engine: [model, cp2k]", "line 15: sweep.engine: not swept: run the study once"),
        ("sweep:\n  'a b': [1]", "line 15: sweep: 'a b' is no setting"),
        ("sweep: {seeds: 2}\nsweep: {seeds: 3}", "line 15: sweep: given twice"),
        (f"sweep: {{seeds: {MAX_MEMBERS}, sizes: [1, 2]}}", "20,000 members are more than the 10,"),
        ("sweep:\n  sizes: [1, 0]", "line 15: the member …-n0 of the sweep: structure.cells: must"),
        ("sweep:\n  structure.cels: [1]", "line 15: structure.cels: unknown key; did you mean"),
        ("sweep:\n  ligands: [PEA]", "line 15: ligand: unknown key"),
        ("sweep:\n  name.a: [1]", "each member has its own"),
        ("sweep:\n  seed.a: [1]", "line 15: sweep.seed.a: not swept: write seeds"),
        ("sweep:\n  engine.a: [1]", "not swept"),
        ("sweep:\n  structure.kind.a: [1]", "line 15: structure.kind.a: kind is no section"),
    ],
)
def test_what_is_wrong_with_a_sweep_is_told_with_its_line(read, sweep, expected):
    with pytest.raises(InputError) as error:
        read(sweep)
    assert expected in str(error.value) and "small.yaml" in str(error.value)


def test_a_member_that_cannot_be_is_named_with_the_setting_that_it_does_not_go_with(read):
    sweep = "sweep:\n  sizes: [1, 2]\n  structure.lattice_constant: [5.87 angstrom]\n"
    with pytest.raises(InputError) as error:
        read(sweep.replace("2]", "2, 99999]"))
    (line,) = str(error.value).splitlines()
    assert re.search(r"line 15: the member …-n99999-\S+ of the sweep: structure.cells", line)


def test_a_mistake_of_the_study_is_told_once(tmp_path):
    path = write_study(tmp_path / "small.yaml", more="sweep: {sizes: [1, 2], seeds: 3}\ncolour: 1")
    with pytest.raises(InputError) as error:
        read_members(path)
    assert str(error.value) == f"{path}, line 15: colour: " + str(error.value).split("colour: ")[1]


def test_a_name_that_gets_too_long_is_refused(tmp_path):
    path = write_study(tmp_path / "a.yaml", name="x" * 78, more="sweep: {sizes: [1]}")
    with pytest.raises(InputError, match="has a name of 81 characters, and a study at most 80"):
        read_members(path)


def test_the_engine_is_asked_about_every_member(read):
    with pytest.raises(InputError, match="line 14: the member small-cells1-neutral of the sweep"):
        found = read("sweep: {structure.cells: [1], structure.charge: [neutral, formal]}")
        study = found.members[0].study
        object.__setattr__(study, "engine_settings", {"colour": "red"})
        check_members(found)


def test_one_study_is_wanted_where_there_are_many(tmp_path):
    path = write_study(tmp_path / "small.yaml", more="sweep: {seeds: 2}")
    with pytest.raises(InputError, match="line 14: this study has a sweep"):
        read_study(path)


def test_the_command_line_may_turn_off_taking_over(read):
    assert [m.study.reuse for m in read("sweep: {seeds: 2}", reuse=False).members] == [False] * 2
    assert read("reuse: false").members[0].study.reuse is False


def test_priority_and_reuse_do_not_decide_results(read):
    plain, urgent = read("").members[0].study, read("priority: 7\nreuse: no").members[0].study
    assert (urgent.priority, urgent.reuse) == (7, False)
    assert urgent.study_hash == plain.study_hash
    with pytest.raises(InputError, match="priority: must be at least 0 and at most 100, got 101"):
        read("priority: 101")


def test_the_shipped_sweep_can_be_run():
    found = read_members(find_study("sweep_demo"))
    assert (len(found.members), found.members[0].study.priority) == (6, 10)
    assert check_members(found) == ()
