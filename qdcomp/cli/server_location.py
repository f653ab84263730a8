"""A launchpad server named on the command line."""

from __future__ import annotations

from qdcomp.cli.console import print_warnings


def warn_of_shown_password(location: str | None) -> str | None:
    """Warn of a password on the command line; a callback of an option, which it gives back."""
    if location is not None:
        from qdcomp.recipes import launchpads

        warning = launchpads.warn_of_shown_password(location)
        print_warnings([warning] if warning else [])
    return location
