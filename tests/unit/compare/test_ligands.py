"""Calculated ligand shells beside measured dots."""

import dataclasses
import itertools
import math

import numpy as np
import pytest

from qdcomp.analysis import (
    ConfigurationEnergy,
    compute_binding_energy,
    compute_interaction_energy,
    compute_packing,
    compute_surface_energy,
    ideal_gas_entropy,
)
from qdcomp.compare.ligand_entries import Bound
from qdcomp.compare.ligands import LigandCalculation, LigandMeasurement, compare_ligands
from qdcomp.errors import InputError
from qdcomp.experiment import Estimate
from qdcomp.experiment.blinking.blinking_statistics import BlinkingSummary

UPHILL = [0.0, -1.4, -2.7, -3.8, -4.7, -5.3, -5.6, -5.7, -5.5]
DOWNHILL = [0.0, -1.0, -2.0, -3.0, -4.0, -5.0, -6.0, -7.0, -8.0]


def make_curve(free_energies_ev, sites=8, errors_ev=None):
    configurations = [
        ConfigurationEnergy(
            f"N{bound}",
            bound,
            1,
            None if energy is None else energy - 20.95 * bound,
            None if errors_ev is None else errors_ev,
            "SCF did not converge" if energy is None else None,
        )
        for bound, energy in enumerate(free_energies_ev)
    ]
    return compute_surface_energy(
        configurations,
        n_sites=sites,
        ion_pair_energy_ev=-20.0,
        ts_ev=0.95,
        area_angstrom2=140.0,
        ion_pair_error_ev=None if errors_ev is None else 0.0,
    )


def make_binding(value_ev, error_ev=None, **options):
    errors = None
    if error_ev is not None:
        errors = {"complex": error_ev, "without": 0.0, "ion pair": 0.0}
    return compute_binding_energy(
        complex_ev=-30.0 - value_ev,
        without_ev=-10.0,
        **({"ion_pair_ev": -20.0} | options),
        errors_ev=errors,
    )


def calculate(ligand, **parts):
    return LigandCalculation(ligand, "model", **parts)


def make_dot(on_fraction=None, mandel_q=None, t70_s=None, longer_than_s=None):
    return BlinkingSummary(
        on_fraction=on_fraction,
        mandel_q=mandel_q,
        mandel_q_on_bins=None,
        mandel_q_all_bins=None,
        on_exponent=None,
        off_exponent=None,
        t70_s=t70_s,
        longer_than_s=longer_than_s,
        mean_rate_per_s=1e4,
        switches_per_s=None,
    )


def find_row(comparison, ligand):
    (row,) = [row for row in comparison.rows if row.ligand == ligand]
    return row


def find_cell(comparison, ligand, quantity):
    return find_row(comparison, ligand).find(quantity)


def find_difference(comparison, quantity):
    (found,) = [one for one in comparison.differences if one.first.quantity == quantity]
    return found


def test_published_alone_cannot_decide_but_points():
    """PEA and DDA (Mi 2025): PEA covers more, stacks and blinks less; DDA binds more strongly."""
    result = compare_ligands([], [])
    assert "Two ligands (PEA and DDA) cannot decide it" in result.verdict
    assert "yes by coverage at the minimum" in result.verdict
    assert "no by binding energy" in result.verdict
    assert all(answer.correlation is answer.p_value is None for answer in result.answers)
    assert {answer.ligands for answer in result.answers} == {("PEA", "DDA")}


def test_published_entries_are_those_of_the_paper():
    result = compare_ligands([], [])
    assert [row.ligand for row in result.rows] == ["PEA", "DDA", "IPA"]
    fractions = [one.value for one in find_cell(result, "DDA", "ON fraction").published]
    assert fractions == [0.554, 0.165]
    (q,) = find_cell(result, "DDA", "Mandel Q").published
    assert (q.value, q.error, q.edge_nm.value) == (7.3, None, 4.5)
    assert find_cell(result, "IPA", "ON fraction").published[0].value == 0.83
    lasting = [one.value for one in find_cell(result, "PEA", "photostability").published]
    assert lasting == [12 * 3600, 7 * 3600]
    (minimum,) = find_cell(result, "DDA", "ligands at the minimum").published
    assert (minimum.value, minimum.label) == (7.0, "DDA_truncated")
    empty = find_cell(result, "DDA", "T70")
    assert empty.published == () and "none of DDA" in empty.published_reason
    assert empty.own == () and "was not measured" in empty.own_reason


def test_printed_limits_stay_limits():
    result = compare_ligands([], [])
    (carbons,) = find_cell(result, "DDA", "closest inter-ligand C–C").published
    assert isinstance(carbons, Bound)
    assert (carbons.relation, carbons.limit, carbons.unit) == ("<", 4.0, "Å")
    limits = {
        (entry.relation, entry.limit)
        for row in result.unnamed
        for cell in row.cells
        for entry in cell.published
        if isinstance(entry, Bound)
    }
    assert limits == {("<", 1.0), (">", 0.9), (">", 0.8)}


def test_dots_without_a_named_ligand_are_kept_apart():
    """Dots of other groups, and Zn-treated ones by dilution: no ligand to rank."""
    result = compare_ligands([], [])
    shares = [
        row.find("share still emitting after 1 h").published[0].value
        for row in result.unnamed
        if row.ligand.startswith("Zn-treated")
    ]
    assert shares == [0.70, 0.55, 0.40, 0.20]
    assert sum("dots of others" in row.ligand for row in result.unnamed) == 9
    named = {row.ligand for row in result.rows}
    assert not named & {row.ligand for row in result.unnamed}


def test_the_curve_gives_minimum_and_last_step():
    result = compare_ligands([calculate("DDA_C8", curve=make_curve(UPHILL, errors_ev=0.03))], [])
    minimum = find_cell(result, "DDA", "surface free energy at the minimum").own[0]
    assert (minimum.value, minimum.error) == pytest.approx((-5.7, 0.03 * 2**0.5))
    site = find_cell(result, "DDA", "surface free energy per site at the minimum").own[0]
    assert (site.value, site.error) == pytest.approx((-5.7 / 8, 0.03 * 2**0.5 / 8))
    last = find_cell(result, "DDA", "differential surface free energy at full coverage").own[0]
    assert (last.value, last.error) == pytest.approx((0.2, 0.03 * 2**0.5))
    assert find_difference(result, "ligands at the minimum").value == 0.0
    assert find_difference(result, "coverage at the minimum").value == 0.0


@pytest.mark.parametrize(
    ("series", "reason"),
    [(UPHILL[:7], "ends at N = 6 of 8"), ([*UPHILL[:7], None, -5.5], "is missing")],
)
def test_an_unfinished_curve_has_no_last_step(series, reason):
    result = compare_ligands([calculate("PEA", curve=make_curve(series))], [])
    cell = find_cell(result, "PEA", "differential surface free energy at full coverage")
    assert cell.own == () and reason in cell.own_reason
    minimum = find_cell(result, "PEA", "ligands at the minimum").own[0]
    assert any("uncertain" in note for note in minimum.assumptions)


def test_numbers_of_ligands_on_another_slab_are_not_the_papers():
    result = compare_ligands([calculate("PEA", curve=make_curve(DOWNHILL[:5], sites=4))], [])
    compared = {one.first.quantity for one in result.differences}
    assert compared == {"coverage at the minimum"}
    assert any("slab with 4 sites" in text for text in result.not_compared)


def test_binding_is_compared_from_one_reference_only():
    pair = compare_ligands([calculate("DDA_C8", binding=make_binding(2.17, 0.1))], [])
    difference = find_difference(pair, "binding energy")
    assert difference.value == pytest.approx(-0.20)
    assert difference.sigmas == pytest.approx(2.0)
    assert any("DDA_C8 is held against DDA_truncated" in note for note in difference.notes)
    ions = make_binding(
        7.0, ion_pair_ev=-20.0, cation_ev=-8.0, anion_ev=-7.0, reference="separate ions"
    )
    apart = compare_ligands([calculate("PEA", binding=ions)], [])
    assert apart.differences == ()
    assert "separate ions" in apart.not_compared[0]


def entropy_at(temperature_k):
    return ideal_gas_entropy(["C", "C", "N"], [[0, 0, 0], [1.5, 0, 0], [2, 1.4, 0]], temperature_k)


def test_entropy_is_that_of_the_ligand_it_was_computed_for():
    entropy = entropy_at(298.15)
    result = compare_ligands(
        [
            calculate("DDA_C8", entropy=entropy, entropy_ligand="DDA"),
            calculate("DDA_C4", entropy=entropy),
        ],
        [],
    )
    full, short = (one for one in result.differences if one.first.quantity == "gas-phase T·S")
    assert full.value == pytest.approx(entropy.ts_ev - 1.05)
    assert not any("shortened" in note for note in full.notes)
    assert "DDA_C4 has shortened tails and is held against DDA_full" in short.notes


def test_entropy_at_another_temperature_is_not_compared():
    result = compare_ligands([calculate("PEA", entropy=entropy_at(400.0))], [])
    assert result.differences == ()
    assert "400 K" in result.not_compared[0]


def stack_benzenes(distance_angstrom, rings=2):
    """Pack rings face to face without a surface."""
    angle = np.arange(6) * np.pi / 3
    ring = 1.39 * np.column_stack([np.cos(angle), np.sin(angle), np.zeros(6)])
    positions = np.vstack([ring + np.array([0, 0, distance_angstrom * n]) for n in range(rings)])
    return compute_packing(
        positions, ["C"] * 6 * rings, None, (False,) * 3, np.arange(rings).repeat(6)
    )


def test_packing_is_taken_where_most_ligands_are():
    packings = {"N1": stack_benzenes(4.2, rings=1), "N2": stack_benzenes(4.2)}
    result = compare_ligands([calculate("PEA", packings=packings)], [])
    carbons = find_cell(result, "PEA", "closest inter-ligand C–C").own[0]
    rings = find_cell(result, "PEA", "closest ring centroids").own[0]
    assert carbons.value == rings.value == pytest.approx(4.2)
    assert any("face-to-face" in note for note in rings.assumptions)
    assert any("in N2, with 2 ligands" in note for note in carbons.assumptions)
    difference = find_difference(result, "closest inter-ligand C–C")
    assert (difference.value, difference.error) == (pytest.approx(4.2 - 4.41), None)
    assert find_cell(result, "PEA", "tail density").own == ()


@pytest.mark.parametrize(("distance", "holds"), [(3.8, True), (4.2, False)])
def test_a_number_is_held_against_a_printed_limit(distance, holds):
    packing = {"N8": stack_benzenes(distance)}
    result = compare_ligands([calculate("DDA_C8", packings=packing)], [])
    (check,) = result.limits
    assert check.own.value == pytest.approx(distance)
    assert check.holds is holds


def test_pairs_are_averaged_as_in_the_paper():
    pairs = {(0, 1): -2.0 + 0.10, (0, 2): -2.0 + 0.06, (0, 3): -2.0 + 0.11}
    interaction = compute_interaction_energy(-4.0 + 0.3, [-1.0] * 4, pairs_ev=pairs)
    result = compare_ligands([calculate("DDA_C8", interaction=interaction)], [])
    difference = find_difference(result, "pair interaction")
    assert difference.first.value == pytest.approx(0.09)
    assert difference.value == pytest.approx(0.0, abs=1e-12)


def test_truncated_shell_and_whole_ligand_share_a_row_with_a_note():
    dots = [make_dot(on_fraction=Estimate(0.5, 0.02))]
    result = compare_ligands(
        [calculate("dda_C8", curve=make_curve(UPHILL))], [LigandMeasurement("DDA", "us", dots)]
    )
    row = find_row(result, "DDA")
    assert row.notes == ("dda_C8 has shortened tails and is held against DDA",)
    assert row.find("ON fraction").own[0].value == 0.5
    assert [one.ligand for one in result.rows].count("DDA") == 1


def test_one_dot_has_its_own_error_and_several_that_of_their_mean():
    values = [0.90, 0.94, 0.98]
    dots = [make_dot(on_fraction=Estimate(value, 0.001)) for value in values]
    one = compare_ligands([], [LigandMeasurement("PEA", "us", dots[:1])])
    several = compare_ligands([], [LigandMeasurement("PEA", "us", dots)])
    single = find_cell(one, "PEA", "ON fraction").own[0]
    mean = find_cell(several, "PEA", "ON fraction").own[0]
    assert (single.value, single.error) == (0.90, 0.001)
    assert (mean.value, mean.error) == pytest.approx((0.94, np.std(values, ddof=1) / 3**0.5))
    assert "none of the 3 dots" in find_cell(several, "PEA", "Mandel Q").own_reason


def test_t70_is_a_number_or_a_limit():
    def read(*dots):
        return find_cell(
            compare_ligands([], [LigandMeasurement("PEA", "us", dots)]), "PEA", "T70"
        ).own[0]

    fell = read(make_dot(t70_s=Estimate(30.0, 4.0)))
    assert (fell.value, fell.error) == (30.0, 4.0)
    half = read(make_dot(t70_s=Estimate(30.0, 4.0)), make_dot(longer_than_s=600.0))
    assert (half.value, half.error) == (30.0, None)
    outlived = read(make_dot(longer_than_s=600.0))
    assert (outlived.relation, outlived.limit) == (">", 600.0)
    # Two dots: the one that was seen for longer says nothing of the other.
    two = read(make_dot(longer_than_s=100.0), make_dot(longer_than_s=300.0))
    assert (two.relation, two.limit) == (">", 100.0)


def test_the_limit_of_t70_is_never_above_the_median_that_a_longer_measurement_sees():
    random = np.random.default_rng(5)
    limits = 0
    for _ in range(200):
        falls = random.exponential(100.0, size=7)
        ends = random.exponential(60.0, size=7)
        dots = [
            make_dot(t70_s=Estimate(fall, 1.0)) if fall < end else make_dot(longer_than_s=end)
            for fall, end in zip(falls, ends, strict=True)
        ]
        result = compare_ligands([], [LigandMeasurement("PEA", "us", dots)], published=False)
        found = find_cell(result, "PEA", "T70").own[0]
        if isinstance(found, Bound):
            limits += 1
            assert found.limit <= np.median(falls)
    assert limits > 20


def test_own_and_published_shells_are_never_ranked_together():
    """One own binding energy and the paper's two: the two are ranked, not three of two kinds."""
    result = compare_ligands([calculate("IPA", binding=make_binding(1.0))], [])
    answers = [one for one in result.answers if one.shell == "binding energy"]
    assert answers
    for answer in answers:
        assert answer.shell_side == "published"
        assert set(answer.ligands) == {"PEA", "DDA"}


def test_ones_own_numbers_come_before_as_many_published_ones():
    calculated = [calculate(name, binding=make_binding(2.0)) for name in ("PEA", "DDA_C8")]
    for answer in compare_ligands(calculated, []).answers:
        own = answer.shell == "binding energy"
        assert answer.shell_side == ("own" if own else "published")


def test_three_calculated_ligands_meet_the_papers_dots():
    energies = {"PEA": 2.5, "IPA": 2.0, "DDA": 1.5}
    result = compare_ligands(
        [calculate(name, binding=make_binding(value)) for name, value in energies.items()], []
    )
    (answer,) = [
        one for one in result.answers if (one.shell, one.dots) == ("binding energy", "ON fraction")
    ]
    assert (answer.shell_side, answer.dot_side, answer.correlation) == ("own", "published", 1.0)
    assert any("IPA, mean: mean of 67 dots" in note for note in answer.notes)
    assert "From three ligands and more" in result.verdict


def test_without_published_numbers_one_ligand_answers_nothing():
    result = compare_ligands([calculate("PEA", curve=make_curve(DOWNHILL))], [], published=False)
    assert "cannot be asked" in result.verdict
    assert result.unnamed == result.differences == result.answers == ()
    reasons = [cell.published_reason for cell in result.rows[0].cells]
    assert set(reasons) == {"published numbers were left out"}


def test_each_cell_is_filled_or_has_its_reason():
    result = compare_ligands(
        [calculate("PEA", curve=make_curve(DOWNHILL), binding=make_binding(2.0))],
        [LigandMeasurement("DDA", "us", [make_dot(t70_s=Estimate(30.0, 4.0))])],
    )
    for cell in itertools.chain.from_iterable(row.cells for row in result.rows):
        assert bool(cell.own) != bool(cell.own_reason)
        assert bool(cell.published) != bool(cell.published_reason)


@pytest.mark.parametrize(
    ("calculated", "measured", "message"),
    [
        ([calculate(" ")], [], "no name"),
        ([], [LigandMeasurement("PEA", "us", [])], "holds no dot"),
        ([calculate("PEA", binding=make_binding(2.0))], [], None),
    ],
)
def test_bad_input_is_named(calculated, measured, message):
    if message is None:
        broken = dataclasses.replace(calculated[0].binding, value_ev=math.nan)
        calculated, message = [dataclasses.replace(calculated[0], binding=broken)], "nan"
    with pytest.raises(InputError, match=message):
        compare_ligands(calculated, measured)


def test_an_unknown_quantity_names_those_there_are():
    with pytest.raises(InputError, match="Mandel Q"):
        find_cell(compare_ligands([], []), "PEA", "Mandel")
