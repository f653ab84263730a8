"""Photon correlations of one dot: pulsed g2, long delays, bunching."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from qdcomp.experiment.attempts import Attempts
from qdcomp.experiment.correlations.bunching import Bunching, fit_bunching
from qdcomp.experiment.correlations.cw_g2 import Antibunching, CwG2, compute_cw_g2, fit_antibunching
from qdcomp.experiment.correlations.long_delay_g2 import (
    LONGEST_S,
    LongDelayG2,
    compute_long_delay_g2,
)
from qdcomp.experiment.correlations.measured_time import find_gaps
from qdcomp.experiment.correlations.pulsed_g2 import (
    PulsedG2,
    compute_pulsed_g2,
    subtract_background,
)
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
    cw, antibunching
        g2 at short delays of continuous excitation, and its dip; None with pulses.
    long_delay
        g2 from 10 ns to 1 s.
    bunching
        Exponential bunching at long delays.
    warnings
        What was assumed.
    """

    pulsed: PulsedG2 | None
    corrected_zero_delay: Estimate | None
    cw: CwG2 | None
    antibunching: Antibunching | None
    long_delay: LongDelayG2 | None
    bunching: Bunching | None
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
        pulsed, bunching = self.pulsed, self.bunching
        return {
            "zero_delay": self.zero_delay,
            "zero_delay_without_background": self.corrected_zero_delay,
            "coincidences": None if pulsed is None else pulsed.coincidences,
            "lags": None if pulsed is None else pulsed.lags,
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
    background_share: Estimate | None = None,
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
    background_share
        Share of the photons that is background, as the decay shows it; None if unknown.
    """
    pulsed = cw = dip = None
    if source.header.mode == "T3":
        pulsed = attempts.compute("Pulsed g2", lambda: compute_pulsed_g2(source, channels))
    else:
        cw = attempts.compute("g2 at short delays", lambda: compute_cw_g2(source, channels))
        if cw is not None:
            dip = attempts.compute("Antibunching", lambda: fit_antibunching(cw))
    gaps = find_gaps(source, trace)
    longest = min(LONGEST_S, SHARE_OF_DURATION * source.header.duration_s)
    delays = attempts.compute(
        "Long-delay g2",
        lambda: compute_long_delay_g2(source, channels, longest_s=longest, gaps_s=gaps),
    )
    if pulsed is None and cw is None and delays is None:
        return None
    bunching = None
    if delays is not None:
        bunching = attempts.compute("Bunching", lambda: fit_bunching(delays, longest_s=BUNCHING_S))
    corrected = None
    if pulsed is not None and background_share is not None:
        corrected = attempts.compute(
            "g2(0) without background",
            lambda: subtract_background(pulsed.zero_delay, background_share),
        )
    return G2Analysis(pulsed, corrected, cw, dip, delays, bunching, _warn(gaps, bunching))


def _warn(gaps: tuple[tuple[float, float], ...], bunching: Bunching | None) -> tuple[str, ...]:
    warnings = []
    if gaps:
        lost = float(np.sum(np.diff(np.array(gaps), axis=1)))
        warnings.append(
            f"{len(gaps)} stretches of together {lost:.3g} s hold no photon at all and are taken "
            "as not measured"
        )
    if bunching is not None and bunching.reduced_chi2 > 5.0:
        warnings.append(
            f"the bunching at long delays is not one exponential (reduced χ² "
            f"{bunching.reduced_chi2:.3g}); its errors are widened by the root of that"
        )
    return tuple(warnings)
