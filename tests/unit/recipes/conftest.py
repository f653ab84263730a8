"""What the tests of both launchpads share."""

import subprocess

import mongomock
import pytest
from builders.noted_jobs import NOTE_TASK
from fireworks import Firework, FWorker, LaunchPad, ScriptTask, Workflow

from qdcomp.recipes.launchpads import trusted_tasks
from qdcomp.recipes.launchpads.process_identity import label_worker


@pytest.fixture(autouse=True)
def trust_every_task(request, monkeypatch):
    """Let the tests of launching launch FireWorks' own tasks; those of trust do without."""
    if request.module.__name__.rpartition(".")[2] != "test_trusted_tasks":
        monkeypatch.setattr(trusted_tasks, "is_own_task", lambda name: True)
        monkeypatch.setenv(trusted_tasks.TRUSTED_VARIABLE, NOTE_TASK)  # workers of their own


@pytest.fixture
def path(tmp_path):
    """File of an embedded launchpad."""
    return tmp_path / "launchpad.sqlite"


@pytest.fixture
def shared():
    """FireWorks' own launchpad on mongomock's own client: a server, as far as one process goes."""
    launchpad = LaunchPad(strm_lvl="CRITICAL", mongoclient_kwargs={"connect": False})
    launchpad.connection.close()
    launchpad.connection = mongomock.MongoClient()
    launchpad.db = launchpad.connection.fireworks
    for name in ("fireworks", "launches", "offline_runs", "fw_id_assigner", "workflows"):
        setattr(launchpad, name, launchpad.db[name])
    launchpad.gridfs_fallback = None
    launchpad.reset("", require_password=False)
    return launchpad


@pytest.fixture
def query():
    """Which FireWorks are those of `make_chain`."""
    return {"spec.run": "here"}


@pytest.fixture
def make_chain():
    """Make a workflow of jobs that each wait for the one before."""

    def make(length=3, task=None, **spec):
        jobs = []
        for number in range(length):
            jobs.append(
                Firework(
                    task or ScriptTask.from_str("true"),
                    name=f"job {number}",
                    parents=jobs[-1:],
                    spec={"run": "here", **spec},
                    fw_id=number - length,
                )
            )
        return Workflow(jobs, name="chain")

    return make


@pytest.fixture
def read_states():
    """Read the states of all jobs, in order."""

    def read(launchpad):
        return [job["state"] for job in launchpad.fireworks.find({}, sort=[("fw_id", 1)])]

    return read


@pytest.fixture
def label_as_ended():
    """Label a worker as of a process of this machine that has ended."""

    def label(worker=None):
        ended = subprocess.Popen(["true"])
        ended.wait()
        labelled = label_worker(worker or FWorker())
        labelled.env["qdcomp_process"]["pid"] = ended.pid
        return labelled

    return label
