import math

import numpy as np
import pytest

from qdcomp.errors import InputError
from qdcomp.structures import (
    build_slab,
    choose_configurations,
    count_configurations,
    draw_scheme,
    enumerate_configurations,
)
from qdcomp.structures.coverage import find_site_permutations

SLABS = {
    "cubic": {},
    "orthorhombic": {"crystal": "orthorhombic"},
    "one side": {"sides": "one"},
    "three by two": {"repeat": (3, 2)},
    "(110)": {"repeat": (2, 2), "layers": 2, "facet": "110", "termination": "CsPbBr"},
}


@pytest.mark.parametrize("kind", SLABS)
def test_counts_equal_burnsides(kind):
    slab = build_slab(**SLABS[kind])
    for bound in range(len(slab.sites) + 1):
        listed = enumerate_configurations(slab, bound)
        assert len(listed) == count_configurations(slab, bound)
        assert sum(entry.degeneracy for entry in listed) == math.comb(len(slab.sites), bound)


def test_the_cubic_slab_has_as_many_as_two_squares_on_top_of_each_other():
    """C4v of a square of four sites, its translations, and the mirror between the sides.

    Counted by hand for two ligands: 4 on one side's edge or diagonal (2 kinds), and one on each
    side, above each other, above a neighbour or above the far one (3 kinds).
    """
    slab = build_slab()
    assert len(find_site_permutations(slab)) == 16
    assert len(enumerate_configurations(slab, 2)) == 5
    assert len(enumerate_configurations(slab, 1)) == 1


def test_permutations_are_a_group():
    permutations = set(find_site_permutations(build_slab(crystal="orthorhombic")))
    for first in permutations:
        for second in permutations:
            assert tuple(first[index] for index in second) in permutations


def test_the_chosen_one_has_the_lowest_energy():
    slab = build_slab(crystal="orthorhombic")
    every = choose_configurations(slab, 4, "all")
    (chosen,) = choose_configurations(slab, 4)
    assert chosen == every[0]
    assert chosen.ewald_ev == min(entry.ewald_ev for entry in every)
    assert chosen.name == "N4-a"
    assert len(chosen.occupied) == len(chosen.vacant) == 4


def test_configurations_are_chosen_by_name():
    slab = build_slab()
    assert [entry.name for entry in choose_configurations(slab, 2, ("N2-c", "N3-a"))] == ["N2-c"]
    with pytest.raises(InputError, match="there is no configuration N2-z"):
        choose_configurations(slab, 2, ("N2-z",))


def test_a_coverage_above_one_is_refused():
    with pytest.raises(InputError, match="at most 1"):
        enumerate_configurations(build_slab(), 9)


def test_the_scheme_has_a_circle_for_every_site():
    slab = build_slab()
    configuration = enumerate_configurations(slab, 3)[0]
    scheme = draw_scheme(slab, configuration)
    assert scheme.occupied.sum() == 3
    assert scheme.top.sum() == 4
    assert scheme.labels == tuple(site.name for site in slab.sites)
    np.testing.assert_allclose(scheme.cell, np.diag([11.74, 11.74]), atol=1e-9)


@pytest.mark.parametrize("choice", ["Ewald", "N4-a", ("ewald",), ("N4_a",), ("N4-a", "N4-a")])
def test_a_choice_that_is_misspelt_is_not_taken_for_another(choice):
    with pytest.raises(InputError, match=r"chooses no configuration|there twice"):
        choose_configurations(build_slab(), 4, choice)
