"""Photons that stay in their file until they are asked for.

Opening reads the file once, chunk by chunk, to count its photons and to check its header. Every
later pass reads it again, so the memory that a file of any length takes is that of one chunk; but
the first pass over a file that can be held is given what opening read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qdcomp.experiment.files.stream_checks import (
    StreamTally,
    check_photons,
    choose_microtime_type,
)
from qdcomp.experiment.files.tttr import PhotonChunk
from qdcomp.experiment.photon_stream import (
    HELD_PHOTONS,
    Markers,
    Mode,
    PhotonSource,
    PhotonStream,
    StreamHeader,
)

_LARGEST_HELD_BYTES = 16 * HELD_PHOTONS
"""A larger file has more photons than can be held, or is text."""

ChunkReader = Callable[[StreamTally], Iterator[PhotonChunk]]
"""Reads a file from its start, brings the tally up to date and leaves impossible photons out."""


@dataclass(frozen=True)
class FileDescription:
    """What a file's header says.

    Attributes
    ----------
    path
        The file.
    mode, instrument, metadata, warnings, microtime_resolution_ns, microtime_bins
        As in ``StreamHeader``.
    macrotime_resolution_s
        One tick of the macrotimes [s], as in ``StreamHeader``.
    duration_s
        Length of the acquisition where the file tells it for certain [s].
    stop_after_s
        Length of the acquisition to compare the records with [s].
    """

    path: Path
    mode: Mode
    macrotime_resolution_s: float
    microtime_resolution_ns: float | None = None
    microtime_bins: int | None = None
    duration_s: float | None = None
    stop_after_s: float | None = None
    instrument: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class FileSource:
    """Photons of a file.

    Attributes
    ----------
    header
        What is known without the photons.
    read_chunks
        Reads the file from its start.
    opened_with
        Chunks that opening read, until the first pass takes them; empty where they are too many.
    """

    header: StreamHeader
    read_chunks: ChunkReader
    opened_with: list[PhotonChunk] = field(default_factory=list, repr=False, compare=False)

    def iterate_chunks(self) -> Iterator[PhotonStream]:
        """Yield all photons in order, some at a time, from the start at every call."""
        known = self.opened_with.copy()
        self.opened_with.clear()
        for chunk in known or self.read_chunks(StreamTally()):
            if len(chunk.macrotimes) or len(chunk.markers.macrotimes):
                yield PhotonStream(
                    self.header, chunk.macrotimes, chunk.channels, chunk.microtimes, chunk.markers
                )


def open_source(description: FileDescription, read_chunks: ChunkReader) -> FileSource:
    """Read a file once to count and check its photons.

    Raises
    ------
    ParseError
        If it has no photon, or the records are not what the header says.
    """
    tally = StreamTally()
    read = _keep_if_few(read_chunks(tally), description.path.stat().st_size)
    resolution_s = description.macrotime_resolution_s
    warnings = check_photons(
        description.path, tally, description.mode, resolution_s, description.stop_after_s
    )
    header = StreamHeader(
        mode=description.mode,
        macrotime_resolution_s=resolution_s,
        duration_s=max(tally.end * resolution_s, description.duration_s or 0.0),
        photons_per_channel=MappingProxyType(
            {int(n): int(tally.counts[n]) for n in np.flatnonzero(tally.counts)}
        ),
        microtime_resolution_ns=description.microtime_resolution_ns,
        microtime_bins=description.microtime_bins,
        instrument=description.instrument,
        source=description.path.name,
        metadata=MappingProxyType(dict(description.metadata)),
        warnings=(*description.warnings, *warnings),
    )
    return FileSource(header, read_chunks, read)


def _keep_if_few(chunks: Iterator[PhotonChunk], file_bytes: int) -> list[PhotonChunk]:
    """Read all chunks; those of a file that can be held, else none."""
    kept: list[PhotonChunk] = []
    photons = 0
    for chunk in chunks:
        photons += len(chunk.macrotimes)
        if photons <= HELD_PHOTONS and file_bytes <= _LARGEST_HELD_BYTES:
            kept.append(chunk)
        else:
            kept.clear()
    return kept


def collect_photons(source: PhotonSource) -> PhotonStream:
    """All photons of `source` in memory."""
    header = source.header
    macrotimes = np.empty(header.photons, np.int64)
    channels = np.empty(header.photons, np.uint8)
    microtimes: NDArray[np.unsignedinteger[Any]] | None = None
    if header.microtime_bins is not None:
        microtimes = np.empty(header.photons, choose_microtime_type(header.microtime_bins))
    marker_times, marker_bits = [np.empty(0, np.int64)], [np.empty(0, np.uint8)]
    start = 0
    for chunk in source.iterate_chunks():
        stop = start + len(chunk)
        macrotimes[start:stop] = chunk.macrotimes
        channels[start:stop] = chunk.channels
        if microtimes is not None and chunk.microtimes is not None:
            microtimes[start:stop] = chunk.microtimes
        marker_times.append(chunk.markers.macrotimes)
        marker_bits.append(chunk.markers.bits)
        start = stop
    markers = Markers(np.concatenate(marker_times), np.concatenate(marker_bits))
    return PhotonStream(header, macrotimes, channels, microtimes, markers)
