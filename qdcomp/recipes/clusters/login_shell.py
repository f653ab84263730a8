"""The shell of a batch job, tried on the login node."""

from __future__ import annotations

import shlex

from qdcomp.errors import BatchError
from qdcomp.recipes.clusters.batch_script import prepare_shell
from qdcomp.recipes.clusters.commands import call
from qdcomp.recipes.clusters.profile import ClusterProfile

_MARK = "qdcomp-begins-here"
_PATIENCE_S = 60.0


def run_in_shell(profile: ClusterProfile, line: str) -> tuple[int, str]:
    """Run a line in a login shell that is ready as a batch job is.

    Returns
    -------
    Its exit code, and what it printed, errors included.

    Raises
    ------
    BatchError
        It has not ended in time.
    """
    script = "\n".join([*prepare_shell(profile), f"echo {_MARK}", f"{{ {line}\n}} 2>&1"])
    done = call(["bash", "-l", "-c", script], patience_s=_PATIENCE_S)
    return done.returncode, done.stdout.partition(f"{_MARK}\n")[2].strip()


def load_module(name: str) -> str:
    """Load a module in a login shell; return why that failed, empty if it did not."""
    script = f"type module >/dev/null || exit 127; module load {shlex.quote(name)}"
    try:
        done = call(["bash", "-l", "-c", script], patience_s=_PATIENCE_S)
    except BatchError as error:
        return str(error)
    if done.returncode == 127:
        return "there is no command `module` in a login shell"
    said = " ".join((done.stderr + done.stdout).split())
    failed = done.returncode != 0 or any(sign in said.lower() for sign in _MODULE_TROUBLE)
    return (said[:200] or f"exit code {done.returncode}") if failed else ""


_MODULE_TROUBLE = ("error", "unable to locate", "are unknown")
"""Words of `module load` that has not loaded, and may yet end with exit code 0."""
