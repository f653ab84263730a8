"""Folders of runs among what a user names: runs, parents of runs, and what looks like neither."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from qdcomp.errors import InputError
from qdcomp.recipes.campaigns.campaign_folder import is_campaign_folder
from qdcomp.recipes.runs.run_directory import (
    EMBEDDED_LAUNCHPAD_NAME,
    SERVER_LAUNCHPAD_NAME,
    STUDY_NAME,
)

DEEPEST = 6
"""Levels of folders below a named one that are searched for runs."""

TRACES = (EMBEDDED_LAUNCHPAD_NAME, SERVER_LAUNCHPAD_NAME, "jobs", "study.partial")
"""What a run leaves beside its study file: a folder with one of them and no study lost its own."""


def is_run_folder(folder: Path) -> bool:
    """Whether a folder has the study file that makes it a run."""
    return (folder / STUDY_NAME).is_file()


def find_run_folders(named: Sequence[Path]) -> tuple[Path, ...]:
    """Find the runs that are named, and those inside of named folders.

    Parameters
    ----------
    named
        Folders: each a run, or a parent of runs at any depth to `DEEPEST`.

    Returns
    -------
    tuple of Path
        Absolute, each once, in the order named and by name within. Folders that have lost their
        study file, empty ones right inside a named one, and a named one that holds no run are among
        them: a reader should see that there is none.

    Raises
    ------
    InputError
        A named folder is not there, or is a file.
    """
    found: list[Path] = []
    for folder in named:
        if not folder.is_dir():
            what = "is a file" if folder.exists() else "is not there"
            raise InputError(
                f"{folder} {what}; give the folder of a run, or one that holds runs "
                "(make a run with: qdcomp run STUDY --out FOLDER)"
            )
        root = folder.resolve()
        found += list(_search(root, 0)) or [root]
    return tuple(dict.fromkeys(found))


def _search(folder: Path, depth: int) -> Iterator[Path]:
    is_lost_run = any((folder / name).exists() for name in TRACES)
    if is_run_folder(folder) or (is_lost_run and not is_campaign_folder(folder)):
        yield folder
        return
    try:
        inside = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError:
        yield folder  # its row says that it cannot be read
        return
    if depth == 1 and not inside:
        yield folder
    if depth == DEEPEST:
        return
    for entry in inside:
        if entry.is_dir() and not entry.is_symlink():
            yield from _search(entry, depth + 1)


def label_folders(folders: Sequence[Path]) -> tuple[str, ...]:
    """Give each folder a label of its own: its name, with its parents' where two have one name."""
    for parts in range(1, 4):
        labels = ["/".join(folder.parts[-parts:]) for folder in folders]
        if len(set(labels)) == len(labels):
            return tuple(labels)
    seen: Counter[str] = Counter()
    numbered = []
    for label in labels:
        seen[label] += 1
        numbered.append(label if seen[label] == 1 else f"{label} ({seen[label]})")
    return tuple(numbered)
