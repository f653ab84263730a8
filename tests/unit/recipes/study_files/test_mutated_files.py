"""Thousands of damaged files: read or refused with the line; no code run, no hang, little memory.

`QDCOMP_FUZZ_FILES` sets how many studies are damaged (5,000 take some minutes),
`QDCOMP_FUZZ_SEED`
which ones.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from qdcomp.resources import find_study, find_template

STUDIES = (
    "sweep_demo",
    "demo",
    "raino2022_core_shell_3p6nm",
    "raino2022_frozen_core_1p0",
    "smoke_slab_cp2k",
    "mi2025_pea_surface_energy",
    "mi2025_pea_entropy",
)
FILES = int(os.environ.get("QDCOMP_FUZZ_FILES", "200"))
SEED = os.environ.get("QDCOMP_FUZZ_SEED", "1")
TESTS = Path(__file__).parents[3]
MOST_MEMORY_MIB = 1024


def fuzz(folder, target, count, files, *options):
    """What `builders.reader_fuzz` says of `count` damaged files."""
    paths = os.pathsep.join(filter(None, (str(TESTS), os.environ.get("PYTHONPATH", ""))))
    command = [sys.executable, "-m", "builders.reader_fuzz", *options]
    done = subprocess.run(
        [*command, f"builders.fuzz_targets:{target}", str(count), SEED, *map(str, files)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def check(found, count):
    print(found)  # noqa: T201 (pytest -s shows the numbers)
    assert found["faults"] == []
    assert found["left_behind"] == []
    assert sum(found["outcomes"].values()) == count
    assert set(found["outcomes"]) == {"read", "refused"}
    assert found["memory_grown_mib"] < MOST_MEMORY_MIB


def test_damaged_studies_are_read_or_refused_with_the_line(tmp_path):
    check(fuzz(tmp_path, "read_and_plan", FILES, map(find_study, STUDIES)), FILES)


def test_damaged_cluster_profiles_are_read_or_refused_with_the_line(tmp_path):
    profiles = [find_template(f"{system}/mycluster.yaml") for system in ("slurm", "pbs", "lsf")]
    check(fuzz(tmp_path, "read_cluster_profile", FILES, profiles), FILES)


@pytest.mark.parametrize("target", ["read_model_parameters", "read_own_numbers"])
def test_other_damaged_files_are_read_or_refused(tmp_path, target):
    numbers = tmp_path / "numbers.yaml"
    numbers.write_text(
        "smith2024:\n  doi: 10.1000/x\n  measured:\n"
        "    - {what: single dot, edge_nm: 6.1, fwhm_mev: 92, fwhm_error_mev: 3, where: Fig. 2}\n"
    )
    parameters = find_template("model/cspbbr3_prototype.yaml")
    (tmp_path / "empty").mkdir()
    files = [parameters if target == "read_model_parameters" else numbers]
    check(fuzz(tmp_path / "empty", target, 100, files, "--no-lines"), 100)
