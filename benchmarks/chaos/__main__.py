"""Run the chaos, print its table, and end with 1 if something does not hold."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import numpy as np

from benchmarks.chaos import checks
from benchmarks.chaos.blows import SPREAD, Striker, plan_blows
from benchmarks.chaos.site import PROFILES, Site
from benchmarks.chaos.upkeep import Upkeep
from qdcomp.errors import QdcompError
from qdcomp.recipes.launchpads import open_launchpad
from tests.builders.database_server import MISSING, DatabaseServer, find_ferretdb
from tests.builders.slurm_node import PACKAGES, find_missing_commands, start_slurm

KILLING_SHARE = 0.85
"""Part of the time in which processes are killed; in the rest what is left runs to its end."""

LATEST = 2.0
"""Multiple of the time after which kills that found nothing to kill are given up."""

DRAIN_S = 600.0
"""How long the campaign may run on after the last kill, beyond the time that was asked for [s]."""

CORES = 4
COMPARED = 3
_TICK_S = 0.1
_LOOK_EVERY_S = 3.0
_SHOWN = 10
_LONGEST_PAUSE_S = 4.0

Finding = tuple[str, list[str]]


def read_arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0, help="for all of it")
    parser.add_argument("--kills", type=int, default=110, help="for the time in which they fit")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--members", type=int, default=10, help="members at the start")
    parser.add_argument("--steps", type=int, default=200, help="steps of each piece of dynamics")
    parser.add_argument("--mode", choices=sorted(PROFILES), default="packing")
    parser.add_argument("--keep", action="store_true", help="leave the folder, and say where it is")
    return parser.parse_args(words)


@contextmanager
def open_site(*, keep: bool) -> Iterator[Site]:
    """Start the services in a folder of their own; end them afterwards."""
    missing = find_missing_commands()
    if missing:
        raise SystemExit(f"{', '.join(missing)} are not here ({PACKAGES})")
    if find_ferretdb() is None:
        raise SystemExit(MISSING)
    folder = Path(mkdtemp(prefix="chaos-"))
    with start_slurm(CORES) as slurm:
        server = DatabaseServer(folder / "server").start()
        site = Site(folder, server, slurm)
        try:
            yield site
        finally:
            site.end_outages(all_of_them=True)
            site.end_processes()
            server.stop()
    if keep:
        print(f"left in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)


def strike_until(site: Site, striker: Striker, options: argparse.Namespace) -> None:
    """Kill at the planned times; where there is nothing to kill, the next kill waits.

    It looks again after a random time, not to meet every process at its start.
    """
    started = time.monotonic()
    blows = plan_blows(options.seed, options.kills, KILLING_SHARE * options.seconds)
    shortest_s = SPREAD[0] * KILLING_SHARE * options.seconds / options.kills
    last_strike = started
    pauses = np.random.default_rng(options.seed)
    not_before = started
    while blows and time.monotonic() - started < LATEST * options.seconds:
        site.end_outages()
        now = time.monotonic()
        late_s = now - max(started + blows[0].at_s, last_strike + shortest_s)
        if late_s >= 0 and now >= not_before:
            if striker.strike(blows[0], late_s):
                blows.pop(0)
                last_strike = now
            else:
                not_before = now + pauses.uniform(0.0, _LONGEST_PAUSE_S)
        time.sleep(_TICK_S)
    site.end_outages(all_of_them=True)


def is_complete(site: Site) -> bool:
    """Whether every job is; False while the server is away."""
    query = site.open_runs().query
    try:
        with open_launchpad(site.uri, read_only=True) as pad:
            return pad.fireworks.find_one({**query, "state": {"$ne": "COMPLETED"}}) is None
    except QdcompError:
        return False


def drain(site: Site, patience_s: float) -> float:
    """Wait until every job is complete, or patience ends; return the time it took [s]."""
    started = time.monotonic()
    while time.monotonic() - started < patience_s:
        if is_complete(site) and not site.list_batch_jobs():
            break
        time.sleep(_LOOK_EVERY_S)
    return time.monotonic() - started


def check(site: Site) -> tuple[list[Finding], list[tuple[str, str]]]:
    """Make every check; return what each found, and what was counted."""
    runs = site.open_runs()
    books = checks.read_books(site.uri, runs)
    made: dict[str, Callable[[], Iterator[str]]] = {
        "every job is COMPLETED": lambda: checks.check_states(runs, books),
        "one completed launch each, the last": lambda: checks.check_launches(books),
        "workflows agree, none locked": lambda: checks.check_workflows(books),
        "results are on disk, none beside": lambda: checks.check_disk(runs),
        "no completed job ran again": lambda: checks.check_engine_starts(runs),
        "every frame once": lambda: checks.check_frames(runs),
        "bitwise as undisturbed": lambda: checks.check_against_undisturbed(
            runs, site.folder / "undisturbed", COMPARED
        ),
    }
    left = checks.list_left_behind(site.root)
    counted = [
        ("members", str(len(runs.runs))),
        ("jobs", str(len(books.jobs))),
        ("launches", str(sum(map(len, books.launches.values())))),
        ("jobs launched again", str(books.restarts)),
        ("engines started again", str(checks.count_engine_restarts(runs))),
        ("empty folders and parts of files left", str(len(left))),
    ]
    return [(name, _collect(call)) for name, call in made.items()], counted


def _collect(call: Callable[[], Iterator[str]]) -> list[str]:
    try:
        return list(call())
    except (QdcompError, OSError, KeyError) as error:  # what is missing after a failure
        return [f"{type(error).__name__}: {error}"]


def tell(counted: Sequence[tuple[str, str]], findings: Sequence[Finding]) -> None:
    """Print the table, and what does not hold."""
    rows = [*counted, *((name, "no" if wrong else "yes") for name, wrong in findings)]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:<{width}}  {value}")
    for name, wrong in findings:
        for line in wrong[:_SHOWN]:
            print(f"NOT {name}: {line}")
        if len(wrong) > _SHOWN:
            print(f"NOT {name}: and {len(wrong) - _SHOWN} more")


def main() -> int:
    """Run it all; 0 if everything holds."""
    options = read_arguments()
    started = time.monotonic()
    with open_site(keep=options.keep) as site:
        site.write_campaign(
            members=options.members, steps=options.steps, mode=options.mode, seed=options.seed
        )
        striker, upkeep = (
            Striker(site, options.seconds / options.kills),
            Upkeep(site, options.members),
        )
        upkeep.hand_over()
        upkeep.start()
        strike_until(site, striker, options)
        upkeep.adds_members = False
        killing_s = time.monotonic() - started
        left_s = options.seconds - killing_s
        drained_s = drain(site, max(0.0, left_s) + DRAIN_S)
        upkeep.end()
        findings, counted = check(site)
    total = striker.killed.total()
    enough = [] if total >= options.kills else [f"{total} of {options.kills}: too small a campaign"]
    findings.append((f"at least {options.kills} kills", enough))
    kinds = [(f"killed: {kind}", str(count)) for kind, count in striker.killed.most_common()]
    calls = [
        (f"qdcomp {name} ended with {code}", str(count))
        for (name, code), count in sorted(upkeep.calls.items())
    ]
    times = [("seed", str(options.seed)), ("killing [s]", f"{killing_s:.0f}")]
    times.append(("then to the end [s]", f"{drained_s:.0f}"))
    tell([*times, ("killed in all", str(total)), *kinds, *counted, *calls], findings)
    for words, count in upkeep.said.most_common(_SHOWN):
        print(f"said {count} times: {words}")
    return 1 if any(wrong for _, wrong in findings) else 0


if __name__ == "__main__":
    sys.exit(main())
