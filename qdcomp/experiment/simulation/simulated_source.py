"""Photon streams of simulated dots.

The dot switches between its states; each state gives photons after pulses or under continuous
light; they are dimmed, lost, split, delayed and merged with background; the detectors count them
(`emission_states`, `switching`, `detection`). Every part draws from its own generator in the order
of time, so a stream depends on its seed alone: not on how it is cut into chunks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import InputError
from qdcomp.experiment.photon_stream import PICOSECONDS, PhotonStream, StreamHeader
from qdcomp.experiment.simulation.simulated_dot import SimulatedDot
from qdcomp.experiment.simulation.simulated_experiment import PulsedExcitation, SimulatedExperiment
from qdcomp.experiment.simulation.simulated_photons import PhotonSequence

CHUNK_PHOTONS = 1_000_000
"""Photons of a chunk, about, where nothing else is asked for."""

LONGEST_PS = 2**61
"""Longest measurement [ps], 26 days: times are 64-bit integers."""


@dataclass(frozen=True)
class SimulatedSource:
    """Photons of a simulated dot that are drawn when they are asked for, at constant memory.

    Attributes
    ----------
    dot
        The dot.
    experiment
        Excitation and detectors.
    duration_s
        Length of the measurement [s]; whole periods of the laser are recorded.
    seed
        Of the random numbers: the same seed, the same photons, each time they are iterated.
    chunk_s
        Length of a chunk [s]; of about a million photons if None. Photons do not depend on it.

    Raises
    ------
    InputError
        If the duration or the chunk is not a positive time, the duration is shorter than one
        period or longer than 26 days, or drift would detect more than every photon.
    """

    dot: SimulatedDot
    experiment: SimulatedExperiment
    duration_s: float
    seed: int
    chunk_s: float | None = None

    def __post_init__(self) -> None:
        """Refuse times that cannot be simulated."""
        if not (math.isfinite(self.duration_s) and 0.0 < self.duration_s < LONGEST_PS / 1e12):
            raise InputError(
                f"a duration of {self.duration_s} s; expected above 0 and below "
                f"{LONGEST_PS / 1e12:.0f} s"
            )
        if self.chunk_s is not None and not self.chunk_s > 0.0:
            raise InputError(f"a chunk of {self.chunk_s} s is not a positive time")
        if self.duration_ps <= 0:
            raise InputError(f"a duration of {self.duration_s:g} s is shorter than one tick")
        PhotonSequence(self.dot, self.experiment, self.duration_ps, self.seed)

    @property
    def duration_ps(self) -> int:
        """Length of the measurement in whole laser periods or time ticks [ps]."""
        tick = _get_tick_ps(self.experiment)
        # a duration of so many periods, written in decimals, is not one less
        return math.floor(self.duration_s * PICOSECONDS / tick + 1e-6) * tick

    @cached_property
    def header(self) -> StreamHeader:
        """What is known of the stream; the first look at it draws all photons once to count them.

        Later looks, and chunks, use the same numbers.
        """
        counts = np.zeros(2, np.int64)
        for keys in self._iterate_keys():
            counts += np.bincount(keys & 1, minlength=2)
        return _make_header(self, counts)

    def iterate_chunks(self) -> Iterator[PhotonStream]:
        """Yield all photons in order, a chunk at a time, from the start at every call."""
        header = self.header
        for keys in self._iterate_keys():
            yield _make_chunk(header, keys, self.experiment)

    def _iterate_keys(self) -> Iterator[NDArray[np.int64]]:
        photons = PhotonSequence(self.dot, self.experiment, self.duration_ps, self.seed)
        if self.chunk_s is None:
            chunk = CHUNK_PHOTONS / max(photons.largest_rate_per_ps, 1e-30)
        else:
            chunk = self.chunk_s * PICOSECONDS
        step = int(min(max(chunk, 1.0), self.duration_ps))
        for border in range(step, self.duration_ps + step, step):
            yield photons.advance(min(border, self.duration_ps))


def simulate_photons(
    dot: SimulatedDot, experiment: SimulatedExperiment, duration_s: float, seed: int
) -> PhotonStream:
    """All photons of a simulated measurement, in memory: 9 bytes each, 13 in mode T3.

    Mode T3 for pulsed excitation, T2 for continuous one. What the numbers should be is told by
    :func:`qdcomp.experiment.simulation.simulation_truth.compute_simulation_truth`.

    Parameters
    ----------
    dot
        The dot.
    experiment
        Excitation and detectors.
    duration_s
        Length of the measurement [s].
    seed
        Of the random numbers.

    Raises
    ------
    InputError
        As :class:`SimulatedSource`.
    """
    source = SimulatedSource(dot, experiment, duration_s, seed)
    keys = np.concatenate(list(source._iterate_keys()))
    header = _make_header(source, np.bincount(keys & 1, minlength=2))
    return _make_chunk(header, keys, experiment)


def _get_tick_ps(experiment: SimulatedExperiment) -> int:
    if isinstance(experiment.excitation, PulsedExcitation):
        return experiment.excitation.period_ps
    return experiment.time_tick_ps


def _make_header(source: SimulatedSource, counts: NDArray[np.int64]) -> StreamHeader:
    experiment = source.experiment
    pulsed = isinstance(experiment.excitation, PulsedExcitation)
    tick = _get_tick_ps(experiment)
    resolution = experiment.microtime_resolution_ps
    return StreamHeader(
        mode="T3" if pulsed else "T2",
        macrotime_resolution_s=tick / PICOSECONDS,
        duration_s=source.duration_ps / PICOSECONDS,
        photons_per_channel={channel: int(n) for channel, n in enumerate(counts) if n},
        microtime_resolution_ns=resolution * 1e-3 if pulsed else None,
        microtime_bins=-(-tick // resolution) if pulsed else None,
        instrument="qdcomp simulator",
        source=f"{source.dot.name}, seed {source.seed}",
    )


def _make_chunk(
    header: StreamHeader, keys: NDArray[np.int64], experiment: SimulatedExperiment
) -> PhotonStream:
    channels = (keys & 1).astype(np.uint8)
    times = keys >> 1
    tick = _get_tick_ps(experiment)
    macrotimes = times if tick == 1 else times // tick
    if header.microtime_bins is None:
        return PhotonStream(header, macrotimes, channels)
    microtimes = (times - macrotimes * tick) // experiment.microtime_resolution_ps
    kind = np.uint16 if header.microtime_bins <= np.iinfo(np.uint16).max + 1 else np.uint32
    return PhotonStream(header, macrotimes, channels, microtimes.astype(kind))
