"""Entropy and free energy of a molecule in the ideal gas.

    S_trans = k [ln(V/(N Λ³)) + 5/2],  V/N = kT/p,  Λ = h/√(2π m kT)             Sackur–Tetrode
    S_rot   = k [ln(√π/σ · √(kT/B₁ kT/B₂ kT/B₃)) + 3/2],  B_i = ħ²/2I_i          classical rotor
            = k [ln(kT/σB) + 1]  for a linear molecule,  0 for an atom
    S_vib   = k Σ [x/(eˣ − 1) − ln(1 − e⁻ˣ)],  x = ħω/kT                         harmonic
    S_el    = k ln g

(PHYSICS.md section 6; McQuarrie, Statistical Mechanics, 1976, chapters 5, 6 and 8). ``rigid`` has
no vibrations, as in Mi et al. 2025 (SI Note 4); ``rrho`` has them; ``quasi-rrho`` (Grimme,
Chem. Eur. J. 18, 9955, 2012, Eqs. 3–8) goes over from a vibration to a free rotor at low frequency,

    S = w S_vib + (1 − w) S_r,   w = 1/[1 + (ω₀/ω)⁴],   ω₀ = 100 cm⁻¹
    S_r = k [1/2 + ln √(8π³ μ' kT/h²)],   μ' = μ B_av/(μ + B_av),  μ = h/8π²ν,  B_av = 10⁻⁴⁴ kg m²

with the enthalpy left harmonic, as there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qdcomp.analysis.thermal_vibrations import compute_vibrations, select_vibrations
from qdcomp.analysis.validity import require_masses, require_positive
from qdcomp.errors import InputError
from qdcomp.units import (
    AMU_ANGSTROM2_PER_FS2_EV,
    ATMOSPHERE_PA,
    BOLTZMANN_EV_PER_K,
    HBAR_EV_FS,
    PASCAL_EV_PER_ANGSTROM3,
    PLANCK_EV_FS,
)

METHODS = ("rigid", "rrho", "quasi-rrho")
"""What a molecule is taken for."""

LINEAR_ANGSTROM = 0.02
"""A molecule is linear where no atom is farther than this from the axis [Å]."""

CLASSICAL_RATIO = 5.0
"""T over the largest rotational temperature below which the classical rotor is not to be
trusted."""


@dataclass(frozen=True)
class IdealGasEntropy:
    """Entropy of a molecule in the ideal gas, and the free energy that follows from it.

    Attributes
    ----------
    translation, rotation, vibration, electronic, total
        Contributions and their sum [eV/K]; ``vibration`` is 0 where the method leaves it out.
    ts_ev
        T S [eV].
    zero_point_ev
        ½ Σ ħω [eV]; None where vibrations are left out.
    enthalpy_ev
        H(T) − E without the zero point: translation, rotation, pV and thermal vibrations [eV].
    free_energy_ev
        G − E = zero point + H − T S [eV].
    temperature_k, pressure_pa
        Temperature [K] and pressure [Pa].
    mass_amu
        Mass of the molecule [amu].
    linear
        Whether it was taken for a linear molecule; an atom is none.
    method
        ``rigid``, ``rrho`` or ``quasi-rrho``.
    symmetry_number, spin_multiplicity
        σ and g.
    assumptions
        What the number rests on.
    warnings
        What the user should know.
    """

    translation: float
    rotation: float
    vibration: float
    electronic: float
    total: float
    ts_ev: float
    zero_point_ev: float | None
    enthalpy_ev: float
    free_energy_ev: float
    temperature_k: float
    pressure_pa: float
    mass_amu: float
    linear: bool
    method: str
    symmetry_number: int
    spin_multiplicity: int
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]


def ideal_gas_entropy(
    elements_or_masses: Sequence[str] | ArrayLike,
    positions: ArrayLike,
    temperature_k: float = 298.15,
    pressure_pa: float = ATMOSPHERE_PA,
    *,
    method: str = "rigid",
    symmetry_number: int = 1,
    frequencies_per_cm: ArrayLike | None = None,
    spin_multiplicity: int = 1,
) -> IdealGasEntropy:
    """Entropy of one molecule in the ideal gas.

    Parameters
    ----------
    elements_or_masses
        Symbols, whose standard atomic weights are taken, or masses [amu], shape ``(n_atoms,)``.
    positions
        Cartesian coordinates [Å], shape ``(n_atoms, 3)``.
    temperature_k, pressure_pa
        Temperature [K] and pressure [Pa]; 1 atm if not given, while most tables are for 1 bar.
    method
        ``rigid``, ``rrho`` or ``quasi-rrho``.
    symmetry_number
        Rotations that leave the molecule as it is: water 2, CO2 2, benzene 12.
    frequencies_per_cm
        Vibrations [1/cm], shape ``(3 n_atoms − 6,)``, 5 in place of 6 for a linear molecule;
        3 n_atoms are taken too, and the least ones left out. Imaginary ones are negative.
    spin_multiplicity
        Degeneracy of the electronic ground state.

    Raises
    ------
    InputError
        If the method is unknown or needs frequencies that are not given, their number is wrong or
        one is imaginary, shapes do not fit, or a number is not positive.
    """
    if method not in METHODS:
        raise InputError(f"the method is {method!r}; expected one of {', '.join(METHODS)}")
    temperature = require_positive("temperature", temperature_k, "K")
    pressure = require_positive("pressure", pressure_pa, "Pa")
    for name, number in (("symmetry number", symmetry_number), ("multiplicity", spin_multiplicity)):
        if number < 1 or int(number) != number:
            raise InputError(f"the {name} is {number}; expected a whole number of at least 1")
    masses, coordinates = _require_molecule(elements_or_masses, positions)
    moments = _find_moments(masses, coordinates)
    linear = len(moments) == 1
    thermal_energy = BOLTZMANN_EV_PER_K * temperature
    translation = _translate(float(masses.sum()), thermal_energy, pressure)
    rotation, rotor_warnings = _rotate(moments, symmetry_number, thermal_energy)
    rotor_degrees = 2 if linear else len(moments)
    energies, mode_warnings = select_vibrations(
        frequencies_per_cm, method, 3 * len(masses), 3 + rotor_degrees
    )
    vibration, zero_point, heat = compute_vibrations(energies, temperature, method)
    electronic = BOLTZMANN_EV_PER_K * math.log(spin_multiplicity)
    total = translation + rotation + vibration + electronic
    enthalpy = (2.5 + 0.5 * rotor_degrees) * thermal_energy + heat
    return IdealGasEntropy(
        translation=translation,
        rotation=rotation,
        vibration=vibration,
        electronic=electronic,
        total=total,
        ts_ev=temperature * total,
        zero_point_ev=None if method == "rigid" else zero_point,
        enthalpy_ev=enthalpy,
        free_energy_ev=zero_point + enthalpy - temperature * total,
        temperature_k=temperature,
        pressure_pa=pressure,
        mass_amu=float(masses.sum()),
        linear=linear,
        method=method,
        symmetry_number=int(symmetry_number),
        spin_multiplicity=int(spin_multiplicity),
        assumptions=_list_assumptions(method, temperature, pressure, symmetry_number),
        warnings=(*rotor_warnings, *mode_warnings),
    )


def compute_chemical_potential(
    energy_ev: float, gas: IdealGasEntropy, *, entropy_only: bool = True
) -> float:
    """Chemical potential of a molecule in the ideal gas at the T and p of ``gas`` [eV].

    E − T S as Mi et al. 2025 have it, or E + (G − E) with the zero point and the enthalpy.

    Parameters
    ----------
    energy_ev
        Total energy of the molecule [eV].
    gas
        From `ideal_gas_entropy`.
    entropy_only
        True for E − T S. False adds zero point and enthalpy; then those of the slab belong in its
        energies too.

    Raises
    ------
    InputError
        If the energy is not a finite number.
    """
    if not np.isfinite(energy_ev):
        raise InputError(f"the energy of the molecule is {energy_ev} eV; expected a finite number")
    return energy_ev - gas.ts_ev if entropy_only else energy_ev + gas.free_energy_ev


def _require_molecule(
    elements_or_masses: Sequence[str] | ArrayLike, positions: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    coordinates = np.asarray(positions, dtype=np.float64)
    if coordinates.ndim != 2 or coordinates.shape[1] != 3 or len(coordinates) == 0:
        raise InputError(f"the positions have shape {coordinates.shape}; expected (n_atoms, 3)")
    if not np.isfinite(coordinates).all():
        raise InputError("a position is not a finite number")
    given = np.asarray(elements_or_masses)
    masses = _look_up_masses(given) if given.dtype.kind in "UO" else given
    return require_masses(masses, len(coordinates)), coordinates


def _look_up_masses(symbols: NDArray[np.str_]) -> NDArray[np.float64]:
    from ase.data import atomic_masses, atomic_numbers

    unknown = sorted({str(symbol) for symbol in symbols} - set(atomic_numbers))
    if unknown:
        raise InputError(f"{', '.join(unknown)} is no element; give symbols or masses [amu]")
    return np.array([atomic_masses[atomic_numbers[str(symbol)]] for symbol in symbols])


def _find_moments(
    masses: NDArray[np.float64], positions: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Principal moments of inertia [eV fs²]: three, the one of a linear molecule, or none."""
    if len(masses) == 1:
        return np.zeros(0)
    centred = positions - masses @ positions / masses.sum()
    weighted = centred * np.sqrt(masses)[:, None]
    _, _, axes = np.linalg.svd(weighted)
    across = np.linalg.norm(centred - np.outer(centred @ axes[0], axes[0]), axis=1)
    tensor = np.trace(weighted.T @ weighted) * np.eye(3) - weighted.T @ weighted
    moments = AMU_ANGSTROM2_PER_FS2_EV * np.linalg.eigvalsh(tensor)
    if moments[2] <= 0:
        raise InputError("all atoms are in one place; give their positions in Å")
    return moments[2:] if across.max() < LINEAR_ANGSTROM else moments


def _translate(mass: float, thermal_energy: float, pressure: float) -> float:
    """Sackur–Tetrode entropy [eV/K]."""
    wavelength = PLANCK_EV_FS / math.sqrt(
        2.0 * math.pi * mass * AMU_ANGSTROM2_PER_FS2_EV * thermal_energy
    )
    volume = thermal_energy / (pressure * PASCAL_EV_PER_ANGSTROM3)
    return BOLTZMANN_EV_PER_K * (math.log(volume / wavelength**3) + 2.5)


def _rotate(
    moments: NDArray[np.float64], symmetry_number: int, thermal_energy: float
) -> tuple[float, tuple[str, ...]]:
    """Entropy of the classical rotor [eV/K], and whether it is one."""
    if len(moments) == 0:
        return 0.0, ()
    ratios = thermal_energy / (HBAR_EV_FS**2 / (2.0 * moments))
    if len(moments) == 1:
        entropy = math.log(ratios[0] / symmetry_number) + 1.0
    else:
        entropy = math.log(math.sqrt(math.pi * np.prod(ratios)) / symmetry_number) + 1.5
    warning = (
        f"kT is only {ratios.min():.1f} times a rotational constant: the classical rotor is not "
        "to be trusted"
    )
    return BOLTZMANN_EV_PER_K * entropy, (warning,) if ratios.min() < CLASSICAL_RATIO else ()


def _list_assumptions(
    method: str, temperature: float, pressure: float, symmetry_number: int
) -> tuple[str, ...]:
    vibrations = {
        "rigid": "no vibrations and no other conformers, as in Mi et al.",
        "rrho": "harmonic vibrations of one conformer",
        "quasi-rrho": "vibrations below about 100 cm⁻¹ as free rotors, of one conformer",
    }
    return (
        f"ideal gas at {temperature:g} K and {pressure:g} Pa",
        f"rigid classical rotor with symmetry number {symmetry_number}",
        vibrations[method],
    )
