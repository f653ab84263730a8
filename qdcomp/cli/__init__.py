"""The command line: one thin function per command; the only place that prints or exits."""

from __future__ import annotations

import sys
import traceback

from qdcomp.errors import QdcompError

USER_ERROR = 2
"""Exit code of an error that the user can mend; wrong arguments have it too."""


def main() -> None:
    """Run the command line: one line on stderr for an error, a traceback only with --debug."""
    from qdcomp.cli.application import application

    try:
        application()
    except (QdcompError, OSError) as error:
        if "--debug" in sys.argv:
            traceback.print_exc()
        sys.stderr.write(f"qdcomp: error: {error}\n")
        sys.exit(USER_ERROR)
