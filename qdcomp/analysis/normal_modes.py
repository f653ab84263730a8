"""Huang–Rhys factors without a trajectory: normal modes and the gradient of the gap.

Eigenvectors e_k of the mass-weighted Hessian H_ij / √(m_i m_j) with eigenvalues ω_k² give

    S_k = (Σ_i e_{k,i} · ∂U/∂r_i / √m_i)² / (2 ħ ω_k³),   Λ_k = S_k ħω_k

(PHYSICS.md section 4). On a harmonic potential with a linear gap this is the same as the spectrum
of a trajectory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import eigh

from qdcomp.analysis.huang_rhys import (
    DEFAULT_BANDS,
    BandDefinition,
    HuangRhysBand,
    sum_bands,
)
from qdcomp.analysis.validity import require_mask, require_masses, require_positive
from qdcomp.errors import InputError
from qdcomp.units import AMU_ANGSTROM2_PER_FS2_EV, HBAR_EV_FS

RANK_TOLERANCE = 1e-8
"""Relative singular value below which a rigid-body motion is none (linear molecules have five)."""

ROUNDING = 1e-10
"""ω² over the largest one below which a mode has no frequency, and none that is imaginary."""

ASYMMETRY_WARNING = 0.01
"""Relative asymmetry of a Hessian above which the user is told."""

MINIMUM_COUPLED_ENERGY_EV = 1e-4
"""Modes softer than this [eV] are left out of the coupling: S goes as ω⁻³, and a nearly free motion
is not a phonon."""


@dataclass(frozen=True)
class NormalModes:
    """Harmonic vibrations about a minimum.

    Attributes
    ----------
    energies_ev
        ħω in ascending order [eV], shape ``(n_modes,)``; imaginary modes are negative.
    eigenvectors
        Mass-weighted and orthonormal, shape ``(n_modes, n_atoms, 3)``; zero on frozen atoms.
    masses
        Masses [amu], shape ``(n_atoms,)``.
    frozen
        True where an atom was held, shape ``(n_atoms,)``.
    n_rigid_body_modes
        Overall translations and rotations that were projected out: 6 for a free dot, 0 where atoms
        are frozen.
    n_imaginary
        Modes with ω² < 0: the structure is not a minimum.
    warnings
        What the user should know.
    """

    energies_ev: NDArray[np.float64]
    eigenvectors: NDArray[np.float64]
    masses: NDArray[np.float64]
    frozen: NDArray[np.bool_]
    n_rigid_body_modes: int
    n_imaginary: int
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class ModeCoupling:
    """Coupling of the gap to each normal mode.

    Attributes
    ----------
    energies_ev
        ħω of the modes used, ascending [eV], shape ``(n_modes,)``.
    huang_rhys_factors
        S_k, shape ``(n_modes,)``.
    reorganization_energies_ev
        Λ_k = S_k ħω_k [eV], shape ``(n_modes,)``.
    huang_rhys_factor, reorganization_energy_ev
        Their sums.
    bands
        Sums in the bands around 2, 7 and 17 meV; errors are 0.
    participation
        Share of each named group of atoms in each mode, Σ |e_{k,i}|² over the group, each of shape
        ``(n_modes,)``.
    coupled_participation
        The same averaged over the modes with weight Λ_k: which atoms carry the coupling.
    n_excluded
        Modes left out because imaginary or softer than the threshold.
    warnings
        What the user should know.
    """

    energies_ev: NDArray[np.float64]
    huang_rhys_factors: NDArray[np.float64]
    reorganization_energies_ev: NDArray[np.float64]
    huang_rhys_factor: float
    reorganization_energy_ev: float
    bands: tuple[HuangRhysBand, ...]
    participation: Mapping[str, NDArray[np.float64]]
    coupled_participation: Mapping[str, float]
    n_excluded: int
    warnings: tuple[str, ...]


def compute_normal_modes(
    hessian: ArrayLike,
    masses: ArrayLike,
    positions: ArrayLike | None = None,
    frozen: NDArray[np.bool_] | None = None,
) -> NormalModes:
    """Compute the normal modes of a dot, free or with frozen atoms.

    Frozen atoms are taken out of the Hessian. Where none is, overall translations and rotations
    about ``positions`` are projected out before diagonalisation, so that what is left are exactly
    the 3N − 6 vibrations.

    Parameters
    ----------
    hessian
        Second derivatives of the energy [eV/Å²], shape ``(3 n_atoms, 3 n_atoms)``, ordered atom by
        atom, x, y, z; symmetrised here.
    masses
        Masses [amu], shape ``(n_atoms,)``.
    positions
        The structure [Å], shape ``(n_atoms, 3)``; needed where no atom is frozen.
    frozen
        True where an atom is held, shape ``(n_atoms,)``.

    Raises
    ------
    InputError
        If shapes do not match, a value is not finite, positions are missing, or nothing is free.
    """
    mass = np.asarray(masses, dtype=np.float64)
    mass = require_masses(mass, mass.size)
    n_atoms = len(mass)
    second = np.asarray(hessian, dtype=np.float64)
    if second.shape != (3 * n_atoms, 3 * n_atoms) or not np.isfinite(second).all():
        raise InputError(
            f"the Hessian has shape {second.shape} (finite: {bool(np.isfinite(second).all())}); "
            f"expected finite numbers of shape ({3 * n_atoms}, {3 * n_atoms})"
        )
    held = require_mask("frozen", frozen, n_atoms)
    free = np.repeat(~held, 3)
    if not free.any():
        raise InputError(f"all {n_atoms} atoms are frozen; there is nothing to vibrate")
    weight = 1.0 / np.sqrt(np.repeat(mass, 3)[free])
    block = second[np.ix_(free, free)]
    dynamical = 0.5 * (block + block.T) * np.outer(weight, weight)

    rigid = np.zeros((int(free.sum()), 0))
    if not held.any():
        rigid = _rigid_body_motions(positions, mass)
    basis = _orthogonal_complement(rigid)
    values, vectors = eigh(basis.T @ dynamical @ basis)
    frequencies = np.sign(values) * np.sqrt(np.abs(values) / AMU_ANGSTROM2_PER_FS2_EV)
    eigenvectors = np.zeros((len(values), 3 * n_atoms))
    eigenvectors[:, free] = (basis @ vectors).T
    energies = HBAR_EV_FS * frequencies
    n_imaginary = int((values < -ROUNDING * np.abs(values).max()).sum())
    return NormalModes(
        energies_ev=energies,
        eigenvectors=eigenvectors.reshape(len(values), n_atoms, 3),
        masses=mass,
        frozen=held,
        n_rigid_body_modes=rigid.shape[1],
        n_imaginary=n_imaginary,
        warnings=_warn_about_hessian(block, energies, n_imaginary),
    )


def compute_mode_coupling(
    modes: NormalModes,
    gap_gradient: ArrayLike,
    *,
    groups: Mapping[str, NDArray[np.bool_]] | None = None,
    bands: Sequence[BandDefinition] = DEFAULT_BANDS,
    minimum_energy_ev: float = MINIMUM_COUPLED_ENERGY_EV,
) -> ModeCoupling:
    """Huang–Rhys factor of each normal mode, and which atoms take part in it.

    Parameters
    ----------
    modes
        Normal modes at the minimum of the ground state.
    gap_gradient
        ∂U/∂r at that minimum [eV/Å], shape ``(n_atoms, 3)``.
    groups
        Masks of groups of atoms by name, such as elements, layers, ``"surface"``, each of shape
        ``(n_atoms,)``.
    bands
        Bands to sum over.
    minimum_energy_ev
        Modes softer than this, imaginary ones included, are left out and counted [eV].

    Raises
    ------
    InputError
        If shapes do not match, a value is not finite, or no mode is left.
    """
    gradient = np.asarray(gap_gradient, dtype=np.float64)
    n_atoms = len(modes.masses)
    if gradient.shape != (n_atoms, 3) or not np.isfinite(gradient).all():
        raise InputError(
            f"the gap gradient has shape {gradient.shape} "
            f"(finite: {bool(np.isfinite(gradient).all())}); expected finite ({n_atoms}, 3)"
        )
    require_positive("minimum energy", minimum_energy_ev, "eV")
    used = modes.energies_ev >= minimum_energy_ev
    if not used.any():
        raise InputError(f"no mode lies above {minimum_energy_ev} eV; relax the structure first")
    energies = modes.energies_ev[used]
    vectors = modes.eigenvectors[used]
    projected = np.einsum("kni,ni->k", vectors, gradient / np.sqrt(modes.masses)[:, None])
    frequencies = energies / HBAR_EV_FS
    reorganization = projected**2 / (2.0 * AMU_ANGSTROM2_PER_FS2_EV * frequencies**2)
    factors = reorganization / energies
    total = float(reorganization.sum())
    per_atom = (vectors**2).sum(axis=2)
    participation = {
        name: per_atom @ require_mask(name, mask, n_atoms).astype(np.float64)
        for name, mask in (groups or {}).items()
    }
    n_excluded = int((~used).sum())
    return ModeCoupling(
        energies_ev=energies,
        huang_rhys_factors=factors,
        reorganization_energies_ev=reorganization,
        huang_rhys_factor=float(factors.sum()),
        reorganization_energy_ev=total,
        bands=sum_bands(energies, reorganization, bands),
        participation=participation,
        coupled_participation={
            name: float(share @ reorganization) / total if total > 0.0 else 0.0
            for name, share in participation.items()
        },
        n_excluded=n_excluded,
        warnings=modes.warnings + _warn_about_excluded(n_excluded, minimum_energy_ev),
    )


def _rigid_body_motions(
    positions: ArrayLike | None, mass: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Mass-weighted translations and rotations, orthonormal, shape ``(3 n_atoms, 5 or 6)``."""
    if positions is None:
        raise InputError(
            "positions are needed to take rotations out of the modes of a free dot; "
            "give them, or the mask of frozen atoms"
        )
    coordinates = np.asarray(positions, dtype=np.float64)
    if coordinates.shape != (len(mass), 3) or not np.isfinite(coordinates).all():
        raise InputError(f"positions have shape {coordinates.shape}; expected ({len(mass)}, 3)")
    centred = coordinates - mass @ coordinates / mass.sum()
    axes = np.eye(3)
    motions = [np.broadcast_to(axis, centred.shape) for axis in axes]
    motions += [np.cross(axis, centred) for axis in axes]
    weighted = np.array([(np.sqrt(mass)[:, None] * motion).ravel() for motion in motions])
    weighted /= np.maximum(np.linalg.norm(weighted, axis=1, keepdims=True), 1e-300)
    left, singular, _ = np.linalg.svd(weighted.T, full_matrices=False)
    rigid: NDArray[np.float64] = left[:, singular > RANK_TOLERANCE * singular[0]]
    return rigid


def _orthogonal_complement(rigid: NDArray[np.float64]) -> NDArray[np.float64]:
    """Orthonormal basis of what the given columns do not span."""
    size, taken = rigid.shape
    if taken == 0:
        return np.eye(size)
    if taken >= size:
        raise InputError(f"{size} coordinates hold {taken} rigid-body motions and no vibration")
    basis: NDArray[np.float64] = np.linalg.qr(rigid, mode="complete")[0][:, taken:]
    return basis


def _warn_about_hessian(
    block: NDArray[np.float64], energies: NDArray[np.float64], n_imaginary: int
) -> tuple[str, ...]:
    warnings = []
    asymmetry = float(np.abs(block - block.T).max() / max(np.abs(block).max(), 1e-300))
    if asymmetry > ASYMMETRY_WARNING:
        warnings.append(
            f"the Hessian is asymmetric by {asymmetry:.1%}: forces are not converged, or the "
            "displacement is too small"
        )
    if n_imaginary:
        warnings.append(
            f"{n_imaginary} imaginary modes, the strongest at {energies[0] * 1e3:.2f}i meV: "
            "the structure is not a minimum; relax it further"
        )
    return tuple(warnings)


def _warn_about_excluded(n_excluded: int, threshold: float) -> tuple[str, ...]:
    if n_excluded == 0:
        return ()
    return (
        f"{n_excluded} modes that are imaginary or softer than {threshold * 1e3:g} meV are not in "
        "the Huang-Rhys factors",
    )
