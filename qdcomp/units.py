"""Physical constants and conversions in qdcomp's internal units: eV, Å, fs, K, amu.

Constants are CODATA 2018 (exact where the SI of 2019 makes them so).
"""

from __future__ import annotations

import math

BOLTZMANN_EV_PER_K = 8.617333262e-5
"""Boltzmann constant k [eV/K]."""

PLANCK_EV_FS = 4.135667696
"""Planck constant h [eV fs]."""

HBAR_EV_FS = 0.6582119569
"""Reduced Planck constant ħ [eV fs]."""

HARTREE_EV = 27.211386245988
"""Hartree energy [eV]."""

BOHR_ANGSTROM = 0.529177210903
"""Bohr radius [Å]."""

RYDBERG_EV = HARTREE_EV / 2
"""Rydberg energy [eV]."""

ATOMIC_TIME_FS = 0.02418884326585
"""Atomic unit of time ħ/E_h [fs]."""

COULOMB_EV_ANGSTROM = 14.399645478
"""e²/(4πε₀) [eV Å]."""

AMU_ANGSTROM2_PER_FS2_EV = 103.642696
"""1 amu Å² fs⁻² in eV: kinetic energy is ½ m v² times this."""

FWHM_PER_SIGMA = 2.0 * math.sqrt(2.0 * math.log(2.0))
"""Full width at half maximum of a Gaussian over its standard deviation, 2.3548."""

MJ_PER_M2_PER_EV_ANGSTROM2 = 16021.76634
"""1 eV/Å² in mJ/m²: the elementary charge over 10⁻²³."""

PER_CM_EV = 1.239841984e-4
"""hc over 1 cm: a wavenumber of 1/cm in eV."""

ATMOSPHERE_PA = 101325.0
"""One standard atmosphere [Pa]."""

PASCAL_EV_PER_ANGSTROM3 = 6.241509074e-12
"""1 Pa in eV/Å³: 10⁻³⁰ over the elementary charge."""

KCAL_PER_MOL_EV = 0.0433641042418009
"""One thermochemical kcal/mol in eV (4184 J / N_A)."""
