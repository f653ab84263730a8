"""Time-tagged records of PicoQuant's devices: 32 bits for a photon, a marker or an overflow.

The bits, from the highest, as PicoQuant publishes them (PTU file format, appendix "TTTR Record
Format"; TimeHarp 200 manual, "TTTR mode"):

========================  ==========================================  =======================
layout                    bits                                        overflow every
========================  ==========================================  =======================
PicoHarp T2               channel 4, time 28                          210698240 ticks
PicoHarp T3               channel 4, delay 12, pulse 16               65536 pulses
HydraHarp T2              special 1, channel 6, time 25               33554432 (33552000 in V1)
HydraHarp T3              special 1, channel 6, delay 15, pulse 10    1024 pulses
TimeHarp 200 T3           reserved 1, valid 1, route 2, delay 12,     65536 ticks of its clock
                          time 16
========================  ==========================================  =======================

TimeHarp 260, MultiHarp and PicoHarp 330 write HydraHarp records, of which an overflow record stands
for as many overflows as its last field says; in HydraHarp V1 it stands for one. Channels count from
zero: the input of a PicoHarp T3 without a router is channel 0. Events of the sync input of a
HydraHarp in mode T2 go to channel 64.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from qdcomp.experiment.files.stream_checks import LATEST_TICK, StreamTally
from qdcomp.experiment.photon_stream import Markers, Mode

SYNC_CHANNEL = 64
"""Channel of a HydraHarp's sync input in mode T2, above the 64 inputs that a record can name."""

_PICOHARP_T2, _PICOHARP_T3, _HYDRAHARP1_T2, _HYDRAHARP1_T3 = 0, 1, 2, 3
_HYDRAHARP2_T2, _HYDRAHARP2_T3, _TIMEHARP200 = 4, 5, 6

_PHOTON, _OVERFLOW, _MARKER, _UNKNOWN = 0, 1, 2, 3

_PICOHARP_WRAP = 210698240
_HYDRAHARP1_WRAP = 33552000
_PICOHARP_INPUTS = 4


@dataclass(frozen=True)
class RecordLayout:
    """How a kind of record is read.

    Attributes
    ----------
    name
        Device and mode.
    mode
        ``T2`` or ``T3``.
    code
        Number of the layout in the decoder.
    microtime_ticks
        Ticks that a microtime can have; 0 in mode T2.
    """

    name: str
    mode: Mode
    code: int
    microtime_ticks: int = 0


PICOHARP_T2 = RecordLayout("PicoHarp T2", "T2", _PICOHARP_T2)
PICOHARP_T3 = RecordLayout("PicoHarp T3", "T3", _PICOHARP_T3, 4096)
HYDRAHARP1_T2 = RecordLayout("HydraHarp V1 T2", "T2", _HYDRAHARP1_T2)
HYDRAHARP1_T3 = RecordLayout("HydraHarp V1 T3", "T3", _HYDRAHARP1_T3, 32768)
HYDRAHARP2_T2 = RecordLayout("HydraHarp V2 T2", "T2", _HYDRAHARP2_T2)
HYDRAHARP2_T3 = RecordLayout("HydraHarp V2 T3", "T3", _HYDRAHARP2_T3, 32768)
TIMEHARP200_T3 = RecordLayout("TimeHarp 200 T3", "T3", _TIMEHARP200, 4096)


@dataclass(frozen=True)
class PhotonChunk:
    """Some photons of a file, without its header; arrays as in ``PhotonStream``."""

    macrotimes: NDArray[np.int64]
    channels: NDArray[np.uint8]
    microtimes: NDArray[np.unsignedinteger[Any]] | None
    markers: Markers


def decode_records(
    records: NDArray[np.uint32], layout: RecordLayout, bins: int, tally: StreamTally
) -> PhotonChunk:
    """Photons and markers of `records`, which follow those that `tally` has seen.

    Parameters
    ----------
    records
        As they lie in the file, shape ``(n_records,)``.
    layout
        How to read them.
    bins
        Microtimes from this one on are left out; not used in mode T2.
    tally
        Of the records before; brought up to date.
    """
    size = len(records)
    macrotimes, channels = np.empty(size, np.int64), np.empty(size, np.uint8)
    microtimes = np.empty(size if layout.mode == "T3" else 0, np.uint16)
    marker_times, marker_bits = np.empty(size, np.int64), np.empty(size, np.uint8)
    photons, markers, tally.offset, tally.latest, tally.end, unknown, backward, beyond = _decode(
        records,
        layout.code,
        layout.mode == "T3",
        bins,
        (tally.offset, tally.latest, tally.end),
        tally.counts,
        macrotimes,
        channels,
        microtimes,
        marker_times,
        marker_bits,
    )
    tally.records += size
    tally.unknown += unknown
    tally.backward += backward
    tally.beyond += beyond
    return PhotonChunk(
        macrotimes[:photons],
        channels[:photons],
        microtimes[:photons] if layout.mode == "T3" else None,
        Markers(marker_times[:markers].copy(), marker_bits[:markers].copy()),
    )


@njit(cache=True, nogil=True)
def _decode(
    records: NDArray[np.uint32],
    layout: int,
    has_microtimes: bool,
    bins: int,
    state: tuple[int, int, int],
    counts: NDArray[np.int64],
    macrotimes: NDArray[np.int64],
    channels: NDArray[np.uint8],
    microtimes: NDArray[np.uint16],
    marker_times: NDArray[np.int64],
    marker_bits: NDArray[np.uint8],
) -> tuple[int, int, int, int, int, int, int, int]:
    offset, latest, end = state
    photons = markers = unknown = backward = beyond = 0
    for record in records:
        kind, tag, value, microtime = _split(np.int64(record), layout)
        if kind == _OVERFLOW:
            # Stays where it is once it is absurd, so that it cannot wrap around.
            offset = min(offset + value, LATEST_TICK)
            end = max(end, offset)
            continue
        time = offset + tag
        if kind == _MARKER:
            marker_times[markers] = time
            marker_bits[markers] = value
            markers += 1
            end = max(end, time + 1)
        elif kind == _UNKNOWN:
            unknown += 1
        elif has_microtimes and microtime >= bins:
            beyond += 1
        elif time < latest:
            backward += 1
        else:
            macrotimes[photons] = time
            channels[photons] = value
            if has_microtimes:
                microtimes[photons] = microtime
            counts[value] += 1
            photons += 1
            latest = time
            end = max(end, time + 1)
    return photons, markers, offset, latest, end, unknown, backward, beyond


@njit(cache=True, nogil=True)
def _split(record: int, layout: int) -> tuple[int, int, int, int]:
    """Kind, tag, channel (of a marker its bits, of an overflow its ticks) and microtime."""
    fields: tuple[int, int, int, int]
    if layout in (_HYDRAHARP2_T3, _HYDRAHARP1_T3):
        fields = _split_hydraharp_t3(record, layout == _HYDRAHARP1_T3)
    elif layout == _PICOHARP_T3:
        fields = _split_picoharp_t3(record)
    elif layout == _PICOHARP_T2:
        fields = _split_picoharp_t2(record)
    elif layout == _TIMEHARP200:
        fields = _split_timeharp200(record)
    else:
        fields = _split_hydraharp_t2(record, layout == _HYDRAHARP1_T2)
    return fields


@njit(cache=True, nogil=True)
def _split_hydraharp_t3(record: int, is_v1: bool) -> tuple[int, int, int, int]:
    pulse, delay = record & 0x3FF, (record >> 10) & 0x7FFF
    channel = (record >> 25) & 0x3F
    if record >> 31 == 0:
        return _PHOTON, pulse, channel, delay
    if channel == 63:
        # Early V2 firmware leaves the number of overflows zero where it means one.
        return _OVERFLOW, 0, 1024 * (1 if is_v1 or pulse == 0 else pulse), 0
    if 1 <= channel <= 15:
        return _MARKER, pulse, channel, 0
    return _UNKNOWN, pulse, 0, 0


@njit(cache=True, nogil=True)
def _split_hydraharp_t2(record: int, is_v1: bool) -> tuple[int, int, int, int]:
    time, channel = record & 0x1FFFFFF, (record >> 25) & 0x3F
    if record >> 31 == 0:
        return _PHOTON, time, channel, 0
    if channel == 63:
        if is_v1:
            return _OVERFLOW, 0, _HYDRAHARP1_WRAP, 0
        return _OVERFLOW, 0, 33554432 * max(time, 1), 0
    if channel == 0:
        return _PHOTON, time, SYNC_CHANNEL, 0
    if channel <= 15:
        return _MARKER, time, channel, 0
    return _UNKNOWN, time, 0, 0


@njit(cache=True, nogil=True)
def _split_picoharp_t3(record: int) -> tuple[int, int, int, int]:
    pulse, delay, channel = record & 0xFFFF, (record >> 16) & 0xFFF, record >> 28
    if 1 <= channel <= _PICOHARP_INPUTS:
        return _PHOTON, pulse, channel - 1, delay
    if channel != 15:
        return _UNKNOWN, pulse, 0, 0
    if delay == 0:
        return _OVERFLOW, 0, 65536, 0
    return _MARKER, pulse, delay & 0xF, 0


@njit(cache=True, nogil=True)
def _split_picoharp_t2(record: int) -> tuple[int, int, int, int]:
    time, channel = record & 0xFFFFFFF, record >> 28
    if channel <= _PICOHARP_INPUTS:
        return _PHOTON, time, channel, 0
    if channel != 15:
        return _UNKNOWN, time, 0, 0
    if time & 0xF == 0:
        return _OVERFLOW, 0, _PICOHARP_WRAP, 0
    # The four lowest bits name the markers instead of telling the time.
    return _MARKER, time & 0xFFFFFF0, time & 0xF, 0


@njit(cache=True, nogil=True)
def _split_timeharp200(record: int) -> tuple[int, int, int, int]:
    time, delay = record & 0xFFFF, (record >> 16) & 0xFFF
    if (record >> 30) & 1:
        return _PHOTON, time, (record >> 28) & 3, delay
    if delay & 0x800:
        return _OVERFLOW, 0, 65536, 0
    if delay & 0x7:
        return _MARKER, time, delay & 0x7, 0
    return _UNKNOWN, time, 0, 0
