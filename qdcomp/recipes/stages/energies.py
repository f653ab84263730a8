"""The energies that the jobs of a run computed, by the name of their structure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdcomp.engines import EngineResult
from qdcomp.errors import InputError, QdcompError
from qdcomp.recipes.jobs.planned_job import ENGINE_KINDS, PlannedJob
from qdcomp.recipes.runs.run_directory import RunDirectory
from qdcomp.recipes.stages.stages import FAILURE_NAME, is_done

NOT_COMPLETE = "not complete"
"""Reason of a job that says none itself."""


@dataclass(frozen=True)
class EnergyTable:
    """Energies of a run.

    Attributes
    ----------
    energies_ev
        Energy of each structure, or of each part of one, by its name [eV].
    levels
        Level of theory of each.
    molecules
        Names of those that are no slabs.
    failures
        Why an energy is missing, by name.
    frequencies_per_cm
        Frequencies of each structure that has them [1/cm], by its name.
    """

    energies_ev: dict[str, float]
    levels: dict[str, dict[str, str]]
    molecules: tuple[str, ...]
    failures: dict[str, str]
    frequencies_per_cm: dict[str, NDArray[np.float64]]

    def find(self, name: str) -> float | None:
        """Energy of a structure [eV]; None where there is none."""
        return self.energies_ev.get(name)

    def require(self, name: str) -> float:
        """Energy of a structure that all else is counted from [eV].

        Raises
        ------
        InputError
            There is none.
        """
        energy = self.find(name)
        if energy is None:
            reason = self.failures.get(name, "it was not computed")
            raise InputError(
                f"without the energy of {name} there is no result ({reason}); mend that job, then "
                "qdcomp resume"
            )
        return energy

    @property
    def slab_level(self) -> dict[str, str]:
        """Level of theory of the slabs, or of the molecules where there is no slab."""
        slabs = [level for name, level in self.levels.items() if name not in self.molecules]
        return next(iter(slabs or self.levels.values()), {})


def read_energies(run: RunDirectory) -> EnergyTable:
    """Read the energies of a run's jobs; of several of one structure the last of the plan counts.

    A job that is not done, or whose outputs cannot be read, leaves the reason instead.
    """
    table = EnergyTable({}, {}, (), {}, {})
    molecules: list[str] = []
    for job in run.jobs:
        if job.kind not in ENGINE_KINDS:
            continue
        name = _name_energy(job)
        result, failure = _read_result(run, job)
        if result is None:
            table.energies_ev.pop(name, None)
            table.levels.pop(name, None)
            _note_failure(table.failures, name, failure)
        elif job.kind == "vibrations":
            if result.frequencies_per_cm is not None:
                table.frequencies_per_cm[name] = result.frequencies_per_cm
        elif result.energy_ev is not None:
            table.failures.pop(name, None)
            table.energies_ev[name] = result.energy_ev
            table.levels[name] = dict(result.level)
            if not result.atoms.pbc.any():
                molecules.append(name)
    return EnergyTable(
        table.energies_ev,
        table.levels,
        tuple(name for name in dict.fromkeys(molecules) if name in table.levels),
        table.failures,
        table.frequencies_per_cm,
    )


def _note_failure(failures: dict[str, str], name: str, failure: str) -> None:
    """Keep the reason of the first job that failed over that the later ones could not run."""
    if name not in failures or not failure.endswith(NOT_COMPLETE):
        failures[name] = failure


def _name_energy(job: PlannedJob) -> str:
    """Name of what a job computes: its structure, or the part of it that the job is called by."""
    return job.label or job.piece


def _read_result(run: RunDirectory, job: PlannedJob) -> tuple[EngineResult | None, str]:
    if not is_done(run, job):
        said = run.job_directory(job) / FAILURE_NAME
        reason = said.read_text(encoding="utf-8").strip() if said.is_file() else NOT_COMPLETE
        return None, f"{job.name}: {reason}"
    try:
        result = run.engine.parse(run.job_directory(job))
    except QdcompError as error:
        return None, str(error)
    if result.ends_unconverged:
        return None, f"the self-consistent field of {job.name} did not converge"
    return result, ""
