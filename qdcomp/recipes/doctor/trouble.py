"""One thing that is wrong with a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

TroubleKind = Literal["lost", "failed", "hopeless", "removed", "damaged", "absent", "clock", "disk"]
"""What can be wrong.

``lost``      a job is said to run, and its process or batch job has ended
``failed``    a job failed, and another try may succeed
``hopeless``  a job failed, and will again until somebody changes something
``removed``   the launchpad calls a job complete, and its result is not on disk
``damaged``   a file cannot be read
``absent``    the launchpad does not have the jobs of a run
``clock``     this machine and the server differ in time
``disk``      there is hardly any room left
"""

MENDED_BY_QDCOMP: frozenset[TroubleKind] = frozenset(
    {"lost", "failed", "removed", "damaged", "absent"}
)
"""Kinds that `mend_troubles` mends; the others are the user's."""


@dataclass(frozen=True)
class Trouble:
    """One thing that is wrong.

    Attributes
    ----------
    kind
        What sort of thing.
    where
        Name of the job, or what else is meant.
    found
        What was found, a sentence.
    mend
        What mends it, a sentence.
    root
        Folder of the run; None where it is none's.
    fw_id
        Number of the job on the launchpad; None where it is no job's.
    file
        The damaged file.
    """

    kind: TroubleKind
    where: str
    found: str
    mend: str
    root: Path | None = None
    fw_id: int | None = None
    file: Path | None = None

    @property
    def is_mended_by_qdcomp(self) -> bool:
        """Whether `mend_troubles` mends it."""
        return self.kind in MENDED_BY_QDCOMP
