"""What a user or a cron job does meanwhile, and no more."""

from __future__ import annotations

import threading
from collections import Counter

from benchmarks.chaos.site import Site

PAUSE_S = 6.0


class Upkeep(threading.Thread):
    """Mends and hands over in rounds, until it is told to end.

    Attributes
    ----------
    calls
        How often each command was called, by its exit code.
    said
        What commands said that did not succeed.
    """

    def __init__(self, site: Site) -> None:
        super().__init__(daemon=True)
        self._site = site
        self._ends = threading.Event()
        self.calls: Counter[tuple[str, int]] = Counter()
        self.said: Counter[str] = Counter()

    def run(self) -> None:
        """Call after call, with a pause."""
        while not self._ends.is_set():
            self._call("submit", str(self._site.root))
            self._ends.wait(PAUSE_S)
            self._call("doctor", str(self._site.root), "--mend")
            self._ends.wait(PAUSE_S)

    def end(self) -> None:
        """End after the call that runs."""
        self._ends.set()
        self.join()

    def _call(self, *words: str) -> None:
        done = self._site.call(*words)
        self.calls[(words[0], done.returncode)] += 1
        if done.returncode > 1:
            self.said[" ".join(done.stderr.split())[-300:]] += 1
        elif "Traceback" in done.stderr:
            self.said[done.stderr[-1500:]] += 1
