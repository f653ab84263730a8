"""Custodian handlers for CP2K that never change the physics.

They may change how the minimum is looked for (minimiser, preconditioner, assumed gap, mixing, first
guess, number of SCF steps) and nothing else: functional, cutoff, basis, time step, smearing,
``EPS_SCF``, ``EPS_DEFAULT`` and ensemble stay as the study has them. `FREE_FIELDS` lists what may
change; the input is rendered again from the job file, and each correction is recorded.

Every handler works on the directory it is given, never on the current one.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from custodian.custodian import ErrorHandler

from qdcomp.engines.cp2k.continuation import continue_same_run
from qdcomp.engines.cp2k.corrections import (
    CORRECTIONS_NAME,
    read_corrections,
    record_correction,
)
from qdcomp.engines.cp2k.inputs import write_input
from qdcomp.engines.cp2k.job_file import OUTPUT_NAME, JobFile, read_job_file
from qdcomp.engines.cp2k.output_tail import (
    END,
    OutputWatch,
    find_scf_output,
    read_scf_tail,
    read_tail,
)
from qdcomp.engines.cp2k.outputs import Cp2kOutput, read_output
from qdcomp.engines.deadline import is_stop_noted
from qdcomp.errors import ParseError
from qdcomp.settings import read_stall_time

FREE_FIELDS = frozenset(
    {
        "minimizer",
        "preconditioner",
        "energy_gap_hartree",
        "inner_scf_steps",
        "outer_scf_steps",
        "mixing_alpha",
    }
)
"""Settings that decide how fast the minimum is found, not which it is."""

OT_LADDER: tuple[Mapping[str, Any], ...] = (
    {"minimizer": "CG", "inner_scf_steps": 20},
    {"minimizer": "CG", "preconditioner": "FULL_SINGLE_INVERSE", "inner_scf_steps": 30},
    {"minimizer": "CG", "preconditioner": "FULL_ALL", "energy_gap_hartree": 0.1,
     "inner_scf_steps": 30, "outer_scf_steps": 40},
)  # fmt: skip
"""What is tried, in turn, when an SCF with OT does not converge; safer and slower each time."""

MIXING_LADDER: tuple[Mapping[str, Any], ...] = (
    {"mixing_alpha": 0.15, "outer_scf_steps": 40},
    {"mixing_alpha": 0.03, "outer_scf_steps": 80},
)
"""The same for diagonalisation."""

PRECONDITIONER_LADDER = ("FULL_ALL", "FULL_SINGLE_INVERSE", "FULL_KINETIC", "NONE")
"""Preconditioners from the strongest to the most robust."""

STALL_SECONDS = 3600.0
"""Time without output after which a run counts as hung, where ``QDCOMP_STALL_TIME`` does not say;
FULL_ALL of a 2000-atom dot stays below."""

_REPEATS = 4
_ITERATION = re.compile(r"^ +(\d+) (?:OT |Broy|P_Mix|DIIS)", re.MULTILINE)
_SCF = "SCF run NOT converged"


class _Handler(ErrorHandler):
    """A handler bound to a directory; custodian hands over its own, which has to be the same."""

    raises_runtime_error = False

    def __init__(self, directory: str) -> None:
        self.directory = directory

    def check(self, directory: str = "./") -> bool:
        """Whether the run in the directory shows the error; none once it was asked to end."""
        where = self._where(directory)
        return not is_stop_noted(where) and self._find(where)

    def correct(self, directory: str = "./") -> dict[str, Any]:
        """Correct the error in the directory; record what was changed."""
        where = self._where(directory)
        error, actions = self._mend(where)
        for action in actions:
            record_correction(where, f"{error}: {action}")
        return {"errors": [error], "actions": actions or None}

    def _where(self, directory: str) -> Path:
        return Path(self.directory if directory in {"", ".", "./"} else directory)

    def _find(self, directory: Path) -> bool:
        raise NotImplementedError

    def _mend(self, directory: Path) -> tuple[str, list[str]]:
        raise NotImplementedError


class UnconvergedScf(_Handler):
    """An SCF, of whichever step, that did not converge: the next, safer minimiser.

    The run goes on from the last restart before that step. Once the ladder is used up nothing is
    done: the steps stay, and the result names them.
    """

    is_monitor = True
    error = "the self-consistent field did not converge"

    def __init__(self, directory: str) -> None:
        super().__init__(directory)
        self._watch = OutputWatch(_SCF)

    def _find(self, directory: Path) -> bool:
        return self._watch.look(directory) and bool(_next_scf_change(directory))

    def _mend(self, directory: Path) -> tuple[str, list[str]]:
        change = _next_scf_change(directory)
        if not change:
            return self.error, []
        steps = _unconverged_steps(directory)
        _apply(directory, change, before=min(steps) if steps else None)
        self._watch.skip(directory)
        return self.error, [_describe(change)]


class StuckScf(_Handler):
    """The same SCF step again and again, as DIIS does at the limit of its precision."""

    is_monitor = True
    error = "the self-consistent field repeats one step"

    def _find(self, directory: Path) -> bool:
        numbers = _ITERATION.findall(read_scf_tail(directory))[-_REPEATS:]
        stuck = len(numbers) == _REPEATS and len(set(numbers)) == 1
        return stuck and bool(_next_scf_change(directory))

    def _mend(self, directory: Path) -> tuple[str, list[str]]:
        change = _next_scf_change(directory)
        if not change:
            return self.error, []
        _apply(directory, change)
        return self.error, [_describe(change)]


class FailedCholesky(_Handler):
    """A Cholesky decomposition that failed: a more robust preconditioner and a fresh guess."""

    error = "a Cholesky decomposition failed"

    def _find(self, directory: Path) -> bool:
        tail = read_tail(directory)
        return "Cholesky" in tail and "ABORT" in tail and bool(_next_preconditioner(directory))

    def _mend(self, directory: Path) -> tuple[str, list[str]]:
        change = _next_preconditioner(directory)
        if not change:
            return self.error, []
        _apply(directory, change, drop_wavefunction=True)
        return self.error, [f"{_describe(change)}; wavefunction from the atomic guess"]


class Stalled(_Handler):
    """No output for a long time: a more robust preconditioner where that is what it hangs in."""

    is_monitor = True
    max_num_corrections = 3
    raise_on_max = True
    error = "no output for a long time"

    def __init__(self, directory: str, seconds: float | None = None) -> None:
        super().__init__(directory)
        self.seconds = read_stall_time(STALL_SECONDS) if seconds is None else seconds

    def _find(self, directory: Path) -> bool:
        path = directory / OUTPUT_NAME
        if not path.is_file() or END in read_tail(directory):
            return False
        written = max(path.stat().st_mtime, find_scf_output(directory).stat().st_mtime)
        return time.time() - written > self.seconds

    def _mend(self, directory: Path) -> tuple[str, list[str]]:
        change = _next_preconditioner(directory) if _waits_for_preconditioner(directory) else {}
        _apply(directory, change)
        os.utime(directory / OUTPUT_NAME)
        return self.error, [_describe(change) if change else "restarted from the last restart file"]


class SilentEnd(_Handler):
    """A run that ended without an error of its own and without an end: once more from its restart.

    A crash, or a process killed for its memory. Only while runs still get further, and twice; not
    one that another handler has ended, to which custodian comes afterwards: its restart is chosen.
    """

    max_num_corrections = 2
    error = "CP2K ended without a word"

    def _find(self, directory: Path) -> bool:
        output = _read_last_output(directory)
        if output is None or output.ended or output.abort or output.stopped:
            return False
        if _is_corrected(directory):
            return False
        return any(step.run == output.runs for step in output.steps)

    def _mend(self, directory: Path) -> tuple[str, list[str]]:
        _apply(directory, {})
        return self.error, ["restarted from the last restart file"]


def make_handlers(directory: Path) -> Sequence[ErrorHandler]:
    """Handlers of the run in `directory`."""
    name = str(directory.resolve())
    return (
        FailedCholesky(name),
        UnconvergedScf(name),
        StuckScf(name),
        Stalled(name),
        SilentEnd(name),
    )


def change_settings(job: JobFile, change: Mapping[str, Any]) -> JobFile:
    """Change how the minimum of a job is looked for.

    Raises
    ------
    ValueError
        If the change would touch the physics.
    """
    forbidden = set(change) - FREE_FIELDS
    if forbidden:
        raise ValueError(f"a handler may not change {', '.join(sorted(forbidden))}")
    return replace(job, settings=replace(job.settings, **change))


def _apply(
    directory: Path,
    change: Mapping[str, Any],
    *,
    before: int | None = None,
    drop_wavefunction: bool = False,
) -> None:
    for damage in continue_same_run(directory, before=before):
        record_correction(directory, damage)
    job = change_settings(read_job_file(directory), change)
    if drop_wavefunction:
        job = replace(job, wavefunction=False)
    write_input(directory, job)


def _next_scf_change(directory: Path) -> Mapping[str, Any]:
    settings = read_job_file(directory).settings
    ladder = OT_LADDER if settings.scf_solver == "ot" else MIXING_LADDER
    used = sum(
        text.startswith((UnconvergedScf.error, StuckScf.error))
        for text in read_corrections(directory)
    )
    return ladder[used] if used < len(ladder) else {}


def _next_preconditioner(directory: Path) -> Mapping[str, Any]:
    settings = read_job_file(directory).settings
    if settings.scf_solver != "ot":
        return {}
    ladder = PRECONDITIONER_LADDER
    place = ladder.index(settings.preconditioner) if settings.preconditioner in ladder else 0
    return {"preconditioner": ladder[place + 1]} if place + 1 < len(ladder) else {}


def _waits_for_preconditioner(directory: Path) -> bool:
    """Whether the output ends in the head of an SCF, where the preconditioner is built."""
    tail = read_scf_tail(directory)
    head = tail.rfind("Preconditioner")
    return head >= 0 and not _ITERATION.search(tail, head)


def _describe(change: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in change.items())


def _is_corrected(directory: Path) -> bool:
    """Whether a correction was made since the run wrote last."""
    made = directory / CORRECTIONS_NAME
    written = (directory / OUTPUT_NAME).stat().st_mtime_ns
    return made.is_file() and made.stat().st_mtime_ns >= written


def _unconverged_steps(directory: Path) -> list[int]:
    output = _read_last_output(directory)
    if output is None:
        return []
    return [s.number for s in output.steps if s.run == output.runs and s.scf_converged is False]


def _read_last_output(directory: Path) -> Cp2kOutput | None:
    try:
        return read_output(directory / OUTPUT_NAME)
    except ParseError:
        return None
