"""Decays and photon streams whose lifetimes are known, drawn photon by photon."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle

import numpy as np

from qdcomp.experiment.decays.decay import Decay, make_decay
from qdcomp.experiment.photon_stream import PhotonStream, make_photon_stream


def draw_decay(
    rng: np.random.Generator,
    parts: list[tuple[float, float]],
    *,
    background: float = 0.0,
    pulse_ns: float = 5.0,
    period_ns: float = 200.0,
    bin_ns: float = 0.064,
    sigma_ns: float = 0.0,
) -> Decay:
    """Photons of (mean number, lifetime in ns) over a flat background of a mean number."""
    delays = [rng.uniform(0.0, period_ns, rng.poisson(background))]
    for photons, lifetime in parts:
        n = rng.poisson(photons)
        delays.append(pulse_ns + rng.exponential(lifetime, n) + sigma_ns * rng.standard_normal(n))
    folded = np.concatenate(delays) % period_ns
    bins = int(np.ceil(period_ns / bin_ns - 1e-6))
    counts = np.bincount((folded / bin_ns).astype(int), minlength=bins)[:bins]
    return make_decay(counts, period_ns=period_ns, bin_ns=bin_ns)


def draw_stream(
    rng: np.random.Generator,
    levels: np.ndarray,
    rates_per_s: np.ndarray,
    lifetimes_ns: np.ndarray,
    *,
    background_per_s: float = 0.0,
    bin_s: float = 0.01,
    pulse_ns: float = 5.0,
    period_ns: float = 200.0,
    tick_ns: float = 0.064,
) -> PhotonStream:
    """Photons of a dot that is at one level in each time bin, with its rate and its lifetime."""
    edges = np.arange(len(levels)) * bin_s
    photons = rng.poisson(rates_per_s[levels] * bin_s)
    starts = np.repeat(edges, photons)
    delays = pulse_ns + rng.exponential(np.repeat(lifetimes_ns[levels], photons))
    dark = rng.poisson(background_per_s * bin_s * len(levels))
    starts = np.append(starts, rng.uniform(0.0, len(levels) * bin_s, dark) // bin_s * bin_s)
    delays = np.append(delays, rng.uniform(0.0, period_ns, dark))
    pulses = ((starts + rng.uniform(0.0, bin_s, len(starts))) / (period_ns * 1e-9)).astype(np.int64)
    pulses += (delays // period_ns).astype(np.int64)
    ticks = ((delays % period_ns) / tick_ns).astype(np.int64)
    order = np.lexsort((ticks, pulses))
    return make_photon_stream(
        pulses[order],
        period_ns * 1e-9,
        channels=rng.integers(0, 2, len(order)),
        microtimes=ticks[order],
        microtime_resolution_ns=tick_ns,
        duration_s=len(levels) * bin_s + 1e-6,
    )


class ChunkedStream:
    """A stream that comes in pieces of given lengths, over and over, as from a file."""

    def __init__(self, stream: PhotonStream, lengths: list[int]) -> None:
        self.header = stream.header
        self._stream = stream
        self._lengths = lengths

    def iterate_chunks(self) -> Iterator[PhotonStream]:
        stream, start = self._stream, 0
        for length in cycle(self._lengths):
            part = slice(start, start + length)
            yield replace(
                stream,
                macrotimes=stream.macrotimes[part],
                channels=stream.channels[part],
                microtimes=None if stream.microtimes is None else stream.microtimes[part],
            )
            start += length
            if start >= len(stream):
                return
