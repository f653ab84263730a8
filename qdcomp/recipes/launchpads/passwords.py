"""Where the password of a launchpad server may stand: the environment, or a file of one's own.

It never stands in a log, a report, a record of a run or an error, and a command line, which every
user of a machine sees in the list of processes, is warned of.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from qdcomp.errors import InputError
from qdcomp.recipes.launchpads.server_launchpad import describe_location, is_server

LAUNCHPAD_VARIABLE = "QDCOMP_LAUNCHPAD"
"""Environment variable with the URI of the launchpad server, password included."""

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_MAX_CHARACTERS = 100_000


def has_password(location: str | Path) -> bool:
    """Whether a location holds a password, or an option that is one."""
    return is_server(location) and describe_location(location) != str(location)


def warn_of_shown_password(location: str | None) -> str:
    """Warn of a password given on the command line; empty where there is none."""
    if location is None or not has_password(location):
        return ""
    return (
        "the URI on the command line holds a password, which every user of this machine can read "
        f"in the list of processes (ps); give it in the environment instead: {LAUNCHPAD_VARIABLE}"
    )


def remove_password(environment: Mapping[str, str]) -> dict[str, str]:
    """Copy an environment for a program that has no business with the launchpad."""
    return {name: value for name, value in environment.items() if name != LAUNCHPAD_VARIABLE}


def read_private_file(path: Path | str) -> str:
    """Read a file that holds a password, if nobody but its owner may.

    The owner and the rights are those of the file that is then read, not of one that took its
    place in between.

    Raises
    ------
    InputError
        There is no such file, others may read or write it, or it is another user's.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8") as stream:
            _require_private(os.fstat(stream.fileno()), path)
            return stream.read(_MAX_CHARACTERS)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise InputError(
            f"cannot read {path}: {reason}; expected a file with the launchpad's URI, of your own"
        ) from None


def _require_private(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{path} is not a file; expected one with the launchpad's URI")
    if status.st_uid not in (os.geteuid(), 0):
        raise InputError(
            f"{path} belongs to another user, who may write any launchpad into it; make one of "
            f"your own: cp {path} FILE, chmod 600 FILE"
        )
    if status.st_mode & _OTHERS:
        raise InputError(
            f"{path} holds a password, and others may use it (its rights are "
            f"{stat.S_IMODE(status.st_mode):03o}); mend it with: chmod 600 {path}"
        )
