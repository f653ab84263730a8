"""Speed of the analyses that see much data.

Run as ``python benchmarks/analysis_speed.py``; writes ``benchmarks/results/analysis_speed.json``.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy import fft

from qdcomp.analysis import (
    analyse_dot,
    compute_huang_rhys_spectrum,
    compute_phonon_dos,
    remove_rigid_body_motion,
)

RESULTS = Path(__file__).parent / "results" / "analysis_speed.json"
N_ATOMS, N_FRAMES = 1307, 1000


def best_of(function: Callable[[], object], repeats: int = 9) -> float:
    """Shortest wall time of several runs [s], threads included as a user has them."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def measure_phonon_dos() -> dict[str, float]:
    """Density of states of a 3.6 nm dot, partial ones included, against its bare transform."""
    generator = np.random.default_rng(1)
    velocities = 1e-3 * generator.normal(size=(N_FRAMES, N_ATOMS, 3))
    masses = generator.choice([79.9, 132.9, 207.2], N_ATOMS)
    groups = {f"{mass}": masses == mass for mass in np.unique(masses)}
    groups |= {f"layer {i}": np.arange(N_ATOMS) % 7 == i for i in range(7)}
    bare = best_of(lambda: fft.rfft(velocities, axis=0, workers=1))
    whole = best_of(lambda: compute_phonon_dos(velocities, masses, 10.0, 10.0, groups=groups))
    return {
        "bare_transform_s": bare,
        "phonon_dos_s": whole,
        "phonon_dos_over_bare_transform": whole / bare,
    }


def measure_alignment() -> dict[str, float]:
    """Rigid-body removal of the same dot, positions and velocities."""
    generator = np.random.default_rng(2)
    structure = generator.normal(scale=15.0, size=(N_ATOMS, 3))
    positions = structure + 0.1 * generator.normal(size=(N_FRAMES, N_ATOMS, 3))
    velocities = 1e-3 * generator.normal(size=positions.shape)
    masses = np.full(N_ATOMS, 100.0)
    seconds = best_of(lambda: remove_rigid_body_motion(positions, masses, velocities), 2)
    return {"rigid_body_removal_s": seconds}


def measure_huang_rhys_spectrum() -> dict[str, float]:
    """Huang–Rhys spectrum of a million samples, with errors and warnings."""
    gap = 2.0 + 0.01 * np.random.default_rng(3).normal(size=1_000_000)
    seconds = best_of(lambda: compute_huang_rhys_spectrum(gap, 1.0, 10.0), 3)
    return {"huang_rhys_million_samples_s": seconds}


def measure_whole_analysis() -> dict[str, float]:
    """All observables of a 1.8 nm dot, 10 ps in steps of 10 fs."""
    generator = np.random.default_rng(4)
    n_atoms = 191
    structure = generator.normal(scale=8.0, size=(n_atoms, 3))
    positions = structure + 0.05 * generator.normal(size=(N_FRAMES, n_atoms, 3))
    seconds = best_of(
        lambda: analyse_dot(
            positions=positions,
            velocities=1e-3 * generator.normal(size=positions.shape),
            gap_ev=2.0 + 0.02 * generator.normal(size=N_FRAMES),
            masses=np.full(n_atoms, 100.0),
            symbols=["Br"] * n_atoms,
            depth_cells=np.arange(n_atoms) % 4 / 2.0,
            timestep_fs=10.0,
            temperature_k=10.0,
        ),
        2,
    )
    return {"analyse_dot_1p8nm_s": seconds}


def main() -> dict[str, float]:
    """Measure all, write the results, and return them."""
    results = {
        **measure_phonon_dos(),
        **measure_alignment(),
        **measure_huang_rhys_spectrum(),
        **measure_whole_analysis(),
    }
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    return results


if __name__ == "__main__":
    print(json.dumps(main(), indent=2))
