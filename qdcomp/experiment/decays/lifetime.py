"""Lifetimes of a decay by Poisson maximum likelihood.

    μ_k = Σ_i N_i P_i(k) + B w_k

photons N_i of every component, P_i its share in bin k (see `decay_models`: exact integrals over
the bins, with the tails of earlier pulses), background B per ns and w_k the width of the bin. Least
squares would weigh empty bins wrongly; the likelihood of counts does not.

Choice of the model: one exponential unless more is needed. Against the stretched exponential the
likelihood ratio is regular (one parameter, χ²). Against two exponentials it is not: under one
exponential the second share is 0, on its bound, and its lifetime is without meaning. Its threshold
is therefore taken from simulated single exponentials, see `BI_THRESHOLD`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, chdtri

from qdcomp.errors import InputError
from qdcomp.experiment.decays.decay import Decay
from qdcomp.experiment.decays.decay_start import FitBins, choose_fit_bins, find_rise, find_start
from qdcomp.experiment.decays.instrument_response import (
    Response,
    make_gaussian_response,
    make_measured_response,
)
from qdcomp.experiment.decays.lifetime_likelihood import DecayFit, Model, fit_components
from qdcomp.experiment.decays.lifetime_summary import (
    DecayComponent,
    summarise_averages,
    summarise_background,
    summarise_components,
)
from qdcomp.experiment.estimate import Estimate
from qdcomp.experiment.poisson_likelihood import compute_deviance

BI_THRESHOLD = 9.2
"""2Δ log L from which two exponentials are taken for more than one, at the 1 % level."""

STRETCHED_THRESHOLD = float(chdtri(1, 0.01))
"""2Δ log L from which a stretched exponential is taken for more than a plain one, at 1 %."""

_FEWEST_PHOTONS = 30
_FEWEST_EXPECTED = 10.0
"""Expected counts in a bin of the deviance; with fewer it does not follow χ²."""


@dataclass(frozen=True)
class ModelComparison:
    """A model beside the single exponential.

    Attributes
    ----------
    model
        Its name.
    log_likelihood
        At its maximum, up to a constant of the data.
    bic
        −2 log L + parameters · ln(photons); lower is better.
    likelihood_ratio
        2Δ log L over the single exponential.
    threshold
        Value from which the gain is significant at the 1 % level; None for the single one.
    """

    model: Model
    log_likelihood: float
    bic: float
    likelihood_ratio: float
    threshold: float | None


@dataclass(frozen=True)
class LifetimeFit:
    """Lifetimes of a decay.

    Attributes
    ----------
    model
        Model that was fitted or chosen.
    components
        Exponentials, the longest lifetime first.
    stretching
        β of a stretched exponential; None for the others.
    amplitude_average_ns
        Mean lifetime by height, the decay's area over its height at the start [ns].
    intensity_average_ns
        Mean lifetime by photons, their mean arrival time [ns].
    background_per_ns
        Constant background in the histogram [counts/ns].
    background_share
        Background over all photons of a period.
    start_ns
        Where the decay starts, or the shift against a measured response [ns]; the error is NaN
        where it was not fitted.
    deviance
        2 Σ n ln(n/μ) − (n − μ) over bins of at least ten expected counts.
    degrees_of_freedom
        Those bins less the parameters.
    p_value
        Chance of a deviance at least as large if the model is right; None without degrees of
        freedom.
    photons
        Photons within the fitted bins.
    expected
        Fitted counts in the bins of the decay, shape ``(n_bins,)``.
    fitted
        Bins that the fit used, shape ``(n_bins,)``.
    comparisons
        Models that were compared, the single exponential first; empty if one was asked for.
    warnings
        What was assumed or looks wrong, one sentence each.
    """

    model: Model
    components: tuple[DecayComponent, ...]
    stretching: Estimate | None
    amplitude_average_ns: Estimate
    intensity_average_ns: Estimate
    background_per_ns: Estimate
    background_share: Estimate
    start_ns: Estimate
    deviance: float
    degrees_of_freedom: int
    p_value: float | None
    photons: int
    expected: NDArray[np.float64]
    fitted: NDArray[np.bool_]
    comparisons: tuple[ModelComparison, ...]
    warnings: tuple[str, ...]

    @property
    def lifetime_ns(self) -> Estimate:
        """Lifetime of the single exponential, or the amplitude average of several [ns]."""
        if self.model == "mono":
            return self.components[0].lifetime_ns
        return self.amplitude_average_ns

    @property
    def deviance_per_degree(self) -> float | None:
        """Deviance per degree of freedom, near 1 for a good fit; None without any."""
        return self.deviance / self.degrees_of_freedom if self.degrees_of_freedom > 0 else None


def fit_lifetime(
    decay: Decay,
    model: Literal["mono", "bi", "stretched", "auto"] = "auto",
    *,
    response: Decay | float | None = None,
    start_ns: float | None = None,
    background_per_ns: float | None = None,
) -> LifetimeFit:
    """Fit the lifetimes of a decay.

    Without a response the fit begins after the rise, so the response does not matter if it is short
    against the lifetimes. With one it covers the whole period and fits the start.

    Parameters
    ----------
    decay
        Histogram of microtimes.
    model
        One, two or one stretched exponential, each with a constant background; `auto` chooses.
    response
        Histogram of scattered laser light at the same repetition rate, or the standard deviation of
        a Gaussian response [ns].
    start_ns
        Delay at which the decay starts [ns]. Without a response it stays fixed, found from the peak
        if absent; with one it is where the fit begins to look.
    background_per_ns
        Background to keep fixed [counts/ns]; fitted if absent.

    Returns
    -------
    LifetimeFit
        Lifetimes with errors from the Fisher information.

    Raises
    ------
    InputError
        If there are fewer than 30 photons, the model has no such name, or response, start or
        background make no sense.
    """
    if model not in ("mono", "bi", "stretched", "auto"):
        raise InputError(f"model {model!r}; choose mono, bi, stretched or auto")
    if background_per_ns is not None and not (
        np.isfinite(background_per_ns) and background_per_ns >= 0.0
    ):
        raise InputError(f"a background of {background_per_ns} counts/ns is not a rate")
    notes = list(decay.warnings)
    shape = _make_response(response, decay)
    begin = _choose_start(decay, start_ns, shape, notes)
    rise = find_rise(decay, begin)
    if shape is not None and start_ns is not None:
        rise = max(rise, sum(shape.reach_ns))
    bins = choose_fit_bins(decay, begin, rise, shape)
    if bins.counts.sum() < _FEWEST_PHOTONS:
        raise InputError(
            f"{int(bins.counts.sum())} photons after the start; a lifetime needs {_FEWEST_PHOTONS}"
        )
    # A measured response has its own place on the axis; what is fitted is the shift against it.
    origin = begin - (0.0 if shape is None else shape.peak_ns)

    def fit(kind: Model, single: DecayFit | None) -> DecayFit:
        return fit_components(decay, bins, kind, origin, rise, shape, background_per_ns, single)

    single = fit("mono", None)
    comparisons: tuple[ModelComparison, ...] = ()
    chosen = single
    if model == "auto":
        candidates = [single, fit("bi", single), fit("stretched", single)]
        comparisons = _compare(candidates, bins)
        chosen = candidates[_choose(comparisons)]
    elif model != "mono":
        chosen = fit(model, single)
    return _report(
        decay, bins, chosen, comparisons, notes, background_per_ns is None, shape is not None
    )


def _make_response(response: Decay | float | None, decay: Decay) -> Response | None:
    if response is None:
        return None
    if isinstance(response, Decay):
        return make_measured_response(response, decay.period_ns)
    return make_gaussian_response(float(response), decay.period_ns)


def _choose_start(
    decay: Decay, start_ns: float | None, response: Response | None, notes: list[str]
) -> float:
    if start_ns is None:
        start = find_start(decay)
        if response is None:
            notes.append(f"the fit starts at {start:.4g} ns, found from the peak of the decay")
        return start
    if not (np.isfinite(start_ns) and 0.0 <= start_ns < decay.period_ns):
        raise InputError(
            f"a start of {start_ns} ns lies outside the period of {decay.period_ns} ns"
        )
    return start_ns


def _compare(candidates: list[DecayFit], bins: FitBins) -> tuple[ModelComparison, ...]:
    thresholds = {"mono": None, "bi": BI_THRESHOLD, "stretched": STRETCHED_THRESHOLD}
    single = candidates[0].fit.log_likelihood
    return tuple(
        ModelComparison(
            model=candidate.model,
            log_likelihood=candidate.fit.log_likelihood,
            bic=candidate.n_parameters * float(np.log(bins.counts.sum()))
            - 2.0 * candidate.fit.log_likelihood,
            likelihood_ratio=2.0 * (candidate.fit.log_likelihood - single),
            threshold=thresholds[candidate.model],
        )
        for candidate in candidates
    )


def _choose(comparisons: tuple[ModelComparison, ...]) -> int:
    """Take one exponential, or of the significantly better ones that with the best BIC."""
    better = [
        k
        for k, comparison in enumerate(comparisons)
        if comparison.threshold is not None and comparison.likelihood_ratio > comparison.threshold
    ]
    return min(better, key=lambda k: comparisons[k].bic) if better else 0


def _report(
    decay: Decay,
    bins: FitBins,
    chosen: DecayFit,
    comparisons: tuple[ModelComparison, ...],
    notes: list[str],
    fits_background: bool,
    fits_start: bool,
) -> LifetimeFit:
    fit, n = chosen.fit, len(chosen.shapes)
    components = summarise_components(chosen)
    amplitude, intensity = summarise_averages(chosen)
    deviance, degrees = _compute_goodness(bins.counts, fit.expected, chosen.n_parameters)
    p_value = float(chdtrc(degrees, deviance)) if degrees > 0 else None
    background = Estimate(
        chosen.background_per_ns, float(fit.errors[2 * n + 1]) if fits_background else 0.0
    )
    if not fit.converged:
        notes.append("the fit did not converge; its errors are not to be trusted")
    if p_value is not None and p_value < 1e-3:
        notes.append(
            f"the {chosen.model} model misses the decay by more than counting noise (deviance "
            f"{deviance:.0f} for {degrees} degrees of freedom)"
        )
    longest = max(shape.lifetime_ns for shape in chosen.shapes)
    if longest > decay.period_ns:
        notes.append(
            f"a lifetime of {longest:.4g} ns is longer than the period of {decay.period_ns:.4g} ns "
            "and hard to tell from background; use a lower repetition rate"
        )
    return LifetimeFit(
        model=chosen.model,
        components=components,
        stretching=Estimate(chosen.shapes[0].stretching, float(fit.errors[2]))
        if chosen.model == "stretched"
        else None,
        amplitude_average_ns=amplitude,
        intensity_average_ns=intensity,
        background_per_ns=background,
        background_share=summarise_background(chosen, decay.period_ns),
        start_ns=Estimate(chosen.start_ns, float(fit.errors[-1]) if fits_start else np.nan),
        deviance=deviance,
        degrees_of_freedom=degrees,
        p_value=p_value,
        photons=int(bins.counts.sum()),
        expected=chosen.expected,
        fitted=bins.used,
        comparisons=comparisons,
        warnings=tuple(notes),
    )


def _compute_goodness(
    counts: NDArray[np.float64], expected: NDArray[np.float64], n_parameters: int
) -> tuple[float, int]:
    """Deviance over neighbouring bins taken together until they expect enough."""
    reached = np.floor(np.cumsum(expected) / _FEWEST_EXPECTED)
    _, groups = np.unique(reached, return_inverse=True)  # numbered without the gaps of full bins
    observed = np.bincount(groups, weights=counts).astype(np.float64)
    mean = np.bincount(groups, weights=expected).astype(np.float64)
    filled = mean >= 0.5 * _FEWEST_EXPECTED
    deviance = compute_deviance(observed[filled], mean[filled])
    return deviance, int(np.count_nonzero(filled)) - n_parameters
