"""A small campaign on a real server and a real Slurm while their processes are killed."""

import subprocess
import sys
from pathlib import Path

import pytest
from builders.database_server import MISSING, find_ferretdb
from builders.slurm_node import PACKAGES, find_missing_commands

pytestmark = [pytest.mark.slurm, pytest.mark.slow]

REPOSITORY = Path(__file__).resolve().parents[2]
SMALL = ("--seconds", "25", "--kills", "3", "--members", "1", "--steps", "60", "--seed", "5")


def test_what_is_killed_at_random_ends_as_if_nobody_had_disturbed_it():
    if find_missing_commands():
        pytest.skip(f"Slurm is not here ({PACKAGES})")
    if find_ferretdb() is None:
        pytest.skip(MISSING)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.chaos", *SMALL],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
