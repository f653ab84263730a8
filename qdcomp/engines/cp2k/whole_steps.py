"""The last step of dynamics that every file of a run has whole.

A full disk, or a kill, cuts each file off in another step, and the frontier orbitals are in the
main output alone: a restart file that is further on would leave a gap there.
"""

from __future__ import annotations

import re
from pathlib import Path

from qdcomp.engines.cp2k.job_file import OUTPUT_NAME, PROJECT, JobFile
from qdcomp.engines.cp2k.last_line import read_last_step
from qdcomp.engines.cp2k.outputs import iterate_steps
from qdcomp.errors import ParseError

_FRAME_HEAD = re.compile(rb"^ *i *= *(\d+),", re.MULTILINE)


def find_last_whole_step(directory: Path, job: JobFile) -> int | None:
    """Find the last step that energies, frames and main output have; None before any was written.

    Files are expected to end in whole lines and frames (`trim_cut_ends`).
    """
    if job.dynamics is None:
        return None
    frames = sorted(directory.glob(f"{PROJECT}-*-1.xyz"))
    found = [
        read_last_step(directory / f"{PROJECT}-1.ener"),
        *(_read_last_frame(path, len(job.symbols)) for path in frames),
        _count_output_steps(directory / OUTPUT_NAME, job),
    ]
    known = [step for step in found if step is not None]
    return min(known) if known else None


def _read_last_frame(path: Path, n_atoms: int) -> int | None:
    """Step of the last frame of an xyz file of CP2K."""
    with path.open("rb") as stream:
        size = stream.seek(0, 2)
        head = [stream.readline() for _ in range(2)] if stream.seek(0) == 0 and size else []
        frame_bytes = sum(map(len, head)) + 100 * n_atoms
        stream.seek(max(0, size - 3 * frame_bytes))
        steps = _FRAME_HEAD.findall(stream.read())
    return int(steps[-1]) if steps else None


def _count_output_steps(path: Path, job: JobFile) -> int | None:
    """Last step up to which the main output has every one, with orbitals where they are printed."""
    assert job.dynamics is not None
    try:
        steps = list(iterate_steps(path))
    except ParseError:
        return None
    whole = {step.number for step in steps if step.frontier or not job.prints_frontier}
    last = job.dynamics.first_step
    while last + 1 in whole:
        last += 1
    return last if steps else None
