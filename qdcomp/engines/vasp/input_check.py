"""Whether the inputs in a directory are those of its job, before VASP starts.

They are looked at before each start, so also when a directory is run again, by hand or after a
kill: POTCAR's order against POSCAR's, above all, which VASP itself only warns about.
"""

from __future__ import annotations

from pathlib import Path

from qdcomp.engines.vasp.inputs import INPUT_NAMES, render_inputs
from qdcomp.engines.vasp.job_file import JobFile
from qdcomp.engines.vasp.potcar import read_functionals, read_titles
from qdcomp.errors import EngineError

_REMEDY = "change the study and write the inputs again; a directory is not edited by hand"


def require_own_inputs(directory: Path, job: JobFile) -> None:
    """Refuse inputs that are not those of the job.

    Raises
    ------
    EngineError
        An input is missing or was changed, or POTCAR is of another functional; what differs is
        named.
    InputError
        A template names a value that nobody knows.
    """
    missing = [name for name in INPUT_NAMES if not (directory / name).is_file()]
    if missing:
        raise EngineError(f"{', '.join(missing)} missing; write the job's inputs again", directory)
    _require_potcar_order(directory, job)
    _require_potcar_functional(directory, job)
    for name, text in render_inputs(directory, job).items():
        found = (directory / name).read_text(errors="replace")
        if found != text:
            raise EngineError(
                f"{name} is not the one of this job: {_name_difference(found, text)}; {_REMEDY}",
                directory,
            )


def _require_potcar_order(directory: Path, job: JobFile) -> None:
    found = read_titles(directory / "POTCAR")
    expected = tuple(kind.titel for kind in job.species)
    if found == expected:
        return
    elements = " ".join(kind.symbol for kind in job.species)
    what = "in another order" if sorted(found) == sorted(expected) else "other data sets"
    raise EngineError(
        f"POTCAR has {what}: {', '.join(found) or 'none'}; POSCAR's elements are {elements}, so "
        f"{', '.join(expected)} are expected. {_REMEDY.capitalize()}",
        directory,
    )


def _require_potcar_functional(directory: Path, job: JobFile) -> None:
    """Refuse data sets of another functional: GGA would mix it with their frozen core."""
    found = read_functionals(directory / "POTCAR")
    expected = tuple(kind.lexch for kind in job.species)
    if found != expected:
        raise EngineError(
            f"POTCAR was made with the functional LEXCH = {', '.join(found) or 'none'}, expected "
            f"{', '.join(expected)} for {' '.join(kind.symbol for kind in job.species)}. "
            f"{_REMEDY.capitalize()}",
            directory,
        )


def _name_difference(found: str, expected: str) -> str:
    ours, theirs = expected.splitlines(), found.splitlines()
    for number, (line, other) in enumerate(zip(ours, theirs, strict=False), start=1):
        if line.split() != other.split():
            return f"line {number} is {' '.join(other.split())!r}, not {' '.join(line.split())!r}"
    return f"it has {len(theirs)} lines, not {len(ours)}"
