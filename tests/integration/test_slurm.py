"""A study through a real Slurm and a launchpad server: each job once, and what a profile lacks."""

import re
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from typer.testing import CliRunner

from qdcomp.cli.application import application
from qdcomp.errors import BatchError
from qdcomp.recipes.campaigns.run_set import open_run_set
from qdcomp.recipes.clusters.checking import check_cluster
from qdcomp.recipes.clusters.profile_sections import read_profile
from qdcomp.recipes.clusters.submission import prepare_runs
from qdcomp.recipes.launchpads import open_launchpad
from qdcomp.recipes.runs.run_directory import create_run
from qdcomp.recipes.study_files.studies import read_study

pytestmark = [pytest.mark.slurm, pytest.mark.slow]

PATIENCE_S = 400.0
"""How long the batch jobs of a study may take on a machine that does much else [s]."""

STUDY = """
name: smallest
description: the smallest dot, briefly
recipe: dot_linewidth
engine: model
structure:
  {kind: quantum_dot, cells: 2, composition: CsPbBr3, lattice_constant: 5.87 angstrom}
relaxation: {max_force: 100 meV/angstrom, max_steps: 50}
sampling: {temperatures: [300 K], duration: 200 fs, timestep: 10 fs, thermostat_time: none}
engines: {model: {parameters: cspbbr3_prototype}}
seed: 1
"""

PROFILE = """
batch_system: slurm
mode: {mode}
resources: {{partition: {partition}, cores: 1, walltime: 5 min}}
limits: {{queued: 20, workers: 4}}
"""

MODULE_COMMAND = """module() {
  [ "$2" = there/1.0 ] || { echo "ERROR: Unable to locate a modulefile for '$2'" >&2; return 1; }
}
"""

BROKEN = """
batch_system: slurm
resources: {partition: debug, cores: 1, walltime: 1 h}
stages:
  relaxation: {partition: short}
  dynamics: {cores: 64}
  energy: {partition: nosuch}
modules: [there/1.0, missing/2.0]
launch: {cp2k: srun no-such-cp2k.psmp}
data: {cp2k: /nowhere/cp2k/data}
scratch: /proc/scratch
"""

PLANTED = {
    "modules": "missing/2.0",
    "cp2k binary": "no-such-cp2k.psmp",
    "cp2k basis sets, potentials": "/nowhere/cp2k/data",
    "launchpad server": "no launchpad server answers",
    "partitions": "nosuch",
    "wall time": "relaxation asks for 1 h, short allows 0.167 h",
    "cores of a node": "dynamics asks for 64, debug allows 4",
    "scratch folder": "/proc/scratch",
}
"""The eight faults of the profile: what is checked, and what has to be in its finding."""


def call(*arguments):
    return CliRunner().invoke(application, arguments)


def call_in_a_process(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "qdcomp", *arguments], capture_output=True, text=True, check=False
    )


@pytest.fixture
def site(tmp_path, slurm, database_server, monkeypatch):
    """A folder with a study and a profile, and the environment of a user of the cluster."""
    monkeypatch.setenv("QDCOMP_LAUNCHPAD", database_server)
    (tmp_path / "smallest.yaml").write_text(STUDY)
    write_profile(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_profile(folder, mode="reservation", partition="debug"):
    (folder / "mycluster.yaml").write_text(PROFILE.format(mode=mode, partition=partition))


def prepare(folder, uri):
    """A run whose jobs are on the launchpad, and none with Slurm."""
    run = create_run(folder / "run", read_study(folder / "smallest.yaml"))
    runs = open_run_set(run.root)
    prepare_runs(runs, read_profile(folder / "mycluster.yaml"), uri)
    return run


def read_jobs(uri, run):
    with open_launchpad(uri, read_only=True) as launchpad:
        return list(launchpad.fireworks.find({"spec.run_directory": str(run.root)}))


def read_outputs(run):
    return "\n".join(path.read_text() for path in sorted(run.root.glob("**/batch-*.out")))


def test_two_hand_over_a_study_at_once_and_every_job_runs_once(site, slurm, database_server):
    run = prepare(site, database_server)
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: call_in_a_process("submit", "run"), range(2)))
    assert [done.returncode for done in both] == [0, 0], [done.stderr for done in both]
    slurm.wait_until_empty(PATIENCE_S)
    jobs, outputs = read_jobs(database_server, run), read_outputs(run)
    assert Counter(job["state"] for job in jobs) == {"COMPLETED": len(run.jobs)}, outputs
    assert all(len(job["launches"]) == 1 for job in jobs)
    told = outputs + "".join(done.stdout for done in both)
    numbers = re.findall(r"^batch job (\d+): ", told, re.MULTILINE)
    assert len(numbers) == len(set(numbers)) == len(run.jobs)


def test_workers_packed_into_one_batch_job_run_every_job_once(site, slurm, database_server):
    write_profile(site, mode="packing")
    run = prepare(site, database_server)
    done = call("submit", "run")
    assert "1 workers side by side" in done.stdout, done.exception
    slurm.wait_until_empty(PATIENCE_S)
    jobs = read_jobs(database_server, run)
    assert Counter(job["state"] for job in jobs) == {"COMPLETED": len(run.jobs)}
    assert all(len(job["launches"]) == 1 for job in jobs)


def test_ready_jobs_left_to_a_held_allocation_are_told_with_what_frees_them(site, slurm):
    write_profile(site, mode="packing")
    subprocess.run(["scontrol", "update", "PartitionName=debug", "State=DOWN"], check=True)
    try:
        first = call("submit", "smallest.yaml", "--cluster", "mycluster.yaml", "--out", "run")
        (number,) = re.findall(r"^batch job (\d+): ", first.stdout, re.MULTILINE)
        again = call("submit", "run")
        assert "batch job " not in again.stdout
        assert f"in the queue already: {number}." in " ".join(again.stderr.split())
        assert f"scancel {number}" in " ".join(again.stderr.split())
    finally:
        subprocess.run(["scontrol", "update", "PartitionName=debug", "State=UP"], check=True)
    slurm.wait_until_empty(PATIENCE_S)


def test_the_batch_jobs_of_cancelled_jobs_are_named_with_what_takes_them_out(site, slurm):
    subprocess.run(["scontrol", "update", "PartitionName=debug", "State=DOWN"], check=True)
    try:
        first = call("submit", "smallest.yaml", "--cluster", "mycluster.yaml", "--out", "run")
        (number,) = re.findall(r"^batch job (\d+): ", first.stdout, re.MULTILINE)
        cancelled = call("jobs", "cancel", "run")
        assert "take it back with: qdcomp jobs continue run" in cancelled.stderr
        assert f"out of the queue with: scancel {number}\n" in cancelled.stderr
        assert "run them with: qdcomp submit run" in call("jobs", "continue", "run").stderr
    finally:
        subprocess.run(["scancel", "--me"], check=True)
        subprocess.run(["scontrol", "update", "PartitionName=debug", "State=UP"], check=True)


def test_nodes_without_a_route_to_the_database_are_collected(site, slurm):
    write_profile(site, mode="offline")
    first = call("submit", "smallest.yaml", "--cluster", "mycluster.yaml", "--out", "run")
    assert "batch job " in first.stdout, first.exception
    slurm.wait_until_empty(PATIENCE_S)
    again = call("submit", "run")
    assert "collected: smallest: 00 build" in again.stdout, again.exception
    assert "1 COMPLETED" in again.stdout and "batch job " in again.stdout


def test_what_sbatch_refuses_is_said_in_its_own_words_and_ready_again(site, database_server):
    write_profile(site, partition="nosuch")
    run = prepare(site, database_server)
    done = call("submit", "run")
    assert isinstance(done.exception, BatchError)
    assert "invalid partition specified: nosuch" in str(done.exception)
    assert "qdcomp cluster check" in str(done.exception)
    states = Counter(job["state"] for job in read_jobs(database_server, run))
    assert states == {"READY": 1, "WAITING": len(run.jobs) - 1}


def test_a_check_names_what_is_planted_wrong_and_no_more(site, slurm, monkeypatch):
    home = site / "home"
    home.mkdir()
    (home / ".bash_profile").write_text(MODULE_COMMAND)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv(
        "QDCOMP_LAUNCHPAD", "mongodb://127.0.0.1:1/qdcomp?serverSelectionTimeoutMS=300"
    )
    (site / "broken.yaml").write_text(BROKEN)
    profile = read_profile(site / "broken.yaml")
    found = {entry.what: entry for entry in check_cluster(profile, site)}
    wrong = {what: entry.found for what, entry in found.items() if entry.state == "wrong"}
    assert set(wrong) == set(PLANTED)
    for what, words in PLANTED.items():
        assert words in wrong[what]
        assert found[what].mend
    assert found["partitions"].mend.endswith("which there are says: sinfo")
    shown = call("cluster", "check", "broken.yaml")
    assert shown.exit_code == 1
    assert "8 of " in shown.stdout


def test_a_check_of_a_sound_profile_finds_nothing_and_a_node_sees_the_folder(site):
    shown = call("cluster", "check", "mycluster.yaml", "--submit")
    assert shown.exit_code == 0, shown.output
    assert f"it sees {site}" in shown.stdout
