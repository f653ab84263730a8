"""Mend what an examination of runs has found, and write down what was done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from fireworks import LaunchPad

from qdcomp.recipes.campaigns.run_set import RunSet
from qdcomp.recipes.doctor.damaged_files import set_aside
from qdcomp.recipes.doctor.trouble import Trouble, TroubleKind
from qdcomp.recipes.launchpads import reset_lost_runs
from qdcomp.recipes.launchpads.lost_runs import QueueCheck, rerun_if_still
from qdcomp.recipes.runs.mended_log import note_mended
from qdcomp.recipes.workflows.submission import submit_runs

_PUT_BACK_FROM: Mapping[TroubleKind, tuple[str, ...]] = {
    "failed": ("FIZZLED",),
    "removed": ("COMPLETED",),
}
"""States in which a job is run again; a failed one may be complete by now, thanks to another."""


def mend_troubles(
    troubles: Sequence[Trouble],
    runs: RunSet,
    launchpad: LaunchPad,
    is_queued: QueueCheck | None = None,
) -> tuple[Trouble, ...]:
    """Mend what qdcomp can, the rest is the user's; return what was mended.

    Whoever else works on the launchpad may go on meanwhile: what is no longer as it was found is
    left as it is.

    Parameters
    ----------
    troubles
        What `examine_runs` found.
    runs, launchpad, is_queued
        As there.
    """
    freed = set(reset_lost_runs(launchpad, runs.query, is_queued))

    def free(trouble: Trouble) -> bool:
        return trouble.fw_id in freed

    def put_back(trouble: Trouble) -> bool:
        states = _PUT_BACK_FROM.get(trouble.kind, ("FIZZLED", "COMPLETED"))
        return trouble.fw_id is not None and rerun_if_still(launchpad, trouble.fw_id, states)

    def move_aside(trouble: Trouble) -> bool:
        if trouble.file is None or not trouble.file.is_file():
            return False
        set_aside(trouble.file)
        put_back(trouble)
        return True

    def submit(trouble: Trouble) -> bool:
        return bool(submit_runs([runs.find_run(str(trouble.root))], launchpad))

    remedies: Mapping[TroubleKind, Callable[[Trouble], bool]] = {
        "lost": free,
        "damaged": move_aside,
        "failed": put_back,
        "removed": put_back,
        "absent": submit,
    }
    mended = []
    for trouble in troubles:
        remedy = remedies.get(trouble.kind)
        if remedy is not None and remedy(trouble):
            mended.append(trouble)
            if trouble.root is not None:
                note_mended(trouble.root, trouble.where, trouble.found, trouble.mend)
    return tuple(mended)
