import dataclasses
from functools import cache

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from qdcomp.analysis import compute_packing
from qdcomp.errors import InputError
from qdcomp.structures import (
    NO_LIGAND,
    attach_ligands,
    build_slab,
    load_ligand,
    measure_upright_length,
    read_structure,
    smallest_contact,
    structure_hash,
    vacuum_for,
    write_structure,
)


@cache
def load(name):
    return load_ligand(name)


@cache
def build(name="PEA", repeat=(2, 2), crystal="orthorhombic"):
    vacuum = vacuum_for(measure_upright_length(load(name)))
    return build_slab(repeat, crystal=crystal, vacuum_angstrom=vacuum)


@cache
def cover(name, sites=None, crystal="orthorhombic", seed=1):
    return attach_ligands(build(name, crystal=crystal), load(name), sites, seed=seed)


def heads(structure, ligand):
    """Head atom of each ligand."""
    members = [np.flatnonzero(structure.ligand_index == k) for k in range(len(structure.ligands))]
    return np.array([structure.atoms.positions[atoms[ligand.head_atom]] for atoms in members])


@pytest.mark.parametrize("name", ["PEA", "DDA_C2", "DDA_C4", "MA"])
def test_a_ligand_takes_the_place_of_one_cation(name):
    slab, ligand = build(name), load(name)
    structure = cover(name, ("A1",))
    site = slab.find_site("A1")
    assert len(structure.atoms) == len(slab.structure.atoms) - 1 + len(ligand.atoms)
    assert structure.atoms.symbols.indices()["Cs"].size == 7
    assert structure.charge == 0
    assert smallest_contact(structure).distance_angstrom > 1.9
    sideways = heads(structure, ligand)[0] - site.position
    assert np.linalg.norm(sideways[:2]) < 0.7
    assert -1.0 < sideways[2] < 2.5
    tail = structure.atoms.positions[structure.ligand_index == 0].mean(axis=0)
    assert tail[2] > heads(structure, ligand)[0][2]


def test_the_perovskite_stays_and_the_ligands_follow_in_their_own_order():
    slab, ligand = build(), load("PEA")
    structure = cover("PEA", ("A2", "B3"))
    replaced = [slab.find_site(name).cation for name in ("A2", "B3")]
    kept = np.setdiff1d(np.arange(28), replaced)
    np.testing.assert_array_equal(
        structure.atoms.positions[:26], slab.structure.atoms.positions[kept]
    )
    assert structure.ligand_index.tolist() == [NO_LIGAND] * 26 + [0] * 21 + [1] * 21
    assert structure.frozen.tolist() == [True] * 26 + [False] * 42
    for number in (0, 1):
        atoms = structure.atoms[structure.ligand_index == number]
        assert atoms.get_chemical_symbols() == ligand.atoms.get_chemical_symbols()
        for pair in ligand.bonds.tolist():
            assert atoms.get_distance(*pair) == pytest.approx(ligand.atoms.get_distance(*pair))


def test_sites_are_filled_in_the_order_of_the_slab():
    assert structure_hash(cover("MA", ("B1", "A1"))) == structure_hash(cover("MA", ("A1", "B1")))


def test_ammonium_points_its_hydrogens_at_the_halides():
    structure = cover("PEA", ("A1",))
    symbols = np.array(structure.atoms.get_chemical_symbols())
    hydrogens = 27 + np.array([9, 10, 11])
    nitrogen = 27
    bromides = np.flatnonzero(symbols == "Br")
    bonds = structure.atoms.get_all_distances(mic=True)
    assert bonds[hydrogens, nitrogen].max() < 1.1
    nearest = bonds[np.ix_(hydrogens, bromides)].min(axis=1)
    assert np.all(nearest < 2.9) and np.all(nearest > 2.1)


@pytest.mark.parametrize("crystal", ["orthorhombic", "cubic"])
def test_a_full_layer_of_pea_touches_nothing(crystal):
    structure = cover("PEA", crystal=crystal)
    assert structure.ligands == ("PEA",) * 8
    assert len(structure.atoms) == 20 + 8 * 21
    assert smallest_contact(structure).distance_angstrom > 2.0


def test_a_full_layer_of_truncated_dda_stands_as_dense_as_the_papers():
    """Eight dioctyldimethylammonium; Mi 2025: 5.7 chains/nm² on each side."""
    structure = cover("DDA_C8")
    atoms = structure.atoms
    assert smallest_contact(structure).distance_angstrom > 1.6
    packing = compute_packing(
        atoms.positions,
        atoms.get_chemical_symbols(),
        atoms.cell.array,
        atoms.pbc,
        structure.ligand_index,
    )
    assert set(packing.chain_density_per_nm2) == {"top", "bottom"}
    for density in packing.chain_density_per_nm2.values():
        assert density == pytest.approx(5.7, rel=0.05)
    assert max(packing.mean_tilt_deg.values()) < 25


def test_a_ligand_keeps_clear_of_its_own_images():
    structure = attach_ligands(build("MA", (1, 1), "cubic"), load("MA"))
    assert len(structure.ligands) == 2
    assert smallest_contact(structure).distance_angstrom > 2.0


def test_the_seed_decides():
    again = attach_ligands(build(), load("PEA"), ("A1",), seed=1)
    assert structure_hash(again) == structure_hash(cover("PEA", ("A1",)))
    assert structure_hash(again) != structure_hash(cover("PEA", ("A1",), seed=2))


def test_ligands_are_known_after_writing_and_reading(tmp_path):
    structure = cover("PEA")
    read = read_structure(write_structure(structure, tmp_path / "slab.extxyz"))
    assert structure_hash(read) == structure_hash(structure)
    assert read.ligands == structure.ligands
    np.testing.assert_array_equal(read.ligand_index, structure.ligand_index)
    assert smallest_contact(read) == smallest_contact(structure)


def test_sites_may_carry_different_ligands():
    ligands = {"B2": load("MA"), "A1": load("PEA")}
    structure = attach_ligands(build(), ligands)
    assert structure.ligands == ("PEA", "MA")
    assert smallest_contact(structure).distance_angstrom > 1.9


def test_vacant_sites_lose_cation_and_anion():
    slab = build()
    structure = attach_ligands(slab, load("MA"), ("A1",), vacant=("A2", "B1"))
    counts = structure.atoms.symbols.formula.count()
    assert (counts["Cs"], counts["Br"], structure.charge) == (5, 14, 0)
    empty = attach_ligands(slab, load("MA"), (), vacant=[site.name for site in slab.sites])
    assert empty.atoms.get_chemical_formula(mode="reduce") == "Pb4Br8"
    assert empty.ligands == ()


def test_an_anion_takes_the_place_of_a_halide():
    slab, acetate = build("acetate", crystal="cubic"), load("acetate")
    structure = attach_ligands(slab, acetate)
    counts = structure.atoms.symbols.formula.count()
    assert (counts["Cs"], counts["Br"], structure.charge) == (8, 8, 0)
    halides = slab.structure.atoms.positions[[site.anion for site in slab.sites]]
    assert np.linalg.norm(heads(structure, acetate) - halides, axis=1).max() < 2.0
    oxygen = structure.atoms.positions[structure.atoms.numbers == 8]
    lead = structure.atoms.positions[structure.atoms.numbers == 82]
    assert cdist(oxygen, lead).min() == pytest.approx(2.5, abs=0.4)


def test_the_cell_grows_only_where_it_may():
    short = build_slab(vacuum_angstrom=10.0)
    with pytest.raises(InputError, match=r"vacuum of 10 Å is too small for PEA.* needs 2\d Å"):
        attach_ligands(short, load("PEA"))
    grown = attach_ligands(short, load("PEA"), ("A1", "B1"), grow_cell=True)
    needed = vacuum_for(measure_upright_length(load("PEA")))
    growth = grown.atoms.cell[2, 2] - short.structure.atoms.cell[2, 2]
    assert growth == pytest.approx(needed - 10.0)
    perovskite = grown.atoms.positions[grown.ligand_index == NO_LIGAND, 2]
    assert perovskite.mean() == pytest.approx(grown.atoms.cell[2, 2] / 2, abs=0.1)
    assert any("raised from 10" in warning for warning in grown.warnings)


@pytest.mark.parametrize(
    ("ligand", "options", "message"),
    [
        ("PEA", {"sites": ("A1", "C7")}, "no site 'C7'; sites: A1, A2"),
        ("PEA", {"sites": ("A1", "A1")}, "A1 is named twice: it is already taken; free sites: A2"),
        ("PEA", {"sites": ("A1",), "vacant": ("A1",)}, "A1 is to carry a ligand and to be vacant"),
        ("sulfobetaine", {}, "sulfobetaine carries no net charge"),
        (
            "MA",
            {"sites": ("A1", "A2"), "min_contact_angstrom": 3.0},
            r"2 MA do not fit: the smallest contact found in 20 trials is 2\.\d+ Å",
        ),
        ("PEA", {"min_contact_angstrom": -1.0}, "expected a positive distance"),
    ],
)
def test_bad_input_is_refused_by_name(ligand, options, message):
    with pytest.raises(InputError, match=message):
        attach_ligands(build(), load(ligand), **options)


def test_a_charge_that_no_site_takes_is_refused():
    twice = dataclasses.replace(load("PEA"), name="dication", charge=2)
    with pytest.raises(InputError, match=r"dication carries \+2 e; an A site takes a ligand of"):
        attach_ligands(build(), twice, ("A1",))


def test_an_odd_number_of_electrons_is_refused():
    slab = build_slab(vacuum_angstrom=30.0, charge=1)
    with pytest.raises(InputError, match="electrons with its total charge of"):
        attach_ligands(slab, load("MA"), ("A1",))
