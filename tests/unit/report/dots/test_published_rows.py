"""Which published numbers stand beside a run."""

import dataclasses
import math

import numpy as np
import pytest

from qdcomp.analysis import LayerFluctuation, compute_linewidth
from qdcomp.recipes.study_files.studies import read_study
from qdcomp.report.dots.published_rows import compare_with_published
from qdcomp.resources import find_study


def compare(name, analysis):
    rows = compare_with_published(read_study(find_study(name)), analysis)
    return {row.quantity: row for row in rows}


def test_a_dot_of_the_table_stands_beside_its_row(cold):
    rows = compare("raino2022_dot_2p4nm", cold)
    assert [row.published for row in rows.values()] == [19.7, 6.6, 0.5, pytest.approx(94.1), 164]
    assert all(row.our_error > 0 for row in rows.values())
    assert rows["S around 7 meV"].ours == cold.spectrum.bands[1].huang_rhys_factor


def test_the_published_linewidth_does_not_hang_on_the_temperatures_of_the_study(cold):
    table = cold.linewidths
    without = dataclasses.replace(
        cold, linewidths=dataclasses.replace(table, temperatures_k=table.temperatures_k + 1.0)
    )
    row = compare("raino2022_dot_1p8nm", without)["linewidth Γ(300 K)"]
    assert row.ours == 1e3 * compute_linewidth(cold.spectrum.reorganization_energy_ev, 300.0)
    assert row.our_error == pytest.approx(1e3 * table.classical_error_ev[-1])
    assert row.published == 200


def test_a_dot_with_frozen_atoms_is_not_held_against_the_free_one(cold):
    assert compare("raino2022_frozen_core_0p5", cold) == {}
    assert compare("raino2022_frozen_shell_1p0", cold) == {}


def test_a_dot_of_another_size_than_the_one_referred_to_is_not_held_against_it(cold):
    study = read_study(find_study("raino2022_dot_1p8nm"))
    larger = dataclasses.replace(study.structure, cells=4)
    assert compare_with_published(dataclasses.replace(study, structure=larger), cold) == ()


def test_widths_of_the_histogram_stand_beside_the_free_and_the_frozen_dot(warm):
    quantity = "FWHM of the gap histogram at 300 K"
    frozen = compare("raino2022_frozen_shell_2p0", warm)[quantity]
    free = compare("raino2022_mobility_2p9nm", warm)[quantity]
    assert (frozen.published, free.published) == (50.0, 230.0)
    assert frozen.ours == free.ours == 1e3 * warm.gap_histogram.fwhm_ev
    assert frozen.our_error == 1e3 * warm.gap_histogram.fwhm_error_ev


def test_mobility_of_the_surface_stands_beside_the_papers(warm):
    layers = (
        LayerFluctuation("Br", 0.0, 0.45, 0.03, 150),
        LayerFluctuation("Cs", 0.0, 0.60, 0.03, 50),
        LayerFluctuation("Br", 1.5, 0.30, 0.01, 36),
    )
    fluctuations = dataclasses.replace(warm.fluctuations, by_layer=layers)
    moving = dataclasses.replace(warm, fluctuations=fluctuations)
    row = next(iter(compare("raino2022_mobility_2p9nm", moving).values()))
    assert row.ours == pytest.approx(0.5)
    assert row.our_error == pytest.approx(1.5 * math.hypot(0.03 / 0.45, 0.01 / 0.30))
    assert (row.published, row.where) == (0.40, "SI Fig. 9")


def test_orbitals_of_the_core_shell_dot_stand_beside_the_papers(cold):
    lumo = dataclasses.replace(
        cold.orbitals.lumo,
        by_element={"Ca": 0.02, "Pb": 0.9},
        by_element_error={"Ca": 0.001, "Pb": np.nan},
    )
    orbitals = dataclasses.replace(cold.orbitals, lumo=lumo)
    rows = compare("raino2022_core_shell_3p6nm", dataclasses.replace(cold, orbitals=orbitals))
    assert rows["linewidth Γ(300 K)"].published == 89.9
    found = [rows[f"share of {symbol} in the LUMO"] for symbol in ("Ca", "Pb")]
    assert [(row.ours, row.published) for row in found] == [(0.02, 0.017), (0.9, 0.67)]
    assert "share of Ca in the LUMO" not in compare("raino2022_dot_3p6nm", cold)
