"""Coupling of the band edges to the atoms where an edge is degenerate.

A cubic dot that relaxes to full symmetry has a threefold LUMO (Pb p). Its first-order response to
a displacement u is then not a number but a matrix, V_ij = Σ ⟨i|∂H/∂r|j⟩·u, whose lowest eigenvalue
is the LUMO (degenerate perturbation theory; H. A. Jahn, E. Teller, Proc. R. Soc. A 161, 220
(1937)). The gap has a kink at the minimum and no gradient; its thermal variance still is
2 Λ kT with one Λ at all temperatures, because the response stays homogeneous of degree one.
Without degeneracy all of this is the ordinary gap gradient.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.linalg import eigh

from qdcomp.engines.model.calculator import ModelCalculator
from qdcomp.engines.model.frontier import (
    LEVEL_TOLERANCE_EV,
    RESIDUAL_TOLERANCE_EV,
    ShiftedHamiltonian,
    apply_hamiltonian,
    count_levels,
)
from qdcomp.engines.model.tight_binding import Hamiltonian, compute_level_gradient
from qdcomp.errors import QdcompError
from qdcomp.units import AMU_ANGSTROM2_PER_FS2_EV, BOLTZMANN_EV_PER_K

SUBSPACE_STEPS = 50
"""Steps of subspace iteration before giving up."""

RIGID_FREQUENCY_PER_FS = 1e-4
"""Angular frequency below which a mode is rigid-body motion [1/fs]: 0.07 meV."""


@dataclass(frozen=True)
class FrontierCouplings:
    """First-order response of the levels at the gap to displacements.

    Attributes
    ----------
    homo_energies_ev, lumo_energies_ev
        Levels within the window at either edge [eV], shape ``(n_homo,)``, ``(n_lumo,)``.
    homo, lumo
        ⟨i|∂H/∂r|j⟩ [eV/Å], shape ``(n_homo, n_homo, n_atoms, 3)`` and the same for LUMO.
    """

    homo_energies_ev: NDArray[np.float64]
    lumo_energies_ev: NDArray[np.float64]
    homo: NDArray[np.float64]
    lumo: NDArray[np.float64]

    def gap(self, displacements: NDArray[np.float64]) -> NDArray[np.float64]:
        """Gap [eV] to first order at displacements [Å] of shape ``(n_frames, n_atoms, 3)``."""
        lumo = np.einsum("ijax,nax->nij", self.lumo, displacements, optimize=True)
        homo = np.einsum("ijax,nax->nij", self.homo, displacements, optimize=True)
        lowest = np.linalg.eigvalsh(lumo + np.diag(self.lumo_energies_ev))[:, 0]
        highest = np.linalg.eigvalsh(homo + np.diag(self.homo_energies_ev))[:, -1]
        gap: NDArray[np.float64] = lowest - highest
        return gap


def _find_levels(
    hamiltonian: Hamiltonian, low_ev: float, high_ev: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """All levels between two energies with their vectors, by inverse subspace iteration.

    Raises
    ------
    QdcompError
        If the iteration does not find as many levels as the inertia counts.
    """
    wanted = count_levels(hamiltonian, low_ev, high_ev)
    middle = 0.5 * (low_ev + high_ev)
    shifted = ShiftedHamiltonian(hamiltonian, middle + 0.37 * LEVEL_TOLERANCE_EV)
    size = min(wanted + 4, hamiltonian.layout.n_orbitals)
    block = np.random.default_rng(0).standard_normal((hamiltonian.layout.n_orbitals, size))
    for _ in range(SUBSPACE_STEPS):
        block, _ = np.linalg.qr(np.column_stack([shifted.solve(v) for v in block.T]))
        image = np.column_stack([apply_hamiltonian(hamiltonian, v) for v in block.T])
        energies, rotation = eigh(block.T @ image)
        inside = (energies > low_ev) & (energies < high_ev)
        vectors = block @ rotation
        residuals = np.linalg.norm(image @ rotation - vectors * energies, axis=0)
        if inside.sum() == wanted and np.all(residuals[inside] < RESIDUAL_TOLERANCE_EV):
            return energies[inside], vectors[:, inside]
    raise QdcompError(
        f"{wanted} orbitals lie between {low_ev:.4f} and {high_ev:.4f} eV, and not all were found; "
        "use a narrower window"
    )


def _couple(hamiltonian: Hamiltonian, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """⟨i|∂H/∂r|j⟩ of some orbitals from the diagonal elements of their sums and differences."""
    n_levels = vectors.shape[1]
    couplings = np.zeros((n_levels, n_levels, hamiltonian.layout.n_atoms, 3))
    for i in range(n_levels):
        for j in range(i + 1):
            plus = compute_level_gradient(hamiltonian, vectors[:, i] + vectors[:, j])
            minus = compute_level_gradient(hamiltonian, vectors[:, i] - vectors[:, j])
            couplings[i, j] = couplings[j, i] = 0.25 * (plus - minus)
    return couplings


def compute_frontier_couplings(
    atoms: Atoms, calculator: ModelCalculator, window_ev: float = 2e-3
) -> FrontierCouplings:
    """Couple all levels within `window_ev` of HOMO and LUMO to the atoms.

    Parameters
    ----------
    atoms
        A relaxed structure.
    calculator
        Gives the Hamiltonian.
    window_ev
        Levels this close to an edge are treated together with it [eV]; a few times the thermal
        spread of the levels' distance keeps the first order valid.

    Raises
    ------
    InputError
        If an element has no parameters, or the number of electrons is odd.
    QdcompError
        If not all levels in the window were found.
    """
    hamiltonian, levels = calculator.frontier_levels(atoms)
    homo_ev, homo = _find_levels(
        hamiltonian, levels.homo_ev - window_ev, levels.homo_ev + LEVEL_TOLERANCE_EV
    )
    lumo_ev, lumo = _find_levels(
        hamiltonian, levels.lumo_ev - LEVEL_TOLERANCE_EV, levels.lumo_ev + window_ev
    )
    return FrontierCouplings(
        homo_ev, lumo_ev, _couple(hamiltonian, homo), _couple(hamiltonian, lumo)
    )


def synthesise_harmonic_gap(
    couplings: FrontierCouplings,
    hessian: NDArray[np.float64],
    masses: NDArray[np.float64],
    temperature_k: float,
    timestep_fs: float,
    steps: int,
    seed: int = 1,
) -> NDArray[np.float64]:
    """Gap along the exact classical motion of the harmonic dot, from its normal modes.

    The trajectory-free route for degenerate edges: what molecular dynamics would give without
    anharmonicity, thermostat and integration error, for as long a time as wanted. With
    non-degenerate edges its spectrum is that of S_k = (Σ e_k·∂U/∂r/√m)²/(2ħω³).

    Parameters
    ----------
    couplings
        Response of the band edges.
    hessian
        Second derivatives at the minimum [eV/Å²], shape ``(3 n_atoms, 3 n_atoms)``; rows and
        columns of frozen atoms set to zero.
    masses
        Masses [amu], shape ``(n_atoms,)``.
    temperature_k
        Temperature [K]; each mode's energy is drawn from the canonical ensemble once.
    timestep_fs, steps
        Sampling.
    seed
        Seed of amplitudes and phases.

    Returns
    -------
    Gap [eV], shape ``(steps,)``.
    """
    weights = np.repeat(masses, 3)
    squared, modes = eigh(hessian / np.sqrt(np.outer(weights, weights)))
    frequencies = np.sqrt(np.maximum(squared, 0.0) / AMU_ANGSTROM2_PER_FS2_EV)
    vibrating = frequencies > RIGID_FREQUENCY_PER_FS
    frequencies = frequencies[vibrating]
    patterns = (modes[:, vibrating] / np.sqrt(weights)[:, None]).T.reshape(-1, len(masses), 3)
    rng = np.random.default_rng(seed)
    widths = np.sqrt(BOLTZMANN_EV_PER_K * temperature_k / AMU_ANGSTROM2_PER_FS2_EV) / frequencies
    cosine, sine = widths * rng.standard_normal((2, len(widths)))
    phases = np.outer(np.arange(steps) * timestep_fs, frequencies)
    amplitudes = cosine * np.cos(phases) + sine * np.sin(phases)
    edges = []
    for levels, response, edge in (
        (couplings.homo_energies_ev, couplings.homo, -1),
        (couplings.lumo_energies_ev, couplings.lumo, 0),
    ):
        by_mode = np.einsum("ijax,kax->kij", response, patterns, optimize=True)
        matrices = np.tensordot(amplitudes, by_mode, axes=1) + np.diag(levels)
        edges.append(np.linalg.eigvalsh(matrices)[:, edge])
    gap: NDArray[np.float64] = edges[1] - edges[0]
    return gap
