import pytest

from qdcomp.errors import BatchError
from qdcomp.recipes.clusters.queue_room import count_room, list_named_jobs


@pytest.fixture
def put_on_path(tmp_path, monkeypatch):
    """Put commands of a batch system on the path, which print what they are told."""
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")

    def put(name, *lines, code=0):
        command = tmp_path / "bin" / name
        command.parent.mkdir(exist_ok=True)
        said = "".join(f"echo '{line}'\n" for line in lines)
        command.write_text(f"#!/bin/sh\n{said}exit {code}\n")
        command.chmod(0o755)

    return put


@pytest.mark.parametrize(("here", "room"), [("", 5), ("17", 6)])
def test_a_batch_job_that_ends_makes_room_for_the_next(
    make_profile, put_on_path, monkeypatch, here, room
):
    """Else a limit of one would end a study with its first job."""
    put_on_path("sbatch")
    put_on_path("squeue", "me", "me")
    monkeypatch.setenv("SLURM_JOB_ID", here)
    assert count_room(make_profile()) == room


def test_a_batch_system_that_does_not_answer_is_an_error(make_profile, put_on_path):
    put_on_path("sbatch")
    put_on_path("squeue", code=1)
    with pytest.raises(BatchError, match="does not say how many jobs"):
        count_room(make_profile())
    with pytest.raises(BatchError, match="does not list the jobs"):
        list_named_jobs(make_profile(), "qd1")


def test_the_batch_jobs_of_a_name_are_listed(make_profile, put_on_path):
    put_on_path("squeue", "4", "7")
    assert list_named_jobs(make_profile(), "qd1") == ["4", "7"]
