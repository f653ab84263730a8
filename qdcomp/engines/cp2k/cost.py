"""What a CP2K job is expected to take.

One SCF step of Quickstep with OT has a part on the grid, N_grid log N_grid, and a part of dense
algebra, N_basis² N_occupied. The first is scaled from measurements with CP2K 2023.1 on an x86
core, the second from the speed of a core; core-hours of a machine may differ by a factor of three
either way.
"""

from __future__ import annotations

import math

import numpy as np

from qdcomp.engines.base import CostEstimate
from qdcomp.engines.cp2k.job_file import JobFile
from qdcomp.units import BOHR_ANGSTROM

GRID_SECONDS = 4.5e-8
"""Core-seconds of an SCF step per grid point and log2 of their number: measured 0.75 s for 93³
points (SZV), 1.3 s for 104³ (DZVP), both Cs4PbBr6, and some 20 s for 250³ (63 atoms)."""

ALGEBRA_SECONDS = 2.5e-10
"""Core-seconds of an SCF step per N_basis² N_occupied: some ten multiplications of dense matrices
at 10 Gflop/s a core."""

STEPS_PER_FIRST_SCF = 18
"""SCF steps from the atomic guess, measured for Cs4PbBr6."""

STEPS_PER_NEXT_SCF = 6
"""SCF steps from an extrapolated wavefunction, at ``EPS_SCF`` 1e-8."""

GRID_ARRAYS = 60
"""Arrays of the size of the finest grid that are alive at once (density, gradients, potentials and
the doubled grid of the wavelet solver): peaks of 0.39, 0.50 and 0.67 GiB for 93³, 104³, 120³."""

RELAXATION_STEPS = 60
"""Geometry steps that a BFGS relaxation of a dot is assumed to take, where more are allowed."""

BASIS = (
    "scaled by grid points and basis functions from Cs4PbBr6 measured with CP2K 2023.1 on one x86 "
    "core; good to about a factor of three"
)


def estimate_cost(job: JobFile) -> CostEstimate:
    """Predict electrons, memory and core-hours of a job."""
    counts = {kind.symbol: job.symbols.count(kind.symbol) for kind in job.species}
    electrons = sum(kind.electrons * counts[kind.symbol] for kind in job.species) - job.charge
    functions = sum(kind.basis_functions * counts[kind.symbol] for kind in job.species)
    spins = 2 if job.spin_polarized else 1
    occupied = math.ceil(electrons / 2)
    points = count_grid_points(job)
    scf_step = spins * (
        GRID_SECONDS * points * math.log2(points) + ALGEBRA_SECONDS * functions**2 * occupied
    )
    seconds = scf_step * (STEPS_PER_FIRST_SCF + STEPS_PER_NEXT_SCF * _count_geometries(job))
    matrices = spins * 10 * functions**2 + 12 * functions * occupied
    return CostEstimate(
        electrons=electrons,
        memory_gib=8 * (GRID_ARRAYS * points + matrices) / 2**30,
        core_hours=seconds / 3600,
        basis=BASIS,
    )


def count_grid_points(job: JobFile) -> int:
    """Points of the finest grid: spacing π/√(2 E) for a cutoff E [Ha] of the density."""
    spacing_bohr = math.pi / math.sqrt(job.settings.cutoff_ry)
    lengths = np.linalg.norm(np.array(job.cell), axis=1) / BOHR_ANGSTROM
    return math.prod(math.ceil(length / spacing_bohr) for length in lengths)


def _count_geometries(job: JobFile) -> int:
    if job.dynamics is not None:
        return job.dynamics.steps
    return min(job.relaxation.max_steps, RELAXATION_STEPS) if job.task == "relax" else 0
