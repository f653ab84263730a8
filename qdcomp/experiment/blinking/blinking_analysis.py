"""Everything about the blinking of one dot, from its trace and its arrival times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qdcomp.experiment.attempts import Attempts
from qdcomp.experiment.blinking.blinking import ON_SHARE, BlinkingStates, classify_blinking
from qdcomp.experiment.blinking.change_points import ChangePoints, find_change_points
from qdcomp.experiment.blinking.intensity_correlation import (
    IntensityCorrelation,
    compute_intensity_correlation,
)
from qdcomp.experiment.blinking.level_clustering import IntensityLevels, cluster_levels
from qdcomp.experiment.blinking.mandel import MandelQ, compute_mandel_q
from qdcomp.experiment.blinking.photodarkening import Photodarkening, compute_photodarkening
from qdcomp.experiment.blinking.power_law import PowerLawFit, fit_power_law
from qdcomp.experiment.intensity_trace import BlinkingTrace, compute_blinking_trace
from qdcomp.experiment.photon_stream import PhotonSource


@dataclass(frozen=True)
class BlinkingAnalysis:
    """Blinking of one dot; a part is None where the data do not allow it.

    Attributes
    ----------
    trace
        Photons per time bin.
    states
        ON and OFF bins, ON fraction, durations.
    mandel
        Mandel's Q.
    on_law, off_law
        Power laws of the durations.
    correlation
        Autocorrelation of the intensity.
    change_points, levels
        Jumps of the rate, and the levels between them.
    photodarkening
        Time to 70 % of the first brightness.
    """

    trace: BlinkingTrace
    states: BlinkingStates | None
    mandel: MandelQ | None
    on_law: PowerLawFit | None
    off_law: PowerLawFit | None
    correlation: IntensityCorrelation | None
    change_points: ChangePoints | None
    levels: IntensityLevels | None
    photodarkening: Photodarkening | None


def analyse_blinking(
    source: PhotonSource,
    attempts: Attempts,
    *,
    bin_s: float = 0.01,
    share: float = ON_SHARE,
    channels: Sequence[int] | None = None,
    confidence: float = 0.99,
) -> BlinkingAnalysis:
    """Analyse the blinking of one dot.

    Parameters
    ----------
    source
        Photons.
    attempts
        Remembers what could not be computed.
    bin_s
        Width of the time bins [s].
    share
        ON threshold as a share of the bright level.
    channels
        Detector channels, counted together; all if absent.
    confidence
        Of the change points.

    Raises
    ------
    InputError
        If there is no whole time bin, or a channel has no photon.
    """
    trace = compute_blinking_trace(source, bin_s, channels)
    states = attempts.compute("ON and OFF", lambda: classify_blinking(trace, share))
    mandel = on_law = off_law = None
    if states is not None:
        mandel = attempts.compute("Mandel Q", lambda: compute_mandel_q(trace, states))
        on_law = fit_power_law(states.on_durations)
        off_law = fit_power_law(states.off_durations)
        for name, law in (("ON", on_law), ("OFF", off_law)):
            if law.exponent is None:
                attempts.leave_out(f"Power law of the {name} durations", law.reason)
    if mandel is not None and mandel.reason:
        attempts.leave_out("Mandel Q of the ON peak", mandel.reason)
    points = attempts.compute(
        "Change points", lambda: find_change_points(source, confidence, channels)
    )
    darkening = attempts.compute("Photodarkening", lambda: compute_photodarkening(trace))
    if darkening is not None and darkening.t70_s is None:
        attempts.leave_out("T70", darkening.reason)
    return BlinkingAnalysis(
        trace=trace,
        states=states,
        mandel=mandel,
        on_law=on_law,
        off_law=off_law,
        correlation=attempts.compute(
            "Autocorrelation of the intensity", lambda: compute_intensity_correlation(trace)
        ),
        change_points=points,
        levels=None if points is None else cluster_levels(points),
        photodarkening=darkening,
    )
