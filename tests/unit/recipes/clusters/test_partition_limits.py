"""What batch systems print, as their manuals show it."""

from qdcomp.recipes.clusters.partition_limits import (
    PartitionLimits,
    parse_bqueues,
    parse_qstat,
    parse_scontrol,
)

SCONTROL = (
    "PartitionName=normal AllowGroups=ALL Default=YES MaxNodes=8 MaxTime=1-12:00:00 State=UP "
    "TotalCPUs=640 TotalNodes=10\n"
    "PartitionName=long AllowGroups=ALL Default=NO MaxNodes=UNLIMITED MaxTime=UNLIMITED "
    "State=DRAIN TotalCPUs=64 TotalNodes=2\n"
)

QSTAT = """Queue: workq
    queue_type = Execution
    total_jobs = 3
    resources_max.ncpus = 128
    resources_max.nodect = 4
    resources_max.walltime = 24:00:00
    enabled = True
    started = False
"""

BQUEUES = """
QUEUE: normal
  -- For normal low priority jobs.

PARAMETERS/STATISTICS
PRIO NICE STATUS          MAX JL/U JL/P JL/H NJOBS  PEND   RUN SSUSP USUSP  RSV
 30   20  Open:Active       -    -    -    -     0     0     0     0     0    0

 RUNLIMIT
 1440.0 min
"""


def test_slurm_tells_what_a_partition_allows():
    limits = PartitionLimits("normal", True, 129600.0, 8)
    assert parse_scontrol(SCONTROL, "normal") == parse_scontrol(SCONTROL, "") == limits
    assert parse_scontrol(SCONTROL, "long") == PartitionLimits("long", False, None, 2)
    assert parse_scontrol(SCONTROL, "short") is None


def test_pbs_tells_what_a_queue_allows():
    assert parse_qstat(QSTAT) == PartitionLimits("workq", False, 86400.0, 4, 128)
    assert parse_qstat("") is None


def test_lsf_tells_what_a_queue_allows():
    assert parse_bqueues(BQUEUES) == PartitionLimits("normal", True, 86400.0)
    assert parse_bqueues("") is None
