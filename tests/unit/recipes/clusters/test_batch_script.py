import re
import shlex
import subprocess
from pathlib import Path

import pytest
from fireworks.user_objects.queue_adapters.common_adapter import CommonAdapter

from qdcomp.recipes.clusters.batch_script import (
    describe_resources,
    launch_one,
    launch_side_by_side,
    make_adapter,
)
from qdcomp.recipes.clusters.batch_systems import SYSTEMS, name_batch_job
from qdcomp.recipes.clusters.profile import BATCH_SYSTEMS
from qdcomp.resources import find_template

ROOT = Path("/data/runs/it's a dot")
MARKS = {"slurm": "#SBATCH ", "pbs": "#PBS ", "lsf": "#BSUB "}


def write_script(profile, kind="sample", name="03 sample 10 K (1/4)", launch=None):
    adapter = make_adapter(profile, ROOT, launch or launch_one(profile, ROOT))
    adapter.update(describe_resources(profile, profile.find_resources(kind), name))
    return adapter.get_script_str(str(ROOT))


def directives(text, mark):
    return [line.removeprefix(mark) for line in text.splitlines() if line.startswith(mark)]


EXPECTED = {
    "slurm": [
        "--nodes=4",
        "--ntasks-per-node=4",
        "--cpus-per-task=4",
        "--mem=65536M",
        "--time=36:00:00",
        "--partition=long",
        "--account=perovskites",
        "--job-name=qd03_sample_10_K_1_4",
        "--output=batch-%j.out",
    ],
    "pbs": [
        "-l select=4:ncpus=16:mpiprocs=4:ompthreads=4:mem=65536mb",
        "-l walltime=36:00:00",
        "-q long",
        "-A perovskites",
        "-N qd03_sample_10_",
        "-j oe",
    ],
    "lsf": [
        "-n 16",
        '-R "span[ptile=4] affinity[core(4)]"',
        '-R "rusage[mem=65536MB]"',
        "-W 36:00",
        "-q long",
        "-P perovskites",
        "-J qd03_sample_10_K_1_4",
        "-o batch-%J.out",
    ],
}


@pytest.mark.parametrize("batch_system", BATCH_SYSTEMS)
def test_the_header_asks_for_the_resources_of_the_stage(make_profile, batch_system):
    script = write_script(make_profile(batch_system=batch_system))
    assert directives(script, MARKS[batch_system]) == EXPECTED[batch_system]


@pytest.mark.parametrize("batch_system", BATCH_SYSTEMS)
def test_what_a_profile_leaves_open_is_left_to_the_batch_system(make_profile, batch_system):
    queue = "" if batch_system == "slurm" else ", queue: normal"
    text = f"batch_system: {batch_system}\nresources: {{cores: 1, walltime: 1 h{queue}}}\n"
    script = write_script(make_profile(text=text))
    assert "mem" not in script and "perovskites" not in script and "$$" not in script


@pytest.mark.parametrize("batch_system", BATCH_SYSTEMS)
def test_the_directives_are_those_of_fireworks_own_template(batch_system):
    """Slurm, PBS and LSF read them alike; only the shape of a PBS node is written another way."""
    own = find_template(SYSTEMS[batch_system].template).read_text()
    shipped = Path(
        CommonAdapter._get_default_template_file(SYSTEMS[batch_system].q_type)
    ).read_text()
    pattern = rf"^{MARKS[batch_system]}(--?[\w-]+)"
    ours, theirs = (set(re.findall(pattern, text, re.MULTILINE)) for text in (own, shipped))
    assert ours - theirs <= {"slurm": set(), "pbs": {"-j"}, "lsf": {"-R", "-P"}}[batch_system]


@pytest.mark.parametrize("batch_system", BATCH_SYSTEMS)
@pytest.mark.parametrize("mode", ["reservation", "packing", "offline"])
def test_a_shell_can_read_the_script(make_profile, tmp_path, batch_system, mode):
    profile = make_profile(batch_system=batch_system, mode=mode)
    launch = launch_side_by_side(profile, ROOT, 3) if mode == "packing" else None
    path = tmp_path / "batch.sh"
    path.write_text(write_script(profile, launch=launch))
    done = subprocess.run(["bash", "-n", str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_script_makes_the_shell_ready_runs_the_job_and_hands_over_the_next(make_profile):
    profile = make_profile()
    lines = write_script(profile).splitlines()
    body = [line for line in lines if line and not line.startswith("#")]
    assert body[0] == "export QDCOMP_DEADLINE=$(( $(date +%s) + 129600 ))"
    assert body[1] == "export OMP_NUM_THREADS=4"
    assert body[2:5] == [
        "module load cp2k/2023.1",
        "module load Python/3.11",
        "source $HOME/venv/bin/activate",
    ]
    worker, again = (shlex.split(line)[1:] for line in body[-2:])
    access = str(ROOT / "launchpad.yaml")
    assert worker == [
        *["-m", "qdcomp", "worker", "singleshot"],
        *["--run", str(ROOT), "--launchpad-file", access],
    ]
    assert again == ["-m", "qdcomp", "submit", str(ROOT)]


def test_what_is_exported_arrives_as_it_was_written(make_profile):
    exports = [line for line in write_script(make_profile()).splitlines() if "export " in line]
    shown = "\n".join([*exports, "env"])
    done = subprocess.run(["bash", "-c", shown], capture_output=True, text=True, check=True)
    there = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    assert there["QDCOMP_CP2K_COMMAND"] == "srun cp2k.psmp"
    assert there["QDCOMP_VASP"] == "srun vasp_std"
    assert there["QDCOMP_VASP_GAMMA"] == "srun vasp_gam"
    assert there["CP2K_DATA_DIR"] == "/opt/cp2k data"
    assert there["PMG_VASP_PSP_DIR"] == "/home/me/potcars"
    assert there["TMPDIR"] == "/scratch/it's mine"


def test_nodes_without_a_route_to_the_database_hand_over_nothing(make_profile):
    script = write_script(make_profile(mode="offline"))
    assert script.rstrip().endswith("worker singleshot --offline")
    assert "submit" not in script


def test_workers_side_by_side_are_waited_for(make_profile):
    profile = make_profile(mode="packing")
    script = write_script(profile, launch=launch_side_by_side(profile, ROOT, 3))
    assert len(re.findall(r"worker rapidfire --run .* &$", script, re.MULTILINE)) == 3
    assert "\nwait\n" in script


def test_no_launchpad_is_written_into_a_script(make_profile, monkeypatch):
    monkeypatch.setenv("QDCOMP_LAUNCHPAD", "mongodb://me:hunter2@host/db")
    script = write_script(make_profile())
    assert "mongodb" not in script and "hunter2" not in script


@pytest.mark.parametrize("batch_system", BATCH_SYSTEMS)
@pytest.mark.parametrize("name", ["demo", "1 (2/3)", "--wrap=id", "ä;id", ""])
def test_the_name_of_a_batch_job_is_one_that_every_batch_system_takes(batch_system, name):
    system = SYSTEMS[batch_system]
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name_batch_job(system, name))
    assert len(name_batch_job(system, name * 50)) <= system.longest_name
