"""Lifetime traces of known points, without photons."""

import numpy as np

from qdcomp.experiment.decays.delay_gate import DelayGate
from qdcomp.experiment.decays.lifetime_trace import LifetimeTrace


def make_trace(counts, lifetimes_ns, errors_ns=None, *, bin_s=0.01, background_per_s=0.0):
    counts = np.asarray(counts, np.int64)
    lifetimes = np.asarray(lifetimes_ns, float)
    errors = lifetimes / np.sqrt(np.maximum(counts, 1)) if errors_ns is None else errors_ns
    return LifetimeTrace(
        bin_s=bin_s,
        counts=counts,
        gated_counts=counts,
        mean_arrivals_ns=lifetimes,
        lifetimes_ns=lifetimes,
        errors_ns=errors,
        known=np.isfinite(lifetimes),
        gate=DelayGate(5.0, 195.0, background_per_s),
        warnings=(),
    )
