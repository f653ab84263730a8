"""Highest occupied and lowest unoccupied orbital, found by counting and proved by inertia.

Only cations and anions hop, so eliminating the anions leaves the Schur complement on the cations,

    S(σ) = E_c − σ − T (E_a − σ)⁻¹ Tᵀ,

a fifth of the size. Its LDLᵀ factorisation solves (H − σ) x = b for the shift-invert Lanczos
iteration (R. B. Lehoucq, D. C. Sorensen, C. Yang, ARPACK Users' Guide, section 3.2) and, by
Sylvester's law of inertia, counts the orbitals below σ exactly. A pair (HOMO, LUMO) is accepted
only if H v = λ v holds and exactly the occupied orbitals lie below every energy between them;
otherwise the whole matrix is diagonalised.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.linalg.lapack import dsytrf, dsytrs
from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh

from qdcomp.engines.model.kernels import compile_kernel
from qdcomp.engines.model.tight_binding import Hamiltonian, build_dense_matrix
from qdcomp.errors import QdcompError

DENSE_ORBITALS = 200
"""Number of orbitals up to which the matrix is diagonalised as it is."""

LARGEST_DENSE_ORBITALS = 12000
"""Number of orbitals up to which the whole matrix is the way out: 1.2 GB, minutes."""

LEVEL_TOLERANCE_EV = 1e-6
"""Width within which the position of HOMO and LUMO is proved [eV]."""

RESIDUAL_TOLERANCE_EV = 1e-5
"""Largest ‖H v − λ v‖ accepted [eV]; the energy is then good to its square over the spacing."""

LANCZOS_VECTORS = 40
"""Size of the Krylov space before a restart."""


@dataclass(frozen=True)
class FrontierLevels:
    """HOMO and LUMO of one geometry.

    Attributes
    ----------
    homo_ev, lumo_ev
        Orbital energies [eV].
    homo_vector, lumo_vector
        Normalised orbitals, cations before anions, shape ``(n_orbitals,)``.
    method
        How they were found: ``dense`` or ``lanczos``.
    """

    homo_ev: float
    lumo_ev: float
    homo_vector: NDArray[np.float64]
    lumo_vector: NDArray[np.float64]
    method: Literal["dense", "lanczos"]


@compile_kernel()
def _subtract_anions(  # type: ignore[no-untyped-def]
    first_bond, bond_cations, blocks, inverse, schur
):  # pragma: no cover - compiled
    weighted = np.empty((4, 4))
    for x in range(len(first_bond) - 1):
        for left in range(first_bond[x], first_bond[x + 1]):
            for k in range(4):
                weighted[:, k] = blocks[left, :, k] * inverse[4 * x + k]
            row = 4 * bond_cations[left]
            for right in range(first_bond[x], first_bond[x + 1]):
                column = 4 * bond_cations[right]
                for i in range(4):
                    for j in range(4):
                        total = 0.0
                        for k in range(4):
                            total += weighted[i, k] * blocks[right, j, k]
                        schur[row + i, column + j] -= total


@compile_kernel()
def _hop_to_cations(  # type: ignore[no-untyped-def]
    first_bond, bond_cations, blocks, at_anions, result
):  # pragma: no cover - compiled
    for x in range(len(first_bond) - 1):
        for bond in range(first_bond[x], first_bond[x + 1]):
            row = 4 * bond_cations[bond]
            for i in range(4):
                for k in range(4):
                    result[row + i] += blocks[bond, i, k] * at_anions[4 * x + k]


@compile_kernel()
def _hop_to_anions(  # type: ignore[no-untyped-def]
    first_bond, bond_cations, blocks, at_cations, result
):  # pragma: no cover - compiled
    for x in range(len(first_bond) - 1):
        for bond in range(first_bond[x], first_bond[x + 1]):
            row = 4 * bond_cations[bond]
            for k in range(4):
                for i in range(4):
                    result[4 * x + k] += blocks[bond, i, k] * at_cations[row + i]


def apply_hamiltonian(hamiltonian: Hamiltonian, vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """H v [eV], cations before anions, shape ``(n_orbitals,)``."""
    layout = hamiltonian.layout
    split = len(layout.cation_energies)
    bonds = (hamiltonian.first_bond, hamiltonian.bond_cations, hamiltonian.blocks)
    result = np.concatenate([layout.cation_energies, layout.anion_energies]) * vector
    _hop_to_cations(*bonds, vector[split:], result[:split])
    _hop_to_anions(*bonds, vector[:split], result[split:])
    return result


class ShiftedHamiltonian:
    """Factorised H − σ: counts the orbitals below σ and solves (H − σ) x = b.

    Attributes
    ----------
    shift_ev
        σ [eV]; moved by a hair where it meets an anion's on-site energy.
    n_below
        Number of orbitals below σ.
    """

    def __init__(self, hamiltonian: Hamiltonian, shift_ev: float) -> None:
        self._hamiltonian = hamiltonian
        layout = hamiltonian.layout
        while np.any(np.abs(layout.anion_energies - shift_ev) < 1e-9):
            shift_ev += 1e-8
        self.shift_ev = shift_ev
        relative = layout.anion_energies - shift_ev
        self._inverse = 1.0 / relative
        size = len(layout.cation_energies)
        schur = np.zeros((size, size), order="F")
        schur[np.diag_indices(size)] = layout.cation_energies - shift_ev
        _subtract_anions(
            hamiltonian.first_bond,
            hamiltonian.bond_cations,
            hamiltonian.blocks,
            self._inverse,
            schur,
        )
        self._factor, self._pivots, info = dsytrf(schur, lower=1, lwork=64 * size, overwrite_a=1)
        if info < 0 or not np.all(np.isfinite(np.diag(self._factor))):
            raise QdcompError(
                "the tight-binding matrix holds values that are not finite numbers; "
                "the geometry has come apart, look at the positions"
            )
        single = self._pivots > 0
        # A 2×2 pivot of the Bunch–Kaufman factorisation has one eigenvalue of either sign.
        self.n_below = int(
            np.count_nonzero(relative < 0)
            + np.count_nonzero(np.diag(self._factor)[single] < 0)
            + np.count_nonzero(~single) // 2
        )

    def solve(self, right: NDArray[np.float64]) -> NDArray[np.float64]:
        """Solve (H − σ) x = right; shape ``(n_orbitals,)``."""
        hamiltonian = self._hamiltonian
        split = len(hamiltonian.layout.cation_energies)
        bonds = (hamiltonian.first_bond, hamiltonian.bond_cations, hamiltonian.blocks)
        right = np.ascontiguousarray(right, dtype=np.float64).ravel()
        at_cations = np.zeros(split)
        _hop_to_cations(*bonds, -self._inverse * right[split:], at_cations)
        at_cations += right[:split]
        at_cations, _ = dsytrs(self._factor, self._pivots, at_cations, lower=1, overwrite_b=1)
        at_anions = np.zeros(len(right) - split)
        _hop_to_anions(*bonds, at_cations, at_anions)
        return np.concatenate([at_cations, self._inverse * (right[split:] - at_anions)])


def _spectrum_bounds(hamiltonian: Hamiltonian) -> tuple[float, float]:
    """Interval that holds every orbital energy (Gershgorin's circles) [eV]."""
    layout = hamiltonian.layout
    energies = np.concatenate([layout.cation_energies, layout.anion_energies])
    magnitude = Hamiltonian(
        layout,
        hamiltonian.first_bond,
        hamiltonian.bond_cations,
        hamiltonian.bond_vectors,
        np.abs(hamiltonian.blocks),
    )
    radius = apply_hamiltonian(magnitude, np.ones(len(energies))) - energies
    return float(np.min(energies - radius)), float(np.max(energies + radius))


def _find_gap(
    hamiltonian: Hamiltonian, guess_ev: tuple[float, float] | None
) -> ShiftedHamiltonian | None:
    """Factorise H at a shift between HOMO and LUMO, found by counting; None if they touch."""
    n_occupied = hamiltonian.layout.n_occupied
    if guess_ev is not None:
        shifted = ShiftedHamiltonian(hamiltonian, 0.5 * (guess_ev[0] + guess_ev[1]))
        if shifted.n_below == n_occupied:
            return shifted
    low, high = _spectrum_bounds(hamiltonian)
    while high - low > LEVEL_TOLERANCE_EV:
        shifted = ShiftedHamiltonian(hamiltonian, 0.5 * (low + high))
        if shifted.n_below == n_occupied:
            return shifted
        if shifted.n_below < n_occupied:
            low = shifted.shift_ev
        else:
            high = shifted.shift_ev
    return None


def count_levels(hamiltonian: Hamiltonian, low_ev: float, high_ev: float) -> int:
    """Exact number of orbitals between two energies [eV]."""
    return (
        ShiftedHamiltonian(hamiltonian, high_ev).n_below
        - ShiftedHamiltonian(hamiltonian, low_ev).n_below
    )


def _is_proved(hamiltonian: Hamiltonian, levels: FrontierLevels) -> bool:
    """Whether the pair are orbitals, and the occupied ones are exactly those up to the HOMO."""
    for energy, vector in (
        (levels.homo_ev, levels.homo_vector),
        (levels.lumo_ev, levels.lumo_vector),
    ):
        residual = np.linalg.norm(apply_hamiltonian(hamiltonian, vector) - energy * vector)
        if not residual < RESIDUAL_TOLERANCE_EV or abs(np.linalg.norm(vector) - 1.0) > 1e-8:
            return False
    above_homo = levels.homo_ev + LEVEL_TOLERANCE_EV
    below_lumo = levels.lumo_ev - LEVEL_TOLERANCE_EV
    if above_homo >= below_lumo:
        return False
    return all(
        ShiftedHamiltonian(hamiltonian, energy).n_below == hamiltonian.layout.n_occupied
        for energy in (above_homo, below_lumo)
    )


def find_frontier_by_lanczos(
    hamiltonian: Hamiltonian, guess_ev: tuple[float, float] | None = None
) -> FrontierLevels | None:
    """HOMO and LUMO by shift-invert Lanczos; None where they could not be proved.

    The starting vector is always the same, so that a run that is continued repeats the one that
    was not interrupted.

    Parameters
    ----------
    hamiltonian
        The Hamiltonian.
    guess_ev
        HOMO and LUMO of a similar geometry [eV], which save the search for the gap.
    """
    shifted = _find_gap(hamiltonian, guess_ev)
    if shifted is None:
        return None
    size = hamiltonian.layout.n_orbitals
    inverse = LinearOperator((size, size), matvec=shifted.solve, dtype=np.float64)
    # Without a matrix: ARPACK's shift-invert mode only ever applies the inverse.
    matrix = LinearOperator(
        (size, size), matvec=lambda v: apply_hamiltonian(hamiltonian, v), dtype=np.float64
    )
    try:
        energies, vectors = eigsh(
            matrix,
            k=2,
            sigma=shifted.shift_ev,
            which="BE",
            OPinv=inverse,
            ncv=min(LANCZOS_VECTORS, size - 1),
            v0=np.random.default_rng(0).standard_normal(size),
            tol=1e-11,
            maxiter=100,
        )
    except ArpackError:
        return None
    homo, lumo = np.argsort(energies)
    levels = FrontierLevels(
        float(energies[homo]), float(energies[lumo]), vectors[:, homo], vectors[:, lumo], "lanczos"
    )
    return levels if _is_proved(hamiltonian, levels) else None


def find_frontier_by_diagonalisation(hamiltonian: Hamiltonian) -> FrontierLevels:
    """HOMO and LUMO from the whole matrix.

    Raises
    ------
    QdcompError
        If the matrix is not finite, or LAPACK's levels and the count by inertia disagree.
    """
    n_occupied = hamiltonian.layout.n_occupied
    matrix = build_dense_matrix(hamiltonian)
    if not np.all(np.isfinite(matrix)):
        raise QdcompError(
            "the tight-binding matrix holds values that are not finite numbers; "
            "the geometry has come apart, look at the positions"
        )
    energies, vectors = eigh(matrix, subset_by_index=[n_occupied - 1, n_occupied])
    homo_ev, lumo_ev = float(energies[0]), float(energies[1])
    if lumo_ev - homo_ev > 4.0 * LEVEL_TOLERANCE_EV:
        below = ShiftedHamiltonian(hamiltonian, 0.5 * (homo_ev + lumo_ev)).n_below
        if below != n_occupied:
            raise QdcompError(
                f"diagonalisation puts {n_occupied} orbitals below the middle of the gap "
                f"({homo_ev:.6f} to {lumo_ev:.6f} eV), the inertia count {below}; the geometry "
                "is likely unphysical, look at the positions"
            )
    return FrontierLevels(homo_ev, lumo_ev, vectors[:, 0], vectors[:, 1], "dense")


def find_frontier(
    hamiltonian: Hamiltonian, guess_ev: tuple[float, float] | None = None
) -> FrontierLevels:
    """HOMO and LUMO by counting electrons, never by looking for a gap.

    Parameters
    ----------
    hamiltonian
        The Hamiltonian.
    guess_ev
        HOMO and LUMO of a similar geometry [eV].

    Raises
    ------
    QdcompError
        As `find_frontier_by_diagonalisation`; or the system is too large for that.
    """
    if guess_ev is not None and not all(map(math.isfinite, guess_ev)):
        guess_ev = None
    if hamiltonian.layout.n_orbitals > DENSE_ORBITALS:
        levels = find_frontier_by_lanczos(hamiltonian, guess_ev)
        if levels is not None:
            return levels
    if hamiltonian.layout.n_orbitals > LARGEST_DENSE_ORBITALS:
        raise QdcompError(
            f"HOMO and LUMO among {hamiltonian.layout.n_orbitals} orbitals could not be proved by "
            "counting, and the matrix is too large to diagonalise; the gap is likely closed, "
            "check charge and positions"
        )
    return find_frontier_by_diagonalisation(hamiltonian)
