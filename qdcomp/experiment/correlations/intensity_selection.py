"""Photons of some intensities: those of time bins with so many counts.

Choosing bins by their counts does not bias a ratio of coincidences at lags far below a bin: the
pairs of one pulse and of different ones are chosen alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import InputError
from qdcomp.experiment.blinking.blinking import BlinkingStates
from qdcomp.experiment.decays.intensity_windows import choose_intensity_windows
from qdcomp.experiment.intensity_trace import BlinkingTrace
from qdcomp.experiment.photon_stream import PhotonStream
from qdcomp.experiment.time_bins import find_time_bins

IntensityChoice = Literal["on", "grey"] | tuple[float, float]
"""ON time, grey time, or a window of counts per time bin, from and below."""


@dataclass(frozen=True)
class IntensitySelection:
    """Time bins that were chosen by their counts.

    Attributes
    ----------
    name
        What was chosen, in words.
    bins
        Whether each time bin was, shape ``(n_bins,)``; time beyond them was not.
    bin_s
        Width of a bin [s].
    photons
        Their photons.
    """

    name: str
    bins: NDArray[np.bool_]
    bin_s: float
    photons: int

    @property
    def selected_s(self) -> float:
        """Time that was chosen [s]."""
        return float(np.count_nonzero(self.bins)) * self.bin_s

    @property
    def time_share(self) -> float:
        """Share of the time bins that were chosen."""
        return float(np.mean(self.bins))

    def keep(self, chunk: PhotonStream) -> NDArray[np.bool_]:
        """Tell which photons of a chunk came in a chosen bin, shape ``(n_photons,)``."""
        bins = np.minimum(find_time_bins(chunk, self.bin_s), len(self.bins))
        return np.asarray(np.append(self.bins, False)[bins], np.bool_)

    def list_left_out(self, duration_s: float) -> tuple[tuple[float, float], ...]:
        """List the stretches that were not chosen, (from, to) [s]."""
        outside = np.concatenate([[False], ~self.bins, [False]])
        borders = np.flatnonzero(outside[1:] != outside[:-1]).reshape(-1, 2) * self.bin_s
        left_out = [(float(low), float(high)) for low, high in borders]
        end = len(self.bins) * self.bin_s
        if duration_s > end * (1.0 + 1e-9):
            left_out.append((end, duration_s))
        return tuple(left_out)


def select_intensities(
    trace: BlinkingTrace, choice: IntensityChoice, states: BlinkingStates | None = None
) -> IntensitySelection:
    """Choose time bins by their counts.

    Parameters
    ----------
    trace
        Blinking trace.
    choice
        ``on``, bins of the ON state; ``grey``, between 20 and 50 % of the brightest level; or
        counts per bin, from and below.
    states
        ON and OFF; needed for ``on``.

    Raises
    ------
    InputError
        If no bin has such counts, the window does not rise, or ON time is not known.
    """
    counts = trace.counts
    if choice == "on":
        if states is None:
            raise InputError("ON and OFF were not told apart, so there is no ON time to choose")
        name, bins = "ON time", states.on
    elif choice == "grey":
        grey = next(w for w in choose_intensity_windows(counts) if w.name == "grey")
        name, bins = "grey time", (counts >= grey.lowest) & (counts < grey.below)
    else:
        low, high = choice
        if not 0.0 <= low < high:
            raise InputError(f"counts from {low:g} to below {high:g} are no window")
        name = f"time of {low:g} to below {high:g} counts per bin"
        bins = (counts >= low) & (counts < high)
    if not bins.any():
        raise InputError(f"no time bin is {name}; the bins have up to {counts.max()} counts")
    return IntensitySelection(name, bins, trace.bin_s, int(counts[bins].sum()))
