"""FireWorks' queue launcher, and the batch system's own words, which it logs and does not raise."""

from __future__ import annotations

import ast
import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fireworks import FWorker, LaunchPad
from fireworks.queue.queue_launcher import launch_rocket_to_queue
from fireworks.user_objects.queue_adapters.common_adapter import CommonAdapter

from qdcomp.errors import BatchError
from qdcomp.recipes.clusters.batch_systems import SYSTEMS
from qdcomp.recipes.launchpads.closing_launchpad import QUIET

_LAUNCHER_LOG = "queue.launcher"
_ANSWER = re.compile(r"The error response reads: (.*)", re.DOTALL)
_BORDER = re.compile(r"^[\s|v^-]*$")


class _Keeper(logging.Handler):
    """Keeps the errors that are logged."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


def launch_to_queue(
    launchpad: LaunchPad,
    worker: FWorker,
    adapter: CommonAdapter,
    folder: Path,
    what: str,
    *,
    reserve: bool,
) -> str:
    """Hand one batch job over by FireWorks' queue launcher.

    Parameters
    ----------
    launchpad
        Where the jobs are.
    worker
        Says by its query which job may be taken.
    adapter
        What the script says.
    folder
        Folder to launch from; without a reservation each batch job has a folder of its own in it.
    what
        What is handed over, for the error.
    reserve
        Whether the batch job is for one job, which is reserved.

    Returns
    -------
    Number of the batch job; empty if none of the jobs is ready any more.

    Raises
    ------
    BatchError
        The batch system refused it; the job is ready again.
    """
    with keep_messages(adapter.q_name) as messages, warnings.catch_warnings():
        # of FireWorks: it calls what monty gives up, and leaves the pipes of sbatch open
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", ResourceWarning)
        number = launch_rocket_to_queue(
            launchpad,
            worker,
            adapter,
            launcher_dir=str(folder),
            reserve=reserve,
            strm_lvl=QUIET,
            create_launcher_dir=not reserve,
        )
    if not number and messages:
        raise BatchError(
            f"{SYSTEMS[adapter.q_name].title} did not take {what}: {find_refusal(messages)}. It is "
            "ready again; mend the cluster profile (qdcomp cluster check names what is wrong), "
            "then hand over again: qdcomp submit RUN --cluster PROFILE"
        )
    return str(number or "")


@contextmanager
def keep_messages(q_name: str) -> Iterator[list[str]]:
    """Keep what FireWorks logs of errors of its queue launcher, and of the adapter `q_name`."""
    keeper = _Keeper()
    loggers = [logging.getLogger(name) for name in (f"qadapter.{q_name}", _LAUNCHER_LOG)]
    for logger in loggers:
        logger.addHandler(keeper)
    try:
        yield keeper.messages
    finally:
        for logger in loggers:
            logger.removeHandler(keeper)


def find_refusal(messages: list[str]) -> str:
    """Find the batch system's own words among FireWorks' messages, else the last of them."""
    text = "\n".join(messages)
    answer = _ANSWER.search(text)
    if answer is not None:
        words = _read_bytes(answer[1])
        if words:
            return words
    lines = [line.strip() for line in text.splitlines() if not _BORDER.match(line)]
    return next(reversed([line for line in lines if line]), "it did not say why")


def _read_bytes(text: str) -> str:
    """Read the first bytes literal of `text`, as FireWorks writes what a command said."""
    literal = re.match(r"""\s*(b'(?:[^'\\]|\\.)*'|b"(?:[^"\\]|\\.)*")""", text)
    if literal is None:
        return text.splitlines()[0].strip()
    said: bytes = ast.literal_eval(literal[1])
    return " ".join(said.decode(errors="replace").split())
