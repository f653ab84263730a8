"""Reading a CP2K trajectory of the 3.6 nm dot beside ASE, and writing and reading its H5MD file.

The xyz file has 1307 atoms in 1000 frames. ASE and qdcomp read it in turn in this process, so that
both find it in the page cache and share the machine's other load; ratios are the result.
"""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import ase.io
import numpy as np
from numpy.typing import NDArray

from qdcomp.trajectory import Frame, TrajectoryWriter, iterate_xyz, open_trajectory, read_xyz

SYMBOLS = ("Cs",) * 335 + ("Pb",) * 216 + ("Br",) * 756
N_FRAMES = 1000
N_APPENDED = 500
READ_REPEATS = 5
ASE_REPEATS = 2
RESULT = Path(__file__).parent / "results" / "trajectory_reading.json"


def make_positions() -> NDArray[np.float64]:
    """Positions of a dot that vibrates, shape ``(N_FRAMES, n_atoms, 3)`` [Å]."""
    rng = np.random.default_rng(1)
    mean = rng.uniform(-18.0, 18.0, size=(len(SYMBOLS), 3))
    return mean + rng.normal(scale=0.2, size=(N_FRAMES, *mean.shape))


def write_xyz(path: Path, positions: NDArray[np.float64]) -> None:
    """Write positions as CP2K does."""
    with path.open("w") as stream:
        for step, frame in enumerate(positions):
            stream.write(f"{len(SYMBOLS):8d}\n i = {step:8d}, time = {10.0 * step:12.3f}, ")
            stream.write(f"E = {-26352.2157479265:20.10f}\n")
            stream.writelines(
                f"{symbol:>3s}{x:20.10f}{y:20.10f}{z:20.10f}\n"
                for symbol, (x, y, z) in zip(SYMBOLS, frame.tolist(), strict=True)
            )


def time_call(function: Callable[[], object]) -> float:
    """Wall time of one call [s]."""
    start = perf_counter()
    function()
    return perf_counter() - start


def measure_xyz(path: Path) -> dict[str, float]:
    """Time both readers on one file, and check that they read the same."""
    megabytes = path.stat().st_size / 1e6
    first = time_call(lambda: read_xyz(path))
    ours = median(time_call(lambda: read_xyz(path)) for _ in range(READ_REPEATS))
    streamed = median(
        time_call(lambda: sum(1 for _ in iterate_xyz(path))) for _ in range(READ_REPEATS)
    )
    theirs = median(time_call(lambda: ase.io.read(path, index=":")) for _ in range(ASE_REPEATS))
    values = read_xyz(path).values
    same = all(
        np.array_equal(values[index], atoms.positions)
        for index, atoms in enumerate(ase.io.iread(path, index=":"))
    )
    if not same:
        raise AssertionError("qdcomp and ASE read different positions")
    return {
        "file_mb": round(megabytes, 1),
        "ase_read_s": round(theirs, 3),
        "read_xyz_first_s": round(first, 3),
        "read_xyz_s": round(ours, 3),
        "iterate_xyz_s": round(streamed, 3),
        "ase_mb_per_s": round(megabytes / theirs, 1),
        "read_xyz_mb_per_s": round(megabytes / ours, 1),
        "read_xyz_times_as_fast_as_ase": round(theirs / ours, 1),
        "read_xyz_first_times_as_fast_as_ase": round(theirs / first, 1),
        "iterate_xyz_times_as_fast_as_ase": round(theirs / streamed, 1),
    }


def measure_h5md(path: Path, positions: NDArray[np.float64]) -> dict[str, float]:
    """Time appending frames, each safe against a kill, and reading them back."""
    velocities = np.gradient(positions[:N_APPENDED], 10.0, axis=0)

    def append() -> None:
        with TrajectoryWriter(path, SYMBOLS, np.full(len(SYMBOLS), 100.0), 10.0) as writer:
            for step in range(N_APPENDED):
                writer.append(
                    Frame(
                        step,
                        10.0 * step,
                        positions[step],
                        velocities[step],
                        potential_energy_ev=-1.0,
                        temperature_k=10.0,
                        homo_ev=-5.0,
                        lumo_ev=-3.0,
                    )
                )

    appending = time_call(append)
    with open_trajectory(path) as trajectory:
        reading = time_call(trajectory.positions)
        by_atoms = time_call(
            lambda: [
                trajectory.velocities(atoms=slice(start, start + 120))
                for start in range(0, len(SYMBOLS), 120)
            ]
        )
        size = trajectory.positions().nbytes / 1e6
    return {
        "append_frames_per_s": round(N_APPENDED / appending, 1),
        "read_positions_mb_per_s": round(size / reading, 1),
        "read_velocities_by_atoms_mb_per_s": round(size / by_atoms, 1),
        "file_mb": round(path.stat().st_size / 1e6, 1),
    }


def main() -> dict[str, Any]:
    """Measure, write the result file and return what is in it."""
    with tempfile.TemporaryDirectory() as folder:
        positions = make_positions()
        xyz = Path(folder) / "dot-pos-1.xyz"
        write_xyz(xyz, positions)
        result = {
            "n_atoms": len(SYMBOLS),
            "n_frames": N_FRAMES,
            "xyz": measure_xyz(xyz),
            "h5md": measure_h5md(Path(folder) / "dot.h5md", positions),
        }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    return result


if __name__ == "__main__":
    print(json.dumps(main(), indent=2))
