"""Give a reader of YAML files thousands of damaged ones, in a process with little memory.

``python -m builders.reader_fuzz TARGET COUNT SEED FILE...`` reads mutations of the files by the
function TARGET (``module:name``, called with a path) and prints what happened as JSON. It runs in
the current folder, which should be empty. A reader that names no lines takes ``--no-lines``.
"""

from __future__ import annotations

import faulthandler
import importlib
import json
import re
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

from builders.mutated_yaml import mutate
from qdcomp.errors import QdcompError

MOST_CPU_SECONDS = 20.0
"""Longest that one file may compute [s]; a ligand of many atoms takes seconds."""

MOST_SECONDS = 120.0
"""Longest that one file may take by the clock [s], on a busy machine."""

MOST_MEMORY = 8 * 2**30
"""Address space of the process [bytes]; its libraries reserve some of it, and use little."""

FORBIDDEN = {
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.spawn",
    "os.startfile",
    "os.system",
    "pickle.find_class",
    "pty.spawn",
    "socket.connect",
    "subprocess.Popen",
    "urllib.Request",
}
"""Events of Python's audit that no reading of a file may cause."""


class TooSlow(BaseException):
    """A file took longer than `MOST_CPU_SECONDS` or `MOST_SECONDS`."""


class Watch:
    """What the process does that reading does not need."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        sys.addaudithook(self._note)

    def _note(self, event: str, arguments: tuple[object, ...]) -> None:
        writes = (
            event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
        )
        if event in FORBIDDEN or (writes and not _is_own(arguments[0])):
            self.seen.append(f"{event} {arguments!r}"[:300])


def _is_own(path: object) -> bool:
    return str(path).endswith((".pyc", "mutated.yaml")) or "__pycache__" in str(path)


def fuzz(
    read: Callable[[Path], object], texts: list[str], count: int, seed: int, names_lines: bool
) -> dict[str, object]:
    """Read `count` mutations of `texts`; give the number of each outcome, and what went wrong."""
    watch = Watch()
    random = Random(seed)
    path = Path("mutated.yaml").resolve()
    outcomes: Counter[str] = Counter()
    faults: list[str] = []
    slowest = 0.0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(count):
        content = mutate(random.choice(texts), random)
        with path.open("wb") as stream:
            stream.write(content)
        watch.seen.clear()
        started = time.process_time()
        outcome, told = _read_once(read, path, names_lines)
        slowest = max(slowest, time.process_time() - started)
        outcomes[outcome] += 1
        if watch.seen or outcome not in ("read", "refused"):
            faults.append(f"{number}: {outcome}: {told} {watch.seen} in {content[:3000]!r}")
    path.unlink(missing_ok=True)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {
        "files": count,
        "outcomes": dict(outcomes),
        "faults": faults,
        "left_behind": sorted(path.name for path in Path().iterdir()),
        "slowest_cpu_s": round(slowest, 2),
        "memory_grown_mib": grown // 1024,
    }


def _read_once(read: Callable[[Path], object], path: Path, names_lines: bool) -> tuple[str, str]:
    signal.setitimer(signal.ITIMER_PROF, MOST_CPU_SECONDS)
    signal.setitimer(signal.ITIMER_REAL, MOST_SECONDS)
    try:
        read(path)
    except QdcompError as error:
        text = str(error)
        if "Traceback" in text or (names_lines and not re.search(r"line \d+", text)):
            return "refused without its line", text[:500]
        return "refused", ""
    except TooSlow:
        return "too slow", ""
    except BaseException as error:
        return "traceback", f"{type(error).__name__}: {error}"[:500]
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.setitimer(signal.ITIMER_REAL, 0.0)
    return "read", ""


def _stop(number: int, frame: object) -> None:
    raise TooSlow


def main(arguments: list[str]) -> None:
    """Run as the module's documentation says."""
    names_lines = "--no-lines" not in arguments
    target, count, seed, *files = [word for word in arguments if word != "--no-lines"]
    module, _, name = target.partition(":")
    read = getattr(importlib.import_module(module), name)
    for file in files:
        read(Path(file))  # what is imported and compiled on the way is so before the watch
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    signal.signal(signal.SIGALRM, _stop)
    signal.signal(signal.SIGPROF, _stop)
    faulthandler.dump_traceback_later(3600, exit=True)
    texts = [Path(file).read_text(encoding="utf-8") for file in files]
    sys.stdout.write(json.dumps(fuzz(read, texts, int(count), int(seed), names_lines)))


if __name__ == "__main__":
    main(sys.argv[1:])
