"""The command line: one thin function per command; the only place that prints or exits."""

from __future__ import annotations

import errno
import gc
import sys
import traceback

from qdcomp.cli.interrupts import insist_on_interrupts
from qdcomp.errors import QdcompError

USER_ERROR = 2
"""Exit code of an error that the user can mend; wrong arguments have it too."""

UNEXPECTED_ERROR = 70
"""Exit code of a fault of qdcomp itself (EX_SOFTWARE of sysexits.h)."""

_OBJECTS_BETWEEN_COLLECTIONS = 50_000
"""Python looks for cycles of garbage every 700 new objects, which importing and drawing make by the
million: a twentieth of a command's time."""


def main() -> None:
    """Run the command line: one line on stderr for an error, a traceback only with --debug."""
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    from qdcomp.cli.application import application
    from qdcomp.cli.console import make_printable

    try:
        with insist_on_interrupts():
            application()
    except (QdcompError, OSError) as error:
        if "--debug" in sys.argv:
            traceback.print_exc()
        sys.stderr.write(f"qdcomp: error: {make_printable(_describe(error))}\n")
        sys.exit(USER_ERROR)
    except Exception as error:  # a bug: say so in a line, not with a page of code
        if "--debug" in sys.argv:
            traceback.print_exc()
        sys.stderr.write(
            f"qdcomp: unexpected {type(error).__name__}: {make_printable(str(error))}. This is a "
            "fault of qdcomp, nothing already computed is lost; call it again as qdcomp --debug "
            "... and report what it prints\n"
        )
        sys.exit(UNEXPECTED_ERROR)


def _describe(error: QdcompError | OSError) -> str:
    """Say what went wrong; of the system's errors, with which file and what to do."""
    if isinstance(error, QdcompError):
        return str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror}; make room on the disk, then call this again"
    if error.filename is None:
        return str(error)
    return (
        f"{error.filename}: {error.strerror}; expected a file or folder that is there, "
        "may be read or written and has room"
    )
