"""Where the shipped studies and templates are, in a checkout, an editable install and a wheel."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from qdcomp.errors import InputError


def _shipped_folder(name: str) -> Path:
    try:
        return Path(str(files(f"qdcomp.{name}")))
    except ModuleNotFoundError:
        return Path(__file__).resolve().parents[1] / name


def find_template(relative: str) -> Path:
    """Path of a shipped template, for example ``cp2k/geo_opt.inp.j2``.

    Raises
    ------
    InputError
        If there is no such template.
    """
    path = _shipped_folder("templates") / relative
    if not path.is_file():
        raise InputError(f"there is no template {relative!r} in {path.parent}")
    return path


def is_file(path: Path | str) -> bool:
    """Whether a path is that of a file; False also for what can be the path of none.

    `pathlib` raises for names that no file system takes, as of 300 characters.
    """
    try:
        return Path(path).is_file()
    except (OSError, ValueError):
        return False


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def list_studies() -> list[Path]:
    """Paths of the shipped studies, by name."""
    return sorted(_shipped_folder("workflows").glob("*.yaml"))


def find_study(name: str) -> Path:
    """Path of a study: a file as given, or a shipped study by its file name or stem.

    Raises
    ------
    InputError
        If it is neither.
    """
    given = Path(name)
    if is_file(given):
        return given
    shipped = {path.stem: path for path in list_studies()}
    if given.stem in shipped and given.suffix in {"", ".yaml", ".yml"}:
        return shipped[given.stem]
    if _is_folder(given):
        raise InputError(
            f"{name} is a folder, and a study is a file; give that, or a name that qdcomp studies "
            "lists. If it is the folder of a run, go on with: qdcomp resume, or qdcomp submit on a "
            "cluster"
        )
    raise InputError(
        f"no study file {name!r}, and no shipped study of that name; "
        f"shipped studies: {', '.join(shipped) or 'none'}"
    )
