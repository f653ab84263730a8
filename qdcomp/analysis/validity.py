"""What an analysis refuses, in the words that the user gets."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qdcomp.errors import InputError

MINIMUM_FRAMES = 16
"""Frames without which no spectrum, correlation function or histogram is worth its name."""


def require_positive(name: str, value: float | None, unit: str) -> float:
    """Return the value if it is a positive, finite number.

    Raises
    ------
    InputError
        If it is missing, not finite, zero or negative.
    """
    if value is None:
        raise InputError(f"the {name} is missing; give it in {unit}")
    if not np.isfinite(value) or value <= 0:
        raise InputError(f"the {name} is {value} {unit}; it must be a positive number")
    return float(value)


def require_series(
    name: str, values: ArrayLike, *, n_frames: int | None = None, minimum: int = 1
) -> NDArray[np.float64]:
    """Return the values as one finite number per frame, shape ``(n_frames,)``.

    Raises
    ------
    InputError
        If the shape or the length is another, or a value is not finite; the message names the
        first such frame, counted from 0.
    """
    series = np.asarray(values, dtype=np.float64)
    if series.ndim != 1:
        raise InputError(f"the {name} has shape {series.shape}; expected one value per frame")
    if n_frames is not None and len(series) != n_frames:
        raise InputError(
            f"the {name} has {len(series)} frames, the trajectory {n_frames}; "
            "both must be of one run and of one length"
        )
    if len(series) < minimum:
        raise InputError(
            f"the {name} has {len(series)} frames; at least {minimum} are needed: run longer"
        )
    _require_finite(name, series)
    return series


def require_vectors(
    name: str, values: ArrayLike, *, shape: tuple[int, ...] | None = None
) -> NDArray[np.float64]:
    """Return the values as one vector per frame and atom, shape ``(n_frames, n_atoms, 3)``.

    Raises
    ------
    InputError
        If the shape is another, or a value is not finite; the message names the first such frame.
    """
    vectors = np.asarray(values, dtype=np.float64)
    if vectors.ndim != 3 or vectors.shape[2] != 3 or 0 in vectors.shape:
        raise InputError(f"the {name} have shape {vectors.shape}; expected (n_frames, n_atoms, 3)")
    if shape is not None and vectors.shape != shape:
        raise InputError(f"the {name} have shape {vectors.shape}; expected {shape}")
    _require_finite(name, vectors)
    return vectors


def require_per_atom(name: str, values: ArrayLike, n_atoms: int) -> NDArray[np.float64]:
    """Return the values as one finite number per atom, shape ``(n_atoms,)``.

    Raises
    ------
    InputError
        If the shape is another or a value is not finite.
    """
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.shape != (n_atoms,):
        raise InputError(f"the {name} have shape {numbers.shape}; expected ({n_atoms},)")
    if not np.isfinite(numbers).all():
        atom = int(np.argmin(np.isfinite(numbers)))
        raise InputError(f"the {name} of atom {atom} (counted from 0) is {numbers[atom]}")
    return numbers


def require_depths(depth_cells: ArrayLike, n_atoms: int) -> NDArray[np.float64]:
    """Return the depth of each atom [unit cells], shape ``(n_atoms,)``; nan where it is unknown.

    Raises
    ------
    InputError
        If the shape is another or a value is infinite.
    """
    depths = np.asarray(depth_cells, dtype=np.float64)
    known = ~np.isnan(depths)
    require_per_atom("depths", np.where(known, depths, 0.0), n_atoms)
    return depths


def list_layers(depths: NDArray[np.float64]) -> NDArray[np.float64]:
    """Depths of the layers [unit cells], ascending, shape ``(n_layers,)``; unknown ones are none.

    Parameters
    ----------
    depths
        Depth of each atom [unit cells], shape ``(n_atoms,)``; nan where it is unknown.
    """
    layers: NDArray[np.float64] = np.unique(depths[~np.isnan(depths)])
    return layers


def require_masses(masses: ArrayLike, n_atoms: int) -> NDArray[np.float64]:
    """Return positive masses [amu], shape ``(n_atoms,)``.

    Raises
    ------
    InputError
        If the shape is another or a mass is not positive.
    """
    numbers = require_per_atom("masses", masses, n_atoms)
    if (numbers <= 0).any():
        raise InputError(f"the mass of atom {int(np.argmin(numbers))} is {numbers.min()} amu")
    return numbers


def require_mask(name: str, mask: ArrayLike | None, n_atoms: int) -> NDArray[np.bool_]:
    """Return the mask, shape ``(n_atoms,)``; all False if it is None.

    Raises
    ------
    InputError
        If it is not one boolean per atom.
    """
    if mask is None:
        return np.zeros(n_atoms, dtype=bool)
    flags = np.asarray(mask)
    if flags.dtype != np.bool_ or flags.shape != (n_atoms,):
        raise InputError(
            f"the mask {name!r} has type {flags.dtype} and shape {flags.shape}; "
            f"expected booleans of shape ({n_atoms},)"
        )
    return flags.astype(np.bool_)


def _require_finite(name: str, values: NDArray[np.float64]) -> None:
    finite = np.isfinite(values)
    if bool(finite.all()):
        return
    frame = int(np.argmin(finite.reshape(len(values), -1).all(axis=1)))
    raise InputError(
        f"the {name} of frame {frame} (counted from 0) are not finite numbers; "
        "the run broke there: use the frames before it or run again"
    )
