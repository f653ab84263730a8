"""Vibrations of a molecule at a temperature: entropy, zero point and heat.

Harmonic, or with Grimme's free rotors at low frequency; the formulas are in `thermochemistry`.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qdcomp.errors import InputError
from qdcomp.units import (
    AMU_ANGSTROM2_PER_FS2_EV,
    BOLTZMANN_EV_PER_K,
    HBAR_EV_FS,
    PER_CM_EV,
)

ROTOR_PER_CM = 100.0
"""ω₀ of Grimme 2012: half vibration, half free rotor [1/cm]."""

ROTOR_EXPONENT = 4
"""α of Grimme 2012."""

ROTOR_MOMENT_AMU_ANGSTROM2 = 602.2140762
"""B_av of Grimme 2012, 10⁻⁴⁴ kg m², which limits the moments of inertia [amu Å²]."""


def select_vibrations(
    frequencies_per_cm: ArrayLike | None, method: str, degrees_of_freedom: int, rigid: int
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return ħω of the vibrations [eV], ascending, none for ``rigid``, and warnings.

    Parameters
    ----------
    frequencies_per_cm
        Vibrations [1/cm]; with translations and rotations among them, the least are left out.
    method
        ``rigid``, ``rrho`` or ``quasi-rrho``.
    degrees_of_freedom, rigid
        Three times the atoms, and how many of these are translations and rotations.

    Raises
    ------
    InputError
        If frequencies are missing, of a wrong number, not finite, imaginary or zero.
    """
    expected = degrees_of_freedom - rigid
    if method == "rigid":
        ignored = ("frequencies are given, and the method 'rigid' leaves them out",)
        return np.zeros(0), () if frequencies_per_cm is None else ignored
    if frequencies_per_cm is None and expected:
        raise InputError(
            f"the method {method!r} needs the {expected} frequencies of the molecule and got none; "
            "compute its vibrations, or use 'rigid'"
        )
    given = np.zeros(0) if frequencies_per_cm is None else np.asarray(frequencies_per_cm, float)
    if given.ndim != 1 or not np.isfinite(given).all():
        raise InputError(f"the frequencies {given.tolist()} are not a list of finite numbers")
    frequencies, warnings = _leave_out_rigid_motion(given, expected, rigid)
    _refuse_imaginary(frequencies)
    low = int((frequencies < ROTOR_PER_CM).sum())
    if low and method == "rrho":
        warnings += (
            f"{low} vibrations are below {ROTOR_PER_CM:g} cm⁻¹, where the harmonic entropy is too "
            "large; compare with 'quasi-rrho'",
        )
    return PER_CM_EV * np.sort(frequencies), warnings


def compute_vibrations(
    energies_ev: NDArray[np.float64], temperature_k: float, method: str
) -> tuple[float, float, float]:
    """Entropy [eV/K], zero-point energy [eV] and thermal energy [eV] of all vibrations.

    Parameters
    ----------
    energies_ev
        ħω [eV], shape ``(n_modes,)``.
    temperature_k
        Temperature [K].
    method
        ``rrho`` or ``quasi-rrho``; the energies are harmonic in both.
    """
    thermal_energy = BOLTZMANN_EV_PER_K * temperature_k
    ratios = energies_ev / thermal_energy
    # e⁻ˣ/(1 − e⁻ˣ), which does not overflow for cold or stiff vibrations.
    occupation = np.exp(-ratios) / -np.expm1(-ratios)
    entropies = BOLTZMANN_EV_PER_K * (ratios * occupation - np.log(-np.expm1(-ratios)))
    if method == "quasi-rrho":
        share = 1.0 / (1.0 + (PER_CM_EV * ROTOR_PER_CM / energies_ev) ** ROTOR_EXPONENT)
        entropies = share * entropies + (1.0 - share) * _rotate_freely(energies_ev, thermal_energy)
    return (
        float(entropies.sum()),
        0.5 * float(energies_ev.sum()),
        float((energies_ev * occupation).sum()),
    )


def _rotate_freely(energies_ev: NDArray[np.float64], thermal_energy: float) -> NDArray[np.float64]:
    """Entropy of free rotors with the low frequencies' moments of inertia [eV/K]."""
    limit = ROTOR_MOMENT_AMU_ANGSTROM2 * AMU_ANGSTROM2_PER_FS2_EV
    moments = HBAR_EV_FS**2 / (2.0 * energies_ev)
    reduced = moments * limit / (moments + limit)
    # 8π³ μ' kT/h² = 2π μ' kT/ħ²
    entropies: NDArray[np.float64] = BOLTZMANN_EV_PER_K * (
        0.5 + 0.5 * np.log(2.0 * math.pi * reduced * thermal_energy / HBAR_EV_FS**2)
    )
    return entropies


def _leave_out_rigid_motion(
    given: NDArray[np.float64], expected: int, rigid: int
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    if len(given) == expected:
        return given, ()
    if len(given) != expected + rigid:
        raise InputError(
            f"{len(given)} frequencies for a molecule with {expected} vibrations; give these, "
            "or with them its translations and rotations"
        )
    order = np.argsort(np.abs(given))
    left_out = ", ".join(f"{value:.1f}" for value in given[np.sort(order[:rigid])])
    return given[np.sort(order[rigid:])], (
        f"the {rigid} frequencies nearest to zero are taken for translations and rotations and "
        f"left out: {left_out} cm⁻¹",
    )


def _refuse_imaginary(frequencies: NDArray[np.float64]) -> None:
    bad = frequencies[frequencies <= 0]
    if len(bad):
        named = ", ".join(f"{value:.1f}" for value in bad)
        raise InputError(
            f"{len(bad)} frequencies are imaginary or zero ({named} cm⁻¹): the geometry is not a "
            "minimum, and these vibrations have no entropy; relax it further, or use 'rigid'"
        )
