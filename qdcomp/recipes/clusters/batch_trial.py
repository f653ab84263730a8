"""A tiny batch job that shows what a node sees: the folder, and qdcomp."""

from __future__ import annotations

import shlex
import shutil
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp

import qdcomp
from qdcomp.errors import BatchError
from qdcomp.recipes.clusters.batch_script import make_adapter, start_qdcomp
from qdcomp.recipes.clusters.batch_systems import SYSTEMS
from qdcomp.recipes.clusters.commands import call
from qdcomp.recipes.clusters.finding import Finding, Site

PATIENCE_S = 300.0
"""How long the batch job may take, its time in the queue included [s]."""

_ANSWER_NAME = "answer.txt"
_SCRIPT_NAME = "trial.sh"
_WHAT = "qdcomp on a node"


def try_batch_job(site: Site) -> Finding:
    """Whether a node sees the folder of runs, and has the same qdcomp; takes a batch job."""
    folder = Path(mkdtemp(prefix="qdcomp-check-", dir=site.folder))
    try:
        said = _run_trial(site, folder)
        return _judge(site, folder, said)
    except BatchError as error:
        return Finding(_WHAT, "wrong", str(error), "see with squeue, qstat or bjobs why it waits")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run_trial(site: Site, folder: Path) -> str:
    system = SYSTEMS[site.profile.batch_system]
    answer = shlex.quote(str(folder / _ANSWER_NAME))
    launch = f"{shlex.join([*start_qdcomp(site.profile), '--version'])} > {answer} 2>&1"
    profile = replace(site.profile, mode="offline", resources=site.profile.stages["own"])
    script = make_adapter(profile, folder, launch).get_script_str(str(folder))
    (folder / _SCRIPT_NAME).write_text(script, encoding="utf-8")
    reads_input = site.profile.batch_system == "lsf"  # bsub FILE would not read its directives
    words = [system.commands[0], *system.wait, *([] if reads_input else [_SCRIPT_NAME])]
    done = call(words, patience_s=PATIENCE_S, text=script if reads_input else None, folder=folder)
    return " ".join((done.stderr or done.stdout).split())


def _judge(site: Site, folder: Path, said: str) -> Finding:
    answer = folder / _ANSWER_NAME
    if not answer.is_file():
        return Finding(
            _WHAT,
            "wrong",
            f"the batch job left nothing in {site.folder}: {said}",
            "use a folder that all nodes see, and resources that the partition allows",
        )
    found = answer.read_text(encoding="utf-8", errors="replace").strip()
    expected = f"qdcomp {qdcomp.__version__}"
    if found != expected:
        return Finding(
            _WHAT,
            "wrong",
            f"{found[:200] or 'it did not start'}; here it is {expected}",
            "name the command that starts the same qdcomp on a node as qdcomp in the profile",
        )
    return Finding(_WHAT, "ok", f"{found}, and it sees {site.folder}")
