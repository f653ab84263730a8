"""Letting a run go on from another one, or from where it was cut off itself.

VASP starts from POSCAR and, where there is one, from WAVECAR. What the run has written before is
set aside under a numbered name first (`parts`), and the inputs are rendered again from the job
file. The structure it goes on from is CONTCAR as VASP wrote it, with velocities and thermostat; a
CONTCAR that is empty or cut off, or of a step of dynamics that OUTCAR does not have, is replaced by
the frame of the last whole step in XDATCAR, and where there is none either, the part is done again
from its start.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from qdcomp.engines.vasp.allowed_changes import GUESSES
from qdcomp.engines.vasp.inputs import write_inputs
from qdcomp.engines.vasp.job_file import RESTART_SOURCE, JobFile, read_job_file
from qdcomp.engines.vasp.outcar import OUTCAR
from qdcomp.engines.vasp.output_end import count_moves
from qdcomp.engines.vasp.parts import (
    bring_part_back,
    has_outputs,
    set_part_aside,
    set_terminal_output_aside,
)
from qdcomp.engines.vasp.poscar import read_written_structure, render_poscar
from qdcomp.engines.vasp.wavecar import is_whole_wavefunction
from qdcomp.engines.vasp.xdatcar_end import count_frames, read_last_frames
from qdcomp.errors import EngineError

STOP_NAME = "STOPCAR"
"""File whose presence asks VASP to end after the step at hand."""

WAVEFUNCTION = "WAVECAR"

_IONIC_STEP = re.compile(r"^\s*\d+ (?:F|T)= .*\n", re.MULTILINE)

_FELL_BACK = (
    "CONTCAR of part {part} was empty, cut off or of a step that OUTCAR lacks; the run went on "
    "from the last whole frame of XDATCAR"
)
_NO_WAVEFUNCTION = "WAVECAR cut off or empty: went on without a wavefunction to start from"
_LOST_VELOCITIES = ", with velocities from the last frames and a fresh thermostat"


@dataclass(frozen=True)
class _Source:
    """A structure to go on from, as the text of a POSCAR."""

    text: str
    steps: int
    warnings: tuple[str, ...] = ()


def continue_same_run(
    directory: Path,
    *,
    changes: Mapping[str, Any] | None = None,
    keep_structure: bool = True,
    drop_guess: bool = False,
) -> tuple[str, ...]:
    """Let a run that was cut off go on in its own directory, from its last structure.

    A kill at any point of it leaves a directory in which it can be done again.

    Parameters
    ----------
    directory
        Job directory.
    changes
        INCAR tags that a handler changes, None to drop one, beside those changed before.
    keep_structure
        Whether to go on from the last structure; else the part is done again from its start.
    drop_guess
        Whether to start from no wavefunction and density.

    Returns
    -------
    Structures and wavefunctions that were damaged, and what was taken instead.

    Raises
    ------
    ParseError
        The description of the job is missing or damaged.
    InputError
        A data set of the job is missing, or another one than when the job was written.
    EngineError
        The structure that the part at hand starts from is not there.
    """
    job = read_job_file(directory)
    bring_part_back(directory, len(job.earlier_steps) + 1)
    (directory / STOP_NAME).unlink(missing_ok=True)
    damage = _drop_guesses(directory, always=drop_guess)
    job = replace(job, changes=dict(job.changes) | dict(changes or {}))
    if not has_outputs(directory, len(job.earlier_steps)):
        write_inputs(directory, job)
        set_terminal_output_aside(directory, len(job.earlier_steps))
        return damage
    source = _find_source(directory, job) if keep_structure else None
    after = replace(job, earlier_steps=(*job.earlier_steps, job.steps_before))
    if source is not None:
        _write_source(directory, source.text)
        after = replace(
            after,
            goes_on=True,
            steps_before=job.steps_before + source.steps,
            warnings=(*job.warnings, *source.warnings),
        )
    set_part_aside(directory, len(after.earlier_steps))
    write_inputs(directory, after)
    set_terminal_output_aside(directory, len(after.earlier_steps))
    return damage + (source.warnings if source is not None else ())


def continue_other_run(directory: Path, previous: Path) -> tuple[str, ...]:
    """Let the job in `directory` start from the end of the run in `previous`.

    After dynamics its positions, velocities, thermostat, cell and wavefunction are taken over;
    after anything else, the wavefunction. One that does not fit (another cutoff, grid, spin or
    cell) is left.

    Returns
    -------
    Wavefunctions that were damaged, and what was taken instead.

    Raises
    ------
    EngineError
        `previous` has no whole CONTCAR.
    ParseError
        `previous` is no job directory.
    InputError
        A data set of the job is missing, or another one than when the job was written.
    """
    job, before = read_job_file(directory), read_job_file(previous)
    if before.task == "dynamics" and job.dynamics is not None:
        path = previous / "CONTCAR"
        if read_written_structure(path, before) is None or job.symbols != before.symbols:
            raise EngineError(
                "no whole CONTCAR of the same atoms is there to go on from; run it to its end "
                "again, or start afresh",
                previous,
            )
        _write_source(directory, path.read_text())
        positions = job.positions - job.origin + before.origin
        job = replace(
            job, goes_on=True, origin=before.origin, cell=before.cell, positions=positions
        )
    damage: tuple[str, ...] = ()
    if _fits(job, before) and (previous / WAVEFUNCTION).is_file():
        if is_whole_wavefunction(previous / WAVEFUNCTION):
            shutil.copyfile(previous / WAVEFUNCTION, directory / WAVEFUNCTION)
        else:
            damage = (_NO_WAVEFUNCTION,)
    write_inputs(directory, job)
    return damage


def count_part_steps(directory: Path, job: JobFile) -> int:
    """Count the steps that the part at hand has done, by their energies."""
    energies = directory / "OSZICAR"
    if job.task not in {"relax", "dynamics"} or not energies.is_file():
        return 0
    return len(_IONIC_STEP.findall(energies.read_text(errors="replace")))


def count_whole_steps(directory: Path, job: JobFile) -> int:
    """Count the steps of the part at hand that every file has whole.

    Of a relaxation that is their energies and positions, of dynamics also what OUTCAR says of
    them: VASP fills its files at different times, and a kill cuts each off in another step.
    """
    return min(_count_by_file(directory, job))


def _count_by_file(directory: Path, job: JobFile) -> tuple[int, ...]:
    counts = [count_part_steps(directory, job)]
    if counts[0] and (directory / "XDATCAR").is_file():
        counts.append(count_frames(directory / "XDATCAR", len(job.symbols)))
    if counts[0] and job.task == "dynamics":
        counts.append(count_moves(directory / OUTCAR))
    return tuple(counts)


def _find_source(directory: Path, job: JobFile) -> _Source | None:
    counts = _count_by_file(directory, job)
    steps = min(counts)
    if steps == 0:
        return None
    path = directory / "CONTCAR"
    # in dynamics a step that only some files have leaves open which one CONTCAR is of
    known = job.task != "dynamics" or max(counts) == steps
    if known and read_written_structure(path, job) is not None:
        return _Source(path.read_text(), steps)
    return _render_last_frame(directory, job, steps)


def _render_last_frame(directory: Path, job: JobFile, steps: int) -> _Source | None:
    """Frame of XDATCAR of the last whole step, which is done again: CONTCAR is one step further.

    In dynamics it gets velocities from the last three frames, to second order in the time step.
    """
    needed = 3 if job.task == "dynamics" else 1
    frames = read_last_frames(directory / "XDATCAR", len(job.symbols), needed, until=steps)
    if len(frames) < needed:
        return None
    warning = _FELL_BACK.format(part=len(job.earlier_steps) + 1)
    start = np.linalg.solve(job.cell.T, job.positions[list(job.order)].T).T
    shift = frames[-1] - start
    positions = (start + shift - np.round(shift)) @ job.cell
    velocities = None
    if job.dynamics is not None:
        last, before = (frames[2] - frames[1], frames[1] - frames[0])
        last, before = last - np.round(last), before - np.round(before)
        velocities = job.restore_order(
            (1.5 * last - 0.5 * before) @ job.cell / job.dynamics.timestep_fs
        )
        warning += _LOST_VELOCITIES
    moved = replace(job, positions=job.restore_order(positions), velocities=velocities)
    return _Source(render_poscar(moved), steps - 1, (warning,))


def _write_source(directory: Path, text: str) -> None:
    partial = directory / f"{RESTART_SOURCE}.partial"
    partial.write_text(text)
    partial.replace(directory / RESTART_SOURCE)


def _drop_guesses(directory: Path, *, always: bool) -> tuple[str, ...]:
    """Remove wavefunction and density that are unwanted or damaged; say what was damaged."""
    damage: tuple[str, ...] = ()
    wavefunction = directory / WAVEFUNCTION
    if wavefunction.is_file() and not is_whole_wavefunction(wavefunction):
        wavefunction.unlink()
        damage = (_NO_WAVEFUNCTION,)
    for name in GUESSES:
        path = directory / name
        if path.is_file() and (always or path.stat().st_size == 0):
            path.unlink()
    return damage


def _fits(job: JobFile, before: JobFile) -> bool:
    """Whether the wavefunction of one job can start the other: same waves, bands and spin."""
    same_cell = job.cell.shape == before.cell.shape and np.allclose(job.cell, before.cell)
    return bool(
        same_cell
        and job.symbols == before.symbols
        and [kind.titel for kind in job.species] == [kind.titel for kind in before.species]
        and job.settings.encut_ev == before.settings.encut_ev
        and (job.kpoints, job.settings.kpoint_scheme)
        == (before.kpoints, before.settings.kpoint_scheme)
        and (job.charge, job.multiplicity, job.spin_polarized)
        == (before.charge, before.multiplicity, before.spin_polarized)
    )
