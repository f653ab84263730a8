"""Photon correlations of one dot: pulsed g2, long delays, bunching."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from qdcomp.experiment.attempts import Attempts
from qdcomp.experiment.correlations.bunching import Bunching, fit_bunching
from qdcomp.experiment.correlations.cw_g2 import Antibunching, CwG2, compute_cw_g2, fit_antibunching
from qdcomp.experiment.correlations.gated_g2 import (
    GatedG2,
    choose_gates,
    compute_gated_g2,
    find_pulse_start,
)
from qdcomp.experiment.correlations.intensity_selection import IntensitySelection
from qdcomp.experiment.correlations.long_delay_g2 import (
    LONGEST_S,
    LongDelayG2,
    compute_long_delay_g2,
)
from qdcomp.experiment.correlations.measured_time import find_gaps, merge_gaps
from qdcomp.experiment.correlations.pulsed_g2 import (
    PulsedG2,
    compute_pulsed_g2,
    subtract_pulsed_background,
)
from qdcomp.experiment.decays.decay import Decay
from qdcomp.experiment.estimate import Estimate
from qdcomp.experiment.intensity_trace import BlinkingTrace
from qdcomp.experiment.photon_stream import PhotonSource

BUNCHING_S = 1e-3
"""Longest delay of the bunching that is fitted: beyond it dots blink slowly."""

SHARE_OF_DURATION = 0.1
"""Longest delay as a share of the measurement."""


@dataclass(frozen=True)
class G2Analysis:
    """Photon correlations; a part is None where the data do not allow it.

    Attributes
    ----------
    pulsed
        Coincidences by pulses.
    corrected_zero_delay
        g2(0) without the background that the decay shows.
    gated
        g2(0) of photons that come late after their pulse.
    cw, antibunching
        g2 at short delays of continuous excitation, and its dip; None with pulses.
    long_delay
        g2 from 10 ns to 1 s.
    bunching
        Exponential bunching at long delays.
    selection
        Time of some intensities whose photons were correlated; None for all photons.
    warnings
        What was assumed.
    """

    pulsed: PulsedG2 | None
    corrected_zero_delay: Estimate | None
    gated: GatedG2 | None
    cw: CwG2 | None
    antibunching: Antibunching | None
    long_delay: LongDelayG2 | None
    bunching: Bunching | None
    selection: IntensitySelection | None
    warnings: tuple[str, ...]

    @property
    def zero_delay(self) -> Estimate | None:
        """g2(0) as measured, by pulses or from the dip."""
        if self.pulsed is not None:
            return self.pulsed.zero_delay
        return None if self.antibunching is None else self.antibunching.zero_delay

    @property
    def numbers(self) -> dict[str, Any]:
        """The main numbers by name."""
        pulsed, bunching, gated = self.pulsed, self.bunching, self.gated
        return {
            "photons_of": "all time" if self.selection is None else self.selection.name,
            "time_share": 1.0 if self.selection is None else self.selection.time_share,
            "zero_delay": self.zero_delay,
            "zero_delay_without_background": self.corrected_zero_delay,
            "coincidences": None if pulsed is None else pulsed.coincidences,
            "lags": None if pulsed is None else pulsed.lags,
            "gated": None
            if gated is None
            else {
                "gates_ns": gated.gates_ns,
                "photon_shares": gated.photon_shares,
                "zero_delay": gated.zero_delay,
                "zero_delay_without_background": gated.without_background,
            },
            "antibunching_time_ns": None
            if self.antibunching is None
            else self.antibunching.time_ns,
            "bunching_amplitude": None if bunching is None else bunching.amplitude,
            "bunching_rate_per_s": None if bunching is None else bunching.rate_per_s,
        }


def analyse_g2(
    source: PhotonSource,
    trace: BlinkingTrace,
    attempts: Attempts,
    *,
    channels: Sequence[int] | None = None,
    decay: Decay | None = None,
    background_share: Estimate | None = None,
    selection: IntensitySelection | None = None,
) -> G2Analysis | None:
    """Correlate the photons of two detectors.

    Parameters
    ----------
    source
        Photons.
    trace
        Blinking trace, in which gaps of the measurement are looked for.
    attempts
        Remembers what could not be computed.
    channels
        The two channels; those that there are if absent.
    decay
        Decay of the same photons, for gates after the pulse; None without one.
    background_share
        Share of all photons that is background, as the decay shows it; None if unknown.
    selection
        Time bins whose photons are correlated; all photons if absent.
    """
    keep = None if selection is None else selection.keep
    background = _find_background(trace, background_share, selection)
    kept_s = None if selection is None else selection.selected_s
    pulsed = gated = cw = dip = None
    if source.header.mode == "T3":
        pulsed = attempts.compute(
            "Pulsed g2", lambda: compute_pulsed_g2(source, channels, keep=keep, kept_s=kept_s)
        )
        if decay is not None and pulsed is not None:
            gated = attempts.compute(
                "g2 by gates after the pulse",
                lambda: compute_gated_g2(
                    source,
                    choose_gates(decay),
                    channels,
                    start_ns=find_pulse_start(decay),
                    background_per_s=None if background is None else background.rate_per_s,
                    keep=keep,
                    kept_s=kept_s,
                ),
            )
    else:
        cw = attempts.compute(
            "g2 at short delays",
            lambda: compute_cw_g2(source, channels, keep=keep, kept_s=kept_s),
        )
        if cw is not None:
            dip = attempts.compute("Antibunching", lambda: fit_antibunching(cw))
    duration = source.header.duration_s
    gaps = find_gaps(source, trace)
    left_out = () if selection is None else selection.list_left_out(duration)
    longest = min(LONGEST_S, SHARE_OF_DURATION * duration)
    delays = attempts.compute(
        "Long-delay g2",
        lambda: compute_long_delay_g2(
            source, channels, longest_s=longest, gaps_s=merge_gaps((*gaps, *left_out))
        ),
    )
    if pulsed is None and cw is None and delays is None:
        return None
    bunching = None
    if delays is not None:
        bunching = attempts.compute("Bunching", lambda: fit_bunching(delays, longest_s=BUNCHING_S))
    corrected = None
    if pulsed is not None and background is not None:
        corrected = attempts.compute(
            "g2(0) without background",
            lambda: subtract_pulsed_background(pulsed, background.share),
        )
    return G2Analysis(
        pulsed,
        corrected,
        gated,
        cw,
        dip,
        delays,
        bunching,
        selection,
        _warn(gaps, bunching, selection),
    )


@dataclass(frozen=True)
class _Background:
    """Counts per second that are not the dot's, and their share of the correlated photons."""

    rate_per_s: Estimate
    share: Estimate


def _find_background(
    trace: BlinkingTrace, share: Estimate | None, selection: IntensitySelection | None
) -> _Background | None:
    if share is None:
        return None
    total = trace.mean_rate_per_s
    rate = Estimate(share.value * total, share.error * total)
    if selection is None:
        return _Background(rate, share)
    selected = selection.photons / selection.selected_s
    return _Background(rate, Estimate(rate.value / selected, rate.error / selected))


def _warn(
    gaps: tuple[tuple[float, float], ...],
    bunching: Bunching | None,
    selection: IntensitySelection | None,
) -> tuple[str, ...]:
    warnings = []
    if selection is not None:
        warnings.append(
            f"g2 is that of the {selection.name} alone, {100.0 * selection.time_share:.3g} % of "
            "the measurement"
        )
    if gaps:
        lost = float(np.sum(np.diff(np.array(gaps), axis=1)))
        warnings.append(
            f"{len(gaps)} stretches of together {lost:.3g} s hold no photon at all and are taken "
            "as not measured"
        )
    if bunching is not None and bunching.reduced_chi2 > 5.0:
        warnings.append(
            f"the bunching at long delays is not one exponential (reduced χ² "
            f"{bunching.reduced_chi2:.3g})"
        )
    return tuple(warnings)
