"""What a user or a cron job does meanwhile, and no more: mend, hand over, think of more members."""

from __future__ import annotations

import re
import shlex
import threading
from collections import Counter

from benchmarks.chaos.site import Site

PAUSE_S = 6.0
LEFT_OF_MEMBER = 2
"""Jobs left for each member at the start below which members are added, half as many."""

_STATE = re.compile(r"(\d+) (READY|WAITING|RUNNING|RESERVED|FIZZLED)\b")
_FOR_THE_USER = re.compile(r"^found: .*; then: qdcomp (.*)$", re.MULTILINE)
"""What doctor says of a job that it gives up, its engine killed too often in a row: a command."""


class Upkeep(threading.Thread):
    """Mends and hands over in rounds, until it is told to end.

    Attributes
    ----------
    calls
        How often each command was called, by its exit code.
    adds_members
        Whether the campaign grows when little is left of it.
    said
        What commands said that did not succeed.
    """

    def __init__(self, site: Site, members: int) -> None:
        super().__init__(daemon=True)
        self._site = site
        self._members = members
        self._ends = threading.Event()
        self.adds_members = True
        self.calls: Counter[tuple[str, int]] = Counter()
        self.said: Counter[str] = Counter()

    def run(self) -> None:
        """Call after call, with a pause."""
        while not self._ends.is_set():
            self._site.attend_slurm()
            said = self._call("submit", str(self._site.root))
            if self.adds_members and said and self._is_nearly_done(said):
                self._site.add_members(max(1, self._members // 2))
                self.hand_over()
            self._ends.wait(PAUSE_S)
            for command in _FOR_THE_USER.findall(
                self._call("doctor", str(self._site.root), "--mend")
            ):
                self._call(*shlex.split(command))
            self._ends.wait(PAUSE_S)

    def hand_over(self) -> None:
        """Hand the sweep over with the members that it has now, again if that was cut off."""
        while self._call(*self._site.handing_over) == "" and not self._ends.is_set():
            self._ends.wait(PAUSE_S)

    def end(self) -> None:
        """End after the call that runs."""
        self._ends.set()
        self.join()

    def _is_nearly_done(self, said: str) -> bool:
        """Whether little is left to do, as a round of handing over says."""
        return sum(int(count) for count, _ in _STATE.findall(said)) < LEFT_OF_MEMBER * self._members

    def _call(self, *words: str) -> str:
        """Call qdcomp; return what it printed, empty if it failed."""
        done = self._site.call(*words)
        self.calls[(words[0], done.returncode)] += 1
        if done.returncode > 1:
            self.said[" ".join(done.stderr.split())[-300:]] += 1
        elif "Traceback" in done.stderr:
            self.said[done.stderr[-1500:]] += 1
        return done.stdout if done.returncode in (0, 1) else ""
