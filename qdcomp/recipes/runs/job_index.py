"""An index of finished jobs by their inputs, so that the same job is not run twice.

The folder that holds the runs has a folder ``job_index`` with a file for each finished job, named
by the hash of its inputs: the engine, each input file, and what the job takes over from the one
before it. Names of folders are no part of it, nor is the version of the engine. An entry is
believed only while the job that it names is complete and its inputs are still those.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from qdcomp.errors import QdcompError
from qdcomp.recipes.jobs.job_execution import lock_directory
from qdcomp.recipes.jobs.run_record import (
    RECORD_NAME,
    RUNNING_NAME,
    RunRecord,
    read_run_record,
    write_run_record,
)
from qdcomp.recipes.runs.run_directory import RunDirectory

INDEX_NAME = "job_index"
"""Folder of the index, beside the runs."""

INPUT_HASH_NAME = "input_hash.json"
"""File in a job directory with the hash of its inputs."""

_NOT_TAKEN_OVER = (
    INPUT_HASH_NAME,
    RECORD_NAME,
    RUNNING_NAME,
    "inputs.json",
    "running.lock",
    "failure.txt",
)
"""What every job directory has of its own."""

_OF_LAUNCHES = ("FW", "batch-")  # FW.json, FW_submit.script, batch-7.out, …
_LARGEST_NAMING_BYTES = 2**24  # larger files, wavefunctions, name no folders and are read in pieces
_HASH = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class _Noted:
    """Hash of all that a job takes in, of each input that its engine wrote, and where it ran."""

    total: str
    inputs: Mapping[str, str]
    root: str = field(compare=False)


@dataclass(frozen=True)
class _Found:
    """A finished job: its folder, and that of its run when it was prepared, which inputs name."""

    directory: Path
    root: str


def index_folder(run: RunDirectory) -> Path:
    """Folder of the index that a run looks in and is entered in."""
    return run.launchpad_folder.parent / INDEX_NAME


def list_files(directory: Path) -> set[str]:
    """Names of the files in a job directory, without those of its launches."""
    return {
        path.name
        for path in directory.iterdir()
        if path.is_file() and not path.name.startswith(_OF_LAUNCHES)
    }


def note_inputs(
    run: RunDirectory, directory: Path, names: Collection[str], before: Collection[str]
) -> None:
    """Write down the hash of the inputs of a job, before its engine changes any.

    Parameters
    ----------
    run, directory
        The run and the folder of the job.
    names
        Files that the engine wrote as inputs.
    before
        Files that were there before. Where an input is among them, an earlier attempt was cut
        short, and what that took over from the job before cannot be told: nothing is noted.
    """
    path = directory / INPUT_HASH_NAME
    if set(names) & set(before):
        path.unlink(missing_ok=True)
        return
    written = sorted((list_files(directory) - set(before)) | set(names))
    files = {name: _hash_without_folders(directory / name, str(run.root)) for name in written}
    text = json.dumps([run.study.engine, files], sort_keys=True)
    content = {
        "hash": hashlib.sha256(text.encode()).hexdigest(),
        "inputs": {name: files[name] for name in sorted(names)},
        "run": str(run.root),
    }
    _write_whole(path, content)


def reuse_job(run: RunDirectory, directory: Path) -> RunRecord | None:
    """Take over the outputs of a finished job of the same inputs, if there is one.

    Returns
    -------
    The record of the job, with the folder that its outputs are from; None where the engine has to
    run: nothing is found, the study does not want it, or the engine has begun.
    """
    noted = _read_noted(directory)
    begun = (directory / run.engine.output_name).exists() or read_run_record(directory) is not None
    if not run.study.reuse or begun or noted is None:
        return None
    entry = _find_entry(run, noted)
    found = _find_finished(run, entry, noted) if _is_trusted(entry.parent) else None
    record = read_run_record(found.directory) if found else None
    if found is None or record is None or found.directory == directory:
        return None
    with lock_directory(directory):
        try:
            _copy_outputs(run, found, directory, noted)
        except OSError:
            return None  # it was removed meanwhile, or there is no room: the engine says more
        now = datetime.now(UTC).isoformat(timespec="seconds")
        taken = replace(
            record,
            started=now,
            finished=now,
            walltime_s=0.0,
            runs=0,
            reused_from=record.reused_from or str(found.directory),
        )
        write_run_record(directory, taken)
    return taken


def enter_job(run: RunDirectory, directory: Path) -> None:
    """Enter a finished job in the index; nothing where it cannot be written."""
    noted = _read_noted(directory)
    if noted is None or _find_entry(run, noted).is_file():
        return
    entry = _find_entry(run, noted)
    base = entry.parent.parent
    content = {
        "run": run.root.relative_to(base).as_posix(),
        "job": directory.relative_to(run.root).as_posix(),
    }
    with suppress(OSError):  # the folder of the runs may be another user's
        entry.parent.mkdir(exist_ok=True)
        _write_whole(entry, content)


def forget_job(run: RunDirectory, directory: Path) -> None:
    """Take a job out of the index, so that its engine runs again."""
    noted = _read_noted(directory)
    if noted is not None:
        with suppress(OSError):
            _find_entry(run, noted).unlink(missing_ok=True)


def _find_entry(run: RunDirectory, noted: _Noted) -> Path:
    return index_folder(run) / f"{noted.total}.json"


def _find_finished(run: RunDirectory, entry: Path, wanted: _Noted) -> _Found | None:
    """Find the job that an entry names; a wrong entry is removed."""
    named = _read_json(entry)
    if not named:
        return None
    base = entry.parent.parent.resolve()
    try:
        root = (base / str(named["run"])).resolve()
        directory = (root / str(named["job"])).resolve()
        inside = directory.is_relative_to(root) and root.is_relative_to(base) and root != base
        there = _read_noted(directory) if inside else None
        if there == wanted and there is not None and _is_finished(run, directory, there):
            return _Found(directory, there.root)
    except (KeyError, OSError, ValueError, QdcompError):
        pass  # it cannot be read as a finished job, so it is none
    with suppress(OSError):
        entry.unlink(missing_ok=True)
    return None


def _is_finished(run: RunDirectory, directory: Path, noted: _Noted) -> bool:
    """Whether a job is complete, and its inputs still are what was noted."""
    record = read_run_record(directory)
    if record is None or not run.engine.is_complete(directory):
        return False
    if record.runs > 1 or record.corrections:
        return True  # its inputs were written anew to go on, as its record says
    return all(
        _hash_without_folders(directory / name, noted.root) == digest
        for name, digest in noted.inputs.items()
    )


def _copy_outputs(run: RunDirectory, found: _Found, directory: Path, noted: _Noted) -> None:
    """Copy what a job left; the standard output comes last, as the sign that all is there.

    A link would let a run that writes into the copy change the original.
    """
    with TemporaryDirectory(dir=run.root) as scratch:
        for path in _list_outputs(found.directory):
            target = Path(scratch) / path.name
            if path.is_dir():
                shutil.copytree(path, target)
            elif _hash_without_folders(path, found.root) != noted.inputs.get(path.name):
                shutil.copy2(path, target)  # no input, or one that was written anew to go on
        names = sorted(path.name for path in Path(scratch).iterdir())
        for name in sorted(names, key=lambda name: name == run.engine.output_name):
            target = directory / name
            if target.is_dir():
                shutil.rmtree(target)
            (Path(scratch) / name).replace(target)


def _list_outputs(source: Path) -> Iterator[Path]:
    for path in sorted(source.iterdir()):
        own = path.name in _NOT_TAKEN_OVER or path.name.startswith(_OF_LAUNCHES)
        if not own and (path.is_file() or (path.is_dir() and not path.is_symlink())):
            yield path


def _hash_without_folders(path: Path, root: str) -> str:
    """SHA-256 of a file, the folder of the run left out wherever the file names it."""
    if path.stat().st_size > _LARGEST_NAMING_BYTES:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    content = path.read_bytes()
    for name in {root, json.dumps(root)[1:-1]}:
        content = content.replace(name.encode(), b"")
    return hashlib.sha256(content).hexdigest()


def _is_trusted(index: Path) -> bool:
    """Whether nobody else could have written the index: in /tmp and the like, others can."""
    try:
        found, holder = index.stat(), index.parent.stat()
    except OSError:
        return False
    owned = found.st_uid in (os.getuid(), holder.st_uid)
    return owned and not found.st_mode & stat.S_IWOTH


def _read_noted(directory: Path) -> _Noted | None:
    content = _read_json(directory / INPUT_HASH_NAME)
    total, inputs, root = (content.get(key) for key in ("hash", "inputs", "run"))
    if (
        isinstance(total, str)
        and _HASH.fullmatch(total)
        and isinstance(inputs, dict)
        and isinstance(root, str)
        and root
    ):
        return _Noted(total, inputs, root)
    return None


def _read_json(path: Path) -> dict[str, Any]:
    """Content of a file; empty where it is missing or damaged, which then counts as no entry."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) and content else {}


def _write_whole(path: Path, content: dict[str, Any]) -> None:
    partial = path.with_name(f".{path.name}.{os.uname().nodename}.{os.getpid()}")
    partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)
