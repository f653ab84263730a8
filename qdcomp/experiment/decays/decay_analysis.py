"""Everything about the decay of one dot: lifetimes, overall and by intensity, and the FLID."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from qdcomp.experiment.attempts import Attempts
from qdcomp.experiment.decays.blinking_type import BlinkingType, judge_blinking_type
from qdcomp.experiment.decays.decay import Decay, compute_decay
from qdcomp.experiment.decays.flid import Flid, compute_flid
from qdcomp.experiment.decays.intensity_windows import (
    WindowDecay,
    choose_intensity_windows,
    fit_intensity_windows,
)
from qdcomp.experiment.decays.lifetime import LifetimeFit, fit_lifetime
from qdcomp.experiment.decays.lifetime_likelihood import Model
from qdcomp.experiment.decays.lifetime_trace import LifetimeTrace, compute_lifetime_trace
from qdcomp.experiment.intensity_trace import BlinkingTrace
from qdcomp.experiment.photon_stream import PhotonSource

LifetimeModel = Model | Literal["auto"]

FITTED_BINS = 4000
"""Bins of a decay that is fitted; finer microtimes are joined."""


@dataclass(frozen=True)
class DecayAnalysis:
    """Decay of one dot; a part is None where the data do not allow it.

    Attributes
    ----------
    decay
        Histogram of the microtimes.
    lifetime
        Its lifetimes.
    windows
        Decays of the bright, grey and dark time.
    trace
        Lifetime in every time bin.
    flid
        Distribution of lifetime and intensity.
    blinking_type
        Type A or B.
    """

    decay: Decay
    lifetime: LifetimeFit | None
    windows: tuple[WindowDecay, ...]
    trace: LifetimeTrace | None
    flid: Flid | None
    blinking_type: BlinkingType | None


def analyse_decay(
    source: PhotonSource,
    blinking_trace: BlinkingTrace,
    attempts: Attempts,
    *,
    channels: Sequence[int] | None = None,
    model: LifetimeModel = "auto",
    response: Decay | float | None = None,
) -> DecayAnalysis | None:
    """Analyse the decay of one dot; None where there is none, as of a stream of mode T2.

    Parameters
    ----------
    source
        Photons of mode T3.
    blinking_trace
        Photons per time bin of the same channels.
    attempts
        Remembers what could not be computed.
    channels
        Detector channels, taken together; all if absent.
    model, response
        For `fit_lifetime`.
    """
    ticks = max(1, (source.header.microtime_bins or 1) // FITTED_BINS)
    decay = attempts.compute(
        "Decay and lifetimes", lambda: compute_decay(source, channels, ticks_per_bin=ticks)
    )
    if decay is None:
        return None
    bin_s = blinking_trace.bin_s
    windows = attempts.compute(
        "Lifetimes by intensity",
        lambda: fit_intensity_windows(
            source,
            choose_intensity_windows(blinking_trace.counts),
            bin_s=bin_s,
            channels=channels,
            ticks_per_bin=ticks,
            model=model,
            response=response,
        ),
    )
    trace = attempts.compute(
        "Lifetime trace", lambda: compute_lifetime_trace(source, bin_s, channels)
    )
    flid = kind = None
    if trace is not None:
        flid = attempts.compute("FLID", lambda: compute_flid(trace))
        kind = attempts.compute("Type of blinking", lambda: judge_blinking_type(trace))
    for window in windows or ():
        if window.fit is None:
            attempts.leave_out(f"Lifetime of the {window.window.name} time", window.reason)
    return DecayAnalysis(
        decay=decay,
        lifetime=attempts.compute(
            "Lifetimes",
            lambda: fit_lifetime(decay, model, response=response),
        ),
        windows=windows or (),
        trace=trace,
        flid=flid,
        blinking_type=kind,
    )
