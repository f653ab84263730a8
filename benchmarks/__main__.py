"""Run every benchmark, print what each measured, and write ``benchmarks/results/latest.json``."""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from statistics import median
from time import perf_counter

BENCHMARKS = ("trajectory_reading", "analysis_speed", "embedded_store", "photon_speed")
RESULTS = Path(__file__).parent / "results"
IMPORT_REPEATS = 5


def measure_import() -> dict[str, float]:
    """Time `import qdcomp` in a new interpreter, less the interpreter's own start."""

    def time_interpreter(code: str) -> float:
        start = perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return perf_counter() - start

    bare = median(time_interpreter("pass") for _ in range(IMPORT_REPEATS))
    loaded = median(time_interpreter("import qdcomp") for _ in range(IMPORT_REPEATS))
    return {"import_qdcomp_s": round(loaded - bare, 4), "bare_interpreter_s": round(bare, 4)}


def main() -> None:
    """Run them all."""
    RESULTS.mkdir(exist_ok=True)
    results = {"import": measure_import()}
    print("import", json.dumps(results["import"], indent=2))
    for name in BENCHMARKS:
        results[name] = import_module(f"benchmarks.{name}").main()
        print(name, json.dumps(results[name], indent=2))
    (RESULTS / "latest.json").write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
