"""Photons that one state of a simulated dot gives: the cascade XX → X → ground.

Pulsed: a pulse makes N excitons, Poisson with mean ⟨N⟩. Two or more leave a biexciton (higher
ones decay to it within picoseconds, without light), which emits with yield η_XX and leaves the
exciton, which emits with yield η_X:

    ⟨n⟩ = P(N ≥ 1) η_X + P(N ≥ 2) η_XX,    ⟨n(n − 1)⟩ = 2 P(N ≥ 2) η_XX η_X

so that g2(0) = ⟨n(n − 1)⟩/⟨n⟩² → η_XX/η_X at low power (Nair et al., Nano Lett. 11, 1136 (2011)).

Continuous: ground, X and XX are a ladder that is climbed at the excitation rate; g2 follows from
its rate matrix. A photon is detected with probability ε, and the wait from one detected photon to
the next is a sum of three exponentials: undetected photons are never drawn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qdcomp.errors import InputError


@dataclass(frozen=True)
class EmissionState:
    """A state between which a dot blinks: bright, grey (a trion) or dark.

    Attributes
    ----------
    name
        ``bright``, ``grey``, ``dark`` or any other.
    lifetime_ns
        Lifetime of the exciton, or of the trion in a charged state [ns].
    quantum_yield
        Photons per decay of it, η_X.
    biexciton_lifetime_ns
        Lifetime of the biexciton [ns].
    biexciton_yield
        Photons per decay of the biexciton, η_XX.
    is_on
        True if the state counts as ON.
    """

    name: str
    lifetime_ns: float
    quantum_yield: float
    biexciton_lifetime_ns: float = 0.1
    biexciton_yield: float = 0.0
    is_on: bool = True

    def __post_init__(self) -> None:
        """Refuse what no state can have."""
        for what, time in (
            ("lifetime", self.lifetime_ns),
            ("biexciton lifetime", self.biexciton_lifetime_ns),
        ):
            if not (math.isfinite(time) and time > 0.0):
                raise InputError(f"the {what} of state {self.name!r} is {time} ns; must be > 0")
        for what, share in (
            ("quantum yield", self.quantum_yield),
            ("biexciton yield", self.biexciton_yield),
        ):
            if not 0.0 <= share <= 1.0:
                raise InputError(f"the {what} of state {self.name!r} is {share}; expected 0 to 1")


@dataclass(frozen=True)
class CwWaiting:
    """Wait from one detected photon to the next under continuous excitation.

        P(no photon until t | start) = Σ_k survival[start, k] · exp(−rates[k] t)

    Attributes
    ----------
    rates
        Rates of the three exponentials [1/ns], slowest first, shape ``(3,)``; zeros for a state
        that gives no photon.
    survival
        Their weights after an X photon, which leaves the ground state, and after an XX photon,
        which leaves X; shape ``(2, 3)``.
    biexciton
        Weights of the density of XX photons [1/ns], shape ``(2, 3)``.
    """

    rates: NDArray[np.float64]
    survival: NDArray[np.float64]
    biexciton: NDArray[np.float64]


def compute_pulse_outcomes(
    state: EmissionState, excitons_per_pulse: float, efficiency: float
) -> NDArray[np.float64]:
    """Chances of what is detected of one pulse, shape ``(4,)``.

    In order: the photon of a lone X; that of an X which XX left while XX's photon is not seen;
    that of XX alone; both. What is missing to 1 is no photon.
    """
    at_least_one = -math.expm1(-excitons_per_pulse)
    alone = excitons_per_pulse * math.exp(-excitons_per_pulse)
    two = max(at_least_one - alone, 0.0)
    exciton = efficiency * state.quantum_yield
    biexciton = efficiency * state.biexciton_yield
    return np.array(
        [
            alone * exciton,
            two * exciton * (1.0 - biexciton),
            two * biexciton * (1.0 - exciton),
            two * biexciton * exciton,
        ]
    )


def compute_pulse_moments(
    state: EmissionState, excitons_per_pulse: float, efficiency: float = 1.0
) -> tuple[float, float]:
    """Mean number of photons per pulse, ⟨n⟩, and of pairs of them, ⟨n(n − 1)⟩."""
    lone, after, before, both = compute_pulse_outcomes(state, excitons_per_pulse, efficiency)
    return float(lone + after + before + 2.0 * both), float(2.0 * both)


def compute_cw_moments(
    state: EmissionState, excitation_per_ns: float, efficiency: float = 1.0
) -> tuple[float, float]:
    """Photon rate I [1/ns] and rate of coincident pairs, I² g2(0) [1/ns²]."""
    occupation, emission = _cw_steady_state(state, excitation_per_ns)
    rate = efficiency * float(occupation @ emission)
    pairs = efficiency**2 * float(occupation[2] * emission[2] * emission[1])
    return rate, pairs


def compute_cw_g2(
    state: EmissionState, excitation_per_ns: float, delays_ns: ArrayLike
) -> NDArray[np.float64]:
    """g2 of the light of one state under continuous excitation.

    The ladder's intensity at τ after a photon over its mean; at low power
    1 − (1 − η_XX/η_X) exp(−(1/τ_X + k) |τ|), with k the excitation rate.

    Parameters
    ----------
    state
        The state; its yield must not be zero.
    excitation_per_ns
        Excitation rate k [1/ns].
    delays_ns
        Delays [ns], any shape; the sign does not matter.

    Raises
    ------
    InputError
        If the state gives no photon.
    """
    rates, weights = compute_cw_g2_modes(state, excitation_per_ns)
    delays = np.abs(np.asarray(delays_ns, dtype=np.float64))
    g2: NDArray[np.float64] = 1.0 + np.exp(-delays[..., None] * rates) @ weights
    return g2


def compute_cw_g2_modes(
    state: EmissionState, excitation_per_ns: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rates [1/ns] and weights of g2(τ) − 1 = Σ w exp(−r τ), each of shape ``(2,)``.

    Raises
    ------
    InputError
        If the state gives no photon.
    """
    occupation, emission = _cw_steady_state(state, excitation_per_ns)
    intensity = float(occupation @ emission)
    if intensity <= 0.0:
        raise InputError(f"state {state.name!r} gives no photons: there is no g2 of it")
    after = np.array([occupation[1] * emission[1], occupation[2] * emission[2], 0.0]) / intensity
    rates, vectors, inverse = _decompose(_ladder(state, excitation_per_ns, 0.0))
    weights = (after @ vectors) * (inverse @ emission) / intensity
    return rates[1:], weights[1:]


def compute_cw_waiting(
    state: EmissionState, excitation_per_ns: float, efficiency: float
) -> CwWaiting:
    """Distribution of the wait for the next detected photon."""
    # With every photon seen nothing leads down the ladder unseen, two of its rates may be equal,
    # and there is no third exponential; one photon in a million missed keeps them apart.
    efficiency = min(efficiency, 1.0 - 1e-6)
    exciton = efficiency * state.quantum_yield / state.lifetime_ns
    biexciton = efficiency * state.biexciton_yield / state.biexciton_lifetime_ns
    if exciton + biexciton <= 0.0:
        return CwWaiting(np.zeros(3), np.zeros((2, 3)), np.zeros((2, 3)))
    rates, vectors, inverse = _decompose(_ladder(state, excitation_per_ns, efficiency))
    return CwWaiting(
        rates=rates,
        survival=vectors[:2] * inverse.sum(axis=1),
        biexciton=vectors[:2] * inverse[:, 2] * biexciton,
    )


def _ladder(
    state: EmissionState, excitation_per_ns: float, efficiency: float
) -> NDArray[np.float64]:
    """Rate matrix of ground, X, XX between detected photons: rows lose what is detected."""
    exciton = 1.0 / state.lifetime_ns
    biexciton = 1.0 / state.biexciton_lifetime_ns
    up = excitation_per_ns
    return np.array(
        [
            [-up, up, 0.0],
            [exciton * (1.0 - efficiency * state.quantum_yield), -(exciton + up), up],
            [0.0, biexciton * (1.0 - efficiency * state.biexciton_yield), -biexciton],
        ]
    )


def _decompose(
    matrix: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Decay rates, slowest first, right eigenvectors and their inverse.

    A ladder's rates are real: its matrix is similar to a symmetric one.
    """
    values, vectors = np.linalg.eig(matrix)
    order = np.argsort(-values.real)
    right = np.ascontiguousarray(vectors.real[:, order])
    return -values.real[order], right, np.linalg.inv(right)


def _cw_steady_state(
    state: EmissionState, excitation_per_ns: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Occupation of ground, X and XX, and photons per time from each [1/ns]."""
    ratio = excitation_per_ns * state.lifetime_ns
    weights = np.array([1.0, ratio, ratio * excitation_per_ns * state.biexciton_lifetime_ns])
    emission = np.array(
        [
            0.0,
            state.quantum_yield / state.lifetime_ns,
            state.biexciton_yield / state.biexciton_lifetime_ns,
        ]
    )
    return weights / weights.sum(), emission
