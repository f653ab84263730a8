"""What of a profile may stand in the script of a batch job, where a shell reads it."""

from __future__ import annotations

import re
from pathlib import Path

from qdcomp.errors import InputError

TEMPLATE_MARK = "$$"
"""What FireWorks' queue templates mark keys with; it drops every line that still has one."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@:+-]{0,99}")
_MODULE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+/=-]{0,199}")


def check_name(text: str) -> str:
    """Let pass what can be the name of a partition, a queue or an account.

    Raises
    ------
    InputError
        It has other signs than names have.
    """
    return _check(text, _NAME, "letters, digits and the signs _ . @ : + -")


def check_module(text: str) -> str:
    """Let pass what can be the name of a module, ``cp2k/2023.1``.

    Raises
    ------
    InputError
        It has other signs than names of modules have.
    """
    return _check(text, _MODULE, "letters, digits and the signs _ . + / = -")


def check_command(text: str) -> str:
    """Let pass a command in words, ``srun cp2k.psmp``; no shell reads it.

    Raises
    ------
    InputError
        It is empty, has several lines, or quotes, which would not be read.
    """
    if not text.split():
        raise InputError("empty; write the command that starts it, like srun cp2k.psmp")
    if TEMPLATE_MARK in text or any(sign in text for sign in "\n\r'\"`;|&<>"):
        raise InputError(
            f"{text!r} is split at its spaces and read by no shell; write one command without "
            "quotes, pipes or redirections, and what has to come before it under setup"
        )
    return text


def check_setup_line(text: str) -> str:
    """Let pass a line of the user's own shell, as long as FireWorks keeps it.

    Raises
    ------
    InputError
        It has ``$$``, for which FireWorks drops a line without a word, or is more than one line.
    """
    if TEMPLATE_MARK in text:
        raise InputError(f"{text!r}: FireWorks drops lines with $$; write $BASHPID instead")
    if "\n" in text.strip() or "\r" in text:
        raise InputError(f"{text!r} has several lines; write one entry of the list for each")
    return text.strip()


def check_folder(text: str) -> Path:
    """Let pass the absolute path of a folder or file, ``~`` included.

    Raises
    ------
    InputError
        It is relative, names no user, or has signs that no line of a script may have.
    """
    try:
        path = Path(text).expanduser()
    except RuntimeError:
        raise InputError(f"{text!r}: there is no such user here; write all of the path") from None
    if not path.is_absolute():
        raise InputError(f"{text!r} is relative; batch jobs start elsewhere: write all of the path")
    if TEMPLATE_MARK in text or not text.isprintable():
        raise InputError(f"{text!r} has $$ or signs that cannot be printed; use another path")
    return path


def _check(text: str, pattern: re.Pattern[str], allowed: str) -> str:
    if not pattern.fullmatch(text):
        raise InputError(
            f"{text!r} goes into the script of a batch job; only {allowed} may be in it, a letter "
            "or digit first"
        )
    return text
