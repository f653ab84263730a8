"""The line through the widths of many dots, against edge or against energy, with its band.

    Γ(d) = a + b / d        against the edge d
    Γ(E) = a + b E          against the peak energy E

One law in two coordinates: the sizing curves are E(d) = E₀ + k / d, and the papers see the width
rise linearly with the energy (Rainò et al. 2022, Fig. 2b and SI Fig. 3; Mi et al. 2025, SI Fig.
34). Weighted least squares, var(Γ_i) = e_i² + (dΓ/dx)² σ_x,i² + s²: the error of the width, that of
the coordinate, and the scatter from dot to dot beyond both (`fit_straight_line`). Points without
an error count as much as the mean of those that have one, or all alike where none has, and then s
is found from the residuals. The 68 % band is the propagated error of the line; the part of it that
is from s, which few points fix badly, is wider by Student's factor t. It ends at the first and last
point: nothing is extrapolated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from qdcomp.errors import InputError
from qdcomp.experiment import Estimate
from qdcomp.experiment.straight_line import ONE_SIGMA, StraightLine, fit_straight_line

Axis = Literal["edge", "energy"]

TREND_FORMS: dict[Axis, str] = {"edge": "Γ = a + b / d", "energy": "Γ = a + b E"}
"""The law on each axis."""

AXIS_UNITS: dict[Axis, str] = {"edge": "nm", "energy": "eV"}

FEWEST_POINTS = 3
"""A line through two points says nothing on its own error."""

N_BAND_POINTS = 60

SLOPE_ROUNDS = 4
"""Rounds in which the slope and the errors that depend on it are made to agree."""


@dataclass(frozen=True)
class ConfidenceBand:
    """A line and its 68 % band, ready to be drawn.

    Attributes
    ----------
    x
        Edges [nm] or energies [eV], rising, shape ``(n_points,)``.
    center, low, high
        Width on the line and at the edges of the band [meV], shape ``(n_points,)``; the three are
        one where nothing says how far the points may lie off the line.
    """

    x: NDArray[np.float64]
    center: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True)
class LinewidthTrend:
    """A fitted trend.

    Attributes
    ----------
    axis
        ``"edge"`` [nm] or ``"energy"`` [eV].
    form
        The law in words.
    slope
        b [meV nm or meV/eV].
    pivot
        1/d [1/nm] or E [eV] at which level and slope are independent.
    level_mev
        Width on the line there [meV].
    scatter_mev
        Standard deviation of the dots about the line beyond their errors [meV].
    reduced_chi2
        χ² by the given errors over the degrees of freedom; None where no point has one.
    n_points
        Number of dots.
    x_range
        First and last edge [nm] or energy [eV]; nothing is said outside.
    band
        Line and 68 % band over the range.
    notes
        What was assumed of errors.
    """

    axis: Axis
    form: str
    slope: Estimate
    pivot: float
    level_mev: Estimate
    scatter_mev: float
    reduced_chi2: float | None
    n_points: int
    x_range: tuple[float, float]
    band: ConfidenceBand
    notes: tuple[str, ...]


def fit_linewidth_trend(
    axis: Axis,
    x: NDArray[np.float64],
    x_errors: NDArray[np.float64],
    widths_mev: NDArray[np.float64],
    width_errors_mev: NDArray[np.float64],
) -> LinewidthTrend:
    """Fit the trend of one group of dots.

    Parameters
    ----------
    axis
        What `x` is.
    x, x_errors
        Edges [nm] or peak energies [eV] and their standard errors, 0 where none is known, shape
        ``(n_points,)``.
    widths_mev, width_errors_mev
        Full widths and their standard errors [meV], 0 where none is known, shape ``(n_points,)``.

    Raises
    ------
    InputError
        If there are fewer than 3 points, or all lie at one x.
    """
    if len(x) < FEWEST_POINTS:
        raise InputError(f"a trend needs at least {FEWEST_POINTS} dots, got {len(x)}")
    if np.ptp(x) == 0.0:
        raise InputError(f"all {len(x)} dots lie at {x[0]:g} {AXIS_UNITS[axis]}: no trend")
    coordinate = _transform(axis, x)
    coordinate_errors = x_errors / x**2 if axis == "edge" else x_errors
    own_errors, notes = _complete_errors(width_errors_mev)
    line, errors = _fit_with_both_errors(coordinate, coordinate_errors, widths_mev, own_errors)
    if np.any(coordinate_errors > 0.0):
        notes.append(
            "errors of edge or energy are taken as independent from dot to dot; they flatten a "
            "trend, and the error of the sizing curve itself is common to all dots and not in the "
            "band"
        )
    weights = np.ones(len(x)) if errors is None else 1.0 / (errors**2 + line.scatter**2)
    pivot = float(weights @ coordinate / weights.sum())
    line = _share_student_factor(fit_straight_line(coordinate - pivot, widths_mev, errors), errors)
    x_range = float(x.min()), float(x.max())
    grid = np.linspace(*x_range, N_BAND_POINTS)
    return LinewidthTrend(
        axis=axis,
        form=TREND_FORMS[axis],
        slope=line.slope,
        pivot=pivot,
        level_mev=line.intercept,
        scatter_mev=line.scatter,
        reduced_chi2=line.reduced_chi2,
        n_points=line.n_points,
        x_range=x_range,
        band=_make_band(axis, grid, line, pivot),
        notes=tuple(notes),
    )


def interpolate_trend(trend: LinewidthTrend, x: Estimate) -> Estimate | None:
    """Width on the trend [meV] at one edge [nm] or energy [eV]; None outside its range.

    The error is that of the line, with the error of `x` where it has one; it is not the scatter of
    single dots about the line.
    """
    if not trend.x_range[0] <= x.value <= trend.x_range[1]:
        return None
    distance = float(_transform(trend.axis, np.array([x.value]))[0]) - trend.pivot
    own = x.error if math.isfinite(x.error) else 0.0
    step = trend.slope.value * (own / x.value**2 if trend.axis == "edge" else own)
    value = trend.level_mev.value + trend.slope.value * distance
    return Estimate(
        value, math.hypot(trend.level_mev.error, distance * trend.slope.error, abs(step))
    )


def _share_student_factor(line: StraightLine, errors: NDArray[np.float64] | None) -> StraightLine:
    """Widen by Student's factor what is from the scatter only: (ē² + t² s²) / (ē² + s²)."""
    if line.scatter == 0.0 or errors is None:
        return line
    student = float(stdtrit(line.n_points - 2, ONE_SIGMA))
    known, found = float(np.mean(errors**2)), line.scatter**2
    factor = math.sqrt((known + student**2 * found) / (known + found)) / student
    return replace(
        line,
        slope=Estimate(line.slope.value, line.slope.error * factor),
        intercept=Estimate(line.intercept.value, line.intercept.error * factor),
    )


def _transform(axis: Axis, x: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1.0 / x if axis == "edge" else x


def _make_band(
    axis: Axis, grid: NDArray[np.float64], line: StraightLine, pivot: float
) -> ConfidenceBand:
    distance = _transform(axis, grid) - pivot
    center = line.intercept.value + line.slope.value * distance
    half = np.hypot(line.intercept.error, distance * line.slope.error)
    return ConfidenceBand(grid, center, center - half, center + half)


def _complete_errors(errors: NDArray[np.float64]) -> tuple[NDArray[np.float64], list[str]]:
    """Give points without an error the mean of the others; zeros where none has one."""
    missing = errors <= 0.0
    if missing.all():
        return errors, [
            f"none of the {len(errors)} dots has an error of its width: all count alike, and the "
            "band is from their scatter about the line"
        ]
    if not missing.any():
        return errors, []
    mean = float(np.sqrt(np.mean(errors[~missing] ** 2)))
    return np.where(missing, mean, errors), [
        f"{int(missing.sum())} of {len(errors)} dots have no error of their width and count as if "
        f"it were the mean one of the others, {mean:.2g} meV"
    ]


def _fit_with_both_errors(
    coordinate: NDArray[np.float64],
    coordinate_errors: NDArray[np.float64],
    widths: NDArray[np.float64],
    width_errors: NDArray[np.float64],
) -> tuple[StraightLine, NDArray[np.float64] | None]:
    """Fit with the errors of both axes, those of x by the slope; None: no point has any."""
    errors = width_errors if np.all(width_errors > 0.0) else None
    line = fit_straight_line(coordinate, widths, errors)
    for _ in range(SLOPE_ROUNDS if errors is not None and np.any(coordinate_errors) else 0):
        errors = np.hypot(width_errors, line.slope.value * coordinate_errors)
        line = fit_straight_line(coordinate, widths, errors)
    return line, errors
