"""Errors of quantities of a time series that remembers: a jackknife over stretches of time.

    σ² = (m − 1)/m Σ_b (θ_b − θ̄)²,

θ_b without stretch b of m (Künsch, Ann. Stat. 17, 1217 (1989)). It holds where a stretch is long
against the memory, and is widened by the Student factor of m − 1 degrees of freedom, so that 68 %
of such intervals hold the truth.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from qdcomp.experiment.estimate import Estimate

BLOCKS = 20
"""Stretches of time."""

ONE_SIGMA = 0.8413447460685429
"""Probability below one standard deviation of a Gaussian."""


def jackknife_blocks(
    n_bins: int, estimate: Callable[[NDArray[np.int64]], NDArray[np.float64]], blocks: int = BLOCKS
) -> tuple[Estimate, ...]:
    """Estimate quantities of a series and their standard errors.

    Parameters
    ----------
    n_bins
        Length of the series.
    estimate
        Gives the quantities, shape ``(n_quantities,)``, of the bins whose indices it gets.
    blocks
        Stretches; as many as bins where there are fewer.

    Returns
    -------
    tuple of Estimate
        One per quantity; the error is NaN where there are not two stretches, or a quantity cannot
        be had without one of them.
    """
    whole = estimate(np.arange(n_bins))
    parts = min(blocks, n_bins)
    if parts < 2:
        return tuple(Estimate(float(value), float("nan")) for value in whole)
    borders = np.linspace(0, n_bins, parts + 1).astype(np.int64)
    indices = np.arange(n_bins)
    without = np.array(
        [
            estimate(np.concatenate([indices[:low], indices[high:]]))
            for low, high in pairwise(borders)
        ]
    )
    spread = (without - without.mean(axis=0)) ** 2
    errors = np.sqrt((parts - 1) / parts * spread.sum(axis=0))
    errors *= float(stdtrit(parts - 1, ONE_SIGMA))
    return tuple(
        Estimate(float(value), float(error)) for value, error in zip(whole, errors, strict=True)
    )
