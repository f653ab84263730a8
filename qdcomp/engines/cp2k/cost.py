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
points (SZV), 1.3 s for 104³ (DZVP), both Cs4PbBr6, and some 20 s for 250³ (63 atoms); 6.9 s, on a
busy machine, for a 2×2×1 slab with a ligand (48 atoms, 121×121×271 points), where it gives 3.9."""

ALGEBRA_SECONDS = 2.5e-10
"""Core-seconds of an SCF step per N_basis² N_occupied: some ten multiplications of dense matrices
at 10 Gflop/s a core."""

KPOINT_ALGEBRA = 12
"""How much more algebra a k-point takes than an SCF step of OT with as many functions: complex
numbers, and a diagonalisation."""

STEPS_PER_MIXING = 15
"""SCF steps of a diagonalisation with mixing, at the first geometry and at the next, measured for a
1×1 slab."""

STEPS_PER_FIRST_SCF = 18
"""SCF steps from the atomic guess, measured for Cs4PbBr6."""

STEPS_PER_NEXT_SCF = 6
"""SCF steps from an extrapolated wavefunction, at ``EPS_SCF`` 1e-8."""

GRID_ARRAYS = 60
"""Arrays of the size of the finest grid that are alive at once (density, gradients, potentials and
the doubled grid of the wavelet solver): peaks of 0.39, 0.50 and 0.67 GiB for 93³, 104³, 120³."""

RELAXATION_STEPS = 60
"""Geometry steps that a BFGS relaxation is assumed to take, where more are allowed: a dot's, and
those of slabs with one ligand, which took 38 (PEA) and 53 (DDA_C2)."""

ERROR_FACTOR = 3.0
"""How far the core-hours of the jobs measured, and of other machines, lie from the formula."""

BASIS = (
    "scaled by grid points and basis functions from Cs4PbBr6 and a slab of CsPbBr3 measured with "
    "CP2K 2023.1 on one x86 core; good to about a factor of three; a relaxation is counted as "
    f"{RELAXATION_STEPS} steps where more are allowed"
)


def estimate_cost(job: JobFile) -> CostEstimate:
    """Predict electrons, memory and core-hours of a job."""
    counts = {kind: job.kinds.count(kind.kind) for kind in job.species}
    electrons = sum(kind.electrons * count for kind, count in counts.items()) - job.charge
    functions = sum(kind.basis_functions * count for kind, count in counts.items())
    spins = 2 if job.spin_polarized else 1
    occupied = math.ceil(electrons / 2)
    points = count_grid_points(job)
    algebra = ALGEBRA_SECONDS * functions**2 * occupied
    first, following = STEPS_PER_FIRST_SCF, STEPS_PER_NEXT_SCF
    kpoints = 1
    if job.has_kpoints:
        kpoints = math.ceil(math.prod(job.kpoints) / 2)
        algebra = ALGEBRA_SECONDS * KPOINT_ALGEBRA * kpoints * functions**3
        first = following = STEPS_PER_MIXING
    scf_step = spins * (GRID_SECONDS * points * math.log2(points) + algebra)
    seconds = scf_step * (first + following * _count_geometries(job))
    matrices = spins * 10 * kpoints * functions**2 + 12 * functions * occupied
    return CostEstimate(
        electrons=electrons,
        memory_gib=8 * (GRID_ARRAYS * points + matrices) / 2**30,
        core_hours=seconds / 3600,
        basis=BASIS,
        error_factor=ERROR_FACTOR,
    )


def count_grid_points(job: JobFile) -> int:
    """Points of the finest grid: spacing π/√(2 E) for a cutoff E [Ha] of the density."""
    spacing_bohr = math.pi / math.sqrt(job.settings.cutoff_ry)
    lengths = np.linalg.norm(np.array(job.cell), axis=1) / BOHR_ANGSTROM
    return math.prod(math.ceil(length / spacing_bohr) for length in lengths)


def _count_geometries(job: JobFile) -> int:
    if job.dynamics is not None:
        return job.dynamics.steps
    if job.task == "vibrations":
        return 6 * (len(job.symbols) - len(job.frozen))
    return min(job.relaxation.max_steps, RELAXATION_STEPS) if job.task == "relax" else 0
