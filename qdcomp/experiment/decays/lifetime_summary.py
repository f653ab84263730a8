"""From the parameters of a decay to what is reported of it, with errors by the delta method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from qdcomp.experiment.decays.decay_models import DecayShape
from qdcomp.experiment.decays.lifetime_likelihood import DecayFit
from qdcomp.experiment.estimate import Estimate

_STEP = 1e-5


@dataclass(frozen=True)
class DecayComponent:
    """One exponential of a decay.

    Attributes
    ----------
    lifetime_ns
        τ [ns]; the time constant of a stretched exponential.
    photons
        Photons of this component in one period of the histogram.
    photon_share
        Its share of the photons of all components.
    amplitude_share
        Its share of the height at the start.
    """

    lifetime_ns: Estimate
    photons: Estimate
    photon_share: Estimate
    amplitude_share: Estimate


def summarise_components(chosen: DecayFit) -> tuple[DecayComponent, ...]:
    """Components with their shares, the longest lifetime first."""
    n = len(chosen.shapes)
    components = [
        DecayComponent(
            lifetime_ns=_derive(chosen, partial(_find_lifetime, i)),
            photons=Estimate(float(chosen.photons[i]), float(chosen.fit.errors[n + i])),
            photon_share=_derive(chosen, partial(_find_photon_share, n, i)),
            amplitude_share=_derive(chosen, partial(_find_amplitude_share, n, i)),
        )
        for i in range(n)
    ]
    return tuple(sorted(components, key=lambda c: -c.lifetime_ns.value))


def summarise_averages(chosen: DecayFit) -> tuple[Estimate, Estimate]:
    """Mean lifetimes by height and by photons [ns]."""
    n = len(chosen.shapes)

    def by_height(p: NDArray[np.float64]) -> float:
        areas = _find_areas(p, n)
        return float(np.dot(_find_shares(p[n : 2 * n] / areas), areas))

    def by_photons(p: NDArray[np.float64]) -> float:
        means = np.array([_make_shape(p, n, i).intensity_average_ns for i in range(n)])
        return float(np.dot(_find_shares(p[n : 2 * n]), means))

    return _derive(chosen, by_height), _derive(chosen, by_photons)


def summarise_background(chosen: DecayFit, period_ns: float) -> Estimate:
    """Background over all photons of a period."""
    n = len(chosen.shapes)

    def share(p: NDArray[np.float64]) -> float:
        background = p[2 * n + 1] * period_ns
        return float(background / max(background + p[n : 2 * n].sum(), 1e-300))

    value = share(chosen.fit.parameters)
    if not chosen.fit.at_bound[2 * n + 1]:
        return _derive(chosen, share)
    # At the bound the delta method sees nothing; the limit of the background itself does.
    limit = float(chosen.fit.errors[2 * n + 1]) * period_ns
    return Estimate(value, limit / max(float(chosen.photons.sum()), 1e-300))


def _derive(chosen: DecayFit, quantity: Callable[[NDArray[np.float64]], float]) -> Estimate:
    """Value of a function of the parameters, its error from their covariance."""
    point = chosen.fit.parameters
    slopes = np.zeros(len(point))
    for k in range(len(point)):
        if chosen.fit.at_bound[k]:
            continue
        step = _STEP * max(1.0, abs(float(point[k])))
        above, below = point.copy(), point.copy()
        above[k] += step
        below[k] -= step
        slopes[k] = (quantity(above) - quantity(below)) / (2.0 * step)
    variance = float(slopes @ chosen.fit.covariance @ slopes)
    return Estimate(float(quantity(point)), float(np.sqrt(variance)) if variance >= 0 else np.nan)


def _find_lifetime(i: int, point: NDArray[np.float64]) -> float:
    return float(np.exp(point[i]))


def _find_photon_share(n: int, i: int, point: NDArray[np.float64]) -> float:
    return float(_find_shares(point[n : 2 * n])[i])


def _find_amplitude_share(n: int, i: int, point: NDArray[np.float64]) -> float:
    return float(_find_shares(point[n : 2 * n] / _find_areas(point, n))[i])


def _make_shape(point: NDArray[np.float64], n: int, i: int) -> DecayShape:
    return DecayShape(float(np.exp(point[i])), float(point[2 * n]))


def _find_areas(point: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Area over height of each component [ns]."""
    return np.array([_make_shape(point, n, i).amplitude_average_ns for i in range(n)])


def _find_shares(values: NDArray[np.float64]) -> NDArray[np.float64]:
    shares: NDArray[np.float64] = values / max(float(values.sum()), 1e-300)
    return shares
