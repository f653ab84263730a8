from collections import Counter
from functools import cache

import numpy as np
import pytest

from qdcomp.errors import InputError
from qdcomp.structures import (
    attach_ligands_to_dot,
    build_quantum_dot,
    build_slab,
    draw_shell,
    layer_groups,
    load_ligand,
    read_structure,
    smallest_contact,
    structure_hash,
    write_structure,
)


@cache
def cover(cells, shell, coverage=1.0, seed=1, **options):
    return attach_ligands_to_dot(build_quantum_dot(cells), dict(shell), coverage, seed=seed)


def test_every_surface_cation_of_a_dot_is_replaced():
    dot = build_quantum_dot(3)
    structure = cover(3, (("PEA", 1.0),))
    surface = (dot.depth_cells == 0) & (dot.atoms.numbers == 55)
    assert len(structure.ligands) == surface.sum() == 48
    assert structure.charge == dot.charge
    assert smallest_contact(structure).distance_angstrom > 1.9
    np.testing.assert_array_equal(
        structure.atoms.positions[: 191 - 48], dot.atoms.positions[~surface]
    )
    assert "24 face, 24 edge" in structure.description


def test_ligands_point_away_from_faces_edges_and_corners():
    dot = build_quantum_dot(2, remove_corners=False)
    structure = attach_ligands_to_dot(dot, [(load_ligand("NBA"), 1.0)])
    replaced = dot.atoms.positions[(dot.depth_cells == 0) & (dot.atoms.numbers == 55)]
    edge = dot.edge_angstrom / 2
    faces = np.where(np.abs(replaced) > 0.9 * edge, np.sign(replaced), 0.0)
    assert Counter(np.count_nonzero(faces, axis=1).tolist()) == {1: 6, 2: 12, 3: 8}
    for number, (site, normal) in enumerate(zip(replaced, faces, strict=True)):
        atoms = structure.atoms.positions[structure.ligand_index == number]
        direction = atoms.mean(axis=0) - site
        cosine = direction @ normal / np.linalg.norm(direction) / np.linalg.norm(normal)
        assert cosine > 0.8


def test_a_mixed_shell_has_the_fractions_it_was_asked_for():
    structure = cover(2, (("PEA", 0.7), ("MA", 0.3)), 0.75)
    sites = 27 - 8 - 1
    assert Counter(structure.ligands) == {"PEA": 10, "MA": 4}
    assert len(structure.ligands) == round(0.75 * sites)
    assert smallest_contact(structure).distance_angstrom > 1.6


def test_the_seed_draws_the_sites():
    shell = (("MA", 1.0),)
    same = attach_ligands_to_dot(build_quantum_dot(2), {"MA": 1.0}, 0.5)
    assert structure_hash(same) == structure_hash(cover(2, shell, 0.5))
    assert structure_hash(same) != structure_hash(cover(2, shell, 0.5, seed=2))


@pytest.mark.parametrize("seed", range(3))
def test_shells_are_drawn_as_whole_ligands(seed):
    drawn = draw_shell(10, [0.5, 0.25, 0.25], 0.7, seed)
    counts = Counter(drawn.tolist())
    assert counts[-1] == 3
    assert (counts[0], counts[1] + counts[2]) in {(4, 3), (3, 4)}
    assert abs(counts[1] - counts[2]) <= 1


def test_anions_take_halides_beside_the_cations_that_are_there():
    cations = cover(2, (("MA", 1.0),))
    both = attach_ligands_to_dot(cations, {"acetate": 1.0}, 0.25)
    n_cations = int((cations.ligand_index >= 0).sum())
    assert both.charge == cations.charge
    assert both.ligands[:18] == ("MA",) * 18 and set(both.ligands[18:]) == {"acetate"}
    before = cations.atoms.positions[cations.ligand_index >= 0]
    np.testing.assert_array_equal(
        both.atoms.positions[(both.ligand_index >= 0) & (both.ligand_index < 18)], before
    )
    assert n_cations == 18 * 8
    assert smallest_contact(both).distance_angstrom > 1.6


def test_layers_and_ligands_of_a_dot_survive_writing(tmp_path):
    structure = cover(2, (("MA", 1.0),))
    read = read_structure(write_structure(structure, tmp_path / "dot.extxyz"))
    assert structure_hash(read) == structure_hash(structure)
    groups = layer_groups(read)
    assert int(groups["off lattice"].sum()) == 18 * 8


@pytest.mark.parametrize(
    ("shell", "coverage", "message"),
    [
        ({"PEA": 1.0}, 1.2, r"coverage of 1.2: expected a fraction.* above 0 and up to 1"),
        ({"PEA": 1.0}, 0.0, "coverage of 0"),
        ({"PEA": 1.0}, 0.01, "less than half a ligand"),
        ({"PEA": 0.5, "MA": 0.4}, 1.0, "add up to 0.9"),
        ({"PEA": 1.5, "MA": -0.5}, 1.0, "expected positive ones"),
        ({}, 1.0, "no ligand"),
        ({"MA": 0.5, "acetate": 0.5}, 1.0, "take different sites"),
        ({"sulfobetaine": 1.0}, 1.0, "no net charge"),
    ],
)
def test_bad_shells_are_refused(shell, coverage, message):
    with pytest.raises(InputError, match=message):
        attach_ligands_to_dot(build_quantum_dot(2), shell, coverage)


def test_a_covered_dot_has_no_site_left():
    with pytest.raises(InputError, match="already taken"):
        attach_ligands_to_dot(cover(2, (("MA", 1.0),)), {"MA": 1.0})


def test_a_slab_is_no_dot():
    with pytest.raises(InputError, match="no cubic dot"):
        attach_ligands_to_dot(build_slab().structure, {"MA": 1.0})


def test_a_ligand_is_named_once():
    ligand = load_ligand("MA")
    with pytest.raises(InputError, match="MA is in the shell twice"):
        attach_ligands_to_dot(build_quantum_dot(2), [(ligand, 0.5), (ligand, 0.5)])
