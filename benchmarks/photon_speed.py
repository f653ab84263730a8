"""Photon correlation, change points and a whole report, beside pycorrelate and tttrlib.

Long-delay pairs: 2 × 5·10⁶ photons of steady light in 100 s, 80 logarithmic bins from 10 ns to 1 s,
one thread. All count the same arrays in this process, in turn; processor time is taken, so that
the machine's other load counts little, the least of several repeats, and ratios are the result. The
pairs are checked against counting each of them on a stretch of the light. pycorrelate counts the
same bins exactly; tttrlib counts 243 multi-tau bins, and its methods but the default coarsen times
at long lags. The peers come with ``pip install 'qdcomp[bench]'`` and are left out, by name, where
they are not installed.

The report is that of a file: a simulated dot of mode T3, as Photon-HDF5. A longer one shows whether
the time per photon stays and what memory it takes.
"""

import itertools
import json
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qdcomp.experiment import (
    SimulatedSource,
    analyse_photons,
    find_change_points,
    make_photon_stream,
    open_photons,
    write_photon_hdf5,
)
from qdcomp.experiment.correlations.pair_counting import add_lag_histogram, count_pairs
from qdcomp.experiment.simulation.simulated_presets import make_damato_preset
from qdcomp.experiment.simulation.simulated_source import simulate_photons
from qdcomp.report.measurements.photon_report import write_photon_report

PHOTONS, DURATION_S = 5_000_000, 100.0
EDGES = np.unique(np.rint(np.logspace(4, 12, 81)).astype(np.int64))
"""Borders of the bins [ps]."""

TTTRLIB_METHODS = ("wahl", "felekyan", "laurence")
"""Its default first."""

SHORT_RANGE_PS, SHORT_BIN_PS = 200_000, 1_000
REPORT_S = 170.0
"""Length of the simulated dot of the report, 10⁷ photons [s]."""

LONGER = 4
"""Times that length, for the time per photon."""

Array = NDArray[np.int64]


def time_best(function: Callable[[], object], repeats: int = 3) -> float:
    """Least processor time of several calls [s]."""
    best = float("inf")
    for _ in range(repeats):
        start = process_time()
        function()
        best = min(best, process_time() - start)
    return round(best, 4)


def find_peer(name: str) -> Any:
    """Give a peer's module; None where it is not installed."""
    try:
        return import_module(name)
    except ImportError:
        return None


def draw_light(seed: int, photons: int = PHOTONS, duration_s: float = DURATION_S) -> Array:
    """Arrival times of steady light [ps]."""
    rng = np.random.default_rng(seed)
    return np.sort(rng.integers(0, round(duration_s * 1e12), photons))


def check_exact(starts: Array, stops: Array) -> bool:
    """Whether the pairs of a stretch are those of counting each."""
    first, second = starts[:2000], stops[:4000]
    lags = (second[None, :] - first[:, None]).ravel()
    expected = np.array(
        [np.count_nonzero((lags >= low) & (lags < high)) for low, high in itertools.pairwise(EDGES)]
    )
    return bool(np.array_equal(count_pairs(first, second, EDGES), expected))


def measure_long_delays(starts: Array, stops: Array) -> dict[str, Any]:
    """Time the pairs in logarithmic bins."""
    found: dict[str, Any] = {
        "counts_are_exact": check_exact(starts, stops),
        "qdcomp_s": time_best(lambda: count_pairs(starts, stops, EDGES)),
    }
    pycorrelate, tttrlib = find_peer("pycorrelate"), find_peer("tttrlib")
    if pycorrelate is not None:
        bins = EDGES.astype(np.float64)
        found["pycorrelate_s"] = time_best(lambda: pycorrelate.pcorrelate(starts, stops, bins), 2)
    if tttrlib is not None:
        for method in TTTRLIB_METHODS:
            run = partial(_correlate_tttrlib, tttrlib, method, starts, stops)
            found[f"tttrlib_{method}_s"] = time_best(run, 2)
    return found | _add_ratios(found)


def _correlate_tttrlib(tttrlib: Any, method: str, starts: Array, stops: Array) -> Any:
    # Ticks of 10 ns: 8 decades in 27 cascades of 9 bins.
    correlator = tttrlib.Correlator(method=method, n_bins=9, n_casc=27)
    correlator.set_macrotimes(
        (starts // 10_000).astype(np.uint64), (stops // 10_000).astype(np.uint64)
    )
    correlator.set_weights(np.ones(len(starts)), np.ones(len(stops)))
    return correlator.correlation


def measure_short_window(starts: Array, stops: Array) -> dict[str, Any]:
    """Time the pairs in bins of one width about zero delay."""
    bins = 2 * SHORT_RANGE_PS // SHORT_BIN_PS

    def ours() -> None:
        counts = np.zeros(bins, np.int64)
        add_lag_histogram(starts, stops, -SHORT_RANGE_PS, SHORT_BIN_PS, -1, counts)

    ours()
    found: dict[str, Any] = {"qdcomp_s": time_best(ours)}
    pycorrelate = find_peer("pycorrelate")
    if pycorrelate is not None:
        edges = np.arange(bins + 1) * float(SHORT_BIN_PS) - SHORT_RANGE_PS
        found["pycorrelate_s"] = time_best(lambda: pycorrelate.pcorrelate(starts, stops, edges), 2)
    return found | _add_ratios(found)


def _add_ratios(found: dict[str, Any]) -> dict[str, float]:
    return {
        f"{name.removesuffix('_s')}_over_qdcomp": round(seconds / found["qdcomp_s"], 2)
        for name, seconds in found.items()
        if name.endswith("_s") and name != "qdcomp_s"
    }


def measure_change_points() -> dict[str, float]:
    """Time change points of 10⁶ photons: steady light, and a thousand jumps."""
    steady = make_photon_stream(draw_light(3, 1_000_000), 1e-12)
    rng = np.random.default_rng(4)
    steps = np.repeat(np.tile([1.5, 0.5], 500), 1000)
    times = np.cumsum(rng.exponential(1e8 / steps)).astype(np.int64)
    jumping = make_photon_stream(times, 1e-12)
    find_change_points(steady)
    return {
        "steady_s": time_best(lambda: find_change_points(steady)),
        "thousand_jumps_s": time_best(lambda: find_change_points(jumping)),
    }


def measure_report() -> dict[str, Any]:
    """Time file to report of a simulated dot of 10⁷ photons, and of a longer one."""
    preset = make_damato_preset()
    analyse_photons(simulate_photons(preset.dot, preset.experiment, 2.0, 1))
    found: dict[str, Any] = {}
    with TemporaryDirectory() as name:
        folder = Path(name)
        for label, length in (("short", REPORT_S), ("long", LONGER * REPORT_S)):
            source = SimulatedSource(preset.dot, preset.experiment, length, 1)
            write_photon_hdf5(source, folder / f"{label}.h5")
            found[label] = _time_report(folder / f"{label}.h5", folder)
    found["peak_memory_mb"] = round(getrusage(RUSAGE_SELF).ru_maxrss / 1024)
    return found


def _time_report(path: Path, folder: Path) -> dict[str, float]:
    start, wall = process_time(), perf_counter()
    source = open_photons(path)
    analysis = analyse_photons(source)
    analysed = process_time() - start
    write_photon_report(analysis, folder, {})
    photons = sum(source.header.photons_per_channel.values())
    return {
        "photons": photons,
        "analysis_s": round(analysed, 2),
        "analysis_ns_per_photon": round(1e9 * analysed / photons, 1),
        "file_to_report_s": round(process_time() - start, 2),
        "file_to_report_wall_s": round(perf_counter() - wall, 2),
    }


def main() -> dict[str, Any]:
    """Run all and write ``benchmarks/results/photon_speed.json``."""
    # First, while this process holds nothing else: the peak of its memory is reported.
    result = {"report": measure_report()}
    starts, stops = draw_light(1), draw_light(2)
    count_pairs(starts[:1000], stops[:1000], EDGES)
    result |= {
        "long_delays": measure_long_delays(starts, stops),
        "short_window": measure_short_window(starts, stops),
        "change_points": measure_change_points(),
    }
    folder = Path(__file__).parent / "results"
    folder.mkdir(exist_ok=True)
    (folder / "photon_speed.json").write_text(json.dumps(result, indent=2) + "\n")
    return result


if __name__ == "__main__":
    print(json.dumps(main(), indent=2))
