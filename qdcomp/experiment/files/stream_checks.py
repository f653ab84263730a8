"""Checks of a file's header against its photons.

Photons that cannot be right are left out and counted: those that go back in time, those whose
microtime lies beyond the sync period, and records of no known kind. A few of them are damage and
become a warning; many of them mean that the header does not describe the records (T2 read as T3, a
wrong sync rate, wrong units), and the file is refused.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import ParseError
from qdcomp.experiment.photon_stream import Mode

CHANNELS = 256
"""Channels that a stream can hold."""

LATEST_TICK = 2**61
"""No macrotime is later: twice as much still fits 64 bits."""

TOLERATED_SHARE = 0.05
"""Above this share of impossible photons a header is taken to be wrong."""

LONGEST_S = 7 * 86400.0
"""A longer acquisition is taken for a damaged overflow record or a wrong unit [s]."""

MACROTIME_RANGE_S: dict[Mode, tuple[float, float]] = {"T2": (1e-14, 1.0), "T3": (1e-10, 1.0)}
"""Ticks of T2 clocks, and sync periods, of any instrument made [s]."""

MICROTIME_RANGE_S = (1e-14, 1e-3)
"""Microtime ticks of any instrument made [s]."""


@dataclass
class StreamTally:
    """What has been seen of a stream so far, carried from chunk to chunk.

    Attributes
    ----------
    offset
        Ticks of all overflows so far.
    latest
        Macrotime of the latest photon that was kept.
    end
        End of the latest record [ticks].
    records, unknown
        Records, and those of no known kind.
    backward, beyond
        Photons left out as they go back in time, or as their microtime is beyond the period.
    counts
        Photons kept, per channel, shape ``(256,)``.
    """

    offset: int = 0
    latest: int = 0
    end: int = 0
    records: int = 0
    unknown: int = 0
    backward: int = 0
    beyond: int = 0
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(CHANNELS, np.int64))

    @property
    def photons(self) -> int:
        """Photons kept."""
        return int(self.counts.sum())


def check_ticks(
    path: Path, mode: Mode, macrotime_resolution_s: float, microtime_resolution_s: float | None
) -> None:
    """Refuse resolutions that no instrument has.

    Raises
    ------
    ParseError
        If a resolution is not a number, or out of the range of any instrument, or a microtime tick
        is longer than the sync period.
    """
    name = "sync period" if mode == "T3" else "time tick"
    low, high = MACROTIME_RANGE_S[mode]
    if not low <= macrotime_resolution_s <= high:
        raise ParseError(
            f"its header gives a {name} of {macrotime_resolution_s:g} s, expected {low:g} to "
            f"{high:g} s; is it a {mode} file, and the sync rate in Hz?",
            path,
        )
    if microtime_resolution_s is None:
        return
    low, high = MICROTIME_RANGE_S
    if not low <= microtime_resolution_s <= min(high, macrotime_resolution_s):
        raise ParseError(
            f"its header gives a microtime tick of {microtime_resolution_s:g} s, expected {low:g} "
            f"to {high:g} s and not more than the sync period of {macrotime_resolution_s:g} s",
            path,
        )


def count_microtime_bins(period_s: float, tick_s: float, ticks: int) -> int:
    """Microtime ticks that begin within a sync period and that the device can tell apart."""
    return min(math.ceil(period_s / tick_s - 1e-6), ticks)


def rescale_ticks(macrotimes: NDArray[np.int64], factor: float) -> NDArray[np.int64]:
    """Macrotimes in a longer or shorter tick, rounded down; absurd ones stay within 64 bits."""
    scaled = np.floor(macrotimes * factor)
    ticks: NDArray[np.int64] = np.clip(scaled, -1.0, float(LATEST_TICK)).astype(np.int64)
    return ticks


def choose_microtime_type(bins: int) -> type[np.unsignedinteger[Any]]:
    """Return the smaller of 16 and 32 bits that holds microtimes below `bins`."""
    return np.uint16 if bins <= np.iinfo(np.uint16).max + 1 else np.uint32


def count_records(path: Path, claimed: int, available_bytes: int) -> tuple[int, tuple[str, ...]]:
    """Count the 4-byte records to read of those claimed, with what is missing or too many.

    A count of zero or less is what an acquisition leaves that was not closed: all records are read.

    Raises
    ------
    ParseError
        If there is no record at all.
    """
    available, rest = divmod(available_bytes, 4)
    if available == 0:
        raise ParseError(
            f"it has a header and no record (its header claims {claimed}); the acquisition was "
            "stopped before the first photon, or the copy of the file is not whole",
            path,
        )
    if claimed <= 0:
        return available, (
            f"the header does not say how many records there are; all {available} are read",
        )
    if claimed > available:
        partial = " and part of one more" if rest else ""
        return available, (
            f"the file is cut: {claimed - available} of {claimed} records are missing at its end; "
            f"it holds {available}{partial}",
        )
    surplus = available_bytes - 4 * claimed
    if surplus:
        return claimed, (f"{surplus} bytes after the last record are not read",)
    return claimed, ()


def check_sync_rate(period_s: float, sync_rate_hz: float | None) -> tuple[str, ...]:
    """Compare the sync period with the rate that was counted; one sentence if they disagree."""
    if not sync_rate_hz or abs(sync_rate_hz * period_s - 1.0) <= 0.01:
        return ()
    return (
        f"the header gives a sync period of {period_s * 1e9:.6g} ns and a sync rate of "
        f"{sync_rate_hz:g} Hz, which disagree; the period is used",
    )


def keep_possible_photons(
    macrotimes: NDArray[np.int64],
    channels: NDArray[np.uint8],
    microtimes: NDArray[np.integer[Any]] | None,
    bins: int,
    tally: StreamTally,
) -> NDArray[np.bool_]:
    """Mark photons that neither go back in time nor lie beyond the sync period.

    Parameters
    ----------
    macrotimes, channels, microtimes
        Of photons that follow those that `tally` has seen, each of shape ``(n_photons,)``.
    bins
        Microtimes from this one on are left out.
    tally
        Of the photons before; brought up to date.
    """
    tally.records += len(macrotimes)
    kept = np.ones(len(macrotimes), bool)
    if microtimes is not None:
        kept = (microtimes >= 0) & (microtimes < bins)
        tally.beyond += int(len(kept) - kept.sum())
    inside = macrotimes[kept]
    if not len(inside):
        return kept
    latest = np.maximum.accumulate(np.concatenate(([tally.latest], inside)))
    forward = inside >= latest[:-1]
    tally.backward += int(len(forward) - forward.sum())
    kept[np.flatnonzero(kept)[~forward]] = False
    tally.latest = int(latest[-1])
    if forward.any():
        tally.end = max(tally.end, min(tally.latest, LATEST_TICK) + 1)
    tally.counts += np.bincount(channels[kept], minlength=CHANNELS)
    return kept


def check_photons(
    path: Path, tally: StreamTally, mode: Mode, resolution_s: float, stop_after_s: float | None
) -> tuple[str, ...]:
    """Warnings of a whole stream that was read.

    Raises
    ------
    ParseError
        If there is no photon, or so many impossible ones that the header must be wrong.
    """
    seen = tally.photons + tally.backward + tally.beyond
    if seen == 0:
        raise ParseError(
            f"none of its {tally.records} records is a photon; was the detector on, and its "
            "channel enabled?",
            path,
        )
    other = "T3" if mode == "T2" else "T2"
    warnings = []
    for number, total, what, cause in (
        (
            tally.unknown,
            tally.records,
            "records are of no known kind",
            "the record type in the header is wrong, or the file is damaged",
        ),
        (
            tally.backward,
            seen,
            "photons are earlier than one before them",
            f"they are out of order, or not {mode} records ({other}?)",
        ),
        (
            tally.beyond,
            seen,
            f"photons have a microtime beyond the sync period of {resolution_s * 1e9:.6g} ns",
            "the sync rate or the microtime resolution given is wrong",
        ),
    ):
        if number > TOLERATED_SHARE * total:
            raise ParseError(
                f"{number} of {total} {what}: {cause}; export it anew from the instrument's "
                "software",
                path,
            )
        if number:
            warnings.append(f"{number} of {total} {what}; they are left out")
    duration_s = tally.end * resolution_s
    if duration_s > LONGEST_S or tally.end >= LATEST_TICK:
        raise ParseError(
            f"its records last {duration_s / 86400.0:.3g} days: an overflow record is damaged or a "
            "unit in the header is wrong",
            path,
        )
    return (*warnings, *_compare_durations(duration_s, stop_after_s))


def _compare_durations(duration_s: float, stop_after_s: float | None) -> tuple[str, ...]:
    if stop_after_s is None or stop_after_s <= 0.0:
        return ()
    if abs(duration_s - stop_after_s) <= max(0.01 * stop_after_s, 0.1):
        return ()
    return (
        f"the records last {duration_s:.4g} s but the header says {stop_after_s:.4g} s; the last "
        "records may be missing, or the sync rate may have changed",
    )
