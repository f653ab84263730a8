"""FireWorks' own command line, ``lpad``, on a launchpad that is open in this process."""

from __future__ import annotations

import logging
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from fireworks import LaunchPad
from fireworks.scripts import lpad_run

_READING = ("check_wflow", "get_", "introspect", "report", "track_fws", "version")
"""How the commands of ``lpad`` begin that change nothing."""


def run_lpad(launchpad: LaunchPad, arguments: Sequence[str]) -> int:
    """Run ``lpad`` with those arguments on `launchpad`; it prints as it does on its own.

    Parameters
    ----------
    launchpad
        Embedded or server; a launchpad file named by the arguments is left aside.
    arguments
        As after ``lpad`` on the command line.

    Returns
    -------
    int
        Its exit code.

    Raises
    ------
    SystemExit
        ``lpad`` does not know the arguments, or was asked for help.
    """
    with _connect(launchpad):
        return int(lpad_run.lpad(list(arguments)))


def changes_nothing(arguments: Sequence[str]) -> bool:
    """Whether ``lpad`` with those arguments only reads, so that a launchpad in use will do."""
    commands = [argument for argument in arguments if not argument.startswith("-")]
    asks_help = any(argument in ("-h", "--help") for argument in arguments)
    return asks_help or not commands or commands[0].startswith(_READING)


@contextmanager
def _connect(launchpad: LaunchPad) -> Iterator[None]:
    """Let ``lpad`` find `launchpad` where it would make a connection, and write its log lines."""
    handler = logging.StreamHandler(sys.stdout)

    def get_launchpad(args: Namespace) -> LaunchPad:
        handler.setLevel("CRITICAL" if args.silencer else args.loglvl)
        return launchpad

    original, lpad_run.get_lp = lpad_run.get_lp, get_launchpad
    launchpad.m_logger.addHandler(handler)
    try:
        yield
    finally:
        lpad_run.get_lp = original
        launchpad.m_logger.removeHandler(handler)
