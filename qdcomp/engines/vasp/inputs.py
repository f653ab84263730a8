"""From a job in the words of physics to the four inputs of VASP."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from ase.data import atomic_masses, atomic_numbers
from numpy.typing import NDArray

from qdcomp.engines.base import EngineJob, RelaxationSettings
from qdcomp.engines.job_limits import check_job_limits, check_vacuum
from qdcomp.engines.vasp.incar import choose_tags, render_incar, render_kpoints
from qdcomp.engines.vasp.job_file import RESTART_SOURCE, JobFile, Species, write_job_file
from qdcomp.engines.vasp.poscar import order_atoms, render_poscar
from qdcomp.engines.vasp.potcar import check_contents, choose_species, join_potcars, require_folder
from qdcomp.engines.vasp.settings import VaspSettings, read_settings
from qdcomp.engines.vasp.thermostats import check_thermostat
from qdcomp.errors import EngineError, InputError
from qdcomp.units import AMU_ANGSTROM2_PER_FS2_EV, BOLTZMANN_EV_PER_K

INPUT_NAMES = ("INCAR", "KPOINTS", "POSCAR", "POTCAR")
"""Inputs of VASP."""

PAPER_CRITERION_EV = 1e-3
"""Change of the energy between two steps that ends a relaxation of Mi et al. [eV]."""

_LEAST_MARGIN = 2.5
"""Least distance of an atom from the wall of the box [Å]."""

_BOX_GRAIN = 0.5
"""A box chosen by qdcomp is a multiple of this [Å], so that it stays one along a chain of runs."""

_SPIN_HINT = "check the charge, or name the spin (engines: vasp: multiplicity)"


def prepare_job(job: EngineJob, folder: Path | None) -> JobFile:
    """Check a job and complete it with what the study leaves to the engine.

    Parameters
    ----------
    job
        The job.
    folder
        Folder of the PAW data sets; None takes what the defaults ask for, for an estimate.

    Raises
    ------
    InputError
        Unknown setting, element without a data set, a cell that VASP cannot use, a slab too near
        to its image, a criterion of the wrong sign, spin that does not fit the number of
        electrons, …
    """
    settings = read_settings(job.settings)
    _check_structure(job)
    symbols = tuple(job.atoms.get_chemical_symbols())
    species = choose_species(symbols, settings, folder)
    electrons = count_electrons(job, species)
    multiplicity, polarized = _choose_spin(electrons, settings)
    cell, origin = _choose_cell(job, settings)
    prepared = JobFile(
        task=job.task,
        symbols=symbols,
        positions=np.asarray(job.atoms.get_positions(), dtype=np.float64) + origin,
        velocities=_starting_velocities(job),
        origin=(float(origin[0]), float(origin[1]), float(origin[2])),
        cell=cell,
        pbc=(bool(job.atoms.pbc[0]), bool(job.atoms.pbc[1]), bool(job.atoms.pbc[2])),
        order=order_atoms(symbols),
        species=species,
        frozen=tuple(int(index) for index in np.flatnonzero(job.frozen)),
        charge=job.charge,
        electrons=electrons,
        multiplicity=multiplicity,
        spin_polarized=polarized,
        kpoints=_check_kpoints(job),
        dipole_correction=job.dipole_correction,
        settings=settings,
        relaxation=job.relaxation or RelaxationSettings(max_energy_change_ev=PAPER_CRITERION_EV),
        dynamics=job.dynamics if job.task == "dynamics" else None,
        seed=job.seed,
        warnings=(
            *_collect_warnings(job, settings, species, electrons),
            *(() if folder is None else check_contents(species, folder)),
        ),
    )
    choose_tags(prepared)
    return prepared


def count_electrons(job: EngineJob, species: tuple[Species, ...]) -> int:
    """Count the valence electrons of the data sets, the charge taken into account.

    Raises
    ------
    InputError
        If none are left, or a part of one.
    """
    valence = {entry.symbol: entry.electrons for entry in species}
    electrons = sum(valence[symbol] for symbol in job.atoms.get_chemical_symbols()) - job.charge
    if electrons <= 0 or abs(electrons - round(electrons)) > 1e-6:
        raise InputError(f"a charge of {job.charge:+d} e leaves {electrons:g} electrons")
    return round(electrons)


def write_inputs(directory: Path, job: JobFile) -> None:
    """Write the description of a job and the inputs rendered from it.

    Raises
    ------
    InputError
        A data set is missing, or another one than when the job was written.
    EngineError
        The structure that the run goes on from is not there.
    """
    write_job_file(directory, job)
    for name, text in render_inputs(directory, job).items():
        (directory / name).write_text(text)
    potcar = join_potcars(job.species, require_folder(job.settings))
    (directory / "POTCAR").write_text(potcar)


def render_inputs(directory: Path, job: JobFile) -> dict[str, str]:
    """Text of INCAR, KPOINTS and POSCAR of a job.

    Raises
    ------
    EngineError
        The structure that the run goes on from is not there.
    InputError
        A template names a value that nobody knows.
    """
    source = directory / RESTART_SOURCE
    if job.goes_on and not source.is_file():
        raise EngineError(f"{RESTART_SOURCE}, from which the run goes on, is not there", directory)
    return {
        "INCAR": render_incar(job),
        "KPOINTS": render_kpoints(job),
        "POSCAR": source.read_text() if job.goes_on else render_poscar(job),
    }


def describe_level(job: JobFile) -> dict[str, str]:
    """Level of theory by name; what belongs to one element is named with the element last."""
    settings = job.settings
    scheme = "Gamma" if job.gamma_only or settings.kpoint_scheme == "gamma" else "Monkhorst-Pack"
    return {
        "functional": settings.functional,
        "dispersion": settings.dispersion,
        "cutoff": f"{settings.encut_ev:g} eV",
        "precision": settings.prec,
        "projection": "reciprocal space" if settings.lreal is False else "real space",
        "smearing": f"ISMEAR {settings.ismear}, {settings.sigma_ev:g} eV",
        "kpoints": f"{' '.join(map(str, job.kpoints))} {scheme}",
        "dipole correction": "along z" if job.dipole_correction else "none",
        **{f"INCAR {tag}": str(value) for tag, value in settings.incar.items()},
        **{f"POTCAR {kind.symbol}": kind.titel for kind in job.species},
    }


def _check_structure(job: EngineJob) -> None:
    check_job_limits(job)
    if job.ghost is not None and np.any(job.ghost):
        raise InputError(
            "VASP has plane waves, which belong to no atom: there are no basis functions without "
            "an atom, and no superposition error to correct. Leave the counterpoise out"
        )


def _check_kpoints(job: EngineJob) -> tuple[int, int, int]:
    grid = (int(job.kpoints[0]), int(job.kpoints[1]), int(job.kpoints[2]))
    for count, repeats in zip(grid, job.atoms.pbc, strict=True):
        if count < 1 or (count > 1 and not repeats):
            raise InputError(
                f"k-points {grid}: one of 1 or more is expected along each direction, and 1 where "
                "the structure does not repeat"
            )
    return grid


def _choose_cell(
    job: EngineJob, settings: VaspSettings
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cell vectors, and what is added to the coordinates."""
    if not any(job.atoms.pbc):
        return _choose_box(job, settings)
    cell = np.asarray(job.atoms.cell.array, dtype=np.float64)
    if not (job.atoms.pbc[0] and job.atoms.pbc[1]):
        raise InputError("a slab repeats along x and y, a dot or molecule not at all")
    volume = float(np.linalg.det(cell))
    if volume < 1.0:
        raise InputError(
            f"the cell vectors span {volume:.3g} Å³: three right-handed ones are expected"
        )
    if job.dipole_correction and (abs(cell[:2, 2]).max() > 1e-6 or abs(cell[2, :2]).max() > 1e-6):
        raise InputError(
            "the dipole correction is along the third cell vector, which has to be along z, with "
            "the other two in the surface"
        )
    return cell, np.zeros(3)


def _choose_box(
    job: EngineJob, settings: VaspSettings
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    positions = job.atoms.get_positions()
    extent = float(np.ptp(positions, axis=0).max())
    if job.box_angstrom is None:
        wanted = extent + 2 * settings.vacuum_angstrom
        box = _BOX_GRAIN * math.ceil(wanted / _BOX_GRAIN)
    else:
        box = float(job.box_angstrom)
        if (box - extent) / 2 < _LEAST_MARGIN:
            raise InputError(
                f"a box of {box:g} Å is too small for a structure of {extent:.2f} Å: electrons "
                f"need at least {_LEAST_MARGIN:g} Å beyond the outermost atoms; take "
                f"{extent + 16:.0f} Å or more"
            )
    origin = box / 2 - (positions.max(axis=0) + positions.min(axis=0)) / 2
    return np.eye(3) * box, np.asarray(origin, dtype=np.float64)


def _choose_spin(electrons: int, settings: VaspSettings) -> tuple[int, bool]:
    multiplicity = settings.multiplicity or 1 + electrons % 2
    if (electrons - multiplicity + 1) % 2:
        raise InputError(
            f"a multiplicity of {multiplicity} does not fit {electrons} electrons; "
            f"leave it out or take {1 + electrons % 2}"
        )
    if settings.spin_polarized is False and multiplicity > 1:
        raise InputError(
            f"{electrons} electrons with multiplicity {multiplicity} need spin-polarized orbitals; "
            "check the charge, or leave spin_polarized out"
        )
    chosen = settings.spin_polarized
    return multiplicity, multiplicity > 1 if chosen is None else chosen


def _starting_velocities(job: EngineJob) -> NDArray[np.float64] | None:
    """Velocities of dynamics [Å/fs]: the structure's own, or drawn with the job's seed."""
    if job.task != "dynamics" or job.dynamics is None:
        return None
    frozen = np.asarray(job.frozen, dtype=bool)
    if np.any(job.atoms.get_momenta()):
        own: NDArray[np.float64] = np.asarray(
            job.atoms.get_velocities() / math.sqrt(AMU_ANGSTROM2_PER_FS2_EV), dtype=np.float64
        )
        return own
    masses = atomic_masses[[atomic_numbers[name] for name in job.atoms.get_chemical_symbols()]]
    thermal = BOLTZMANN_EV_PER_K * job.dynamics.temperature_k / AMU_ANGSTROM2_PER_FS2_EV
    random = np.random.default_rng(job.seed)
    drawn: NDArray[np.float64] = (
        random.standard_normal((len(masses), 3)) * np.sqrt(thermal / masses)[:, None]
    )
    drawn[frozen] = 0.0
    if not frozen.any():
        drawn -= (masses[:, None] * drawn).sum(axis=0) / masses.sum()
    return drawn


def _collect_warnings(
    job: EngineJob, settings: VaspSettings, species: tuple[Species, ...], electrons: int
) -> tuple[str, ...]:
    said: list[str] = []
    hungry = [f"{kind.label} {kind.enmax_ev:g} eV" for kind in species
              if kind.enmax_ev > settings.encut_ev + 0.5]  # fmt: skip
    if hungry:
        said.append(
            f"the cutoff of {settings.encut_ev:g} eV is below what data sets ask for (ENMAX): "
            f"{', '.join(hungry)}; energies and forces are not converged"
        )
    if electrons % 2:
        said.append(f"an odd number of electrons ({electrons}): one stays unpaired; {_SPIN_HINT}")
    if any(job.atoms.pbc) and not job.atoms.pbc[2]:
        said.extend(check_vacuum(job))
    if any(job.atoms.pbc) and tuple(job.kpoints) == (1, 1, 1):
        said.append("the slab is sampled at the zone centre only; Mi et al. have 4x4x1")
    if job.charge and any(job.atoms.pbc):
        said.append(
            f"a slab with a charge of {job.charge:+d} e: VASP neutralises it with a uniform "
            "background, and its energy depends on the vacuum"
        )
    if job.charge and not any(job.atoms.pbc) and job.task != "dynamics":
        corrected = "first-order correction on" if settings.monopole_correction else "uncorrected"
        said.append(
            f"a charge of {job.charge:+d} e repeats with the box, its energy falls off with the "
            f"box's edge only ({corrected})"
        )
    if job.task == "dynamics" and job.dynamics is not None:
        said.extend(check_thermostat(settings, job.dynamics))
    return tuple(said)
