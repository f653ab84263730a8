"""Custodian's handlers for VASP, held to the rule that none changes the physics.

Each of custodian's own handlers is asked what it would do, in a copy of the job's files; of that
only is done what `allowed_changes` lets pass, through the job file, so that nothing else can
change. A correction of which nothing is left stops the run: it is kept, and the error of the run
says what was proposed and why it was refused. ``docs/vasp_handlers.md`` has the table.

custodian's ``WalltimeHandler`` is not among them: whoever runs the engine asks it to end in time
(`VaspEngine.request_stop`), and from then on no handler does anything. Of
``UnconvergedErrorHandler`` only the self-consistent field counts: a relaxation that used up its
steps is the study's to lengthen.
"""

from __future__ import annotations

import logging
import shutil
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from custodian.custodian import ErrorHandler
from custodian.vasp.handlers import (
    AliasingErrorHandler,
    FrozenJobErrorHandler,
    LargeSigmaHandler,
    LrfCommutatorHandler,
    MeshSymmetryErrorHandler,
    NonConvergingErrorHandler,
    PositiveEnergyErrorHandler,
    PotimErrorHandler,
    StdErrHandler,
    UnconvergedErrorHandler,
    VaspErrorHandler,
)
from custodian.vasp.io import load_vasprun

from qdcomp.engines.deadline import is_stop_noted
from qdcomp.engines.vasp.allowed_changes import (
    GUESSES,
    Verdict,
    describe_changes,
    judge_actions,
)
from qdcomp.engines.vasp.continuation import continue_same_run
from qdcomp.engines.vasp.corrections import read_refusal, record_correction, record_refusal
from qdcomp.engines.vasp.job_file import ERROR_NAME, OUTPUT_NAME, JobFile, read_job_file
from qdcomp.settings import read_stall_time

STALL_SECONDS = 6 * 3600.0
"""Time without output after which a run counts as hung, where ``QDCOMP_STALL_TIME`` does not say;
custodian's own."""

_SMALL = ("INCAR", "KPOINTS", "POSCAR", "CONTCAR")
_LARGE = ("OUTCAR", "OSZICAR", "vasprun.xml", OUTPUT_NAME, ERROR_NAME)
_UNREADABLE = (OSError, ValueError, KeyError, IndexError, AttributeError, TypeError, SyntaxError)
"""What a file raises that is not there yet, or is being written (XML: SyntaxError)."""

_SILENT = logging.NullHandler()

_REDO = (NonConvergingErrorHandler, UnconvergedErrorHandler)
"""Handlers after which dynamics goes back to the start of the part: its last forces are wrong."""


class GuardedHandler(ErrorHandler):
    """One of custodian's handlers, of whose corrections only what is allowed is done.

    Parameters
    ----------
    directory
        Job directory; custodian hands over its own, which has to be the same.
    handler
        custodian's handler.
    monitor
        Whether it looks while VASP runs.
    ignored
        Errors of it that are none here.
    """

    raises_runtime_error = False

    def __init__(
        self,
        directory: str,
        handler: ErrorHandler,
        *,
        monitor: bool,
        ignored: frozenset[str] = frozenset(),
    ) -> None:
        self.directory = directory
        self.handler = handler
        self.is_monitor = monitor
        self.ignored = ignored

    @property
    def name(self) -> str:
        """Name of custodian's handler."""
        return type(self.handler).__name__

    def as_dict(self) -> dict[str, Any]:
        """Describe the handler for custodian's log."""
        return {"handler": self.name, "directory": self.directory}

    def check(self, directory: str = "./") -> bool:
        """Whether the run in the directory shows an error of this handler."""
        where = self._where(directory)
        if is_stop_noted(where):
            return False
        with _copy_for_custodian(where) as copy, _hushed():
            try:
                found = bool(self.handler.check(str(copy)))
            except _UNREADABLE:
                return False
        if found and self.ignored:
            self.handler.errors -= self.ignored
            return bool(self.handler.errors)
        return found

    def correct(self, directory: str = "./") -> dict[str, Any]:
        """Correct the error as far as is allowed; record what was changed or refused.

        Once a correction was refused the run is to stop with that reason, and nothing is corrected
        any more.

        Raises
        ------
        ParseError
            A description of the job or its corrections is damaged.
        InputError
            A data set of the job is missing, or another one than when the job was written.
        """
        where = self._where(directory)
        if read_refusal(where) is not None:
            return {"errors": [self.name], "actions": None}
        job = read_job_file(where)
        with _copy_for_custodian(where) as copy, _hushed() as said:
            try:
                proposed = self.handler.correct(str(copy))
            except _UNREADABLE:  # an output that it needs is not there
                proposed = {"errors": sorted(getattr(self.handler, "errors", ())), "actions": None}
        error = f"{self.name}: {', '.join(map(str, proposed['errors']))}"
        has_guess = any((where / name).is_file() for name in GUESSES)
        verdict = judge_actions(proposed["actions"] or [], job, has_guess=has_guess)
        if not verdict.mends:
            record_refusal(where, _describe_refusal(error, verdict, said))
            return {"errors": [error], "actions": None}
        damage = continue_same_run(
            where,
            changes=verdict.changes,
            keep_structure=self._keeps_structure(verdict, job),
            drop_guess=verdict.drop_guess,
        )
        for text in damage:
            record_correction(where, text)
        action = describe_changes(verdict)
        if verdict.refused:
            action += f"; refused: {'; '.join(verdict.refused)}"
        record_correction(where, f"{error} -> {action}")
        return {"errors": [error], "actions": [action]}

    def _where(self, directory: str) -> Path:
        return Path(self.directory if directory in {"", ".", "./"} else directory)

    def _keeps_structure(self, verdict: Verdict, job: JobFile) -> bool:
        if job.task == "dynamics":
            return not isinstance(self.handler, _REDO)
        return verdict.keep_structure


class UnconvergedScf(UnconvergedErrorHandler):
    """custodian's handler for a run that is not converged, for the electrons only."""

    def check(self, directory: str = "./") -> bool:
        """Whether the last self-consistent field did not converge."""
        try:
            run = load_vasprun(str(Path(directory) / self.output_filename))
        except _UNREADABLE:
            return False
        return not run.converged_electronic


def make_handlers(directory: Path) -> Sequence[ErrorHandler]:
    """Handlers of the run in `directory`.

    Raises
    ------
    ParseError
        The description of the job is missing or damaged.
    """
    name = str(directory.resolve())
    job = read_job_file(directory)
    # with a coarser PREC than Accurate wrap-around errors are what was chosen
    chosen = frozenset() if job.settings.prec == "Accurate" else frozenset({"aliasing"})
    watching = (
        VaspErrorHandler(OUTPUT_NAME),
        StdErrHandler(ERROR_NAME),
        LrfCommutatorHandler(ERROR_NAME),
        NonConvergingErrorHandler(),
        PotimErrorHandler(),
        PositiveEnergyErrorHandler(),
        FrozenJobErrorHandler(OUTPUT_NAME, timeout=int(read_stall_time(STALL_SECONDS))),
    )
    afterwards = [MeshSymmetryErrorHandler(OUTPUT_NAME), LargeSigmaHandler()]
    if job.task != "dynamics":  # there a step that did not converge is kept and named
        afterwards.insert(0, UnconvergedScf())
    return (
        *(GuardedHandler(name, handler, monitor=True) for handler in watching),
        GuardedHandler(name, AliasingErrorHandler(OUTPUT_NAME), monitor=True, ignored=chosen),
        *(GuardedHandler(name, handler, monitor=False) for handler in afterwards),
    )


def _describe_refusal(error: str, verdict: Verdict, said: list[str]) -> str:
    remarks = f" custodian says: {' '.join(said)}" if said else ""
    if not verdict.refused:
        return f"{error}; custodian knows no correction that could still help.{remarks}"
    return (
        f"{error}; custodian proposed {'; '.join(verdict.refused)}. Refused, because a correction "
        "may not change the physics of one job among others. Change it in the study, for all of "
        f"its jobs, or correct the structure.{remarks}"
    )


@contextmanager
def _copy_for_custodian(directory: Path) -> Iterator[Path]:
    """Make a directory in which custodian may change what it likes: outputs are only linked."""
    with TemporaryDirectory(prefix="qdcomp-vasp-") as name:
        copy = Path(name)
        for file in _SMALL:
            if (directory / file).is_file():
                shutil.copyfile(directory / file, copy / file)
        for file in _LARGE:
            if (directory / file).is_file():
                (copy / file).symlink_to((directory / file).resolve())
        yield copy


@contextmanager
def _hushed() -> Iterator[list[str]]:
    """Collect custodian's and pymatgen's warnings, and keep its log off the terminal.

    A root logger without handlers would get one that prints, at custodian's first message.
    """
    said: list[str] = []
    root, own, silent = logging.getLogger(), logging.getLogger("VaspErrorHandler"), _SILENT
    propagated, own.propagate = own.propagate, False
    root.addHandler(silent)
    own.addHandler(silent)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield said
    finally:
        root.removeHandler(silent)
        own.removeHandler(silent)
        own.propagate = propagated
    said.extend(
        str(entry.message)
        for entry in caught
        if entry.category is UserWarning and "custodian" in entry.filename
    )
