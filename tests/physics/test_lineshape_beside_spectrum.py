"""A calculated line beside counted spectra of known truth: unbiased, and its errors honest."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import brentq

from qdcomp.analysis import Lineshape, compute_mode_lineshape
from qdcomp.compare.lineshapes import LineshapeComparison, compare_lineshape
from qdcomp.compare.published import BAND_ENERGIES_EV
from qdcomp.experiment import Estimate, make_spectrum, simulate_spectrum
from qdcomp.experiment.simulation.simulated_spectrum import (
    SimulatedCamera,
    SimulatedLine,
    compute_line_photons,
)

REPEATS = 120

LARGEST_BIAS = 2.0 / np.sqrt(REPEATS)
"""In standard deviations of one comparison: two standard errors of the mean."""

COVERAGE = (
    0.68 - 2.0 * np.sqrt(0.68 * 0.32 / REPEATS),
    0.68 + 2.0 * np.sqrt(0.68 * 0.32 / REPEATS),
)
"""68 %, and two binomial standard errors of so many repeats: 59 to 77 %."""

PHOTONS = 1e4

AXIS = np.linspace(470.0, 570.0, 300)

HALF_WIDTHS_EV = (0.042, 0.035)

FACTORS = np.array([1.98, 0.52, 0.19])
"""Factors of the 2, 7 and 17 meV bands whose line explains 70 % of 77 meV."""


def make_half_voigts(lorentz_shares: tuple[float, float]) -> SimulatedLine:
    """Give a line with the half widths 42 and 35 meV, one photon per second in all."""
    sides = []
    for half_width, share in zip(HALF_WIDTHS_EV, lorentz_shares, strict=True):
        lorentz = share * half_width

        def excess(sd: float, half_width: float = half_width, lorentz: float = lorentz) -> float:
            side = SimulatedLine(2.42, 1.0, (sd, sd), (lorentz, lorentz))
            return side.hwhm_ev[0] - half_width

        sides.append((float(brentq(excess, 1e-6, half_width)), lorentz))
    (red, red_lorentz), (blue, blue_lorentz) = sides
    return SimulatedLine(2.42, 1.0, (red, blue), (red_lorentz, blue_lorentz))


def make_explaining_line(scale: float = 1.0) -> Lineshape:
    return compute_mode_lineshape(
        BAND_ENERGIES_EV, scale * FACTORS, 300.0, vertical_energy_ev=2.3, broadening_ev=0.002
    )


def check(
    results: list[LineshapeComparison],
    truth: float,
    value: Callable[[LineshapeComparison], float],
    error: Callable[[LineshapeComparison], float | None],
) -> None:
    values = np.array([value(result) for result in results])
    errors = np.array([error(result) for result in results], dtype=np.float64)
    bias = (values.mean() - truth) / values.std(ddof=1)
    coverage = np.mean(np.abs(values - truth) < errors)
    assert abs(bias) < LARGEST_BIAS, (bias, values.mean(), truth)
    assert COVERAGE[0] < coverage < COVERAGE[1], coverage


@pytest.mark.slow
@pytest.mark.parametrize(("where", "given"), [("peak", None), ("total", None), ("total", 1.0)])
def test_an_asymmetric_line_comes_back_with_the_share_explained(
    where: str, given: float | None
) -> None:
    line = make_half_voigts((0.5, 0.4))
    assert line.hwhm_ev == pytest.approx(HALF_WIDTHS_EV)
    highest = float(compute_line_photons(line, AXIS).max())
    rate = PHOTONS / highest if where == "peak" else PHOTONS
    line = replace(line, photons_per_s=rate)
    camera = SimulatedCamera(background_per_s=0.005 * rate * highest)
    # each calculation has its own coupling, known to 10 %
    rng = np.random.default_rng(11)
    drawn = 1.0 + 0.1 * rng.normal(size=REPEATS)
    exact = make_explaining_line()
    true_share = exact.fwhm_ev / sum(HALF_WIDTHS_EV)
    assert true_share == pytest.approx(0.70, abs=0.01)
    plain, uncertain = [], []
    for seed in range(REPEATS):
        measured = simulate_spectrum(line, AXIS, 1.0, seed, camera=camera).spectrum
        plain.append(compare_lineshape(exact, measured, counts_per_photon=given))
        if given is None:
            calculated = make_explaining_line(drawn[seed])
            error = 0.1 * calculated.reorganization_energy_ev / drawn[seed]
            uncertain.append(
                compare_lineshape(calculated, measured, reorganization_energy_error_ev=error)
            )
    low, high = HALF_WIDTHS_EV
    check(
        plain,
        low,
        lambda one: one.measured.half_width_low_ev,
        lambda one: one.measured.half_width_low_error_ev,
    )
    check(
        plain,
        high,
        lambda one: one.measured.half_width_high_ev,
        lambda one: one.measured.half_width_high_error_ev,
    )
    check(
        plain,
        low / high,
        lambda one: one.measured.asymmetry,
        lambda one: one.measured.asymmetry_error,
    )
    check(plain, true_share, lambda one: one.share.value, lambda one: one.share.error)
    if uncertain:
        check(uncertain, true_share, lambda one: one.share.value, lambda one: one.share.error)


def expose(
    shape: Lineshape, shift_ev: float, photons: float, background: float
) -> NDArray[np.float64]:
    """Mean counts of each pixel of a line, by sums over 200 points of each pixel."""
    middles = 0.5 * (AXIS[1:] + AXIS[:-1])
    edges = np.concatenate(([2 * AXIS[0] - middles[0]], middles, [2 * AXIS[-1] - middles[-1]]))
    places = edges[:-1, None] + np.diff(edges)[:, None] * (np.arange(200) + 0.5) / 200
    hc = 1239.841984
    density = np.interp(
        hc / places, shape.energies_ev + shift_ev, shape.intensity, left=0.0, right=0.0
    )
    return photons * (density * hc / places**2).mean(axis=1) * np.diff(edges) + background


@pytest.mark.parametrize(("photons", "background"), [(1e4, 1.0), (5e5, 30.0)])
def test_shift_and_amplitude_of_the_right_line_are_unbiased(
    photons: float, background: float
) -> None:
    shape = compute_mode_lineshape(
        BAND_ENERGIES_EV, (7.0, 1.9, 1.7), 300.0, vertical_energy_ev=2.3, broadening_ev=0.002
    )
    mean = expose(shape, 0.21, photons, background)
    rng = np.random.default_rng(5)
    results = []
    for _ in range(REPEATS):
        measured = make_spectrum(AXIS, rng.poisson(mean).astype(float))
        dark = Estimate(background + rng.normal(0.0, 0.03 * background), 0.03 * background)
        results.append(compare_lineshape(shape, measured, background=dark))
    check(results, 0.21, lambda one: one.shift_ev.value, lambda one: one.shift_ev.error)
    check(
        results,
        photons,
        lambda one: one.amplitude_counts.value,
        lambda one: one.amplitude_counts.error,
    )
    chi2 = np.array([one.reduced_chi2 for one in results])
    assert chi2.mean() == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize(("photons", "background"), [(1e4, 1.0), (5e5, 30.0)])
def test_a_background_from_the_fit_widens_the_errors_to_hold_the_truth(
    photons: float, background: float
) -> None:
    # the wings of the half-Voigts take some of it, so that amplitudes are up to 0.5 % high
    shape = compute_mode_lineshape(
        BAND_ENERGIES_EV, (7.0, 1.9, 1.7), 300.0, vertical_energy_ev=2.3, broadening_ev=0.002
    )
    mean = expose(shape, 0.21, photons, background)
    rng = np.random.default_rng(6)
    results = [
        compare_lineshape(shape, make_spectrum(AXIS, rng.poisson(mean).astype(float)))
        for _ in range(REPEATS)
    ]
    for truth, estimates in (
        (0.21, [one.shift_ev for one in results]),
        (photons, [one.amplitude_counts for one in results]),
    ):
        inside = [abs(one.value - truth) < 2.0 * one.error for one in estimates]
        assert np.mean(inside) > 0.9
