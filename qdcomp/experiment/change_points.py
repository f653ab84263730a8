"""Change points: where the rate of photons jumps, from their arrival times without any bins.

For a stretch of N photons with a jump after the k-th, at the share V of its length, the likelihood
ratio of two rates against one is

    L = 2 [k ln(k / N V) + (N − k) ln((N − k) / N (1 − V))]

(Watkins and Yang, J. Phys. Chem. B 109, 617 (2005)). The largest √L of a stretch without a jump
lies above x with the chance

    p(x) = x e^(−x²/2) / √(2π) · [(1 − 1/x²) ln((1 − h)²/h²) + 4/x²],   h = (ln N)^(3/2) / N

(Gombay and Horváth, J. Multivar. Anal. 56, 120 (1996)), whose solution is the critical value. A
stretch is cut at its largest L while that is critical; then each cut is tested again between its
neighbours and dropped if it no longer is. The confidence is thus that of a whole stretch, however
long, where windows of 1000 photons would each bring its share of false jumps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import InputError
from qdcomp.experiment.change_point_search import BLOCK_PHOTONS, find_cuts, tabulate_critical_values
from qdcomp.experiment.decay import require_channels
from qdcomp.experiment.photon_stream import (
    PICOSECONDS,
    PhotonSource,
    compute_arrival_times,
    select_channels,
)

CONFIDENCE = 0.99


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
        Photons in each stretch, int64 with shape ``(n_jumps + 1,)``.
    confidence
        Chance that a stretch without a jump is left whole.
    """

    times_s: NDArray[np.float64]
    durations_s: NDArray[np.float64]
    photons: NDArray[np.int64]
    confidence: float

    @property
    def rates_per_s(self) -> NDArray[np.float64]:
        """Photons per second of each stretch, shape ``(n_jumps + 1,)``."""
        return np.asarray(self.photons / self.durations_s, np.float64)

    @property
    def rate_errors_per_s(self) -> NDArray[np.float64]:
        """Poisson errors of the rates [1/s], shape ``(n_jumps + 1,)``."""
        return np.asarray(np.sqrt(self.photons) / self.durations_s, np.float64)


def find_change_points(
    source: PhotonSource, confidence: float = CONFIDENCE, channels: Sequence[int] | None = None
) -> ChangePoints:
    """Find the jumps of the intensity.

    The photons are searched in blocks of `BLOCK_PHOTONS`, each of which begins at the last jump of
    the one before, so that the result does not depend on the chunks of the source.

    Parameters
    ----------
    source
        Photons.
    confidence
        Chance that a stretch without a jump is left whole.
    channels
        Detector channels, taken together; all if absent.

    Raises
    ------
    InputError
        If the confidence is not between 0.5 and 1, or there is no photon.
    """
    if not 0.5 <= confidence < 1.0:
        raise InputError(f"a confidence of {confidence}; expected 0.5 or more and less than 1")
    wanted = require_channels(source.header, channels)
    if source.header.photons == 0:
        raise InputError("there is no photon, so there are no change points")
    search = _BlockSearch(tabulate_critical_values(confidence))
    for chunk in source.iterate_chunks():
        kept = chunk if channels is None else select_channels(chunk, wanted)
        search.add(compute_arrival_times(kept))
    end_ps = round(source.header.duration_s * PICOSECONDS)
    return search.finish(end_ps, confidence)


class _BlockSearch:
    """Searches block after block and carries the last, open stretch over."""

    def __init__(self, critical: NDArray[np.float64]) -> None:
        self._critical = critical
        self._waiting = np.empty(0, np.int64)
        self._start_ps = 0
        self._open_photons = 0
        self._jumps: list[NDArray[np.int64]] = []
        self._photons: list[NDArray[np.int64]] = []

    def add(self, times_ps: NDArray[np.int64]) -> None:
        self._waiting = np.concatenate([self._waiting, np.sort(times_ps, kind="stable")])
        while len(self._waiting) > BLOCK_PHOTONS:
            self._search_block()

    def finish(self, end_ps: int, confidence: float) -> ChangePoints:
        n = len(self._waiting)
        end = max(end_ps, int(self._waiting[-1]) + 1 if n else 0)
        cuts = find_cuts(self._waiting, self._start_ps, end, self._critical)
        self._keep(cuts, np.concatenate([[0], cuts, [n]]))
        jumps = np.concatenate(self._jumps)
        borders = np.concatenate([[0], jumps, [end]]) / PICOSECONDS
        return ChangePoints(
            times_s=jumps / PICOSECONDS,
            durations_s=np.diff(borders),
            photons=np.concatenate(self._photons),
            confidence=confidence,
        )

    def _search_block(self) -> None:
        block = self._waiting[:BLOCK_PHOTONS]
        end = int(self._waiting[BLOCK_PHOTONS])
        cuts = find_cuts(block, self._start_ps, end, self._critical)
        if len(cuts):
            self._keep(cuts, np.concatenate([[0], cuts]))
            done, self._start_ps = int(cuts[-1]), int(self._jumps[-1][-1])
        else:
            # Half of a steady block goes: the other half is enough to see the next jump against.
            done = BLOCK_PHOTONS // 2
            self._open_photons += done
            self._start_ps = int(block[done - 1])
        self._waiting = self._waiting[done:]

    def _keep(self, cuts: NDArray[np.int64], borders: NDArray[np.int64]) -> None:
        """Keep jumps, halfway between the photons about them, and the stretches before them."""
        before, after = self._waiting[cuts - 1], self._waiting[cuts]
        photons = np.diff(borders).astype(np.int64)
        if len(photons):
            photons[0] += self._open_photons
            self._open_photons = 0
        self._jumps.append(before + (after - before) // 2)
        self._photons.append(photons)
