"""Kills at random times, the same for the same seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.chaos.site import Site, end_process

SHARES = {
    "worker": 38,
    "engine": 40,
    "batch job": 7,
    "database server": 7,
    "submission": 4,
    "slurmctld": 2,
    "slurmd": 2,
}
"""How often each kind is meant, in a hundred."""

ONLY_WHEN_MEANT = frozenset({"submission", "batch job"})
"""What is never taken for another kind: nothing would ever get far."""

SPREAD = (0.3, 1.7)
"""Shortest and longest time between two kills, in parts of the mean."""

OUTAGE_S = (1.0, 6.0)
"""How long a daemon is away [s]."""


@dataclass(frozen=True)
class Blow:
    """One kill.

    Attributes
    ----------
    at_s
        Time since the start [s].
    kinds
        What is meant, then what is taken for it where there is none for long.
    choice
        Which of several, from 0 to 1, and how long a daemon is away.
    """

    at_s: float
    kinds: tuple[str, ...]
    choice: float


def plan_blows(seed: int, count: int, seconds: float) -> list[Blow]:
    """Spread kills over a time [s]."""
    random = np.random.default_rng(seed)
    gaps = random.uniform(*SPREAD, size=count)
    times = np.cumsum(gaps) * seconds / gaps.sum()
    names = list(SHARES)
    shares = np.array([SHARES[name] for name in names], dtype=float)
    return [
        Blow(
            float(at_s),
            tuple(random.choice(names, size=len(names), replace=False, p=shares / shares.sum())),
            float(random.uniform()),
        )
        for at_s in times
    ]


class Striker:
    """Carries out kills, and counts them.

    Parameters
    ----------
    site
        Where.
    patience_s
        How long to wait for one of the kind that is meant [s].

    Attributes
    ----------
    killed
        How many of each kind.
    """

    def __init__(self, site: Site, patience_s: float) -> None:
        self._site = site
        self._patience_s = patience_s
        self.killed: Counter[str] = Counter()

    def strike(self, blow: Blow, late_s: float) -> bool:
        """Kill one, that much later than planned [s]; False if there is none."""
        for kind in blow.kinds if late_s > self._patience_s else blow.kinds[:1]:
            if kind in ONLY_WHEN_MEANT and kind != blow.kinds[0]:
                continue
            if self._kill(kind, blow.choice):
                self.killed[kind] += 1
                return True
        return False

    def _kill(self, kind: str, choice: float) -> bool:
        site = self._site
        listings: dict[str, Callable[[], Sequence[int]]] = {
            "worker": site.list_workers,
            "engine": site.list_engines,
            "submission": site.list_submissions,
        }
        if kind in listings:
            found = listings[kind]()
            return bool(found) and end_process(found[int(choice * len(found))])
        if kind == "batch job":
            return self._cancel(choice)
        if kind in site.outages or not site.list_workers():
            return False
        site.kill_daemon(kind, OUTAGE_S[0] + choice * (OUTAGE_S[1] - OUTAGE_S[0]))
        return True

    def _cancel(self, choice: float) -> bool:
        if "slurmctld" in self._site.outages:
            return False
        found = self._site.list_batch_jobs()
        place = choice * len(found)
        return bool(found) and self._site.cancel(found[int(place)], at_once=place % 1 < 0.5)
