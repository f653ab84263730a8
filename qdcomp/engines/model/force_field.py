"""Rigid-ion force field: Coulomb and Buckingham terms between all pairs, no cell.

E = Σ_{i<j} q_i q_j e²/(4πε₀ r) + A exp(−r/ρ) − C/r⁶ (the rigid-ion form of the classical force
fields of lead halides; R. A. Buckingham, Proc. R. Soc. A 168, 264 (1938)).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdcomp.engines.model.kernels import compile_kernel
from qdcomp.engines.model.parameters import ModelParameters, check_elements, ordered_pair
from qdcomp.units import COULOMB_EV_ANGSTROM

NEGLIGIBLE_REPULSION_EV = 1e-13
"""Repulsion below which exp(−r/ρ) is not evaluated: below the rounding of a dot's energy."""


@dataclass(frozen=True)
class ForceField:
    """Force field of one list of atoms.

    Attributes
    ----------
    kinds
        Index of each atom's element, shape ``(n_atoms,)``.
    charges
        Charge of each atom [√(eV Å)], that is e times √(e²/4πε₀), shape ``(n_atoms,)``.
    a_ev, inverse_rho, c6, reach_squared
        Buckingham terms [eV], [1/Å], [eV Å⁶] and square of the distance beyond which the
        repulsion is negligible [Å²], each of shape ``(n_kinds, n_kinds)``.
    """

    kinds: NDArray[np.int64]
    charges: NDArray[np.float64]
    a_ev: NDArray[np.float64]
    inverse_rho: NDArray[np.float64]
    c6: NDArray[np.float64]
    reach_squared: NDArray[np.float64]


def build_force_field(symbols: Sequence[str], parameters: ModelParameters) -> ForceField:
    """Force field of the atoms with these chemical symbols.

    Raises
    ------
    InputError
        If an element has no parameters.
    """
    check_elements(parameters, symbols)
    names = sorted(set(symbols))
    size = len(names)
    a_ev, c6, reach_squared = np.zeros((3, size, size))
    inverse_rho = np.ones((size, size))
    for i, first in enumerate(names):
        for j, second in enumerate(names):
            pair = parameters.pairs.get(ordered_pair(first, second))
            if pair is not None:
                a_ev[i, j], inverse_rho[i, j], c6[i, j] = pair.a_ev, 1.0 / pair.rho, pair.c6
                reach = pair.rho * math.log(max(pair.a_ev, 1.0) / NEGLIGIBLE_REPULSION_EV)
                reach_squared[i, j] = reach**2
    unit = math.sqrt(COULOMB_EV_ANGSTROM)
    return ForceField(
        kinds=np.array([names.index(symbol) for symbol in symbols], dtype=np.int64),
        charges=np.array([parameters.elements[s].charge * unit for s in symbols]),
        a_ev=a_ev,
        inverse_rho=inverse_rho,
        c6=c6,
        reach_squared=reach_squared,
    )


@compile_kernel(fastmath={"reassoc", "contract", "arcp", "nsz"})
def _energy_and_forces(  # type: ignore[no-untyped-def]
    positions, kinds, charges, a_ev, inverse_rho, c6, reach_squared, forces
):  # pragma: no cover - compiled
    n_atoms = len(kinds)
    x = positions[:, 0].copy()
    y = positions[:, 1].copy()
    z = positions[:, 2].copy()
    fx = np.zeros(n_atoms)
    fy = np.zeros(n_atoms)
    fz = np.zeros(n_atoms)
    slope = np.empty(n_atoms)
    distance_squared = np.empty(n_atoms)
    energy = 0.0
    for i in range(n_atoms):
        ki = kinds[i]
        qi = charges[i]
        c6_i = c6[ki]
        reach_i = reach_squared[ki]
        # Long range, without branches, so that the compiler can vectorise it.
        for j in range(i + 1, n_atoms):
            dx = x[i] - x[j]
            dy = y[i] - y[j]
            dz = z[i] - z[j]
            r2 = dx * dx + dy * dy + dz * dz
            inverse2 = 1.0 / r2
            coulomb = qi * charges[j] * np.sqrt(inverse2)
            dispersion = c6_i[kinds[j]] * inverse2 * inverse2 * inverse2
            energy += coulomb - dispersion
            distance_squared[j] = r2
            slope[j] = (coulomb - 6.0 * dispersion) * inverse2
        for j in range(i + 1, n_atoms):
            r2 = distance_squared[j]
            kj = kinds[j]
            if r2 < reach_i[kj]:
                r = np.sqrt(r2)
                inverse = inverse_rho[ki, kj]
                repulsion = a_ev[ki, kj] * np.exp(-r * inverse)
                energy += repulsion
                slope[j] += repulsion * inverse / r
        for j in range(i + 1, n_atoms):
            dx = slope[j] * (x[i] - x[j])
            dy = slope[j] * (y[i] - y[j])
            dz = slope[j] * (z[i] - z[j])
            fx[i] += dx
            fy[i] += dy
            fz[i] += dz
            fx[j] -= dx
            fy[j] -= dy
            fz[j] -= dz
    forces[:, 0] = fx
    forces[:, 1] = fy
    forces[:, 2] = fz
    return energy


@compile_kernel()
def _hessian(  # type: ignore[no-untyped-def]
    positions, kinds, charges, a_ev, inverse_rho, c6, hessian
):  # pragma: no cover - compiled
    n_atoms = len(kinds)
    d = np.empty(3)
    for i in range(n_atoms):
        for j in range(i + 1, n_atoms):
            r2 = 0.0
            for a in range(3):
                d[a] = positions[i, a] - positions[j, a]
                r2 += d[a] * d[a]
            r = np.sqrt(r2)
            coulomb = charges[i] * charges[j] / r
            dispersion = c6[kinds[i], kinds[j]] / r2**3
            inverse = inverse_rho[kinds[i], kinds[j]]
            repulsion = a_ev[kinds[i], kinds[j]] * np.exp(-r * inverse)
            first = (-coulomb + 6.0 * dispersion) / r - repulsion * inverse
            second = (2.0 * coulomb - 42.0 * dispersion) / r2 + repulsion * inverse * inverse
            across = first / r
            along = (second - across) / r2
            for a in range(3):
                for b in range(3):
                    block = along * d[a] * d[b]
                    if a == b:
                        block += across
                    hessian[3 * i + a, 3 * j + b] = -block
                    hessian[3 * j + b, 3 * i + a] = -block
                    hessian[3 * i + a, 3 * i + b] += block
                    hessian[3 * j + a, 3 * j + b] += block


def compute_energy_and_forces(
    field: ForceField, positions: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """Energy [eV] and forces [eV/Å], shape ``(n_atoms, 3)``, at `positions` [Å]."""
    forces = np.empty((len(field.kinds), 3))
    energy = _energy_and_forces(
        np.ascontiguousarray(positions, dtype=np.float64),
        field.kinds,
        field.charges,
        field.a_ev,
        field.inverse_rho,
        field.c6,
        field.reach_squared,
        forces,
    )
    return float(energy), forces


def compute_hessian(field: ForceField, positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Second derivatives of the energy [eV/Å²], shape ``(3 n_atoms, 3 n_atoms)``, analytic."""
    size = 3 * len(field.kinds)
    hessian = np.zeros((size, size))
    _hessian(
        np.ascontiguousarray(positions, dtype=np.float64),
        field.kinds,
        field.charges,
        field.a_ev,
        field.inverse_rho,
        field.c6,
        hessian,
    )
    return hessian
