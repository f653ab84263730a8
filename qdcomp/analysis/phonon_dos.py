"""Phonon density of states from atomic velocities.

    g(E) = Σ_i m_i P_{v,i}(E) / kT,   ∫ g dE = number of free degrees of freedom

with P_{v,i} the one-sided power spectral density of the velocity of atom i, summed over x, y and z
(PHYSICS.md section 3). Partial densities (per element, layer, ligand atom) are the same sum over
fewer atoms, and add up to the total.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft

from qdcomp.analysis.power_spectrum import (
    build_window,
    energy_axis,
    energy_resolution,
    one_sided_weights,
)
from qdcomp.analysis.validity import (
    MINIMUM_FRAMES,
    require_mask,
    require_masses,
    require_positive,
    require_vectors,
)
from qdcomp.errors import InputError
from qdcomp.units import AMU_ANGSTROM2_PER_FS2_EV, BOLTZMANN_EV_PER_K

CHUNK_NUMBERS = 300_000
"""Velocity components transformed at a time: a few megabytes, within a processor's cache."""

CORRECTION_LIMIT = 0.8
"""Share of the Nyquist energy up to which central differences are corrected in full; there their
response is 0.055, and beyond it noise would be blown up without bound."""


@dataclass(frozen=True)
class PhononDos:
    """Phonon density of states.

    Attributes
    ----------
    energies_ev
        Phonon energies, from zero to the Nyquist energy [eV], shape ``(n_energies,)``.
    density
        Total density of states [1/eV], shape ``(n_energies,)``; summed times ``energy_step_ev`` it
        is ``n_degrees_of_freedom``.
    partial
        Density of states of each named group of atoms [1/eV], each of shape ``(n_energies,)``.
    n_degrees_of_freedom
        3N − 6 for a free dot, 3 N_free where atoms are frozen.
    energy_step_ev
        Spacing of ``energies_ev`` [eV].
    energy_resolution_ev
        Full width at half maximum that a sharp mode has here [eV].
    kinetic_temperature_k
        Temperature that the velocities have over these degrees of freedom [K].
    temperature_k
        Temperature that was asked for [K].
    top_energy_ev
        Energy below which 99.9 % of the density lies [eV].
    window
        Name of the window.
    warnings
        What the user should know.
    """

    energies_ev: NDArray[np.float64]
    density: NDArray[np.float64]
    partial: Mapping[str, NDArray[np.float64]]
    n_degrees_of_freedom: int
    energy_step_ev: float
    energy_resolution_ev: float
    kinetic_temperature_k: float
    temperature_k: float
    top_energy_ev: float
    window: str
    warnings: tuple[str, ...]


def compute_phonon_dos(
    velocities: ArrayLike,
    masses: ArrayLike,
    timestep_fs: float,
    temperature_k: float,
    *,
    groups: Mapping[str, NDArray[np.bool_]] | None = None,
    frozen: NDArray[np.bool_] | None = None,
    window: str = "hann",
    central_differences: bool = False,
) -> PhononDos:
    """Phonon density of states of a trajectory.

    g(E) = Σ_i m_i P_{v,i}(E) / kT, where T is the temperature that the velocities have (weighted
    with the window, so that ∫ g dE is the number of degrees of freedom to rounding). A temperature
    other than the one asked for is warned of. Memory beyond the velocities is bounded: atoms are
    transformed a few dozen at a time.

    Parameters
    ----------
    velocities
        Velocities [Å/fs], shape ``(n_frames, n_atoms, 3)``; for a free dot without rigid-body
        motion (:func:`qdcomp.analysis.remove_rigid_body_motion`).
    masses
        Masses [amu], shape ``(n_atoms,)``.
    timestep_fs
        Time between frames [fs].
    temperature_k
        Temperature that the trajectory was meant to have [K].
    groups
        Masks of the partial densities of states by name, each of shape ``(n_atoms,)``.
    frozen
        True where an atom was held, shape ``(n_atoms,)``. If any is, the degrees of freedom are
        3 N_free instead of 3N − 6.
    window
        ``"hann"`` or ``"rectangular"``.
    central_differences
        True if the velocities are (r_{n+1} − r_{n−1}) / 2δt: the spectrum is then divided by
        (sin x / x)², x = ω δt.

    Raises
    ------
    InputError
        If shapes do not match, a value is not finite, nothing moves, or a number is not positive.
    """
    step = require_positive("time step", timestep_fs, "fs")
    target = require_positive("temperature", temperature_k, "K")
    moving = require_vectors("velocities", velocities)
    n_frames, n_atoms, _ = moving.shape
    if n_frames < MINIMUM_FRAMES:
        raise InputError(f"{n_frames} frames of velocities; at least {MINIMUM_FRAMES} are needed")
    mass = require_masses(masses, n_atoms)
    held = require_mask("frozen", frozen, n_atoms)
    degrees = count_degrees_of_freedom(n_atoms, held)
    names = list(groups or {})
    members = np.array(
        [np.ones(n_atoms, dtype=bool)]
        + [require_mask(name, mask, n_atoms) for name, mask in (groups or {}).items()],
        dtype=np.float64,
    )
    members[:, held] = 0.0

    power = _sum_atomic_power(moving, members * mass, build_window(window, n_frames))
    power *= one_sided_weights(n_frames)
    energies = energy_axis(n_frames, step)
    measured = float(power[0].sum())
    if measured <= 0.0:
        raise InputError("no free atom moves in any frame; there are no phonons to count")
    if central_differences:
        power /= _central_difference_response(n_frames)
    total = float(power[0].sum())
    density = power * (degrees / (total * energies[1]))
    kinetic = _kinetic_temperature(moving, mass * ~held, degrees) * total / measured
    top = energies[int(np.searchsorted(np.cumsum(density[0]), 0.999 * density[0].sum()))]
    return PhononDos(
        energies_ev=energies,
        density=density[0],
        partial=dict(zip(names, density[1:], strict=True)),
        n_degrees_of_freedom=degrees,
        energy_step_ev=float(energies[1]),
        energy_resolution_ev=energy_resolution(window, n_frames, step),
        kinetic_temperature_k=kinetic,
        temperature_k=target,
        top_energy_ev=float(top),
        window=window,
        warnings=_warn(kinetic, target, degrees, float(top), float(energies[-1])),
    )


def differentiate_positions(positions: ArrayLike, timestep_fs: float) -> NDArray[np.float64]:
    """Velocities of the inner frames by central differences.

    Parameters
    ----------
    positions
        Cartesian coordinates [Å], shape ``(n_frames, n_atoms, 3)``.
    timestep_fs
        Time between frames [fs].

    Returns
    -------
    NDArray
        Velocities [Å/fs], shape ``(n_frames - 2, n_atoms, 3)``, of frames 1 to n_frames − 2.

    Raises
    ------
    InputError
        If there are fewer than three frames, a value is not finite, or the time step is not
        positive.
    """
    step = require_positive("time step", timestep_fs, "fs")
    coordinates = require_vectors("positions", positions)
    if len(coordinates) < 3:
        raise InputError(f"{len(coordinates)} frames; central differences need at least 3")
    velocities: NDArray[np.float64] = (coordinates[2:] - coordinates[:-2]) / (2.0 * step)
    return velocities


def count_degrees_of_freedom(n_atoms: int, frozen: NDArray[np.bool_]) -> int:
    """Return 3 N_free where atoms are frozen, 3N − 6 where none is.

    Raises
    ------
    InputError
        If nothing is left to vibrate.
    """
    degrees = 3 * int((~frozen).sum()) if frozen.any() else 3 * n_atoms - 6
    if degrees <= 0:
        raise InputError(
            f"{n_atoms} atoms, {int(frozen.sum())} of them frozen, have no internal degree of "
            "freedom; at least 3 free atoms are needed"
        )
    return degrees


def _sum_atomic_power(
    velocities: NDArray[np.float64],
    weights: NDArray[np.float64],
    window: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Σ_i weight_i Σ_xyz |X_i(E)|², shape ``(n_groups, n_energies)``."""
    n_frames, n_atoms, _ = velocities.shape
    sums = np.zeros((len(weights), n_frames // 2 + 1))
    chunk = max(1, CHUNK_NUMBERS // (3 * n_frames))
    for first in range(0, n_atoms, chunk):
        block = velocities[:, first : first + chunk].reshape(n_frames, -1)
        series = np.multiply(block.T, window, order="C")
        amplitude = fft.rfft(series, axis=1, overwrite_x=True)
        power = amplitude.real**2
        power += amplitude.imag**2
        repeated = np.repeat(weights[:, first : first + chunk], 3, axis=1)
        sums += repeated @ power
    return sums


def _central_difference_response(n_frames: int) -> NDArray[np.float64]:
    """(sin x / x)² at each bin, kept at its value at x = 0.8 π beyond: at Nyquist it is 0."""
    x = 2.0 * np.pi * np.arange(n_frames // 2 + 1) / n_frames
    response: NDArray[np.float64] = np.sinc(np.minimum(x / np.pi, CORRECTION_LIMIT)) ** 2
    return response


def _kinetic_temperature(
    velocities: NDArray[np.float64], mass: NDArray[np.float64], degrees: int
) -> float:
    components = velocities.reshape(len(velocities), -1)
    squared = np.einsum("fk,fk->k", components, components)
    twice_kinetic = float(np.repeat(mass, 3) @ squared)
    energy = AMU_ANGSTROM2_PER_FS2_EV * twice_kinetic / len(velocities)
    return energy / (degrees * BOLTZMANN_EV_PER_K)


def _warn(
    kinetic: float, target: float, degrees: int, top: float, nyquist: float
) -> tuple[str, ...]:
    warnings = []
    # The energy of an uncoupled trajectory is drawn once, with relative spread √(2/degrees).
    allowed = max(0.1, 3.0 * float(np.sqrt(2.0 / degrees)))
    if abs(kinetic / target - 1.0) > allowed:
        warnings.append(
            f"the mean temperature is {kinetic:.1f} K, not {target:.1f} K: equilibrate longer, "
            "or analyse at the temperature that the run had"
        )
    if top > 0.8 * nyquist:
        warnings.append(
            f"the density of states reaches {top * 1e3:.0f} meV, the time step resolves "
            f"{nyquist * 1e3:.0f} meV: take a shorter one"
        )
    return tuple(warnings)
