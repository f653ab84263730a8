"""What a VASP job is expected to take, roughly.

One step of the self-consistent field costs, for each k-point and spin, N_bands N_waves times
(a + b N_bands): Fourier transforms and projections, and the algebra among the bands. Both numbers
are from three public outputs of VASP 5.3 and 5.4 on 16 to 144 cores (Dy9 slab: 64 bands, 10300
waves, 15 core-seconds; NaCl: 32, 4700, 1.9; Al15N15O15C71H59: 528, 508600, 11700). Core-hours of
another machine, or with other parallel settings, may differ by a factor of five either way.
"""

from __future__ import annotations

import math

import numpy as np

from qdcomp.engines.base import CostEstimate
from qdcomp.engines.vasp.job_file import JobFile

WAVE_SECONDS = 1.0e-5
"""Core-seconds per band and wave: 1.1e-5 (Dy9, per spin) and 1.3e-5 (NaCl)."""

BAND_SECONDS = 6.5e-8
"""Core-seconds per band, band and wave: from 4.4e-5 per band and wave at 528 bands."""

STEPS_PER_FIRST_SCF = 25
"""Electronic steps from random waves with ``EDIFF`` 1e-6."""

STEPS_PER_NEXT_SCF = 8
"""Electronic steps of a structure that has moved a little."""

RELAXATION_STEPS = 80
"""Steps that a relaxation is assumed to take, where more are allowed."""

WAVES_PER_ANGSTROM3: float = math.pow(0.5123, 3) / (6 * math.pi**2)
"""Plane waves per volume [Å³] and cutoff [eV] to the power 3/2: √(2m)/ħ = 0.5123 /(Å √eV)."""

ERROR_FACTOR = 5.0
"""How far other machines and parallel settings may lie from the formula."""

BASIS = (
    "scaled by bands, plane waves and k-points from three public outputs of VASP 5; good to about "
    f"a factor of five; a relaxation is counted as {RELAXATION_STEPS} steps where more are allowed"
)


def estimate_cost(job: JobFile) -> CostEstimate:
    """Predict electrons, memory and core-hours of a job."""
    bands = count_bands(job)
    waves = count_waves(job)
    points = count_kpoints(job) * (2 if job.spin_polarized else 1)
    step = points * bands * waves * (WAVE_SECONDS + BAND_SECONDS * bands)
    if job.gamma_only:
        step /= 2
    seconds = step * (STEPS_PER_FIRST_SCF + STEPS_PER_NEXT_SCF * _count_geometries(job))
    grid = 16 * waves  # of the density, with its margins
    return CostEstimate(
        electrons=job.electrons,
        memory_gib=16 * (2 * points * bands * waves + 10 * grid) / 2**30,
        core_hours=seconds / 3600,
        basis=BASIS,
        error_factor=ERROR_FACTOR,
    )


def count_bands(job: JobFile) -> int:
    """Bands that VASP takes: half the electrons, and half the atoms."""
    if job.settings.nbands is not None:
        return job.settings.nbands
    atoms = len(job.symbols)
    usual = (job.electrons + 2) // 2 + max(atoms // 2, 3)
    return max(usual, math.ceil(0.6 * job.electrons)) if job.spin_polarized else usual


def count_waves(job: JobFile) -> int:
    """Plane waves of one k-point below the cutoff."""
    volume = float(abs(np.linalg.det(job.cell)))
    return math.ceil(volume * math.pow(job.settings.encut_ev, 1.5) * WAVES_PER_ANGSTROM3)


def count_kpoints(job: JobFile) -> int:
    """K-points that time reversal leaves; symmetry may leave fewer."""
    return math.ceil(math.prod(job.kpoints) / 2)


def _count_geometries(job: JobFile) -> int:
    if job.dynamics is not None:
        return job.dynamics.steps
    if job.task == "vibrations":
        return 6 * (len(job.symbols) - len(job.frozen))
    return min(job.relaxation.max_steps, RELAXATION_STEPS) if job.task == "relax" else 0
