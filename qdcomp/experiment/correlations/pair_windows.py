"""Photons of two detectors that can pair with each other, window by window along a stream.

Every start comes in exactly one window, with all stops that its lags can reach; what the next
chunk may still add to is carried over. Results therefore do not depend on the chunks, and the
memory is that of a chunk and of the longest lag.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from qdcomp.errors import InputError
from qdcomp.experiment.photon_stream import (
    PICOSECONDS,
    PhotonSource,
    PhotonStream,
    StreamHeader,
    compute_arrival_times,
)

SLICE_PHOTONS = 1_000_000
"""Photons of a large chunk that are gone through at a time."""

SMALLEST_BATCH = 65536
"""Small chunks are collected up to so many photons."""

ClockKind = Literal["macrotime", "arrival"]
Keep = Callable[[PhotonStream], NDArray[np.bool_]]
"""Which photons of a chunk count, shape ``(n_photons,)``."""


@dataclass(frozen=True)
class Clock:
    """How photons are timed.

    Attributes
    ----------
    kind
        ``macrotime``: ticks of the stream, pulses in mode T3; ``arrival``: ps, delays included.
    tick_s
        One tick [s].
    disorder
        A later photon of the stream may be earlier by up to so many ticks.
    fold
        Microtimes below it [their ticks] come late after the pulse before, as where the laser's
        light arrives some time after the sync; only for macrotimes.
    """

    kind: ClockKind
    tick_s: float
    disorder: int
    fold: int = 0

    def read(self, stream: PhotonStream) -> NDArray[np.int64]:
        """Give the times of the photons [ticks], shape ``(n_photons,)``."""
        if self.fold > 0 and stream.microtimes is not None:
            return stream.macrotimes - (stream.microtimes < self.fold)
        return stream.macrotimes if self.kind == "macrotime" else compute_arrival_times(stream)


@dataclass(frozen=True)
class PairWindow:
    """Starts with all stops that they can pair with.

    Attributes
    ----------
    starts, stops
        Times [ticks], never falling, int64 with shapes ``(n_starts,)`` and ``(n_stops,)``.
    start_delays, stop_delays
        Microtimes [ticks] of the same shapes; empty where they were not asked for.
    own
        Index in `stops` of the first start itself in an autocorrelation; −1 otherwise.
    """

    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    start_delays: NDArray[np.unsignedinteger[Any]]
    stop_delays: NDArray[np.unsignedinteger[Any]]
    own: int


def make_clock(header: StreamHeader, kind: ClockKind) -> Clock:
    """Macrotimes as they are, or arrival times in ps; the two are one in mode T2."""
    if kind == "macrotime" or header.mode == "T2":
        return Clock("macrotime", header.macrotime_resolution_s, 0)
    period_ps = header.macrotime_resolution_s * PICOSECONDS
    return Clock("arrival", 1.0 / PICOSECONDS, int(np.ceil(period_ps)) + 1)


def require_channel_pair(header: StreamHeader, channels: Sequence[int] | None) -> tuple[int, int]:
    """Start and stop channel: those asked for, or the two that there are.

    Raises
    ------
    InputError
        If there is one channel only, there are more than two and none was chosen, or a chosen one
        saw no photon.
    """
    known = header.channels
    if channels is None:
        if len(known) == 1:
            raise InputError(
                f"all {header.photons} photons are on channel {known[0]}: a cross-correlation needs"
                " two detectors behind a beam splitter; for the autocorrelation of this one, with "
                f"its dead time and afterpulses, give channels=({known[0]}, {known[0]})"
            )
        if len(known) != 2:
            raise InputError(
                f"photons are on channels {list(known)}: choose the start and the stop channel, "
                "channels=(start, stop)"
            )
        return known[0], known[1]
    if len(channels) != 2:
        raise InputError(f"channels are {tuple(channels)}; expected (start, stop)")
    for channel in channels:
        if header.photons_per_channel.get(channel, 0) == 0:
            raise InputError(f"no photon on channel {channel}; the stream has {list(known)}")
    return channels[0], channels[1]


def count_pair_photons(
    source: PhotonSource, channels: tuple[int, int], keep: Keep | None
) -> tuple[int, int]:
    """Count the photons of either channel that are kept.

    Raises
    ------
    InputError
        If there are none on one of them.
    """
    if keep is None:
        known = source.header.photons_per_channel
        return known[channels[0]], known[channels[1]]
    counts = np.zeros(256, np.int64)
    for chunk in source.iterate_chunks():
        counts += np.bincount(chunk.channels[keep(chunk)], minlength=256)
    first, second = int(counts[channels[0]]), int(counts[channels[1]])
    if min(first, second) == 0:
        raise InputError("a channel has none of the photons that were chosen")
    return first, second


def iterate_pair_windows(
    source: PhotonSource,
    channels: tuple[int, int],
    clock: Clock,
    before: int,
    after: int,
    *,
    keep: Keep | None = None,
    with_delays: bool = False,
) -> Iterator[PairWindow]:
    """Yield each start once, with all stops from `before` ticks earlier to `after` later.

    Parameters
    ----------
    source
        Photons; read once.
    channels
        Start and stop channel; the same one for an autocorrelation.
    clock
        How photons are timed.
    before, after
        Reach of the lags [ticks].
    keep
        Which photons count; all if absent.
    with_delays
        Whether windows carry microtimes.
    """
    starts, stops = _Photons(channels[0]), _Photons(channels[1])
    same = channels[0] == channels[1]
    for part in _iterate_slices(source, keep):
        times = clock.read(part.stream)
        for photons in (starts, stops):
            photons.add(part, times, with_delays)
        new = starts.n_new + stops.n_new
        if new < max(SMALLEST_BATCH, starts.n_held + stops.n_held):
            continue
        horizon = int(times[-1]) - clock.disorder
        starts.merge()
        stops.merge()
        complete = int(np.searchsorted(starts.times, horizon - after))
        if complete:
            yield _make_window(starts, stops, complete, same)
        starts.drop(complete)
        first = min(int(starts.times[0]), horizon) if len(starts.times) else horizon
        stops.drop(int(np.searchsorted(stops.times, first - before)))
    starts.merge()
    stops.merge()
    if len(starts.times):
        yield _make_window(starts, stops, len(starts.times), same)


@dataclass(frozen=True)
class _Slice:
    stream: PhotonStream
    kept: NDArray[np.bool_] | None


def _iterate_slices(source: PhotonSource, keep: Keep | None) -> Iterator[_Slice]:
    for chunk in source.iterate_chunks():
        for begin in range(0, len(chunk), SLICE_PHOTONS):
            part = chunk
            if len(chunk) > SLICE_PHOTONS:
                taken = slice(begin, begin + SLICE_PHOTONS)
                delays = chunk.microtimes
                part = replace(
                    chunk,
                    macrotimes=chunk.macrotimes[taken],
                    channels=chunk.channels[taken],
                    microtimes=None if delays is None else delays[taken],
                )
            yield _Slice(part, None if keep is None else keep(part))


class _Photons:
    """Photons of one channel: those held, in order, and those that came since."""

    def __init__(self, channel: int) -> None:
        self.channel = channel
        self.times = np.empty(0, np.int64)
        self.delays: NDArray[np.unsignedinteger[Any]] = np.empty(0, np.uint16)
        self._new_times: list[NDArray[np.int64]] = []
        self._new_delays: list[NDArray[np.unsignedinteger[Any]]] = []
        self.n_new = 0

    @property
    def n_held(self) -> int:
        return len(self.times)

    def add(self, part: _Slice, times: NDArray[np.int64], with_delays: bool) -> None:
        if part.kept is None and not with_delays:
            self._new_times.append(_pick(times, part.stream.channels, self.channel))
        else:
            mine = part.stream.channels == self.channel
            if part.kept is not None:
                mine &= part.kept
            self._new_times.append(times[mine])
            if with_delays and part.stream.microtimes is not None:
                self._new_delays.append(part.stream.microtimes[mine])
        self.n_new += len(self._new_times[-1])

    def merge(self) -> None:
        if not self._new_times:
            return
        times = np.concatenate([self.times, *self._new_times])
        delays = self.delays
        if self._new_delays:
            kept = [self.delays] if len(self.delays) else []
            delays = np.concatenate([*kept, *self._new_delays])
        if np.any(times[1:] < times[:-1]):
            order = np.argsort(times, kind="stable")
            times = times[order]
            delays = delays[order] if len(delays) else delays
        self.times, self.delays = times, delays
        self._new_times, self._new_delays, self.n_new = [], [], 0

    def drop(self, n: int) -> None:
        # Copies, so that the dropped photons do not stay in memory behind a view.
        self.times = self.times[n:].copy()
        self.delays = self.delays[n:].copy()


def _make_window(starts: _Photons, stops: _Photons, n: int, same: bool) -> PairWindow:
    own = int(np.searchsorted(stops.times, starts.times[0])) if same else -1
    return PairWindow(starts.times[:n], stops.times, starts.delays[:n], stops.delays, own)


@njit(cache=True, nogil=True)
def _pick(times, channels, channel):  # type: ignore[no-untyped-def]
    """Pick the times of one channel, without a branch for each photon."""
    picked = np.empty(len(times) + 1, np.int64)
    n = 0
    for i in range(len(times)):
        picked[n] = times[i]
        n += channels[i] == channel
    return picked[:n].copy()
