"""Hessians: by finite differences of forces, and from phonopy's force constants.

    H_ij = −∂F_j / ∂r_i ≈ −(F_j(r_i + d) − F_j(r_i − d)) / 2d

symmetrised; the error is of order d² in the fourth derivatives of the energy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qdcomp.analysis.validity import require_mask, require_positive
from qdcomp.errors import InputError

DEFAULT_DISPLACEMENT_ANGSTROM = 0.01
"""Displacement of each atom [Å], phonopy's default."""


class HoldsForceConstants(Protocol):
    """What is used of a ``phonopy.Phonopy`` object."""

    @property
    def force_constants(self) -> NDArray[np.float64] | None:
        """Force constants [eV/Å²], shape ``(n_atoms, n_atoms, 3, 3)``."""


def compute_hessian(
    forces: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    positions: ArrayLike,
    *,
    frozen: NDArray[np.bool_] | None = None,
    displacement: float = DEFAULT_DISPLACEMENT_ANGSTROM,
) -> NDArray[np.float64]:
    """Hessian by central differences of the forces, six evaluations a free atom.

    Parameters
    ----------
    forces
        Function of positions [Å], shape ``(n_atoms, 3)``, that returns forces [eV/Å] of the same
        shape.
    positions
        The structure [Å], shape ``(n_atoms, 3)``.
    frozen
        True where an atom is held, shape ``(n_atoms,)``; its rows and columns stay zero.
    displacement
        d [Å].

    Returns
    -------
    NDArray
        Hessian [eV/Å²], shape ``(3 n_atoms, 3 n_atoms)``, symmetric.

    Raises
    ------
    InputError
        If shapes do not match, or forces are not finite; the message names the displacement.
    """
    step = require_positive("displacement", displacement, "Å")
    start = np.asarray(positions, dtype=np.float64)
    if start.ndim != 2 or start.shape[1] != 3:
        raise InputError(f"positions have shape {start.shape}; expected (n_atoms, 3)")
    free = np.repeat(~require_mask("frozen", frozen, len(start)), 3)
    hessian = np.zeros((start.size, start.size))
    for coordinate in np.flatnonzero(free):
        difference = np.zeros(start.size)
        for sign in (1.0, -1.0):
            moved = start.copy()
            moved.flat[coordinate] += sign * step
            force = np.asarray(forces(moved), dtype=np.float64)
            if force.shape != start.shape or not np.isfinite(force).all():
                raise InputError(
                    f"forces of shape {force.shape} after moving coordinate {coordinate % 3} of "
                    f"atom {coordinate // 3} by {sign * step} Å; expected finite {start.shape}"
                )
            difference += sign * force.ravel()
        hessian[coordinate] = -difference / (2.0 * step)
    hessian[:, ~free] = 0.0
    return 0.5 * (hessian + hessian.T)


def convert_force_constants(force_constants: ArrayLike) -> NDArray[np.float64]:
    """Hessian from phonopy's force constants.

    Parameters
    ----------
    force_constants
        Full force constants [eV/Å²], shape ``(n_atoms, n_atoms, 3, 3)``, as
        ``phonopy.file_IO.parse_FORCE_CONSTANTS`` reads them from FORCE_CONSTANTS. A dot is its own
        supercell.

    Returns
    -------
    NDArray
        Hessian [eV/Å²], shape ``(3 n_atoms, 3 n_atoms)``.

    Raises
    ------
    InputError
        If they are missing, compact (fewer rows than atoms), or not finite.
    """
    constants = np.asarray(force_constants, dtype=np.float64)
    if constants.ndim != 4 or constants.shape[2:] != (3, 3):
        raise InputError(
            f"force constants have shape {constants.shape}; expected (n_atoms, n_atoms, 3, 3)"
        )
    rows, columns = constants.shape[:2]
    if rows != columns:
        raise InputError(
            f"force constants have {rows} rows for {columns} atoms (phonopy's compact form); "
            "write them with --full-fc, or produce_force_constants("
            "calculate_full_force_constants=True)"
        )
    if not np.isfinite(constants).all():
        raise InputError("force constants hold values that are not finite; make them again")
    return constants.transpose(0, 2, 1, 3).reshape(3 * rows, 3 * rows)


def convert_phonopy(phonopy: HoldsForceConstants) -> NDArray[np.float64]:
    """Hessian from a ``phonopy.Phonopy`` object whose supercell is the dot.

    Parameters
    ----------
    phonopy
        The object, with full force constants in eV/Å².

    Returns
    -------
    NDArray
        Hessian [eV/Å²], shape ``(3 n_atoms, 3 n_atoms)``.

    Raises
    ------
    InputError
        If there are no force constants yet, or they are compact.
    """
    if phonopy.force_constants is None:
        raise InputError("this Phonopy object has no force constants; produce them first")
    return convert_force_constants(phonopy.force_constants)
