import dataclasses

import numpy as np
import pytest
from builders.campaign_runs import make_dot_run
from scipy.special import ndtr, stdtrit

from qdcomp.analysis import compute_linewidth
from qdcomp.report.campaigns.campaign_index import IndexRow, render_index
from qdcomp.report.campaigns.campaign_panels import campaign_panels
from qdcomp.report.campaigns.campaign_pooling import pool_rows
from qdcomp.report.campaigns.campaign_rows import read_row

T_OF_THREE = stdtrit(2, ndtr(1.0))
"""Student's factor of one standard error, for three samples."""

SHARES = (0.9, 1.0, 1.3)
"""Reorganization energies of three seeds, in units of the first analysis'."""


def scale(analysis, share):
    spectrum = analysis.spectrum
    energy = share * spectrum.reorganization_energy_ev
    table = analysis.linewidths
    return dataclasses.replace(
        analysis,
        spectrum=dataclasses.replace(spectrum, reorganization_energy_ev=energy),
        linewidths=dataclasses.replace(table, classical_ev=np.sqrt(share) * table.classical_ev),
    )


@pytest.fixture
def rows(tmp_path, cold):
    def read(name, *analyses, **options):
        return read_row(name, make_dot_run(tmp_path / name, analyses, **options).root)

    seeds = [
        read(f"dot-n2-s{seed}", scale(cold, share), seed=seed)
        for seed, share in enumerate(SHARES, start=1)
    ]
    return [read("other", cold, cells=3), *seeds, read("dot-n2-s4", seed=4)]


def test_seeds_are_pooled_to_a_mean_with_the_error_of_their_scatter(rows, cold):
    shown, (pool,) = pool_rows(rows)
    assert [row.label for row in shown] == ["other", "dot-n2, 3 seeds"]
    assert (pool.n_pooled, pool.n_runs) == (3, 4)  # the fourth has no result yet
    spectrum = pool.row.dots[0].analysis.spectrum
    energies = np.array(SHARES) * cold.spectrum.reorganization_energy_ev
    own_errors = np.sqrt(3) * cold.spectrum.reorganization_energy_error_ev / 3
    error = max(T_OF_THREE * energies.std(ddof=1) / np.sqrt(3), own_errors)
    assert spectrum.reorganization_energy_ev == pytest.approx(energies.mean())
    assert spectrum.reorganization_energy_error_ev == pytest.approx(error)
    table, own = pool.row.dots[0].analysis.linewidths, cold.linewidths
    np.testing.assert_allclose(table.classical_ev, np.sqrt(SHARES).mean() * own.classical_ev)
    spread = T_OF_THREE * np.sqrt(SHARES).std(ddof=1) / np.sqrt(3) * own.classical_ev
    least = own.classical_error_ev / np.sqrt(3)
    np.testing.assert_allclose(table.classical_error_ev, np.fmax(spread, least))


def test_seeds_that_agree_by_chance_are_no_surer_than_their_own_errors(tmp_path, cold):
    runs = [make_dot_run(tmp_path / f"s{seed}", [cold], seed=seed) for seed in (1, 2)]
    _, (pool,) = pool_rows([read_row(run.root.name, run.root) for run in runs])
    error = pool.row.dots[0].analysis.spectrum.reorganization_energy_error_ev
    assert error == pytest.approx(cold.spectrum.reorganization_energy_error_ev / np.sqrt(2))


def test_figures_and_table_show_the_means(rows, cold):
    shown, pools = pool_rows(rows)
    panel = next(p for p in campaign_panels(shown) if p.name == "linewidth_edge")
    np.testing.assert_allclose(panel.marks[0].x, [1.174, 1.761])
    mean = np.mean(SHARES) * cold.spectrum.reorganization_energy_ev
    assert panel.marks[0].y[0] == pytest.approx(1e3 * compute_linewidth(mean, 300.0))
    assert panel.marks[0].error[0] > 0
    text = render_index([IndexRow(row, "") for row in rows], (), pools=pools)
    assert "Pooled over seeds" in text and "dot-n2, 3 seeds" in text and ">3 of 4<" in text
    assert "Pooled over seeds" not in render_index([IndexRow(row, "") for row in rows], ())


def test_the_same_seed_twice_is_one_sample(tmp_path, rows):
    copies = [dataclasses.replace(rows[1], label=name) for name in ("a", "b")]
    assert pool_rows(copies) == (tuple(copies), ())
    _, (pool,) = pool_rows([*copies, rows[2]])
    assert (pool.n_pooled, pool.n_runs) == (2, 3)


def test_rows_without_a_study_stand_alone(rows):
    lost = dataclasses.replace(rows[1], run=None)
    assert pool_rows([lost, rows[2]]) == ((lost, rows[2]), ())
