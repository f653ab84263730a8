"""``qdcomp analyse``: the observables of a trajectory, also one that qdcomp did not make."""

from pathlib import Path


def analyse(directory: Path) -> None:
    """Analyse.

    For example:
      qdcomp analyse x
    """
