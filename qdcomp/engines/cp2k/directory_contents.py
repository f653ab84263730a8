"""Which files of a foreign directory belong to its dynamics, and whether they are of one run."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from mmap import ACCESS_READ, mmap
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qdcomp.engines.cp2k.trajectory_files import TrajectoryFiles, find_trajectory_files
from qdcomp.errors import InputError, ParseError
from qdcomp.trajectory import read_ener

SAME_PLACE_ANGSTROM = 0.02
"""Largest distance between an atom and its recomputed self in a run that was restarted; two runs
that have nothing to do with each other differ by more after a step."""

_HEAD_LINES = 200
_COMMENT = re.compile(rb"^[ \t]*i[ \t]*=[ \t]*(\d+)", re.MULTILINE)
_MOLOG_STEP = re.compile(r"_(\d+)\.MOLog$")


@dataclass(frozen=True)
class DirectoryContents:
    """The files of one dynamics.

    Attributes
    ----------
    files
        Trajectories and energies.
    output
        Main output, None where there is none.
    input
        Input file, None where there is none.
    mologs
        MOLog files by step.
    """

    files: TrajectoryFiles
    output: Path | None
    input: Path | None
    mologs: dict[int, Path]


def find_contents(directory: Path) -> DirectoryContents:
    """Find the files of a dynamics.

    Raises
    ------
    InputError
        No such directory, no trajectory, or more than one.
    """
    if not directory.is_dir():
        raise InputError(f"{directory} is no directory; give the one that CP2K ran in")
    positions = sorted(directory.glob("*-pos-*.xyz"))
    if len(positions) != 1:
        found = ", ".join(path.name for path in positions) or "none"
        raise InputError(
            f"expected one trajectory of positions (PROJECT-pos-1.xyz) in {directory}, found "
            f"{found}; keep each run in a directory of its own"
        )
    return DirectoryContents(
        find_trajectory_files(positions[0]),
        _find_output(directory),
        _find_input(directory),
        _find_mologs(directory),
    )


def read_input_value(path: Path | None, keyword: str) -> float | None:
    """Value of a keyword of section ``&MD`` in an input file; None where it is not there.

    ``TIMESTEP [ps] 0.001`` and the plain form are understood.

    Raises
    ------
    ParseError
        The value is no number.
    """
    if path is None:
        return None
    text = path.read_text(errors="replace")
    section = re.search(
        r"^\s*&MD\b(.*?)^\s*&END(?:\s+MD)?\s*$",
        text,
        re.MULTILINE | re.DOTALL | re.IGNORECASE,
    )
    if section is None:
        return None
    units = {"fs": 1.0, "ps": 1e3, "as": 1e-3, "k": 1.0}
    match = re.search(
        rf"^\s*{keyword}\s+(?:\[(\w+)\]\s*)?([-+\d.eEdD]+)",
        section[1],
        re.MULTILINE | re.IGNORECASE,
    )
    if match is None or (match[1] or "fs").lower() not in units:
        return None
    try:
        value = float(match[2].replace("d", "e").replace("D", "E"))
    except ValueError:
        raise ParseError(
            f"{keyword} {match[2]} in section &MD: expected a number",
            path,
            text.count("\n", 0, section.start(1) + match.start(2)) + 1,
        ) from None
    return value * units[(match[1] or "fs").lower()]


def require_one_run(contents: DirectoryContents) -> tuple[str, ...]:
    """Check that the trajectory is of one run, or of a run and its own continuation.

    Returns
    -------
    A warning where the run was restarted and steps were computed twice.

    Raises
    ------
    ParseError
        Two runs are mixed in the file.
    """
    path = contents.files.positions
    if path.stat().st_size == 0:
        raise ParseError("is empty; the run has not written a frame", path)
    with path.open("rb") as stream, mmap(stream.fileno(), 0, access=ACCESS_READ) as content:
        return _check_order(content, path)


def drop_sparse_files(contents: DirectoryContents) -> tuple[DirectoryContents, tuple[str, ...]]:
    """Leave out files that were printed at fewer steps than the positions.

    The last steps may be missing, as when the run was killed: the frames end there.
    """
    files = contents.files
    wanted = list(_read_steps(files.positions))
    kept: dict[str, Path | None] = {}
    warnings: list[str] = []
    for name in ("velocities", "forces", "energies"):
        path: Path | None = getattr(files, name)
        kept[name] = path
        if path is None or not wanted:
            continue
        present = _read_energy_steps(path) if name == "energies" else _read_steps(path)
        reach = max(present, default=-1)
        if reach < wanted[0] or any(step not in present for step in wanted if step <= reach):
            kept[name] = None
            warnings.append(
                f"{path.name} has not every step of {files.positions.name} and is not used"
            )
    files = TrajectoryFiles(files.positions, **kept)
    return replace(contents, files=files), tuple(warnings)


def _read_steps(path: Path) -> dict[int, None]:
    with path.open("rb") as stream, mmap(stream.fileno(), 0, access=ACCESS_READ) as content:
        return dict.fromkeys(int(match[1]) for match in _COMMENT.finditer(content))


def _read_energy_steps(path: Path) -> dict[int, None]:
    return dict.fromkeys(read_ener(path, on_restart="keep_last").steps.tolist())


def _check_order(content: mmap, path: Path) -> tuple[str, ...]:
    marks = [(int(match[1]), match.end()) for match in _COMMENT.finditer(content)]
    ends = [end for _, end in marks[1:]] + [len(content)]
    warnings: list[str] = []
    for number, ((before, _), (step, place)) in enumerate(pairwise(marks), start=1):
        if step > before:
            continue
        earlier = next((i for i in range(number) if marks[i][0] == step), None)
        if earlier in {0, None} or not _is_same(
            content[marks[earlier or 0][1] : ends[earlier or 0]], content[place : ends[number]]
        ):
            raise ParseError(
                f"two runs are mixed in one file: step {step} follows step {before}, and it is not "
                "the same run gone on from its restart. Cut the file here and put each run in a "
                "directory of its own",
                path,
                content[:place].count(b"\n") + 1,
            )
        warnings.append(
            f"{path.name}: the run was restarted after step {step - 1}; the steps up to {before} "
            "that it had done before were replaced by the recomputed ones"
        )
    return tuple(warnings)


def _is_same(first: bytes, second: bytes) -> bool:
    one, other = _read_atoms(first), _read_atoms(second)
    if one is None or other is None or one.shape != other.shape:
        return False
    return float(np.abs(one - other).max()) < SAME_PLACE_ANGSTROM


def _read_atoms(text: bytes) -> NDArray[np.float64] | None:
    """Coordinates in what follows a comment, up to the next frame's number of atoms."""
    rows: list[list[float]] = []
    for line in text.splitlines()[1:]:
        words = line.split()
        if len(words) < 4:
            break
        try:
            rows.append([float(word) for word in words[1:4]])
        except ValueError:
            return None
    return np.array(rows) if rows else None


def _find_output(directory: Path) -> Path | None:
    outputs = [
        path
        for pattern in ("*.out", "*.log", "*.stdout")
        for path in sorted(directory.glob(pattern))
        if _is_output(path)
    ]
    if len(outputs) > 1:
        raise InputError(
            f"expected one main output of CP2K in {directory}, found "
            f"{', '.join(path.name for path in outputs)}; keep each run in a directory of its own"
        )
    return outputs[0] if outputs else None


def _is_output(path: Path) -> bool:
    with path.open(errors="replace") as stream:
        return any(line.startswith(" CP2K|") for line in islice(stream, _HEAD_LINES))


def _find_input(directory: Path) -> Path | None:
    for pattern in ("*.inp", "*.in"):
        for path in sorted(directory.glob(pattern)):
            if re.search(r"^\s*&MOTION\b", path.read_text(errors="replace"), re.M | re.I):
                return path
    return None


def _find_mologs(directory: Path) -> dict[int, Path]:
    found = {}
    for path in directory.glob("*.MOLog"):
        match = _MOLOG_STEP.search(path.name)
        if match is not None:
            found[int(match[1])] = path
    return dict(sorted(found.items()))
