"""The one command that brings a run on."""

from __future__ import annotations

from pathlib import Path

from qdcomp.recipes.runs.run_directory import PROFILE_NAME


def suggest_next_command(root: Path, *, has_failed: bool) -> str:
    """Name the command that brings a run or campaign on which is not complete.

    On a cluster that is one that neither computes on the login node nor hands over in vain.
    """
    if not (root / PROFILE_NAME).is_file():
        return f"qdcomp resume {root}"
    return f"qdcomp doctor {root} --mend" if has_failed else f"qdcomp submit {root}"
