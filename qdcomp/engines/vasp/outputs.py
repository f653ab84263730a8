"""Results of a VASP job, from what VASP wrote into its directory.

The energy of a result is ``energy(sigma->0)``, extrapolated to no smearing, with the dispersion
correction; the forces are derivatives of the free energy F, from which it differs by half of the
smearing's entropy. Atoms come in the order of the job and at the images that it had.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from ase import Atoms, units
from numpy.typing import NDArray

from qdcomp.engines.base import EngineResult, FrontierOrbitals
from qdcomp.engines.vasp.continuation import count_whole_steps
from qdcomp.engines.vasp.corrections import read_corrections
from qdcomp.engines.vasp.eigenvalues import FrontierLevels, find_frontier
from qdcomp.engines.vasp.error_text import find_error_text
from qdcomp.engines.vasp.ionic_steps import IonicStep
from qdcomp.engines.vasp.job_file import JobFile
from qdcomp.engines.vasp.outcar import OUTCAR
from qdcomp.engines.vasp.output_end import OutputEnd, read_end
from qdcomp.engines.vasp.part_outputs import PartOutput, read_last_bands, read_part
from qdcomp.engines.vasp.poscar import read_written_structure
from qdcomp.engines.vasp.projections import PROCAR, read_populations
from qdcomp.engines.vasp.trajectory_files import Unwrapper, iterate_frames
from qdcomp.errors import ConvergenceError, EngineError, ParseError

__all__ = ["is_finished", "iterate_frames", "read_result"]

_MOST_NAMED = 8


@dataclass(frozen=True)
class _Parts:
    """All parts of a run.

    Attributes
    ----------
    last
        The part at hand.
    unconverged
        Numbers of the job's steps whose self-consistent field did not converge.
    walltime_s
        Wall time of the parts that say so [s]; None if none does.
    steps
        Steps of the job that are done.
    """

    last: PartOutput
    unconverged: tuple[int, ...]
    walltime_s: float | None
    steps: int


def is_finished(directory: Path, job: JobFile) -> bool:
    """Whether the run in a directory has done what its job asks for."""
    end = read_end(directory / OUTCAR)
    if job.task == "dynamics":
        done = job.steps_before + count_whole_steps(directory, job) >= job.steps
        # after the last step nothing is lost if VASP was killed, once CONTCAR is whole
        return done and (
            end.ended or read_written_structure(directory / "CONTCAR", job) is not None
        )
    if job.task == "relax":
        return end.ended and end.geometry_converged
    if not end.ended or end.stopped:
        return False
    return end.has_frequencies if job.task == "vibrations" else end.has_energy


def read_result(directory: Path, job: JobFile) -> EngineResult:
    """Read what the run in a directory computed.

    Raises
    ------
    ParseError
        An output is missing or is not what it should be.
    EngineError
        VASP stopped with an error.
    ConvergenceError
        The relaxation did not reach its criterion, or a self-consistent field did not converge.
    """
    end = read_end(directory / OUTCAR)
    parts = _read_parts(directory, job, end)
    run = parts.last.run
    _refuse_unusable(directory, job, parts, end)
    step = run.first if job.task == "vibrations" else run.last
    assert step is not None
    frontier, said = _read_frontier(directory, job, parts.last)
    return EngineResult(
        engine="vasp",
        version=run.header.version,
        task=job.task,
        atoms=_make_atoms(directory, job, step),
        charge=job.charge,
        energy_ev=step.energy_ev,
        forces_ev_per_angstrom=None if step.forces is None else job.restore_order(step.forces),
        frontier=frontier,
        steps=parts.steps,
        walltime_s=parts.walltime_s,
        unconverged_steps=parts.unconverged,
        warnings=(*parts.last.warnings, *said, *_judge_run(job, parts, end)),
        frequencies_per_cm=run.frequencies_per_cm if job.task == "vibrations" else None,
    )


def _read_parts(directory: Path, job: JobFile, end: OutputEnd) -> _Parts:
    try:
        last = read_part(directory)
    except ParseError as error:
        reason = find_error_text(directory)
        if reason:
            raise EngineError(f"VASP stopped: {reason}", directory) from error
        if job.earlier_steps and not error.path.is_file():
            raise EngineError(_describe_given_up(directory, job), directory) from error
        raise
    _check_atoms(last, job, directory)
    first_step = 0 if job.dynamics is None else job.dynamics.first_step
    unconverged: set[int] = set()
    walltimes = []
    starts = (*job.earlier_steps, job.steps_before)
    for number, (before, until) in enumerate(pairwise(starts), start=1):
        try:
            run = read_part(directory, f".part{number}").run
        except ParseError:
            continue  # it was stopped before its first step
        kept = [step for step in run.steps if before + step.number <= until]
        unconverged |= {first_step + before + number for number in _unconverged(kept)}
        walltimes.append(run.walltime_s)
    unconverged |= {
        first_step + job.steps_before + number for number in _unconverged(last.run.steps)
    }
    known = [time for time in (*walltimes, last.run.walltime_s) if time is not None]
    counts = job.task in {"relax", "dynamics"}
    done = job.steps_before + len(last.run.steps) if counts else 0
    return _Parts(
        last, tuple(sorted(unconverged)), sum(known) if known else None, min(done, job.steps)
    )


def _describe_given_up(directory: Path, job: JobFile) -> str:
    """Say why a run has no outputs: it was corrected, and then not started again."""
    tried = read_corrections(directory)
    last = f"; the last of {len(tried)} corrections was {tried[-1]}" if tried else ""
    number = len(job.earlier_steps)
    return (
        f"VASP was started {number} times and did not come to its end{last}. What it wrote is in "
        f"vasp.out.part{number} and OUTCAR.part{number}"
    )


def _unconverged(steps: list[IonicStep] | tuple[IonicStep, ...]) -> list[int]:
    return [step.number for step in steps if step.scf_converged is False]


def _check_atoms(part: PartOutput, job: JobFile, directory: Path) -> None:
    expected = tuple(job.symbols[atom] for atom in job.order)
    found = part.run.header.symbols
    if found and found != expected:
        raise ParseError(
            f"is of other atoms ({len(found)}, from {found[0]}) than the job's ({len(expected)}, "
            f"from {expected[0]}); it is not the output of this job",
            directory / part.run.source,
        )


def _refuse_unusable(directory: Path, job: JobFile, parts: _Parts, end: OutputEnd) -> None:
    run = parts.last.run
    if job.task == "vibrations":
        if parts.unconverged:
            raise ConvergenceError(
                f"the self-consistent field of {len(parts.unconverged)} displaced geometries did "
                "not converge, so that the frequencies mean nothing; allow more electronic steps "
                "(nelm), or check charge and structure",
                directory,
            )
        if run.frequencies_per_cm is None:
            raise EngineError(
                "no vibrational frequencies in OUTCAR; the run was stopped before its end: start "
                "it again, VASP computes all displacements anew",
                directory,
            )
    last = run.last
    if job.task != "dynamics" and last is not None and last.scf_converged is False:
        raise ConvergenceError(
            f"the self-consistent field did not converge in {last.scf_steps} electronic steps of "
            f"geometry {parts.steps or 1}; allow more (nelm), choose another algo, or check charge "
            "and structure",
            directory,
        )
    if job.task == "relax" and end.ended and not end.geometry_converged and not end.stopped:
        raise ConvergenceError(_describe_unrelaxed(job, parts), directory)


def _describe_unrelaxed(job: JobFile, parts: _Parts) -> str:
    change = job.relaxation.max_energy_change_ev
    if change is None:
        force = _largest_free_force(job, parts.last.run.last)
        aim = f"{job.relaxation.max_force_ev_per_angstrom:g} eV/Å"
        left = "" if force is None else f", largest force left {force:.3g} eV/Å"
    else:
        aim = f"a change of the energy of {change:g} eV"
        energies = [step.free_energy_ev for step in parts.last.run.steps[-2:]]
        left = ""
        if len(energies) == 2 and energies[0] is not None and energies[1] is not None:
            left = f", the last one was {energies[1] - energies[0]:.3g} eV"
    return (
        f"the relaxation did not reach {aim} in {parts.steps} of {job.relaxation.max_steps} "
        f"steps{left}; allow more (max_steps) or accept a coarser criterion"
    )


def _largest_free_force(job: JobFile, step: IonicStep | None) -> float | None:
    """Largest force on an atom that is free [eV/Å], as VASP's criterion has it."""
    if step is None or step.forces is None:
        return None
    free = np.ones(len(job.symbols), dtype=bool)
    free[list(job.frozen)] = False
    forces = job.restore_order(step.forces)[free]
    return float(np.linalg.norm(forces, axis=1).max(initial=0.0))


def _judge_run(job: JobFile, parts: _Parts, end: OutputEnd) -> tuple[str, ...]:
    said = []
    if parts.unconverged:
        said.append(
            f"the self-consistent field did not converge in {_name_steps(parts.unconverged)}; "
            "policy: these steps are kept, not repaired, and named here"
        )
    if not end.ended or end.stopped:
        how = "was asked to stop" if end.stopped else "was cut off"
        total = f" of {job.steps}" if job.steps else ""
        said.append(f"the run {how} after {parts.steps}{total} steps")
    return tuple(said)


def _name_steps(numbers: tuple[int, ...]) -> str:
    named = ", ".join(map(str, numbers[:_MOST_NAMED]))
    more = f" and {len(numbers) - _MOST_NAMED} more" if len(numbers) > _MOST_NAMED else ""
    return f"step{'s' if len(numbers) > 1 else ''} {named}{more}"


def _make_atoms(directory: Path, job: JobFile, step: IonicStep) -> Atoms:
    """Make the structure of a geometry, in the job's order, and after dynamics its velocities."""
    positions = job.positions
    if job.task == "dynamics":
        for frame in iterate_frames(directory, _without_orbitals(job)):
            positions = frame.positions + np.array(job.origin)
    elif job.task == "relax" and step.positions is not None:
        placed = job.restore_order(step.positions)
        positions = Unwrapper(job.positions).place(placed, job.cell)
    atoms = Atoms(list(job.symbols), positions=positions - np.array(job.origin))
    if any(job.pbc):
        atoms.set_cell(job.cell)
        atoms.set_pbc(job.pbc)
    written = read_written_structure(directory / "CONTCAR", job)
    if job.task == "dynamics" and written is not None and written.velocities is not None:
        atoms.set_velocities(job.restore_order(written.velocities) / units.fs)
    return atoms


def _without_orbitals(job: JobFile) -> JobFile:
    """Return the job without a need for frontier orbitals in each frame."""
    assert job.dynamics is not None
    return replace(job, dynamics=replace(job.dynamics, frontier_orbitals=False))


def _read_frontier(
    directory: Path, job: JobFile, part: PartOutput
) -> tuple[tuple[FrontierOrbitals, ...], tuple[str, ...]]:
    if job.task == "vibrations":  # EIGENVAL and PROCAR are of the last displacement
        bands = None if part.run.first is None else part.run.first.bands
    else:
        bands = read_last_bands(directory, "", part.run)
    if bands is None:
        return (), ("no eigenvalues were found, so no HOMO, LUMO or gap follows",)
    levels, said = find_frontier(bands)
    if job.task == "vibrations":
        return tuple(level.orbitals for level in levels), said
    return _add_populations(directory / PROCAR, job, levels), said


def _add_populations(
    path: Path, job: JobFile, levels: tuple[FrontierLevels, ...]
) -> tuple[FrontierOrbitals, ...]:
    if not path.is_file():
        return tuple(level.orbitals for level in levels)
    homos = [(spin, *level.homo) for spin, level in enumerate(levels)]
    lumos = [(spin, *level.lumo) for spin, level in enumerate(levels)]
    shares = read_populations(path, [*homos, *lumos])

    def find(key: tuple[int, int, int]) -> NDArray[np.float64] | None:
        found = shares.get(key)
        fits = found is not None and len(found) == len(job.symbols)
        return job.restore_order(found) if fits and found is not None else None

    return tuple(
        replace(level.orbitals, homo_population=find(homo), lumo_population=find(lumo))
        for level, homo, lumo in zip(levels, homos, lumos, strict=True)
    )
