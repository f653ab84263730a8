"""Saturation of a dot's emission, and the biexcitons that come with it.

    I = A (1 − e^{−P/Psat}) + B P

D'Amato et al. (2023), eq. 1: at Psat a pulse makes one exciton on average, A is the emission of
the single exciton, B that of what does not saturate. With Poissonian excitation x = P/Psat and a
biexciton that emits r times as likely as an exciton,

    g2(0) = 2 r p2/(p1 + r p2)²,   p1 = 1 − e^{−x},   p2 = 1 − (1 + x) e^{−x}

which is r for weak pulses (Nair, Zhao and Bawendi, Nano Lett. 11, 1136 (2011)) and 2r/(1 + r)² for
strong ones. States above the biexciton are taken to relax to it before they emit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar
from scipy.special import chdtrc

from qdcomp.errors import InputError
from qdcomp.experiment.estimate import Estimate

_GRID = 200
_STEPS = 60


@dataclass(frozen=True)
class SaturationFit:
    """Saturation curve of a dot.

    Attributes
    ----------
    saturation_power
        Psat, in the unit of the powers.
    exciton_per_s
        A [counts/s].
    linear_per_s
        B [counts/s per unit of power]; may be negative within its error.
    covariance
        Of Psat, A and B, shape ``(3, 3)``.
    expected_per_s
        Fitted rates at the powers [counts/s], shape ``(n_powers,)``.
    chi_square
        Σ ((I − fit)/error)².
    degrees_of_freedom
        Powers less parameters.
    p_value
        Chance of a χ² at least as large if the model is right; None without degrees of freedom.
    warnings
        What looks wrong, one sentence each.
    """

    saturation_power: Estimate
    exciton_per_s: Estimate
    linear_per_s: Estimate
    covariance: NDArray[np.float64]
    expected_per_s: NDArray[np.float64]
    chi_square: float
    degrees_of_freedom: int
    p_value: float | None
    warnings: tuple[str, ...]


def fit_saturation(
    powers: ArrayLike,
    rates_per_s: ArrayLike,
    *,
    errors_per_s: ArrayLike | None = None,
    exposure_s: float | None = None,
    linear: bool = True,
) -> SaturationFit:
    """Fit the saturation curve, weighted by given errors or by counting statistics.

    With an exposure the variance of a rate is the fitted rate over the exposure, found again after
    each fit, so that the estimate is that of Poisson likelihood; blinking adds to it, and errors
    from repeats are the better choice then.

    Parameters
    ----------
    powers
        Excitation in any unit, shape ``(n_powers,)``.
    rates_per_s
        Detected rates, background taken off [counts/s], shape ``(n_powers,)``.
    errors_per_s
        Standard errors of the rates [counts/s], shape ``(n_powers,)``.
    exposure_s
        Time spent on each power [s]; instead of errors.
    linear
        False leaves the term B P out.

    Raises
    ------
    InputError
        If the arrays do not fit, there are fewer powers than parameters, values are no numbers,
        errors are not positive, or neither or both of errors and exposure are given.
    """
    power, rate = _require_points(powers, rates_per_s)
    n_parameters = 3 if linear else 2
    if len(np.unique(power)) < n_parameters:
        raise InputError(
            f"{len(np.unique(power))} different powers; {n_parameters} parameters need as many"
        )
    if (errors_per_s is None) == (exposure_s is None):
        raise InputError("give either the errors of the rates or the exposure, not both or none")
    if exposure_s is not None and not (np.isfinite(exposure_s) and exposure_s > 0.0):
        raise InputError(f"an exposure of {exposure_s} s is not a positive time")
    if errors_per_s is not None:
        error = _require_errors(errors_per_s, power)
        saturation = _find_saturation(power, rate, error, linear)
    else:
        time = float(exposure_s or 0.0)
        # Half a count keeps a dark point from weighing without limit.
        error = np.sqrt(np.maximum(rate * time, 0.0) + 0.5) / time
        for _ in range(_STEPS):
            saturation = _find_saturation(power, rate, error, linear)
            expected = _fit_linear(power, rate, error, saturation, linear)[1]
            again = np.sqrt(np.maximum(expected * time, 0.5)) / time
            settled = bool(np.allclose(again, error, rtol=1e-7))
            error = again
            if settled:
                break
    return _report(power, rate, error, saturation, linear)


def compute_power_dependent_g2(power_ratios: ArrayLike, yield_ratio: float) -> NDArray[np.float64]:
    """g2(0) of a pulsed dot against x = P/Psat.

    Parameters
    ----------
    power_ratios
        x, not negative, shape ``(n_powers,)``.
    yield_ratio
        r, quantum yield of the biexciton over that of the exciton.

    Raises
    ------
    InputError
        If a ratio is negative or no number.
    """
    x = np.asarray(power_ratios, float)
    if not np.all(np.isfinite(x)) or np.any(x < 0.0):
        raise InputError("power ratios are negative or no numbers")
    if not (np.isfinite(yield_ratio) and yield_ratio >= 0.0):
        raise InputError(f"a ratio of quantum yields of {yield_ratio}; expected 0 or more")
    one = -np.expm1(-x)
    # For weak pulses the difference of nearly equal numbers is x²/2 (1 − 2x/3 + x²/4).
    series = 0.5 * x**2 * (1.0 - x * (2.0 / 3.0 - 0.25 * x))
    two = np.where(x < 1e-3, series, one - x * np.exp(-x))
    bright = (one + yield_ratio * two) ** 2
    g2: NDArray[np.float64] = np.divide(
        2.0 * yield_ratio * two, bright, out=np.full_like(x, yield_ratio), where=bright > 0.0
    )
    return g2


def fit_biexciton_yield(
    power_ratios: ArrayLike, g2_zero: ArrayLike, g2_errors: ArrayLike
) -> Estimate:
    """Quantum yield of the biexciton over that of the exciton, from g2(0) at several powers.

    Parameters
    ----------
    power_ratios
        P/Psat, shape ``(n_powers,)``.
    g2_zero
        g2(0), background corrected, shape ``(n_powers,)``.
    g2_errors
        Its standard errors, shape ``(n_powers,)``.

    Raises
    ------
    InputError
        If the arrays do not fit or errors are not positive.
    """
    x, measured = _require_points(power_ratios, g2_zero)
    error = _require_errors(g2_errors, x)
    compute_power_dependent_g2(x, 0.0)

    def miss(ratio: float) -> float:
        residuals = (measured - compute_power_dependent_g2(x, ratio)) / error
        return float(residuals @ residuals)

    best = float(minimize_scalar(miss, bounds=(0.0, 1.0), method="bounded").x)
    step = 1e-4
    low, high = max(0.0, best - step), best + step
    slope = compute_power_dependent_g2(x, high) - compute_power_dependent_g2(x, low)
    information = float(np.sum((slope / (high - low) / error) ** 2))
    return Estimate(best, float(information**-0.5) if information > 0.0 else float(np.nan))


def _find_saturation(
    power: NDArray[np.float64], rate: NDArray[np.float64], error: NDArray[np.float64], linear: bool
) -> float:
    """Find Psat of the least χ², A and B being linear: a grid, then the least of its valley."""
    positive = power[power > 0.0]
    logs = np.linspace(np.log(positive.min() / 10.0), np.log(positive.max() * 30.0), _GRID)

    def miss(log: float) -> float:
        expected = _fit_linear(power, rate, error, float(np.exp(log)), linear)[1]
        return float(np.sum(((rate - expected) / error) ** 2))

    k = int(np.argmin(_scan(power, rate, error, np.exp(logs), linear)))
    low, high = logs[max(0, k - 2)], logs[min(_GRID - 1, k + 2)]
    found = minimize_scalar(miss, bounds=(low, high), method="bounded", options={"xatol": 1e-10})
    return float(np.exp(found.x))


def _scan(
    power: NDArray[np.float64],
    rate: NDArray[np.float64],
    error: NDArray[np.float64],
    saturations: NDArray[np.float64],
    linear: bool,
) -> NDArray[np.float64]:
    """Find χ² at many Psat at once, A and B from the normal equations."""
    bent = -np.expm1(-power / saturations[:, None]) / error
    straight = power / error if linear else np.zeros_like(power)
    seen = rate / error
    aa, ab, bb = (bent**2).sum(axis=1), bent @ straight, float(straight @ straight)
    a, b = bent @ seen, float(straight @ seen)
    total = float(seen @ seen)
    if not linear:
        alone: NDArray[np.float64] = total - a**2 / aa
        return alone
    # The bent column without its straight part: what A alone explains.
    rest = np.maximum(aa - ab**2 / bb, 1e-12 * aa)
    both: NDArray[np.float64] = total - b**2 / bb - (a - ab * b / bb) ** 2 / rest
    return both


def _fit_linear(
    power: NDArray[np.float64],
    rate: NDArray[np.float64],
    error: NDArray[np.float64],
    saturation: float,
    linear: bool,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit A and B at a Psat; give the curve with them."""
    columns = np.column_stack([-np.expm1(-power / saturation), power if linear else 0.0 * power])
    scale = np.maximum(np.abs(columns).max(axis=0), 1e-300)
    solution, *_ = np.linalg.lstsq(columns / scale / error[:, None], rate / error, rcond=None)
    amplitudes: NDArray[np.float64] = solution / scale if linear else solution / [scale[0], 1.0]
    return amplitudes, columns @ amplitudes


def _report(
    power: NDArray[np.float64],
    rate: NDArray[np.float64],
    error: NDArray[np.float64],
    saturation: float,
    linear: bool,
) -> SaturationFit:
    (exciton, slope), expected = _fit_linear(power, rate, error, saturation, linear)
    decay = np.exp(-power / saturation)
    jacobian = np.column_stack(
        [-exciton * power / saturation**2 * decay, 1.0 - decay, power][: 3 if linear else 2]
    )
    covariance = np.zeros((3, 3))
    n = jacobian.shape[1]
    scaled = jacobian / error[:, None]
    scale = np.sqrt(np.maximum((scaled**2).sum(axis=0), 1e-300))
    covariance[:n, :n] = np.linalg.pinv((scaled / scale).T @ (scaled / scale)) / np.outer(
        scale, scale
    )
    errors = np.sqrt(np.diag(covariance))
    chi_square = float(np.sum(((rate - expected) / error) ** 2))
    degrees = len(power) - n
    p_value = float(chdtrc(degrees, chi_square)) if degrees > 0 else None
    notes = []
    if power.max() < saturation:
        notes.append("the highest power is below saturation: A and Psat depend on each other")
    if slope < -2.0 * errors[2]:
        notes.append("the linear term is negative: the emission falls at high power")
    if p_value is not None and p_value < 1e-3:
        notes.append("the curve misses the points by more than their errors")
    return SaturationFit(
        saturation_power=Estimate(saturation, float(errors[0])),
        exciton_per_s=Estimate(float(exciton), float(errors[1])),
        linear_per_s=Estimate(float(slope), float(errors[2])),
        covariance=covariance,
        expected_per_s=expected,
        chi_square=chi_square,
        degrees_of_freedom=degrees,
        p_value=p_value,
        warnings=tuple(notes),
    )


def _require_points(x: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    first, second = np.asarray(x, float), np.asarray(y, float)
    if first.ndim != 1 or first.shape != second.shape or len(first) == 0:
        raise InputError(f"shapes {first.shape} and {second.shape}; expected two equal rows")
    if not (np.all(np.isfinite(first)) and np.all(np.isfinite(second))):
        raise InputError("some points are no numbers; leave them out")
    if np.any(first < 0.0) or not np.any(first > 0.0):
        raise InputError("powers are negative or all zero")
    return first, second


def _require_errors(errors: ArrayLike, x: NDArray[np.float64]) -> NDArray[np.float64]:
    error = np.asarray(errors, float)
    if error.shape != x.shape or not np.all(np.isfinite(error) & (error > 0.0)):
        raise InputError(f"errors of shape {error.shape}; expected {x.shape}, all above zero")
    return error
