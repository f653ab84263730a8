"""Delays after the pulse that are looked at photon by photon.

Behind the rise a decay is exponential whatever the response, and the tails of earlier pulses are
exponential with it: a gate from there round the period to the next rise holds all that is simple.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import InputError
from qdcomp.experiment.decays.decay import Decay, require_microtimes
from qdcomp.experiment.decays.decay_start import find_rise, find_start
from qdcomp.experiment.decays.lifetime import fit_lifetime
from qdcomp.experiment.photon_stream import StreamHeader


@dataclass(frozen=True)
class DelayGate:
    """Delays that are looked at, and the background within them.

    Attributes
    ----------
    start_ns
        Where the gate begins on the axis of the microtimes [ns].
    length_ns
        Its length [ns]; it runs round the end of the period.
    background_per_s
        Background within the gate [counts/s].
    warnings
        What was assumed, one sentence each.
    """

    start_ns: float
    length_ns: float
    background_per_s: float
    warnings: tuple[str, ...] = ()


def choose_gate(
    decay: Decay, *, start_ns: float | None = None, background_per_s: float | None = None
) -> DelayGate:
    """Gate from the start of a decay round the period to its next rise.

    Parameters
    ----------
    decay
        Decay of the whole measurement, with its duration.
    start_ns
        Start [ns]; found from the peak if absent.
    background_per_s
        Background over the whole period [counts/s]; that of the fit of the decay if absent.

    Raises
    ------
    InputError
        If the decay does not say its duration, or start or background make no sense.
    """
    notes = []
    duration = decay.duration_s
    if duration is None or duration <= 0.0:
        raise InputError("the decay has no duration; give one to know the background's rate")
    if start_ns is not None and not 0.0 <= start_ns < decay.period_ns:
        raise InputError(
            f"a start of {start_ns} ns lies outside the period of {decay.period_ns} ns"
        )
    start = find_start(decay) if start_ns is None else start_ns
    if start_ns is None:
        notes.append(f"delays count from {start:.4g} ns, found from the peak of the decay")
    length = decay.period_ns - find_rise(decay, start)
    if decay.recorded_ns != (float(decay.edges_ns[0]), float(decay.edges_ns[-1])):
        # Without the whole period the tail cannot run round into the next.
        length = min(length, decay.recorded_ns[1] - start)
    if background_per_s is None:
        fit = fit_lifetime(decay, "auto", start_ns=start)
        rate = fit.background_per_ns.value * decay.period_ns / duration
        notes.append(f"background of {rate:.4g} counts/s from the fit of the whole decay")
    else:
        rate = background_per_s
    if not (np.isfinite(rate) and rate >= 0.0):
        raise InputError(f"a background of {rate} counts/s is not a rate")
    return DelayGate(start, length, rate * length / decay.period_ns, tuple(notes))


def tabulate_gated_delays(header: StreamHeader, gate: DelayGate) -> NDArray[np.float64]:
    """Delay after the start of the gate of each microtime tick [ns]; −1 outside the gate.

    Raises
    ------
    InputError
        If the stream is of mode T2.
    """
    period, tick, ticks = require_microtimes(header)
    borders = np.minimum(np.arange(ticks + 1) * tick, period)
    delays = (0.5 * (borders[1:] + borders[:-1]) - gate.start_ns) % period
    return np.where(delays < gate.length_ns, delays, -1.0)
