"""Everything that the photons of one dot say: blinking, decay, g2."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from qdcomp.experiment.attempts import Attempts
from qdcomp.experiment.blinking.blinking import ON_SHARE
from qdcomp.experiment.blinking.blinking_analysis import BlinkingAnalysis, analyse_blinking
from qdcomp.experiment.correlations.g2_analysis import G2Analysis, analyse_g2
from qdcomp.experiment.correlations.intensity_selection import (
    IntensityChoice,
    select_intensities,
)
from qdcomp.experiment.decays.decay_analysis import DecayAnalysis, LifetimeModel, analyse_decay
from qdcomp.experiment.photon_stream import PhotonSource, StreamHeader, hold_photons


@dataclass(frozen=True)
class PhotonSettings:
    """How a photon stream is analysed.

    Attributes
    ----------
    bin_s
        Width of the time bins [s].
    on_share
        ON threshold as a share of the bright level.
    channels
        Detector channels; None for all.
    lifetime_model
        ``mono``, ``bi``, ``stretched`` or ``auto``.
    response_sigma_ns
        Standard deviation of a Gaussian instrument response [ns]; None to fit after the rise.
    confidence
        Of the change points.
    g2_of
        Whose photons are correlated: ``all``, ``on``, ``grey``, or those of time bins of so many
        counts, (from, below).
    """

    bin_s: float = 0.01
    on_share: float = ON_SHARE
    channels: tuple[int, ...] | None = None
    lifetime_model: LifetimeModel = "auto"
    response_sigma_ns: float | None = None
    confidence: float = 0.99
    g2_of: Literal["all"] | IntensityChoice = "all"


@dataclass(frozen=True)
class PhotonAnalysis:
    """What the photons of one dot say.

    Attributes
    ----------
    header
        Of the stream.
    blinking
        Trace, ON and OFF, Mandel Q, durations, levels, photodarkening.
    decay
        Lifetimes and FLID; None where the stream has no microtimes.
    g2
        Second-order correlations; None where there are not two channels.
    settings
        How it was analysed.
    absent
        What could not be computed, with the reason.
    warnings
        What was assumed or looks wrong.
    """

    header: StreamHeader
    blinking: BlinkingAnalysis
    decay: DecayAnalysis | None
    g2: G2Analysis | None
    settings: PhotonSettings
    absent: tuple[str, ...]
    warnings: tuple[str, ...]


def analyse_photons(
    source: PhotonSource,
    settings: PhotonSettings | None = None,
    on_part: Callable[[str], None] = lambda name: None,
) -> PhotonAnalysis:
    """Analyse a photon stream, in pieces where it comes in pieces.

    Parameters
    ----------
    source
        Photons.
    settings
        How; the defaults if absent.
    on_part
        Called with the name of each part before it is computed.

    Raises
    ------
    InputError
        If the stream is shorter than one time bin or a channel has no photon.
    """
    chosen = settings or PhotonSettings()
    attempts = Attempts()
    on_part("photons")
    source = hold_photons(source)
    on_part("blinking")
    blinking = analyse_blinking(
        source,
        attempts,
        bin_s=chosen.bin_s,
        share=chosen.on_share,
        channels=chosen.channels,
        confidence=chosen.confidence,
    )
    on_part("decay")
    decay = analyse_decay(
        source,
        blinking.trace,
        attempts,
        channels=chosen.channels,
        model=chosen.lifetime_model,
        response=chosen.response_sigma_ns,
    )
    on_part("g2")
    g2 = _correlate(source, chosen, blinking, decay, attempts)
    return PhotonAnalysis(
        header=source.header,
        blinking=blinking,
        decay=decay,
        g2=g2,
        settings=chosen,
        absent=attempts.absent,
        warnings=_list_warnings(source.header, blinking, decay, g2),
    )


def _correlate(
    source: PhotonSource,
    settings: PhotonSettings,
    blinking: BlinkingAnalysis,
    decay: DecayAnalysis | None,
    attempts: Attempts,
) -> G2Analysis | None:
    selection, choice = None, settings.g2_of
    if choice != "all":
        selection = attempts.compute(
            "g2 of some intensities",
            lambda: select_intensities(blinking.trace, choice, blinking.states),
        )
        if selection is None:
            return None
    background = None
    if decay is not None and decay.lifetime is not None:
        background = decay.lifetime.background_share
    return analyse_g2(
        source,
        blinking.trace,
        attempts,
        channels=settings.channels,
        decay=None if decay is None else decay.decay,
        background_share=background,
        selection=selection,
    )


def _list_warnings(
    header: StreamHeader,
    blinking: BlinkingAnalysis,
    decay: DecayAnalysis | None,
    g2: G2Analysis | None,
) -> tuple[str, ...]:
    warnings = list(header.warnings)
    if blinking.states is not None:
        warnings += blinking.states.warnings
    if decay is not None:
        warnings += decay.decay.warnings
        warnings += () if decay.lifetime is None else decay.lifetime.warnings
    if g2 is not None:
        warnings += g2.warnings
    return tuple(dict.fromkeys(warnings))
