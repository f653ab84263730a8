"""The thermostats of VASP, in the words of a time constant.

- ``csvr``: the one of Bussi et al. that a job asks for, ``MDALGO`` 5. The manual has it since
  September 2023, so it is in VASP 6.4.3 and not in 5.4. It gave ``CSVR_PERIOD`` in steps until
  July 2026 and gives it in fs since; fs is what is written, and where a step is not 1 fs, said.
- ``nose``: Nosé–Hoover, ``MDALGO`` 2. The time is the period of the heat bath, with the mass
  Q = 2 N_f kT (τ/2π)² of S. Nosé, J. Chem. Phys. 81, 511 (1984), Eq. 2.29, in ``SMASS``'s unit,
  amu times the square of the first cell vector.
- ``langevin``: ``MDALGO`` 3 with the friction 1/τ on every element.
- ``andersen``: ``MDALGO`` 1 with the collision probability δt/τ.

Without a thermostat ``MDALGO`` 1 runs with no collisions, as the manual recommends.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from qdcomp.engines.base import DynamicsSettings
from qdcomp.engines.vasp.job_file import JobFile
from qdcomp.engines.vasp.settings import VaspSettings
from qdcomp.errors import InputError
from qdcomp.units import AMU_ANGSTROM2_PER_FS2_EV, BOLTZMANN_EV_PER_K

CSVR_SINCE = (6, 4, 3)
"""First version of VASP with the CSVR thermostat."""

THERMOSTAT_NAMES = {
    "csvr": "CSVR (Bussi), MDALGO 5",
    "nose": "Nosé–Hoover, MDALGO 2",
    "langevin": "Langevin, MDALGO 3",
    "andersen": "Andersen, MDALGO 1",
}


def check_thermostat(settings: VaspSettings, dynamics: DynamicsSettings) -> tuple[str, ...]:
    """Refuse a thermostat that the version of VASP does not have.

    Returns
    -------
    What the user should know about the one that is used.

    Raises
    ------
    InputError
        The thermostat is not there, or its time makes no sense for it.
    """
    time, step = dynamics.thermostat_time_fs, dynamics.timestep_fs
    if time is None:
        return ()
    kind = settings.thermostat
    if kind == "csvr" and settings.version_numbers < CSVR_SINCE:
        raise InputError(
            f"VASP {settings.version} has no CSVR thermostat (MDALGO 5 came with 6.4.3). State the "
            "version that will run (engines: vasp: version: '6.4.3'), or choose another "
            "thermostat (engines: vasp: thermostat: nose, langevin or andersen)"
        )
    if kind == "andersen" and step > time:
        raise InputError(
            f"an Andersen thermostat of {time:g} fs would have more than one collision in a step "
            f"of {step:g} fs; take a longer time"
        )
    if kind == "csvr":
        return _say_csvr_unit(step)
    changed = "; it disturbs the dynamics, so spectra of it are broadened"
    return (
        f"the thermostat is {THERMOSTAT_NAMES[kind]}, in place of CSVR"
        f"{'' if kind == 'nose' else changed}",
    )


def choose_thermostat_tags(job: JobFile) -> dict[str, Any]:
    """INCAR tags of the thermostat of a job."""
    dynamics = job.dynamics
    assert dynamics is not None
    time = dynamics.thermostat_time_fs
    if time is None:
        return {"mdalgo": 1, "andersen_prob": 0.0}
    kind = job.settings.thermostat
    if kind == "csvr":
        return {"mdalgo": 5, "csvr_period": time}
    if kind == "nose":
        return {"mdalgo": 2, "smass": compute_nose_mass(job, time, dynamics.temperature_k)}
    if kind == "langevin":
        return {"mdalgo": 3, "langevin_gamma": [1000.0 / time] * len(job.species)}
    return {"mdalgo": 1, "andersen_prob": dynamics.timestep_fs / time}


def compute_nose_mass(job: JobFile, period_fs: float, temperature_k: float) -> float:
    """Nosé mass ``SMASS`` [amu times the square of the first cell vector] of a period."""
    edge = float(np.linalg.norm(job.cell[0]))
    energy = 2.0 * count_degrees_of_freedom(job) * BOLTZMANN_EV_PER_K * temperature_k
    return energy * (period_fs / (2 * math.pi * edge)) ** 2 / AMU_ANGSTROM2_PER_FS2_EV


def count_degrees_of_freedom(job: JobFile) -> int:
    """Degrees of freedom that move: without the centre of mass where no atom is frozen."""
    free = 3 * (len(job.symbols) - len(job.frozen))
    return free if job.frozen else free - 3


def _say_csvr_unit(step_fs: float) -> tuple[str, ...]:
    if step_fs == 1.0:
        return ()
    return (
        "CSVR_PERIOD is written in fs, as the manual has it since July 2026; before, it said "
        f"steps, which would make the thermostat slower by {step_fs:g}: compare the temperature's "
        "relaxation with what was asked for",
    )
