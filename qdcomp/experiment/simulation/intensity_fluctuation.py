"""Fluctuating intensity of a simulated dot, drawn step by step."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from qdcomp.experiment.simulation.simulated_dot import (
    FLUCTUATION_LIMIT,
    STEPS_PER_CORRELATION_TIME,
    IntensityFluctuation,
)


class FluctuationSequence:
    """Levels 1 + σ x, constant over a step of τ_c/20, as far as they are asked for.

    x is autoregressive, x_{n+1} = ρ x_n + √(1 − ρ²) normal with ρ = exp(−1/20).

    Parameters
    ----------
    fluctuation
        What to draw; None for none.
    seed
        Of the random numbers.
    """

    def __init__(
        self, fluctuation: IntensityFluctuation | None, seed: np.random.SeedSequence
    ) -> None:
        self.step_ps = 1
        self.first = 0
        self.levels: NDArray[np.float64] = np.empty(0)
        self._fluctuation = fluctuation
        if fluctuation is None:
            return
        step_s = fluctuation.correlation_time_s / STEPS_PER_CORRELATION_TIME
        self.step_ps = max(round(step_s * 1e12), 1)
        self._memory = math.exp(-1.0 / STEPS_PER_CORRELATION_TIME)
        self._generator = np.random.default_rng(seed)
        self._values = self._generator.standard_normal(1)

    @property
    def ceiling(self) -> float:
        """Level that is never exceeded."""
        sd = 0.0 if self._fluctuation is None else self._fluctuation.relative_sd
        return 1.0 + FLUCTUATION_LIMIT * sd

    def advance(self, start_ps: int, until_ps: int) -> None:
        """Draw what is missing up to `until_ps`, and forget what lies before `start_ps`."""
        if self._fluctuation is None:
            return
        passed = start_ps // self.step_ps - self.first
        missing = until_ps // self.step_ps + 1 - self.first - len(self._values)
        if missing > 0:
            normals = self._generator.standard_normal(missing)
            drawn = _draw_autoregression(normals, self._values[-1], self._memory)
            self._values = np.concatenate((self._values, drawn))
        self._values = self._values[passed:]
        self.first += passed
        cut = np.clip(self._values, -FLUCTUATION_LIMIT, FLUCTUATION_LIMIT)
        self.levels = 1.0 + self._fluctuation.relative_sd * cut


@njit(cache=True)
def _draw_autoregression(normals, value, memory):  # type: ignore[no-untyped-def]
    values = np.empty_like(normals)
    noise = math.sqrt(1.0 - memory * memory)
    for i in range(len(normals)):
        value = memory * value + noise * normals[i]
        values[i] = value
    return values
