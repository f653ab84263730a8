"""Where dynamics starts when the structure has no velocities.

A dot at 10 K is close to harmonic, and a thermostat that rescales all velocities by one factor
(CSVR) moves hardly any energy from mode to mode within tens of picoseconds: each mode keeps, over
a whole run, the energy it had after the start. Two things then spoil a run that starts from the
relaxed geometry with random velocities. The fast modes turn half of their kinetic into potential
energy first, and the factor with which the thermostat makes up for it heats the slow modes, too:
measured at 10 K on the 1.8 nm dot with the published protocol (3 ps with 15 fs), 1.9 kT in modes
below 2 meV and 0.7–0.8 kT above 8 meV. And the dot expands, which sets the breathing mode ringing.

The start ``canonical`` therefore draws displacements and velocities from the harmonic canonical
ensemble, and lets Langevin dynamics, which thermalises every mode on its own, add what is not
harmonic.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from ase import Atoms, units
from ase.md.langevin import Langevin

from qdcomp.engines.base import EngineJob
from qdcomp.engines.model.calculator import ModelCalculator
from qdcomp.engines.model.force_field import compute_hessian
from qdcomp.engines.model.settings import ModelSettings
from qdcomp.engines.model.thermal import (
    remove_rigid_body_velocity,
    sample_displacements,
    sample_velocities,
)

LANGEVIN_FRICTION_PER_FS = 0.004
"""Friction [1/fs]: a ringing mode dies with 0.5 ps, and modes from 1 meV are not overdamped."""

LANGEVIN_TIME_FS = 5000.0
"""Length of the Langevin dynamics [fs], ten times that."""


def prepare_thermal_start(
    atoms: Atoms,
    job: EngineJob,
    settings: ModelSettings,
    calculator: ModelCalculator,
    report: Callable[[str], None],
) -> None:
    """Give `atoms`, in place, velocities and where wanted displacements.

    A structure that has velocities keeps them. One that is not at a minimum is not displaced;
    its Langevin dynamics then starts from velocities alone.

    Parameters
    ----------
    atoms
        Structure with calculator and constraints.
    job, settings, calculator
        What to run.
    report
        Takes lines about the progress.
    """
    dynamics = job.dynamics
    assert dynamics is not None
    if atoms.has("momenta") and np.any(atoms.get_momenta()):
        return
    rng = np.random.default_rng([job.seed, dynamics.first_step])
    temperature, positions = dynamics.temperature_k, atoms.get_positions()
    canonical = settings.thermal_start == "canonical"
    if canonical:
        hessian = compute_hessian(calculator.force_field(atoms), positions)
        displacements = sample_displacements(hessian, positions, job.frozen, temperature, rng)
        if displacements is not None:
            atoms.set_positions(positions + displacements)
    velocities = sample_velocities(
        atoms.get_masses(), atoms.get_positions(), job.frozen, temperature, rng
    )
    atoms.set_velocities(velocities / units.fs)
    if canonical:
        _thermalise(atoms, job, rng, report)


def _thermalise(
    atoms: Atoms, job: EngineJob, rng: np.random.Generator, report: Callable[[str], None]
) -> None:
    dynamics = job.dynamics
    assert dynamics is not None
    report(f"thermal start: {LANGEVIN_TIME_FS / 1000.0:g} ps of Langevin dynamics")
    langevin = Langevin(
        atoms,
        dynamics.timestep_fs * units.fs,
        temperature_K=dynamics.temperature_k,
        friction=LANGEVIN_FRICTION_PER_FS / units.fs,
        fixcm=False,
        rng=rng,
    )
    langevin.run(round(LANGEVIN_TIME_FS / dynamics.timestep_fs))
    if not np.any(job.frozen):
        atoms.set_velocities(
            remove_rigid_body_velocity(
                atoms.get_velocities(), atoms.get_masses(), atoms.get_positions()
            )
        )
