"""From a job in the words of physics to the input of CP2K, through Jinja templates.

The templates in ``templates/cp2k/`` get checked numbers and names only: a text that could open or
close a section (a line break, ``&``, ``@``, ``$``, a comment sign) is refused when rendered.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from numpy.typing import NDArray

from qdcomp.engines.base import EngineJob, RelaxationSettings
from qdcomp.engines.cp2k.cell import choose_cell
from qdcomp.engines.cp2k.job_checks import check_job, resolve_settings
from qdcomp.engines.cp2k.job_file import (
    INPUT_NAME,
    PROJECT,
    RESTART_SOURCE,
    JobFile,
    write_job_file,
)
from qdcomp.engines.cp2k.settings import Cp2kSettings, read_settings
from qdcomp.engines.cp2k.species import (
    Species,
    choose_species,
    count_basis_functions,
    judge_basis,
)
from qdcomp.errors import InputError
from qdcomp.resources import find_template
from qdcomp.units import AMU_ANGSTROM2_PER_FS2_EV, ATOMIC_TIME_FS, BOHR_ANGSTROM, HARTREE_EV

TEMPLATES = {
    "energy": "energy.inp.j2",
    "relax": "geo_opt.inp.j2",
    "dynamics": "aimd.inp.j2",
    "vibrations": "vibrations.inp.j2",
}
"""Template of each task, in ``templates/cp2k/``."""

_SAFE = re.compile(r"[\w.+\-/]*")


def prepare_job(job: EngineJob, data_dir: Path | None) -> JobFile:
    """Check a job and complete it with what the study leaves to the engine.

    Raises
    ------
    InputError
        Unknown setting, element without pseudopotential, box smaller than the dot, spin that does
        not fit the number of electrons, …
    """
    check_job(job)
    settings, solver_warnings = resolve_settings(job, read_settings(job.settings))
    symbols = job.atoms.get_chemical_symbols()
    ghost = _mask_ghosts(job)
    species, basis_warnings = choose_species(
        zip(symbols, ghost.tolist(), strict=True), settings, data_dir
    )
    cell = choose_cell(job, settings)
    electrons = count_electrons(job, species)
    multiplicity, polarized = _choose_spin(electrons, settings)
    functions = count_basis_functions(symbols, ghost.tolist(), species)
    has_lumo = functions > (electrons + multiplicity - 1) // 2
    positions = np.asarray(job.atoms.get_positions(), dtype=np.float64)
    return JobFile(
        task=job.task,
        symbols=tuple(symbols),
        positions=positions + cell.origin,
        velocities=_starting_velocities(job),
        origin=(float(cell.origin[0]), float(cell.origin[1]), float(cell.origin[2])),
        cell=tuple(map(tuple, cell.vectors.tolist())),
        is_slab=cell.is_slab,
        charge=job.charge,
        multiplicity=multiplicity,
        spin_polarized=polarized,
        frozen=_number(job.frozen),
        ghosts=_number(ghost),
        species=species,
        settings=replace(settings, poisson_solver=cell.poisson_solver),
        kpoints=(job.kpoints[0], job.kpoints[1], job.kpoints[2]),
        dipole_correction=job.dipole_correction,
        relaxation=job.relaxation or RelaxationSettings(),
        dynamics=job.dynamics if job.task == "dynamics" else None,
        seed=job.seed,
        has_lumo=has_lumo,
        warnings=(
            *cell.warnings,
            *solver_warnings,
            *basis_warnings,
            *judge_basis(symbols, settings, has_lumo=has_lumo),
        ),
    )


def count_electrons(job: EngineJob, species: tuple[Species, ...]) -> int:
    """Count the valence electrons, the charge taken into account; ghosts have none.

    Raises
    ------
    InputError
        If none are left.
    """
    valence = {(entry.symbol, entry.ghost): entry.electrons for entry in species}
    atoms = zip(job.atoms.get_chemical_symbols(), _mask_ghosts(job).tolist(), strict=True)
    electrons = sum(valence[atom] for atom in atoms) - job.charge
    if electrons <= 0:
        raise InputError(f"a charge of {job.charge:+d} e leaves {electrons} electrons")
    return electrons


def write_input(directory: Path, job: JobFile) -> None:
    """Write the description of a job and the input rendered from it."""
    write_job_file(directory, job)
    (directory / INPUT_NAME).write_text(render_input(job))


def render_input(job: JobFile) -> str:
    """Input file of a job."""
    environment = Environment(  # CP2K input: & and < stand for themselves  # nosec B701
        loader=FileSystemLoader(find_template(f"cp2k/{TEMPLATES[job.task]}").parent),
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["number"] = lambda value: f"{value:.10g}"
    environment.filters["exact"] = lambda value: f"{value:.16E}"
    return environment.get_template(TEMPLATES[job.task]).render(
        job=job,
        settings=job.settings,
        project=PROJECT,
        restart_source=RESTART_SOURCE,
        periodic=_name_periodic(job),
        basis_files=_list_basis_files(job),
        atoms=list(zip(job.kinds, job.positions.tolist(), strict=True)),
        cell_vectors=list(zip("ABC", job.cell, strict=True)),
        velocities=_velocities_atomic_units(job),
        frozen_lists=_split(job.frozen, 10),
        max_force_au=job.relaxation.max_force_ev_per_angstrom * BOHR_ANGSTROM / HARTREE_EV,
        start_time_fs=_start_time(job),
        steps_left=job.restart.steps if job.restart else _count_steps(job),
    )


def _finalize(value: Any) -> Any:
    if isinstance(value, str) and not _SAFE.fullmatch(value.replace(" ", "")):
        raise InputError(f"{value!r} cannot stand in an input of CP2K: one plain word is expected")
    return value


def _mask_ghosts(job: EngineJob) -> NDArray[np.bool_]:
    return np.zeros(len(job.atoms), dtype=bool) if job.ghost is None else job.ghost


def _number(mask: NDArray[np.bool_]) -> tuple[int, ...]:
    """One-based numbers of the atoms in a mask."""
    return tuple(int(index) + 1 for index in np.flatnonzero(mask))


def _name_periodic(job: JobFile) -> str:
    """Directions along which the cell repeats for CP2K."""
    if job.settings.poisson_solver == "periodic":
        return "XYZ"
    return "XY" if job.is_slab else "NONE"


def _list_basis_files(job: JobFile) -> list[str]:
    return list(dict.fromkeys(kind.basis_file or job.settings.basis_file for kind in job.species))


def _choose_spin(electrons: int, settings: Cp2kSettings) -> tuple[int, bool]:
    multiplicity = settings.multiplicity or 1 + electrons % 2
    if (electrons - multiplicity + 1) % 2:
        raise InputError(
            f"a multiplicity of {multiplicity} does not fit {electrons} electrons; "
            f"leave it out or take {1 + electrons % 2}"
        )
    polarized = settings.spin_polarized
    if polarized is False and multiplicity > 1:
        raise InputError(
            f"{electrons} electrons with multiplicity {multiplicity} need spin-polarized orbitals; "
            "check the charge, or leave spin_polarized out"
        )
    return multiplicity, multiplicity > 1 if polarized is None else polarized


def _starting_velocities(job: EngineJob) -> NDArray[np.float64] | None:
    """Velocities [Å/fs] of a structure that has them; ASE keeps them in Å √(eV/amu)."""
    if job.task != "dynamics" or not np.any(job.atoms.get_momenta()):
        return None
    return np.asarray(job.atoms.get_velocities() / math.sqrt(AMU_ANGSTROM2_PER_FS2_EV))


def _velocities_atomic_units(job: JobFile) -> list[list[float]] | None:
    if job.velocities is None:
        return None
    scaled: list[list[float]] = (job.velocities * ATOMIC_TIME_FS / BOHR_ANGSTROM).tolist()
    return scaled


def _start_time(job: JobFile) -> float:
    return job.dynamics.first_step * job.dynamics.timestep_fs if job.dynamics else 0.0


def _count_steps(job: JobFile) -> int:
    return job.dynamics.steps if job.dynamics else job.relaxation.max_steps


def _split(numbers: tuple[int, ...], size: int) -> list[tuple[int, ...]]:
    return [numbers[start : start + size] for start in range(0, len(numbers), size)]
