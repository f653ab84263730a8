"""Ending a run before the batch system ends it, and knowing whether it gets anywhere at all.

The engine is asked to end when two of its longest steps would no longer fit into the time that is
left; where it does not end in time it is killed a little before the batch system would do it, so
that there is time to write down what happened.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from qdcomp.engines import Engine
from qdcomp.engines.deadline import LEAST_MARGIN_S, is_stop_noted, note_stop, read_deadline
from qdcomp.errors import ParseError
from qdcomp.recipes.jobs.run_record import Piece, RunRecord

MARGIN_STEPS = 2.0
"""Steps that have to fit into the time that is left."""

MARGIN_SHARE = 0.01
"""Share of the time of a batch job that is kept free at its end, where steps are short."""

MOST_FIXED_MARGIN_S = 300.0
"""Most that this share comes to [s]."""

KILL_SHARE = 1.0 / 3.0
"""Share of the margin that is left when a run that has not ended is killed."""

MOST_KILL_MARGIN_S = 120.0
"""Most that this share comes to [s]."""

COUNT_EVERY_S = 2.0
"""Time between two counts of the steps [s]."""

COUNT_COST = 50.0
"""The same, in units of the time that a count takes."""

FUTILE_PIECES = 2
"""Pieces without a single step, ended by the walltime, after which a job has failed."""

FUTILE_WAITS = 3
"""The same, of pieces for which there was too little time to begin."""


class StepClock:
    """How long the longest step took.

    Parameters
    ----------
    steps
        Steps done before.
    now
        Time now [s].
    longest_s
        Longest step known from before [s]; 0 where none is.
    """

    def __init__(self, steps: int, now: float, longest_s: float = 0.0) -> None:
        self._steps = steps
        self._since = now
        self.longest_s = longest_s

    def note(self, steps: int, now: float) -> None:
        """Note how many steps are done by now [s]."""
        done = steps - self._steps
        if done > 0:
            self.longest_s = max(self.longest_s, (now - self._since) / done)
            self._steps, self._since = steps, now
        elif self.longest_s > 0:  # the step at hand is the longest already
            self.longest_s = max(self.longest_s, now - self._since)


class Watch:
    """Looks at the clock while an engine runs in a directory, and ends it in time.

    Parameters
    ----------
    engine, directory
        What runs, and where.
    deadline
        Time at which the batch job ends [s since 1970]; None where it does not.
    longest_s
        Longest step known from before [s].
    """

    def __init__(
        self, engine: Engine, directory: Path, deadline: float | None, longest_s: float
    ) -> None:
        now = time.time()
        self._engine = engine
        self._directory = directory
        self._deadline = deadline
        self._clock = StepClock(count_steps(engine, directory), now, longest_s)
        self._least = choose_least_margin(0.0 if deadline is None else deadline - now)
        self._next_count = now + COUNT_EVERY_S

    @property
    def longest_step_s(self) -> float:
        """Longest step so far [s]; 0 where none was seen."""
        return self._clock.longest_s

    @property
    def margin_s(self) -> float:
        """Time before the deadline at which the engine is asked to end [s]."""
        return max(self._least, MARGIN_STEPS * self._clock.longest_s)

    def look(self, process: subprocess.Popen[bytes]) -> None:
        """Ask `process` to end where it is time, and kill it where it did not."""
        now = time.time()
        self._count(now)
        if self._deadline is None or now < self._deadline - self.margin_s:
            return
        if not is_stop_noted(self._directory):
            note_stop(self._directory)  # first, so that no handler takes the stop for an error
            self._engine.request_stop(self._directory)
        if now > self._deadline - min(KILL_SHARE * self.margin_s, MOST_KILL_MARGIN_S):
            process.kill()

    def _count(self, now: float) -> None:
        if now < self._next_count:
            return
        steps = count_steps(self._engine, self._directory)
        self._clock.note(steps, now)
        after = time.time()
        self._next_count = after + max(COUNT_EVERY_S, COUNT_COST * (after - now))


def count_steps(engine: Engine, directory: Path) -> int:
    """Count the steps done in a directory; none where there is no job."""
    try:
        return engine.count_steps(directory)
    except ParseError:
        return 0


def choose_least_margin(time_left_s: float) -> float:
    """Margin that is kept however short the steps are [s], of a batch job with so much time [s]."""
    return max(LEAST_MARGIN_S, min(MARGIN_SHARE * time_left_s, MOST_FIXED_MARGIN_S))


def has_time_for_a_step(earlier: RunRecord | None) -> bool:
    """Whether the batch job lasts long enough for a step as long as the longest so far."""
    deadline = read_deadline()
    if deadline is None:
        return True
    longest_s = earlier.longest_step_s if earlier else 0.0
    return deadline - time.time() > max(LEAST_MARGIN_S, MARGIN_STEPS * longest_s)


def find_futile_pieces(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """Find the last pieces of a job, where so many did no step that it will never end."""
    before = (0, *(piece.steps for piece in pieces))
    futile: list[Piece] = []
    for piece, (earlier, steps) in reversed(list(zip(pieces, pairwise(before), strict=True))):
        if piece.end not in ("walltime", "no time") or steps > earlier:
            break
        futile.append(piece)
    ended = sum(piece.end == "walltime" for piece in futile)
    enough = ended >= FUTILE_PIECES or len(futile) >= FUTILE_WAITS
    return tuple(reversed(futile)) if enough else ()


def describe_futility(pieces: Sequence[Piece]) -> str:
    """Say why a job of such pieces failed, and what to do."""
    times = ", ".join(f"{piece.seconds:.0f} s" for piece in pieces)
    return (
        f"the walltime is too short for one step: {len(pieces)} batch jobs in a row ended before "
        f"a step was done (the engine had {times}). Ask for a longer walltime or more cores for "
        "jobs of this kind, then resume"
    )
