"""The order of ligands by their shells against the order by their dots."""

import dataclasses

import numpy as np
import pytest
from scipy.stats import kendalltau

from qdcomp.compare.ligand_entries import Bound, LigandCell, LigandRow
from qdcomp.compare.ligand_ranking import DOTS, SHELL, rank_ligands
from qdcomp.compare.observable import Observable


def make_row(ligand, shell, dots, error=None):
    """Make a row whose every quantity is its own, 'good' being larger by the given numbers."""

    def observe(quantity, value, origin):
        return Observable(quantity, value, error, "1", origin, "source", ligand)

    cells = [
        LigandCell(name, (observe(name, sign * value, origin),), "", (), "")
        for signs, value, origin in ((SHELL, shell, "calculated"), (DOTS, dots, "measured"))
        for name, sign in signs.items()
    ]
    return LigandRow(ligand, tuple(cells))


def rank(shells, dots, error=None):
    rows = [
        make_row(f"L{index}", *pair, error)
        for index, pair in enumerate(zip(shells, dots, strict=True))
    ]
    return rank_ligands(rows)


@pytest.mark.parametrize("size", [3, 5, 6])
def test_correlation_is_kendalls_and_its_p_exact(size):
    random = np.random.default_rng(size)
    for _ in range(5):
        shells, dots = random.normal(size=(2, size))
        expected = kendalltau(shells, dots, method="exact")
        answers = rank(shells, dots)
        assert len(answers) == len(SHELL) * len(DOTS)
        for answer in answers:
            assert answer.correlation == pytest.approx(expected.statistic)
            assert answer.p_value == pytest.approx(expected.pvalue)


def test_p_of_many_ligands_is_drawn():
    random = np.random.default_rng(2)
    shells = random.normal(size=9)
    dots = shells + random.normal(size=9)
    expected = kendalltau(shells, dots, method="exact").pvalue
    assert rank(shells, dots)[0].p_value == pytest.approx(expected, abs=0.015)


def test_three_ligands_in_one_order_are_no_proof():
    answer = rank([1, 2, 3], [1, 2, 3])[0]
    assert (answer.correlation, answer.p_value) == (1.0, pytest.approx(1 / 3))
    assert "never below 0.33" in answer.sentence


def test_two_ligands_have_a_direction_and_no_correlation():
    for dots, verb in (([1, 2], "goes with"), ([2, 1], "does not go with")):
        answer = rank([1, 2], dots)[0]
        assert answer.correlation is answer.p_value is None
        assert "cannot decide" in answer.sentence
        assert verb in answer.sentence


def test_numbers_within_their_error_have_no_order():
    answer = rank([1.0, 1.1], [1.0, 2.0], error=0.2)[0]
    assert answer.concordant == answer.discordant == 0
    assert "is open" in answer.sentence
    apart = rank([1.0, 1.1], [1.0, 2.0], error=0.05)[0]
    assert apart.concordant == 1


def with_carbons(row, entry):
    cells = [
        dataclasses.replace(cell, own=(entry,)) if cell.quantity == entry.quantity else cell
        for cell in row.cells
    ]
    return dataclasses.replace(row, cells=tuple(cells))


@pytest.mark.parametrize(("number", "concordant"), [(4.4, 1), (4.0, 1), (3.9, 0)])
def test_a_limit_takes_part_where_it_decides(number, concordant):
    """A number of 4 and more lies above "< 4"; one below may lie on either side."""
    name = "closest inter-ligand C–C"
    limit = Bound(name, "<", 4.0, "1", "calculated", "source", "L0")
    rows = [
        with_carbons(make_row("L0", 0.0, 1.0), limit),
        make_row("L1", number, 2.0),
    ]
    (answer,) = [
        one for one in rank_ligands(rows) if (one.shell, one.dots) == (name, "ON fraction")
    ]
    assert (answer.concordant, answer.discordant) == (concordant, 0)
