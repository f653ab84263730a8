"""A stream of single photons: what a time tagger wrote, in ticks.

    arrival time = macrotime · macrotime resolution + microtime · microtime resolution

In mode T3 a macrotime counts the pulses (syncs) of the laser and a microtime is the delay of the
photon after its pulse. In mode T2 a macrotime is the arrival time itself and there are no
microtimes. Both stay integers until a result has to be in seconds: an acquisition of an hour at
4 ps has more digits than a double.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal, Protocol

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from qdcomp.errors import InputError

HELD_PHOTONS = 12_000_000
"""Photons of a file that are held rather than read again: 130 MB."""

PICOSECONDS = 1e12
"""1 s in ps."""

Mode = Literal["T2", "T3"]

_EMPTY: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class StreamHeader:
    """What is known of a stream without its photons.

    Attributes
    ----------
    mode
        ``T3`` where each photon has a pulse and a delay after it, ``T2`` where it has a time.
    macrotime_resolution_s
        One tick of the macrotimes [s]; in mode T3 the sync period.
    duration_s
        Time from the start of the acquisition to its last record [s].
    photons_per_channel
        Number of photons of every detector channel that saw one.
    microtime_resolution_ns
        One tick of the microtimes [ns]; None in mode T2.
    microtime_bins
        Number of microtime ticks in one sync period, the last one in part; None in mode T2.
    instrument
        Device and record type, as the file names them.
    source
        Name of the file, or what else the photons come from.
    metadata
        Everything else that the file says, by the file's own names.
    warnings
        What was assumed or looked wrong when the stream was read, one sentence each.
    """

    mode: Mode
    macrotime_resolution_s: float
    duration_s: float
    photons_per_channel: Mapping[int, int]
    microtime_resolution_ns: float | None = None
    microtime_bins: int | None = None
    instrument: str = ""
    source: str = ""
    metadata: Mapping[str, Any] = field(default_factory=lambda: _EMPTY)
    warnings: tuple[str, ...] = ()

    @property
    def photons(self) -> int:
        """Number of photons of all channels."""
        return sum(self.photons_per_channel.values())

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels that saw a photon, in order."""
        return tuple(sorted(self.photons_per_channel))

    @property
    def sync_period_ns(self) -> float | None:
        """Time between two pulses [ns]; None in mode T2."""
        return self.macrotime_resolution_s * 1e9 if self.mode == "T3" else None


@dataclass(frozen=True)
class Markers:
    """Marks that something else than a detector put into the stream.

    Attributes
    ----------
    macrotimes
        When [macrotime ticks], int64 with shape ``(n_markers,)``.
    bits
        Which inputs, as the file codes them, shape ``(n_markers,)``.
    """

    macrotimes: NDArray[np.int64]
    bits: NDArray[np.uint8]


NO_MARKERS = Markers(np.empty(0, np.int64), np.empty(0, np.uint8))


class PhotonSource(Protocol):
    """Photons that are in memory or come from a file piece by piece."""

    @property
    def header(self) -> StreamHeader:
        """What is known without the photons."""

    def iterate_chunks(self) -> Iterator[PhotonStream]:
        """All photons in order, some at a time, from the start at every call."""


@dataclass(frozen=True)
class PhotonStream:
    """Photons in the order of their arrival: a whole measurement, or one chunk of it.

    Attributes
    ----------
    header
        Of the whole measurement.
    macrotimes
        Ticks since the start of the acquisition, int64 with shape ``(n_photons,)``, never falling.
    channels
        Detector of each photon, counted from zero, uint8 with shape ``(n_photons,)``.
    microtimes
        Ticks after the pulse, uint16 or uint32 with shape ``(n_photons,)``; None in mode T2.
    markers
        Marks within the stream.
    """

    header: StreamHeader
    macrotimes: NDArray[np.int64]
    channels: NDArray[np.uint8]
    microtimes: NDArray[np.unsignedinteger[Any]] | None = None
    markers: Markers = NO_MARKERS

    def __len__(self) -> int:
        """Count the photons."""
        return len(self.macrotimes)

    def iterate_chunks(self) -> Iterator[PhotonStream]:
        """Yield the stream itself: it is in memory."""
        yield self


def make_photon_stream(
    macrotimes: ArrayLike,
    macrotime_resolution_s: float,
    *,
    channels: ArrayLike | None = None,
    microtimes: ArrayLike | None = None,
    microtime_resolution_ns: float | None = None,
    duration_s: float | None = None,
    source: str = "",
) -> PhotonStream:
    """Make a stream of arrays.

    Parameters
    ----------
    macrotimes
        Ticks, integers that never fall, shape ``(n_photons,)``.
    macrotime_resolution_s
        One tick [s]; with microtimes the sync period.
    channels
        Detector of each photon, 0–255, shape ``(n_photons,)``; all on channel 0 if absent.
    microtimes
        Ticks after the pulse, shape ``(n_photons,)``; makes the stream one of mode T3.
    microtime_resolution_ns
        One tick of the microtimes [ns].
    duration_s
        Length of the acquisition [s]; the end of the last photon's tick if absent.
    source
        What the photons come from.

    Raises
    ------
    InputError
        If the arrays differ in length, macrotimes are not integers, fall or are negative, a
        microtime lies beyond the sync period, or the duration ends before the last photon.
    """
    times = _require_integers("macrotimes", macrotimes).astype(np.int64)
    detectors = (
        np.zeros(len(times), np.uint8)
        if channels is None
        else _require_integers("channels", channels)
    )
    if not (np.isfinite(macrotime_resolution_s) and macrotime_resolution_s > 0.0):
        raise InputError(f"a macrotime tick of {macrotime_resolution_s} s is not a positive time")
    if len(detectors) != len(times):
        raise InputError(f"{len(times)} macrotimes but {len(detectors)} channels")
    if len(detectors) and not 0 <= detectors.min() <= detectors.max() <= 255:
        raise InputError("channels lie outside 0–255")
    if len(times) and (times[0] < 0 or np.any(np.diff(times) < 0)):
        raise InputError("macrotimes are negative or not in the order of arrival; sort them first")
    least = (int(times[-1]) + 1) * macrotime_resolution_s if len(times) else 0.0
    if duration_s is not None and duration_s < least - macrotime_resolution_s:
        raise InputError(f"a duration of {duration_s:g} s ends before the last photon, {least:g} s")
    names, counts = np.unique(detectors, return_counts=True)
    header = StreamHeader(
        mode="T2" if microtimes is None else "T3",
        macrotime_resolution_s=float(macrotime_resolution_s),
        duration_s=float(least if duration_s is None else duration_s),
        photons_per_channel={int(n): int(c) for n, c in zip(names, counts, strict=True)},
        source=source,
    )
    stream = PhotonStream(header, times, detectors.astype(np.uint8))
    if microtimes is None:
        return stream
    return _add_microtimes(
        stream, _require_integers("microtimes", microtimes), microtime_resolution_ns
    )


def _add_microtimes(
    stream: PhotonStream, microtimes: NDArray[Any], resolution_ns: float | None
) -> PhotonStream:
    if resolution_ns is None or not (np.isfinite(resolution_ns) and resolution_ns > 0.0):
        raise InputError("microtimes need a positive microtime_resolution_ns")
    if len(microtimes) != len(stream):
        raise InputError(f"{len(stream)} macrotimes but {len(microtimes)} microtimes")
    period_ns = stream.header.macrotime_resolution_s * 1e9
    bins = int(np.ceil(period_ns / resolution_ns - 1e-6))
    if len(microtimes) and not 0 <= microtimes.min() <= microtimes.max() < bins:
        raise InputError(
            f"microtimes reach {microtimes.max()} ticks of {resolution_ns:g} ns, beyond the sync "
            f"period of {period_ns:g} ns; are the macrotimes pulses, and the units right?"
        )
    header = replace(
        stream.header, microtime_resolution_ns=float(resolution_ns), microtime_bins=bins
    )
    kind = np.uint16 if bins <= np.iinfo(np.uint16).max + 1 else np.uint32
    return replace(stream, header=header, microtimes=microtimes.astype(kind))


@dataclass(frozen=True)
class HeldPhotons:
    """Photons of a file that were read once, in the pieces that they came in."""

    header: StreamHeader
    chunks: tuple[PhotonStream, ...]

    def iterate_chunks(self) -> Iterator[PhotonStream]:
        """All photons in order, a piece at a time."""
        return iter(self.chunks)


def hold_photons(source: PhotonSource) -> PhotonSource:
    """Give the same photons for reading several times.

    A source of up to `HELD_PHOTONS` is read once and held; a longer one is read anew each time.
    """
    if isinstance(source, PhotonStream | HeldPhotons) or source.header.photons > HELD_PHOTONS:
        return source
    return HeldPhotons(source.header, tuple(source.iterate_chunks()))


def compute_arrival_times(stream: PhotonStream) -> NDArray[np.int64]:
    """Arrival times from the start of the acquisition [ps], shape ``(n_photons,)``.

    In mode T3 the pulse's time and the delay after it, rounded together to 1 ps. Photons of one
    pulse on several channels may come out of order within the pulse.
    """
    tick_ps = stream.header.macrotime_resolution_s * PICOSECONDS
    whole = round(tick_ps)
    delays, delay_ps = np.empty(0, np.uint16), 0.0
    if stream.microtimes is not None and stream.header.microtime_resolution_ns is not None:
        delays, delay_ps = stream.microtimes, stream.header.microtime_resolution_ns * 1e3
    arrivals = np.empty(len(stream), np.int64)
    _fill_arrivals(stream.macrotimes, delays, whole, tick_ps - whole, delay_ps, arrivals)
    return arrivals


@njit(cache=True, nogil=True)
def _fill_arrivals(  # type: ignore[no-untyped-def]
    macrotimes, delays, whole_ps, rest_ps, delay_ps, arrivals
):
    """Whole picoseconds of a tick in integers, the rest of it and the delay rounded together."""
    for i in range(len(macrotimes)):
        late = macrotimes[i] * rest_ps
        if len(delays) > 0:
            late += delays[i] * delay_ps
        arrivals[i] = macrotimes[i] * whole_ps + np.int64(np.rint(late))


def select_channels(stream: PhotonStream, channels: tuple[int, ...]) -> PhotonStream:
    """Only the photons of `channels`; the header's counts follow where it knows them."""
    wanted = np.isin(stream.channels, channels)
    counts = {c: n for c, n in stream.header.photons_per_channel.items() if c in channels}
    return replace(
        stream,
        header=replace(stream.header, photons_per_channel=counts),
        macrotimes=stream.macrotimes[wanted],
        channels=stream.channels[wanted],
        microtimes=None if stream.microtimes is None else stream.microtimes[wanted],
    )


def _require_integers(name: str, values: ArrayLike) -> NDArray[Any]:
    array = np.asarray(values)
    if array.ndim != 1:
        raise InputError(f"{name} have shape {array.shape}; expected (n_photons,)")
    if array.size and not np.issubdtype(array.dtype, np.integer):
        raise InputError(f"{name} are {array.dtype}; expected integer ticks")
    return array.astype(np.int64) if not array.size else array


def require_channels(header: StreamHeader, channels: Sequence[int] | None) -> tuple[int, ...]:
    """Channels to use: those asked for, all if none were.

    Raises
    ------
    InputError
        If a channel that was asked for has no photon.
    """
    if channels is None:
        return header.channels
    missing = sorted(set(channels) - set(header.channels))
    if missing:
        raise InputError(f"no photon on channels {missing}; the stream has {list(header.channels)}")
    return tuple(channels)
