"""From the published coupling factors alone: the emission line at 300 K.

A Gaussian broadening of 2 meV goes with every line. It is what joins the comb of 1 meV, on which
all sums of 2, 7 and 17 meV fall, into one curve; it adds less than 0.03 % to the width, and it is
in the second moment, which is therefore Σ S E² coth(E/2kT) + (2 meV)²/(8 ln 2).
"""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from qdcomp.analysis import Lineshape, compute_mode_lineshape
from qdcomp.compare.lineshapes import PUBLISHED_BROADENING_EV, compute_published_lineshape
from qdcomp.compare.published import BAND_ENERGIES_EV, PublishedCoupling, load_coupling_table
from qdcomp.units import BOLTZMANN_EV_PER_K, PLANCK_EV_FS

TEMPERATURE_K = 300.0
ENERGIES = np.array(BAND_ENERGIES_EV)
DOTS = load_coupling_table()

FORMULA_MEV = (199.6, 164.3, 138.0, 126.9, 122.8, 89.9)
"""Γ of the same rows by the formula (PHYSICS.md, section 5)."""

every_dot = pytest.mark.parametrize("dot", DOTS, ids=lambda dot: dot.dot)


def expected_variance(dot: PublishedCoupling) -> float:
    """Σ S E² coth(E/2kT) and the variance of the broadening [eV²]."""
    coth = 1.0 / np.tanh(ENERGIES / (2.0 * BOLTZMANN_EV_PER_K * TEMPERATURE_K))
    broadening = PUBLISHED_BROADENING_EV**2 / (8.0 * np.log(2.0))
    return float(np.array(dot.huang_rhys_factors) @ (ENERGIES**2 * coth) + broadening)


def integrate(shape: Lineshape, values: NDArray[np.float64]) -> float:
    return float(np.trapezoid(shape.intensity * values, shape.energies_ev))


@pytest.mark.parametrize(("dot", "formula_mev"), list(zip(DOTS, FORMULA_MEV, strict=True)))
def test_the_width_is_that_of_the_formula_and_of_the_paper(
    dot: PublishedCoupling, formula_mev: float
) -> None:
    shape = compute_published_lineshape(dot, TEMPERATURE_K)
    assert 1e3 * shape.fwhm_ev == pytest.approx(formula_mev, rel=0.01)
    assert 1e3 * shape.fwhm_ev == pytest.approx(dot.fwhm_300k_mev, rel=0.01)


@every_dot
def test_the_width_hardly_depends_on_the_broadening(dot: PublishedCoupling) -> None:
    width = compute_published_lineshape(dot).fwhm_ev
    for broadening in (0.001, 0.003, 0.006):
        other = compute_published_lineshape(dot, broadening_ev=broadening)
        assert other.fwhm_ev == pytest.approx(width, rel=0.015)


@every_dot
@pytest.mark.parametrize("gap_ev", [0.0, 2.4])
def test_the_moments_of_the_curve_are_the_sum_rules(dot: PublishedCoupling, gap_ev: float) -> None:
    shape = compute_published_lineshape(dot, vertical_energy_ev=gap_ev)
    reorganization = float(np.array(dot.huang_rhys_factors) @ ENERGIES)
    area = integrate(shape, np.ones_like(shape.energies_ev))
    mean = integrate(shape, shape.energies_ev) / area
    variance = integrate(shape, (shape.energies_ev - mean) ** 2) / area
    assert area == pytest.approx(1.0, abs=1e-7)
    # emission lies 2Λ below the vertical gap of the ground state
    assert mean - gap_ev == pytest.approx(-2.0 * reorganization, rel=1e-6)
    assert variance == pytest.approx(expected_variance(dot), rel=1e-6)
    assert shape.mean_energy_ev == pytest.approx(mean, abs=1e-9)
    assert shape.variance_ev2 == pytest.approx(variance, rel=1e-6)


@every_dot
@pytest.mark.parametrize(("finer", "longer"), [(4.0, 1.0), (1.0, 4.0), (4.0, 4.0), (3.7, 1.3)])
def test_the_time_grid_does_not_show(dot: PublishedCoupling, finer: float, longer: float) -> None:
    plain = compute_published_lineshape(dot)
    # the grid chosen: bins of h/2T in energy, and ±10 (σ + highest mode) in all
    duration = PLANCK_EV_FS / (2.0 * (plain.energies_ev[1] - plain.energies_ev[0]))
    step = PLANCK_EV_FS / (20.0 * (np.sqrt(expected_variance(dot)) + ENERGIES[-1]))
    other = compute_mode_lineshape(
        ENERGIES,
        dot.huang_rhys_factors,
        TEMPERATURE_K,
        broadening_ev=PUBLISHED_BROADENING_EV,
        time_step_fs=step / finer,
        duration_fs=duration * longer,
    )
    bins = float((other.energies_ev[1] - other.energies_ev[0]) * longer)
    assert bins == pytest.approx(plain.energies_ev[1] - plain.energies_ev[0], rel=0.05)
    assert other.fwhm_ev == pytest.approx(plain.fwhm_ev, rel=1e-4)
    assert other.half_width_low_ev == pytest.approx(plain.half_width_low_ev, rel=1e-3)
    curve = CubicSpline(other.energies_ev, other.intensity, extrapolate=False)
    shared = (plain.energies_ev > other.energies_ev[0]) & (
        plain.energies_ev < other.energies_ev[-1]
    )
    assert shared.sum() > len(shared) - 6
    change = np.abs(curve(plain.energies_ev[shared]) - plain.intensity[shared])
    assert change.max() < 1e-4 * plain.intensity.max()
