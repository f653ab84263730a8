"""Photons of the simulator against its truth, counted here without any analysis of qdcomp."""

import numpy as np
import pytest
from scipy import stats

from qdcomp.experiment import compute_arrival_times
from qdcomp.experiment.simulation.simulated_presets import (
    make_damato_preset,
    make_mi_dda_preset,
    make_mi_pea_preset,
)
from qdcomp.experiment.simulation.simulated_source import SimulatedSource, simulate_photons
from qdcomp.experiment.simulation.simulation_truth import compute_simulation_truth

PRESETS = [make_damato_preset, make_mi_pea_preset, make_mi_dda_preset]


@pytest.mark.parametrize("make", PRESETS)
def test_counts_of_the_published_dots_are_those_of_their_states(make):
    preset = make()
    excess = []
    for seed in range(8):
        source = SimulatedSource(preset.dot, preset.experiment, 10.0, seed)
        expected = compute_simulation_truth(source).rate_per_s * 10.0
        excess.append(source.header.photons / expected - 1)
    # dead time takes up to R_c t_dead of the counts
    lost = 30e3 * preset.experiment.dead_time_ns * 1e-9
    assert -lost - 4 * stats.sem(excess) < np.mean(excess) < 4 * stats.sem(excess)


@pytest.mark.parametrize("make", PRESETS)
def test_time_above_half_of_the_bright_level_is_the_on_fraction(make):
    preset = make()
    source = SimulatedSource(preset.dot, preset.experiment, 60.0, 3)
    truth = compute_simulation_truth(source)
    arrivals = compute_arrival_times(simulate_photons(preset.dot, preset.experiment, 60.0, 3))
    counts = np.bincount((arrivals // 10**10).astype(int), minlength=6000)
    bright = 0.01 * (truth.dot_rates_per_s["bright"] + truth.background_rate_per_s)
    changes = np.count_nonzero(np.diff((counts > bright / 2).astype(int)))
    # every change falls anywhere into a bin of 10 ms
    assert abs(np.mean(counts > bright / 2) - truth.on_fraction) < 4 * np.sqrt(changes) / 6000


def test_short_delay_g2_of_damatos_dot_is_the_printed_one():
    preset = make_damato_preset()
    source = SimulatedSource(preset.dot, preset.experiment, 60.0, 1)
    truth = compute_simulation_truth(source)
    stream = simulate_photons(preset.dot, preset.experiment, 60.0, 1)
    counts = np.bincount(stream.macrotimes // 2, minlength=75_000_000)
    g2 = np.mean([counts[lag:] @ counts[:-lag] for lag in (1, 2, 3)])
    g2 *= len(counts) / counts.sum() ** 2
    decay = np.exp(-truth.bunching_rate_per_s * 2 * 800e-9)
    expected = truth.short_delay_g2 - truth.bunching_amplitude * (1 - decay)
    # the intensity's fluctuation of this seed moves its mean square by a fraction of a percent
    assert g2 == pytest.approx(expected, abs=0.012)
    assert truth.short_delay_g2 == pytest.approx(preset.printed["short_delay_g2"], abs=0.01)
