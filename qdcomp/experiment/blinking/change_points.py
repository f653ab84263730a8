"""Change points of the emission rate, photon by photon, without time bins.

A jump of the rate is where two rates explain the arrival times better than one by more than
chance (Watkins and Yang, J. Phys. Chem. B 109, 617 (2005)). Their windows of 1000 photons hide
what is much shorter, and cannot see what is weak and long; here windows of several lengths are
searched from the shortest, with critical values that follow from the length
(`change_point_scan`).

The search goes over blocks of 131 072 photons that are counted from the start of the measurement
and overlap by a quarter; of each, the middle counts. What is found therefore does not depend on
the chunks in which photons arrive, and the memory does not grow with the measurement but for
the change points themselves. A jump so weak that it shows only over more photons than a block
(3 % of the rate and less) is not found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import InputError
from qdcomp.experiment.blinking.change_point_scan import (
    BLOCK_PHOTONS,
    WINDOWS,
    find_critical_values,
    prune_borders,
    scan_block,
)
from qdcomp.experiment.photon_stream import PhotonSource, require_channels, select_channels

CONFIDENCE = 0.99

_MARGIN = BLOCK_PHOTONS // 8


@dataclass(frozen=True)
class ChangePoints:
    """Stretches of constant rate.

    Attributes
    ----------
    times_s
        Jumps [s], shape ``(n_jumps,)``.
    durations_s
        Lengths of the stretches between them [s], shape ``(n_jumps + 1,)``.
    photons
        Photons in each stretch, int64 with shape ``(n_jumps + 1,)``; the one at a jump goes to the
        brighter side.
    confidence
        Chance that 100 000 photons of steady light hold no jump.
    time_errors_s
        Errors of the jumps [s], shape ``(n_jumps,)``: the root mean square distance under the
        likelihood; None where nobody worked them out.
    """

    times_s: NDArray[np.float64]
    durations_s: NDArray[np.float64]
    photons: NDArray[np.int64]
    confidence: float
    time_errors_s: NDArray[np.float64] | None = None

    @property
    def rates_per_s(self) -> NDArray[np.float64]:
        """Photons per second in each stretch, shape ``(n_jumps + 1,)``."""
        rates: NDArray[np.float64] = self.photons / self.durations_s
        return rates

    @property
    def rate_errors_per_s(self) -> NDArray[np.float64]:
        """Counting errors [1/s], shape ``(n_jumps + 1,)``; no photon counts as one."""
        errors: NDArray[np.float64] = np.sqrt(np.maximum(self.photons, 1)) / self.durations_s
        return errors


def find_change_points(
    source: PhotonSource,
    confidence: float = CONFIDENCE,
    channels: Sequence[int] | None = None,
) -> ChangePoints:
    """Find the jumps of the emission rate.

    Photons come at their macrotimes: in mode T3 the delay after the pulse is left out.

    Parameters
    ----------
    source
        Photons.
    confidence
        Chance that 100 000 photons of steady light hold no jump.
    channels
        Detector channels to use together; all if absent.

    Raises
    ------
    InputError
        If the confidence is not between 0.5 and 1, there is no photon, or a channel has none.
    """
    if not 0.5 <= confidence < 1.0:
        raise InputError(f"a confidence of {confidence}; expected one from 0.5 to below 1")
    wanted = require_channels(source.header, channels)
    if source.header.photons == 0:
        raise InputError("there is no photon, so no rate that could change")
    table = find_critical_values(confidence)
    windows = np.array(WINDOWS)
    parts = [(np.zeros(1, np.int64), np.zeros(1, np.int64), np.zeros(1))]
    seen = 0
    for block, keep_from, keep_to in _cut_blocks(source, None if channels is None else wanted):
        photons, block_spreads = scan_block(block, windows, table)
        chosen = (photons >= keep_from) & (photons < keep_to)
        kept = photons[chosen]
        parts.append((kept + seen, block[kept], block_spreads[chosen]))
        seen += len(block) - 2 * _MARGIN
        last, end = seen + 2 * _MARGIN - 1, int(block[-1])
    parts.append((np.array([last]), np.array([end]), np.zeros(1)))
    index, ticks, spreads = (np.concatenate(column) for column in zip(*parts, strict=True))
    return _assemble(index, ticks, spreads, table, source.header.macrotime_resolution_s, confidence)


def _cut_blocks(
    source: PhotonSource, channels: tuple[int, ...] | None
) -> Iterator[tuple[NDArray[np.int64], int, int]]:
    """Blocks of arrival times [ticks], and which photons of each count.

    The start and the end of the measurement stand in for a first and a last photon.
    """
    waiting = [np.zeros(1, np.int64)]
    keep_from = 1
    for chunk in source.iterate_chunks():
        kept = chunk if channels is None else select_channels(chunk, channels)
        waiting.append(kept.macrotimes)
        if sum(map(len, waiting)) <= BLOCK_PHOTONS:
            continue
        times = np.concatenate(waiting)
        while len(times) > BLOCK_PHOTONS:
            yield times[:BLOCK_PHOTONS], keep_from, BLOCK_PHOTONS - _MARGIN
            times = times[BLOCK_PHOTONS - 2 * _MARGIN :]
            keep_from = _MARGIN
        waiting = [times]
    times = np.concatenate(waiting)
    header = source.header
    end = max(round(header.duration_s / header.macrotime_resolution_s), int(times[-1]) + 1)
    yield np.append(times, end), keep_from, len(times)


def _assemble(
    index: NDArray[np.int64],
    ticks: NDArray[np.int64],
    spreads: NDArray[np.float64],
    table: NDArray[np.float64],
    tick_s: float,
    confidence: float,
) -> ChangePoints:
    kept = prune_borders(index, ticks, table)
    index, ticks, spreads = index[kept], ticks[kept], spreads[kept]
    photons = np.diff(index) - 1
    durations = np.diff(ticks)
    rates = photons / durations
    # The photon at a change point belongs to one side: the likelihood puts it on the brighter.
    later_is_brighter = rates[1:] > rates[:-1]
    photons[1:] += later_is_brighter
    photons[:-1] += ~later_is_brighter
    times: NDArray[np.float64] = np.asarray(ticks * tick_s, np.float64)
    return ChangePoints(
        times_s=times[1:-1],
        durations_s=durations * tick_s,
        photons=photons,
        confidence=confidence,
        time_errors_s=spreads[1:-1] * tick_s,
    )
