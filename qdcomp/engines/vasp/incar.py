"""INCAR and KPOINTS of a job, from the tags in ``templates/vasp/``.

A template names the tags of a task; ``$name`` stands for a value that follows from the job or its
settings. A tag whose value is not there (no dipole correction, no dispersion) is left out.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import yaml

from qdcomp.engines.vasp.job_file import JobFile
from qdcomp.engines.vasp.settings import DISPERSIONS, FUNCTIONALS, OPTIMIZERS
from qdcomp.engines.vasp.thermostats import choose_thermostat_tags
from qdcomp.errors import InputError
from qdcomp.resources import find_template

TEMPLATES = {task: f"{task}.yaml" for task in ("energy", "relax", "dynamics", "vibrations")}
"""Template of each task, in ``templates/vasp/``, after the common one."""

_SEED_RANGE, _COUNT_RANGE = 900_000_000, 1_000_000
"""``RANDOM_SEED`` takes a first and a second number below these."""


def choose_tags(job: JobFile) -> dict[str, Any]:
    """INCAR tags of a job, without what handlers changed.

    Raises
    ------
    InputError
        A template names a value that nobody knows.
    """
    values = _common_values(job) | _task_values(job)
    tags: dict[str, Any] = {}
    for name in ("common.yaml", TEMPLATES[job.task]):
        for tag, value in yaml.safe_load(find_template(f"vasp/{name}").read_text()).items():
            tags[tag] = _fill_in(name, tag, value, values)
    return {tag: value for tag, value in tags.items() if value is not None} | dict(
        job.settings.incar
    )


def render_incar(job: JobFile) -> str:
    """INCAR of a job, with what handlers changed.

    Raises
    ------
    InputError
        A template names a value that nobody knows.
    """
    from pymatgen.io.vasp.inputs import Incar

    tags = choose_tags(job) | dict(job.changes)
    incar = Incar({tag: value for tag, value in tags.items() if value is not None})
    return str(incar.get_str(sort_keys=False, pretty=True)) + "\n"


def render_kpoints(job: JobFile) -> str:
    """KPOINTS of a job."""
    from pymatgen.io.vasp.inputs import Kpoints

    centred = job.gamma_only or job.settings.kpoint_scheme == "gamma"
    make = Kpoints.gamma_automatic if centred else Kpoints.monkhorst_automatic
    return str(make(job.kpoints))


def choose_criterion(job: JobFile) -> float:
    """``EDIFFG``: positive for a change of the energy [eV], negative for a force [eV/Å]."""
    change = job.relaxation.max_energy_change_ev
    return -job.relaxation.max_force_ev_per_angstrom if change is None else change


def _fill_in(template: str, tag: str, value: Any, values: dict[str, Any]) -> Any:
    if not isinstance(value, str) or not value.startswith("$"):
        return value
    if value[1:] not in values:
        raise InputError(f"template vasp/{template}: {tag}: nobody knows {value!r}")
    return values[value[1:]]


def _common_values(job: JobFile) -> dict[str, Any]:
    settings = job.settings
    counts = Counter(job.symbols)
    formula = "".join(f"{kind.symbol}{counts[kind.symbol]}" for kind in job.species)
    charged_alone = job.charge != 0 and not any(job.pbc) and settings.monopole_correction
    return {
        "name": f"qdcomp {job.task} {formula}",
        "gga": FUNCTIONALS[settings.functional],
        "ivdw": DISPERSIONS[settings.dispersion],
        "encut_ev": settings.encut_ev,
        "prec": settings.prec,
        "ediff_ev": settings.ediff_ev,
        "algo": settings.algo,
        "nelm": settings.nelm,
        "nelmin": settings.nelmin,
        "ismear": settings.ismear,
        "sigma_ev": settings.sigma_ev,
        "lreal": settings.lreal,
        "nbands": settings.nbands,
        "isym": 0 if settings.symmetry is False or job.task == "dynamics" else None,
        "ispin": 2 if job.spin_polarized else 1,
        "nupdown": job.multiplicity - 1 if job.spin_polarized else None,
        "nelect": job.electrons if job.charge else None,
        "lwave": settings.lwave,
        "lcharg": settings.lcharg,
        "ncore": settings.ncore,
        "kpar": settings.kpar,
    } | _field_values(job, charged_alone)


def _field_values(job: JobFile, charged_alone: bool) -> dict[str, Any]:
    slab = any(job.pbc)
    needed = job.dipole_correction or charged_alone
    return {
        "lmono": True if charged_alone else None,
        "ldipol": True if job.dipole_correction else None,
        "idipol": (3 if slab else 4) if needed else None,
        "dipol": _centre(job) if needed else None,
    }


def _centre(job: JobFile) -> list[float]:
    """Middle of the structure in fractions of the cell vectors, where the dipole is taken."""
    fractions = np.linalg.solve(job.cell.T, job.positions.T).T
    middle = (fractions.max(axis=0) + fractions.min(axis=0)) / 2
    in_plane = [0.5 if repeats else float(x) for x, repeats in zip(middle, job.pbc, strict=True)]
    return [round(math.fmod(x, 1.0), 6) for x in in_plane]


def _task_values(job: JobFile) -> dict[str, Any]:
    if job.task == "relax":
        return {
            "steps_left": max(job.steps - job.steps_before, 1),
            "ibrion": OPTIMIZERS[job.settings.optimizer],
            "ediffg": choose_criterion(job),
            "potim": job.settings.potim,
        }
    if job.dynamics is not None:
        done = job.dynamics.first_step + job.steps_before
        empty = dict.fromkeys(("smass", "langevin_gamma", "andersen_prob", "csvr_period"))
        return (
            empty
            | {
                "steps_left": max(job.steps - job.steps_before, 1),
                "timestep_fs": job.dynamics.timestep_fs,
                "temperature_k": job.dynamics.temperature_k,
                "random_seed": [
                    job.seed % _SEED_RANGE,
                    done % _COUNT_RANGE,
                    0,
                ],
            }
            | choose_thermostat_tags(job)
        )
    return {"displacement_angstrom": job.settings.displacement_angstrom}
