import subprocess
import sys

import qdcomp.trajectory


def test_public_names_are_these() -> None:
    assert qdcomp.trajectory.__all__ == [
        "EnergySeries",
        "Frame",
        "Trajectory",
        "TrajectoryWriter",
        "XyzFile",
        "XyzFrame",
        "XyzTrajectory",
        "iterate_xyz",
        "open_trajectory",
        "open_xyz",
        "read_ener",
        "read_xyz",
    ]


def test_importing_it_loads_no_plotting_no_compiler_and_no_ase() -> None:
    code = (
        "import sys, qdcomp.trajectory;"
        "sys.exit(bool({'ase', 'numba', 'scipy', 'matplotlib'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
