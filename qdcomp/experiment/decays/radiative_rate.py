"""Radiative and nonradiative rates from lifetime and quantum yield."""

from __future__ import annotations

import math
from dataclasses import dataclass

from qdcomp.errors import InputError
from qdcomp.experiment.estimate import Estimate


@dataclass(frozen=True)
class RecombinationRates:
    """Rates of the two ways that an exciton has.

    Attributes
    ----------
    radiative_per_ns
        k_r = QY/τ [1/ns].
    nonradiative_per_ns
        k_nr = (1 − QY)/τ [1/ns].
    """

    radiative_per_ns: Estimate
    nonradiative_per_ns: Estimate

    @property
    def saturation_per_s(self) -> Estimate:
        """Photons that the dot can emit under continuous light, about k_r [1/s].

        Mi et al. (2025), Supplementary Note 8: I_sat ≈ k_r in first approximation.
        """
        rate = self.radiative_per_ns
        return Estimate(rate.value * 1e9, rate.error * 1e9)


def compute_recombination_rates(
    lifetime_ns: Estimate, quantum_yield: Estimate
) -> RecombinationRates:
    """Split the decay rate 1/τ by the quantum yield.

    Parameters
    ----------
    lifetime_ns
        τ [ns].
    quantum_yield
        QY, 0 to 1, of the dot itself and of the state that has this lifetime; for dots that do
        not blink the ON state's is often taken as 1.

    Returns
    -------
    RecombinationRates
        Rates with the errors of both, taken as independent.

    Raises
    ------
    InputError
        If the lifetime is not positive, the quantum yield lies outside 0–1, or an error is
        negative.
    """
    tau, share = lifetime_ns.value, quantum_yield.value
    if not (math.isfinite(tau) and tau > 0.0):
        raise InputError(f"a lifetime of {tau} ns is not a positive time")
    if not 0.0 <= share <= 1.0:
        raise InputError(f"a quantum yield of {share}; expected a number from 0 to 1")
    if lifetime_ns.error < 0.0 or quantum_yield.error < 0.0:
        raise InputError("errors are negative; give standard errors")
    relative = lifetime_ns.error / tau
    rates = [
        Estimate(part / tau, math.hypot(quantum_yield.error, part * relative) / tau)
        for part in (share, 1.0 - share)
    ]
    return RecombinationRates(rates[0], rates[1])
