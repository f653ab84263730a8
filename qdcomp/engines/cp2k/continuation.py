"""Letting a run go on from another one, or from where it was cut off itself.

The input is rendered again from the job file; what CP2K wrote stays where it is and is appended to.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from qdcomp.engines.cp2k.inputs import write_input
from qdcomp.engines.cp2k.job_file import (
    OUTPUT_NAME,
    REPLICA_OUTPUTS,
    JobFile,
    Restart,
    read_job_file,
)
from qdcomp.engines.cp2k.outputs import Cp2kOutput, read_output
from qdcomp.engines.cp2k.restart_files import (
    copy_restart,
    copy_wavefunction,
    describe_damage,
    find_restart,
    require_restart,
    trim_cut_ends,
)
from qdcomp.engines.cp2k.whole_steps import find_last_whole_step
from qdcomp.errors import ParseError

EXIT_NAME = "EXIT"
"""File whose presence asks CP2K to end after the step at hand."""


def continue_same_run(directory: Path, *, before: int | None = None) -> tuple[str, ...]:
    """Let a run that was cut off go on in its own directory, from its newest whole restart.

    A run that had not written one starts again, from the run before it if there was one. Either
    way the wavefunction it had reached is its first guess. CP2K cannot go on with frequencies,
    which begin again.

    Parameters
    ----------
    directory
        Job directory.
    before
        Go on from before this time step, where there still is a restart that old.

    Returns
    -------
    Restart files and wavefunctions that were damaged, and what was taken instead.

    Raises
    ------
    ParseError
        The description of the job is missing or damaged.
    """
    job = read_job_file(directory)
    trim_cut_ends(directory)
    (directory / EXIT_NAME).unlink(missing_ok=True)
    damage = describe_damage(directory, job.wavefunction_name)
    wavefunction = copy_wavefunction(directory, directory, job.wavefunction_name)
    if job.task == "vibrations":
        for path in directory.glob(REPLICA_OUTPUTS):
            path.unlink()
    if job.task in {"energy", "vibrations"}:
        write_input(directory, replace(job, wavefunction=wavefunction))
        return damage
    found = None
    if job.task == "dynamics" and before is not None:
        found = find_restart(directory, before=before)
    if found is None:
        found = find_restart(directory, before=_find_limit(directory, job))
    restart = job.restart
    if found is not None and job.task == "dynamics":
        restart = Restart(counters=True, steps=job.last_step - found.step)
    elif found is not None:
        left = job.relaxation.max_steps - count_geometry_steps(directory)
        restart = Restart(counters=False, steps=max(left, 1))
    if found is not None:
        copy_restart(found, directory)
    write_input(directory, replace(job, restart=restart, wavefunction=wavefunction))
    return damage


def continue_other_run(directory: Path, previous: Path) -> tuple[str, ...]:
    """Let the job in `directory` start from the end of the run in `previous`.

    After dynamics its positions, velocities, thermostat, random numbers, box and wavefunction are
    taken over; after anything else, the wavefunction. One that does not fit (another basis or
    charge) is left.

    Returns
    -------
    Restart files and wavefunctions that were damaged, and what was taken instead.

    Raises
    ------
    EngineError
        `previous` has no whole restart file.
    ParseError
        `previous` is no job directory.
    """
    job, before = read_job_file(directory), read_job_file(previous)
    damage = describe_damage(previous, before.wavefunction_name)
    wavefunction = _fits(job, before) and copy_wavefunction(
        previous, directory, job.wavefunction_name
    )
    if before.task != "dynamics" or job.dynamics is None:
        write_input(directory, replace(job, wavefunction=wavefunction))
        return damage
    found = require_restart(directory, previous)
    copy_restart(found, directory)
    goes_on = found.step == job.dynamics.first_step
    shifted = job.positions - job.origin + before.origin
    write_input(
        directory,
        replace(
            job,
            positions=shifted,
            origin=before.origin,
            cell=before.cell,
            restart=Restart(counters=goes_on, steps=job.dynamics.steps),
            wavefunction=wavefunction,
        ),
    )
    return damage


def _find_limit(directory: Path, job: JobFile) -> int | None:
    """Find the step before which a restart has to be, so that no step is missing anywhere."""
    if job.task != "dynamics":
        return None
    whole = find_last_whole_step(directory, job)
    return job.last_step if whole is None else min(job.last_step, whole + 1)


def count_geometry_steps(directory: Path) -> int:
    """Count the steps of a relaxation done so far, over all its runs."""
    output = _read_if_any(directory)
    if output is None:
        return 0
    done: dict[int, int] = {}
    for step in output.steps:
        done[step.run] = max(done.get(step.run, 0), step.number)
    return sum(done.values())


def _fits(job: JobFile, before: JobFile) -> bool:
    """Whether the wavefunction of one job can start the other: same orbitals, basis and spin."""
    return (
        job.kinds == before.kinds
        and job.kpoints == before.kpoints
        and job.is_slab == before.is_slab
        and [kind.basis for kind in job.species] == [kind.basis for kind in before.species]
        and [kind.electrons for kind in job.species] == [k.electrons for k in before.species]
        and (job.charge, job.multiplicity, job.spin_polarized)
        == (before.charge, before.multiplicity, before.spin_polarized)
    )


def _read_if_any(directory: Path) -> Cp2kOutput | None:
    try:
        return read_output(directory / OUTPUT_NAME)
    except ParseError:
        return None
