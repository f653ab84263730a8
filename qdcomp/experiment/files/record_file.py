"""Files of PicoQuant records behind any header, read piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from qdcomp.experiment.files.file_source import FileDescription, FileSource, open_source
from qdcomp.experiment.files.stream_checks import (
    StreamTally,
    check_ticks,
    count_microtime_bins,
    count_records,
    rescale_ticks,
)
from qdcomp.experiment.files.tttr import SYNC_CHANNEL, PhotonChunk, RecordLayout, decode_records
from qdcomp.experiment.photon_stream import Markers

RECORD_TYPE = np.dtype("<u4")


@dataclass(frozen=True)
class RecordBlock:
    """Where the records of a file lie, and what they are.

    Attributes
    ----------
    offset
        First byte of the records.
    records
        Their number, as the header claims it.
    layout
        How to read them.
    """

    offset: int
    records: int
    layout: RecordLayout


def open_record_file(
    description: FileDescription, block: RecordBlock, chunk_photons: int
) -> FileSource:
    """Open a file of pulses or ticks counted by the device.

    Raises
    ------
    ParseError
        If the header has impossible resolutions or does not describe the records.
    """
    path, mode = description.path, block.layout.mode
    resolution_ns = description.microtime_resolution_ns
    tick_s = resolution_ns * 1e-9 if mode == "T3" and resolution_ns is not None else None
    check_ticks(path, mode, description.macrotime_resolution_s, tick_s)
    records, warnings = count_records(path, block.records, path.stat().st_size - block.offset)
    bins = None
    if tick_s is not None:
        bins = count_microtime_bins(
            description.macrotime_resolution_s, tick_s, block.layout.microtime_ticks
        )
    described = replace(
        description,
        mode=mode,
        microtime_resolution_ns=resolution_ns if tick_s is not None else None,
        microtime_bins=bins,
        warnings=(*description.warnings, *warnings),
    )
    whole = replace(block, records=records)
    source = open_source(described, partial(_read, described, whole, chunk_photons))
    return _name_sync_events(source)


def open_clocked_file(
    description: FileDescription, block: RecordBlock, chunk_photons: int, clock_s: float
) -> FileSource:
    """Open a file whose photons carry the time of a clock beside the laser's pulses.

    So does the TimeHarp 200: photons are tagged by a clock of its own (`clock_s`), and their delay
    is measured backwards, from the photon to the next pulse, behind a cable of unknown length.
    Macrotimes become the number of sync periods that fit the clock's time, and microtimes the
    delay counted forwards, folded into one sync period.

    Raises
    ------
    ParseError
        As ``open_record_file``, and if the clock makes no sense.
    """
    path, period_s = description.path, description.macrotime_resolution_s
    tick_s = (description.microtime_resolution_ns or 0.0) * 1e-9
    check_ticks(path, "T3", period_s, tick_s)
    check_ticks(path, "T2", clock_s, None)
    records, warnings = count_records(path, block.records, path.stat().st_size - block.offset)
    folded = round(period_s / tick_s)
    described = replace(
        description,
        microtime_bins=count_microtime_bins(period_s, tick_s, block.layout.microtime_ticks),
        metadata={**description.metadata, "macrotimes_count_pulses": False},
        warnings=(
            *description.warnings,
            *warnings,
            f"photons are tagged by a clock of {clock_s * 1e9:g} ns, not by counting pulses: pulse "
            "numbers are the clock's times over the sync period, good to "
            f"{max(clock_s, period_s) * 1e9:.3g} ns, and g2 from pulse lags is not meaningful",
            "delays are measured backwards from the next pulse; they are turned round and their "
            "zero is arbitrary",
        ),
    )
    whole = replace(block, records=records)

    def read(tally: StreamTally) -> Iterator[PhotonChunk]:
        unscaled = StreamTally(counts=tally.counts)
        for chunk in _read_block(described, whole, chunk_photons, 1 << 16, unscaled):
            yield _count_periods(chunk, clock_s / period_s, block.layout.microtime_ticks, folded)
        tally.end = round(unscaled.end * clock_s / period_s)
        tally.records, tally.unknown = unscaled.records, unscaled.unknown
        tally.backward, tally.beyond = unscaled.backward, unscaled.beyond

    return open_source(described, read)


def _read(
    description: FileDescription, block: RecordBlock, chunk_photons: int, tally: StreamTally
) -> Iterator[PhotonChunk]:
    bins = description.microtime_bins or 0
    return _read_block(description, block, chunk_photons, bins, tally)


def _read_block(
    description: FileDescription,
    block: RecordBlock,
    chunk_photons: int,
    bins: int,
    tally: StreamTally,
) -> Iterator[PhotonChunk]:
    left = block.records
    with description.path.open("rb") as file:
        file.seek(block.offset)
        while left:
            records = np.fromfile(file, RECORD_TYPE, min(left, chunk_photons))
            if not len(records):
                return
            left -= len(records)
            yield decode_records(records, block.layout, bins, tally)


def _count_periods(
    chunk: PhotonChunk, periods_per_tick: float, ticks: int, folded: int
) -> PhotonChunk:
    delays = chunk.microtimes
    assert delays is not None
    forwards = (ticks - 1 - delays.astype(np.int64)) % folded
    return PhotonChunk(
        rescale_ticks(chunk.macrotimes, periods_per_tick),
        chunk.channels,
        forwards.astype(np.uint16),
        Markers(rescale_ticks(chunk.markers.macrotimes, periods_per_tick), chunk.markers.bits),
    )


def _name_sync_events(source: FileSource) -> FileSource:
    events = source.header.photons_per_channel.get(SYNC_CHANNEL)
    if source.header.mode == "T3" or not events:
        return source
    warning = (
        f"the sync input has {events} events, on channel {SYNC_CHANNEL}: photons if a detector was "
        "connected to it; leave the channel out if it was the laser"
    )
    header = replace(source.header, warnings=(*source.header.warnings, warning))
    return replace(source, header=header)
