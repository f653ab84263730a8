"""How well a finite trajectory determines an average: standard errors and drift.

**Sums over a power spectrum** (Λ, its bands, Γ). A harmonic dot at temperature T is a Gaussian
process: whether a band is broad or a handful of undamped modes whose energies were drawn once,
each independent cell of its periodogram is exponentially distributed about its true value. With
|ρ_jk|² the squared correlation of two bins (from the window), the estimates have
E[P̂_j P̂_k] = P_j P_k (1 + |ρ_jk|²), so

    v = Σ_jk q_j q_k |ρ_jk|² / (1 + |ρ_jk|²) / (Σ_j q_j)²,   q_j the summands,

has the mean 1/(n + 1) for n equal cells: n = 1/v − 1 is the effective number of cells, and 2n Q̂/Q
follows χ² with 2n degrees of freedom. The standard error returned is half the width of the central
68.3 % interval of that distribution; for few cells it is wider than the scatter, since a low
estimate comes with a low error. Blocks in time know nothing of this: of synthetic 10 ps
trajectories at 10 K a block error of Λ covered the truth in 20 to 47 %, this one covers Γ in 67 %
and each band in 69 to 72 % (tests/physics/test_reference_dots.py). Of a few isolated lines each
counts as 1.6 cells instead of 1 under a Hann window, and a one-sigma error covers 64 %. (Spectral
χ² statistics: Percival and Walden, Spectral Analysis for Physical Applications, 1993, section 6.)

**Means along a trajectory** (mean gap, populations): moving-block bootstrap (Künsch, Ann. Stat. 17,
1217 (1989)).

**Drift**: a linear trend puts its power into the first cosine coefficient of the series. It is held
against the mean power of the next ones by an F test.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, special

from qdcomp.analysis.power_spectrum import compute_power_density, window_coherence

ONE_SIGMA_TAIL = 0.5 * math.erfc(1.0 / math.sqrt(2.0))
"""Probability beyond one standard deviation on one side of a Gaussian, 0.1587."""

DRIFT_SIGNIFICANCE = 0.01
"""A stationary trajectory is called drifting about once in a hundred times."""

DRIFT_REFERENCE_COEFFICIENTS = 8
"""Cosine coefficients that the first one is held against."""


@dataclass(frozen=True)
class Drift:
    """Test of a series for a trend.

    Attributes
    ----------
    change
        Change from the first to the last sample by a linear fit [unit of the series].
    p_value
        Probability of a trend at least as strong in a stationary series.
    significant
        Whether ``p_value`` is below 0.01.
    """

    change: float
    p_value: float
    significant: bool


def count_effective_cells(
    summands: NDArray[np.float64], coherence: NDArray[np.float64], n_trajectories: int = 1
) -> float:
    """Effective number n of independent cells of a periodogram that a sum rests on.

    The mean of m periodograms has E[P̂_j P̂_k] = P_j P_k (1 + |ρ_jk|² / m), and v the weights
    |ρ_jk|² / (m + |ρ_jk|²).

    Parameters
    ----------
    summands
        What is summed, power times a weight, shape ``(n_bins,)``, not negative.
    coherence
        |ρ_l|² of bins l apart, shape ``(n_lags,)``.
    n_trajectories
        Independent trajectories m that the periodogram is the mean of.

    Returns
    -------
    float
        At least m; m also where nothing is summed.
    """
    total = float(summands.sum())
    if total <= 0.0:
        return float(n_trajectories)
    share = summands / total
    variance = 0.0
    for lag, value in enumerate(coherence[: len(share)]):
        weight = float(value / (n_trajectories + value)) * (1.0 if lag == 0 else 2.0)
        variance += weight * float(share[lag:] @ share[: len(share) - lag])
    return 1.0 / min(variance, 1.0 / (n_trajectories + 1)) - 1.0


def relative_spectral_error(
    summands: NDArray[np.float64], coherence: NDArray[np.float64], n_trajectories: int = 1
) -> float:
    """Relative standard error of a sum over a power spectrum.

    Parameters
    ----------
    summands
        What is summed, power times a weight, shape ``(n_bins,)``, not negative.
    coherence
        |ρ_l|² of bins l apart, shape ``(n_lags,)``.
    n_trajectories
        Independent trajectories that the spectrum is the mean of.
    """
    freedom = 2.0 * count_effective_cells(summands, coherence, n_trajectories)
    # quantiles of χ², of scipy.special: scipy.stats takes a quarter of a second to import
    quantiles = special.chdtri(freedom, [1.0 - ONE_SIGMA_TAIL, ONE_SIGMA_TAIL])
    return float(0.5 * (freedom / quantiles[0] - freedom / quantiles[1]))


def relative_variance_error(series: NDArray[np.float64]) -> float:
    """Relative standard error of the variance of one trajectory.

    That of the sum over its power spectrum, under a Hann window.

    Parameters
    ----------
    series
        Samples, shape ``(n_samples,)``.
    """
    n_samples = len(series)
    # The time step cancels: only shares of the power enter.
    power = compute_power_density(series - series.mean(), 1.0, window="hann", n_transform=n_samples)
    return relative_spectral_error(power, window_coherence("hann", n_samples, n_samples))


def block_bootstrap_error(
    series: NDArray[np.float64], *, n_blocks: int = 10, n_resamples: int = 400, seed: int = 1
) -> float:
    """Return the standard error of the mean of a correlated series, by moving-block bootstrap.

    Right where blocks are longer than the correlation time.

    Parameters
    ----------
    series
        Samples, shape ``(n_samples,)``.
    n_blocks
        Blocks that make up one resampled series.
    n_resamples
        Resampled series.
    seed
        Seed of the random numbers.

    Returns
    -------
    float
        In the unit of the series; nan for fewer than two samples a block.
    """
    length = len(series) // n_blocks
    if length < 2:
        return math.nan
    cumulative = np.concatenate([[0.0], np.cumsum(series - series.mean())])
    block_means = (cumulative[length:] - cumulative[:-length]) / length
    generator = np.random.default_rng(seed)
    chosen = generator.integers(len(block_means), size=(n_resamples, n_blocks))
    return float(block_means[chosen].mean(axis=1).std(ddof=1))


def detect_drift(series: NDArray[np.float64]) -> Drift:
    """Test a series for a trend that a stationary one would not show.

    The power of the first cosine coefficient (half a period over the trajectory: a trend) over the
    mean power of the next eight follows F(1, 8) where the spectrum is flat from half a period to
    four and a half; where it rises, as it does towards the first phonon band, the test is on the
    safe side.

    Parameters
    ----------
    series
        Samples, shape ``(n_samples,)``.
    """
    n_samples = len(series)
    if n_samples < 2 * DRIFT_REFERENCE_COEFFICIENTS or np.ptp(series) == 0.0:
        return Drift(change=0.0, p_value=1.0, significant=False)
    power = fft.dct(series - series.mean(), norm="ortho")[: DRIFT_REFERENCE_COEFFICIENTS + 2] ** 2
    ratio = power[1] / power[2:].mean()
    p_value = float(special.fdtrc(1, DRIFT_REFERENCE_COEFFICIENTS, ratio))
    slope = float(np.polyfit(np.linspace(-0.5, 0.5, n_samples), series, 1)[0])
    return Drift(change=slope, p_value=p_value, significant=p_value < DRIFT_SIGNIFICANCE)
