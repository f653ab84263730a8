"""Which batch jobs are in a queue, from what squeue, qstat and bjobs print."""

import pytest

from qdcomp.errors import InputError
from qdcomp.recipes import batch_queue
from qdcomp.recipes.batch_queue import (
    list_queued_jobs,
    make_queue_check,
    read_bjobs,
    read_qstat,
    read_squeue,
)

SQUEUE = "4711 RUNNING\n4712 PENDING\n4713 COMPLETING\n"
QSTAT = """\
Job id            Name             User              Time Use S Queue
----------------  ---------------- ----------------  -------- - -----
1201.login        dot_2p4nm        anna              00:12:01 R batch
1202.login        dot_3p0nm        anna                     0 Q batch
1203.login        old              anna              01:00:00 C batch
1204[].login      array            berta                    0 B batch
1205[7].login     array            berta             00:00:02 R batch
"""
BJOBS = """\
JOBID   USER    STAT  QUEUE      FROM_HOST   EXEC_HOST   JOB_NAME   SUBMIT_TIME
3301    anna    RUN   normal     login       node7       dot        Nov 21 12:00
3302    anna    PEND  normal     login          -        dot        Nov 21 12:01
"""


def test_the_jobs_of_each_batch_system_are_read():
    assert read_squeue(SQUEUE) == {"4711", "4712", "4713"}
    assert read_qstat(QSTAT) == {"1201", "1202", "1204[]", "1205[7]"}
    assert read_bjobs(BJOBS) == {"3301", "3302"}


@pytest.mark.parametrize("read", [read_squeue, read_qstat, read_bjobs])
def test_an_empty_queue_has_no_jobs(read):
    assert read("") == frozenset()


def make_command(folder, name, script):
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_a_job_is_asked_for_by_the_name_that_it_has_on_its_node(tmp_path, monkeypatch):
    (tmp_path / "text").write_text(QSTAT)
    make_command(tmp_path, "qstat", f'while read -r line; do echo "$line"; done < {tmp_path}/text')
    monkeypatch.setenv("PATH", str(tmp_path))
    is_queued = make_queue_check("pbs")
    assert is_queued("1201.login.cluster.example.org")
    assert not is_queued("1203.login.cluster.example.org")
    assert is_queued("1205[7].login.cluster.example.org")
    assert not is_queued("1199.login.cluster.example.org")


def test_a_queue_that_does_not_answer_is_not_taken_for_an_empty_one(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="squeue is not here"):
        list_queued_jobs("slurm")
    make_command(tmp_path, "squeue", "echo 'Unable to contact slurm controller' >&2; exit 1")
    with pytest.raises(InputError, match="Unable to contact slurm controller"):
        list_queued_jobs("slurm")
    make_command(tmp_path, "squeue", "read -r line < /dev/zero")
    monkeypatch.setattr(batch_queue, "_PATIENCE_S", 0.2)
    with pytest.raises(InputError, match="did not answer within"):
        list_queued_jobs("slurm")


def test_lsf_says_of_an_empty_queue_that_it_found_nothing(tmp_path, monkeypatch):
    make_command(tmp_path, "bjobs", "echo 'No unfinished job found' >&2; exit 255")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert list_queued_jobs("lsf") == frozenset()
