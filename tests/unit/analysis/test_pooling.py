"""Several trajectories as one result."""

import dataclasses

import numpy as np
import pytest

from qdcomp.analysis import (
    BandDefinition,
    compute_huang_rhys_spectrum,
    compute_linewidth_table,
    compute_quantum_linewidth,
    pool_spectra,
)
from qdcomp.errors import InputError
from qdcomp.units import BOLTZMANN_EV_PER_K, HBAR_EV_FS

TEMPERATURE_K, STEP_FS, N_FRAMES = 10.0, 10.0, 1000


def sample(seed, n_modes=12, n_frames=N_FRAMES, **options):
    """A Gaussian gap with the reorganization energy 0.1 eV, shared by modes of 2 to 12 meV."""
    generator = np.random.default_rng(seed)
    frequency = np.linspace(0.002, 0.012, n_modes) / HBAR_EV_FS
    size = np.sqrt(2 * 0.1 / n_modes * BOLTZMANN_EV_PER_K * TEMPERATURE_K)
    phase = np.outer(STEP_FS * np.arange(n_frames), frequency)
    cosine, sine = size * generator.normal(size=(2, n_modes))
    gap = 2.0 + np.cos(phase) @ cosine + np.sin(phase) @ sine
    return compute_huang_rhys_spectrum(gap, STEP_FS, TEMPERATURE_K, **options)


def test_means_and_their_standard_errors():
    spectra = [sample(seed) for seed in range(5)]
    pooled = pool_spectra(spectra)
    energies = [one.reorganization_energy_ev for one in spectra]
    factors = [one.bands[1].huang_rhys_factor for one in spectra]
    assert pooled.reorganization_energy_ev == pytest.approx(np.mean(energies))
    assert pooled.reorganization_energy_error_ev == pytest.approx(np.std(energies, ddof=1) / 5**0.5)
    assert pooled.bands[1].huang_rhys_factor == pytest.approx(np.mean(factors))
    assert pooled.bands[1].huang_rhys_factor_error == pytest.approx(
        np.std(factors, ddof=1) / 5**0.5
    )
    total = pooled.spectral_density.sum() * pooled.energy_step_ev
    assert total == pytest.approx(pooled.reorganization_energy_ev)
    assert (pooled.n_trajectories, pooled.n_samples) == (5, N_FRAMES)


def test_the_quantum_linewidths_error_covers_the_truth():
    # Each mode is sharp, so its power is drawn once a trajectory; the truth is the mean of many.
    spectra = [sample(seed) for seed in range(800)]
    truth = compute_quantum_linewidth(pool_spectra(spectra), 300.0)
    hits = []
    for first in range(0, 800, 4):
        table = compute_linewidth_table(pool_spectra(spectra[first : first + 4]), [300.0])
        hits.append(abs(table.quantum_ev[0] - truth) < table.quantum_error_ev[0])
    assert 0.60 <= np.mean(hits) <= 0.80


def test_warnings_are_kept():
    spectra = [dataclasses.replace(sample(seed), warnings=("short",)) for seed in range(3)]
    spectra[1] = dataclasses.replace(spectra[1], warnings=("short", "the gap is closed"))
    assert pool_spectra(spectra).warnings == ("short", "trajectory 2: the gap is closed")


@pytest.mark.parametrize(
    "other",
    [
        {"n_frames": 900},
        {"window": "rectangular"},
        {"bands": [BandDefinition(0.002, 0.0, 0.004)]},
        {"n_frames": N_FRAMES // 2, "zero_padding": 2},
    ],
)
def test_spectra_that_do_not_belong_together_are_refused(other):
    with pytest.raises(InputError, match="cannot be pooled"):
        pool_spectra([sample(1), sample(2, **other)])


def test_one_spectrum_is_not_pooled():
    with pytest.raises(InputError, match="got 1"):
        pool_spectra([sample(1)])
