"""What a job has to be for CP2K to compute it, and what follows where the study leaves a choice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from qdcomp.engines.base import EngineJob
from qdcomp.engines.cp2k.job_file import GAMMA
from qdcomp.engines.cp2k.settings import Cp2kSettings
from qdcomp.engines.job_limits import check_job_limits
from qdcomp.errors import InputError

_DOT_GAP = 0.001
"""Gap [Ha] that the preconditioner assumes for a dot or a molecule."""

_SLAB_GAP = 0.1
"""The same for a slab: 25 SCF steps instead of 30 for methylammonium on a 1×1 slab (DZVP). With a
dipole correction, whose field reacts to every step, a small gap with FULL_ALL does not converge
from the atomic guess at all; FULL_SINGLE_INVERSE and 0.1 Ha did, in 35 steps."""

_KPOINT_EXTRAPOLATIONS = ("USE_PREV_P", "USE_GUESS")
"""Guesses from earlier steps that CP2K has for k-points."""


def check_job(job: EngineJob) -> None:
    """Refuse a job that is not whole, or asks for what CP2K does not have.

    Raises
    ------
    InputError
        What no engine computes (`check_job_limits`), an energy criterion, or ghosts that would
        have to move.
    """
    check_job_limits(job)
    _check_ghosts(job)
    if (
        job.task == "relax"
        and job.relaxation is not None
        and job.relaxation.max_energy_change_ev is not None
    ):
        raise InputError(
            f"an energy criterion of {job.relaxation.max_energy_change_ev:g} eV for a relaxation: "
            "CP2K stops by the forces, not by the change of the energy. Give the largest force "
            "that may be left instead (max_force, for example 0.024 eV/angstrom), or relax with "
            "the engine vasp"
        )


def resolve_settings(
    job: EngineJob, settings: Cp2kSettings
) -> tuple[Cp2kSettings, tuple[str, ...]]:
    """Decide what the study leaves open, and say what follows from its k-points.

    Raises
    ------
    InputError
        A solver or an extrapolation that has no k-points.
    """
    settings = _choose_preconditioner(job, settings)
    solver, guess = settings.scf_solver, settings.extrapolation
    if tuple(job.kpoints) == GAMMA:
        solver = "ot" if solver == "auto" else solver
        guess = "ASPC" if guess == "auto" else guess
        return replace(settings, scf_solver=solver, extrapolation=guess), ()
    if solver == "ot":
        raise InputError(
            "the orbital transformation (scf_solver: ot) has no k-points in CP2K; leave scf_solver "
            "out, which takes diagonalization where there are k-points, or leave the k-points out "
            "and take a larger surface cell"
        )
    if guess not in {"auto", *_KPOINT_EXTRAPOLATIONS}:
        raise InputError(
            f"extrapolation: {guess} has no k-points in CP2K; leave it out or take one of "
            f"{', '.join(_KPOINT_EXTRAPOLATIONS)}"
        )
    guess = _KPOINT_EXTRAPOLATIONS[0] if guess == "auto" else guess
    said = (
        ("with k-points the orbitals are found by diagonalization, not by orbital transformation",)
        if solver == "auto"
        else ()
    )
    return replace(settings, scf_solver="diagonalization", extrapolation=guess), said


def _choose_preconditioner(job: EngineJob, settings: Cp2kSettings) -> Cp2kSettings:
    preconditioner, gap = settings.preconditioner, settings.energy_gap_hartree
    if preconditioner == "auto":
        preconditioner = "FULL_SINGLE_INVERSE" if job.dipole_correction else "FULL_ALL"
    if gap is None:
        gap = _SLAB_GAP if job.atoms.pbc.any() else _DOT_GAP
    return replace(settings, preconditioner=preconditioner, energy_gap_hartree=gap)


def _check_ghosts(job: EngineJob) -> None:
    if job.ghost is None:
        return
    if len(job.ghost) != len(job.atoms):
        raise InputError(
            f"the mask of ghost atoms has {len(job.ghost)} entries for {len(job.atoms)} atoms"
        )
    if not np.any(job.ghost):
        return
    if job.task != "energy":
        raise InputError(
            f"ghost atoms in a job of the kind {job.task!r}: basis functions without nuclei have "
            "no forces to follow; compute the energy of the structure as it stands"
        )
    if np.all(job.ghost):
        raise InputError("every atom is a ghost; at least one needs a nucleus")
