"""What a job has to be for any code that computes it with electrons: the same for each of them."""

from __future__ import annotations

import numpy as np

from qdcomp.engines.base import DynamicsSettings, EngineJob, RelaxationSettings
from qdcomp.errors import InputError

LEAST_VACUUM = 5.0
"""Vacuum between a slab and its image [Å] below which their electrons overlap."""

GOOD_VACUUM = 10.0
"""Vacuum [Å] from which on a slab hardly feels its image."""

DIPOLE_VACUUM = 9.0
"""Vacuum [Å] that a dipole correction needs: CP2K 2023.1 stops at 7.3 Å for methylammonium on a
1×1 slab, and runs at 9.3 Å."""


def check_job_limits(job: EngineJob) -> None:
    """Refuse a job that is not whole, or whose numbers make no sense.

    Raises
    ------
    InputError
        No atoms, a mask of another length, nothing to move, or a time, a temperature, a force or a
        number of steps that is not positive.
    """
    positions = job.atoms.get_positions()
    if len(positions) == 0 or not np.isfinite(positions).all():
        raise InputError("the structure has no atoms, or coordinates that are not numbers")
    if len(job.frozen) != len(positions):
        raise InputError(
            f"the mask of frozen atoms has {len(job.frozen)} entries for {len(positions)} atoms"
        )
    if job.task in {"dynamics", "vibrations"} and np.all(job.frozen):
        raise InputError("every atom is frozen; there is nothing to move")
    if job.task == "dynamics":
        _check_dynamics(job.dynamics)
    if job.task == "relax" and job.relaxation is not None:
        _check_relaxation(job.relaxation)


def measure_vacuum(job: EngineJob) -> float:
    """Width [Å] of the vacuum between a slab and its image, normal to its surface."""
    cell = np.asarray(job.atoms.cell.array, dtype=np.float64)
    normal = np.cross(cell[0], cell[1])
    normal /= np.linalg.norm(normal)
    return float(abs(cell[2] @ normal) - np.ptp(job.atoms.get_positions() @ normal))


def check_vacuum(job: EngineJob) -> tuple[str, ...]:
    """Refuse a slab, with all that is on it, that is too near to its image.

    Returns
    -------
    What the user should know about the vacuum.

    Raises
    ------
    InputError
        The vacuum is too small for a slab, or for the dipole correction.
    """
    vacuum = measure_vacuum(job)
    if vacuum < LEAST_VACUUM:
        raise InputError(
            f"only {vacuum:.2f} Å of vacuum between the slab and its image along z; expected at "
            f"least {LEAST_VACUUM:g} Å, better {GOOD_VACUUM:g} Å or more: build the slab with "
            "more vacuum"
        )
    if job.dipole_correction and vacuum < DIPOLE_VACUUM:
        raise InputError(
            f"only {vacuum:.2f} Å of vacuum for the dipole correction, whose potential steps in it "
            f"where there are no electrons; expected at least {DIPOLE_VACUUM:g} Å"
        )
    if vacuum < GOOD_VACUUM:
        return (f"only {vacuum:.1f} Å of vacuum between the slab and its image along z",)
    return ()


def _check_dynamics(dynamics: DynamicsSettings | None) -> None:
    if dynamics is None or dynamics.steps < 1 or not 0 < dynamics.timestep_fs < np.inf:
        raise InputError("dynamics needs a positive time step and at least one step")
    if not 0 < dynamics.temperature_k < np.inf:
        raise InputError(f"dynamics needs a positive temperature, got {dynamics.temperature_k:g} K")
    time = dynamics.thermostat_time_fs
    if time is not None and not 0 < time < np.inf:
        raise InputError(f"the time of the thermostat has to be positive, got {time:g} fs")


def _check_relaxation(relaxation: RelaxationSettings) -> None:
    change, force = relaxation.max_energy_change_ev, relaxation.max_force_ev_per_angstrom
    if change is not None and not 0 < change < np.inf:
        raise InputError(
            f"max_energy_change_ev = {change:g}: a change of the energy [eV] has to be positive. A "
            "negative EDIFFG of VASP is a force: give max_force_ev_per_angstrom instead"
        )
    if change is None and not 0 < force < np.inf:
        raise InputError(
            f"max_force_ev_per_angstrom = {force:g}: a force [eV/Å] has to be positive. A positive "
            "EDIFFG of VASP is a change of the energy: give max_energy_change_ev instead"
        )
    if relaxation.max_steps < 1:
        raise InputError(f"max_steps = {relaxation.max_steps}: at least one step is needed")
