import pytest

from qdcomp.errors import InputError
from qdcomp.recipes.campaigns.members import read_members
from qdcomp.recipes.clusters.submission import check_for_cluster
from qdcomp.resources import find_study


def test_a_profile_has_to_say_how_the_engine_of_the_study_is_started(make_profile):
    text = "batch_system: slurm\nresources: {cores: 1, walltime: 1 h}\n"
    with pytest.raises(InputError, match="add under launch: cp2k: srun"):
        check_for_cluster(read_members(find_study("smoke_cp2k")), make_profile(text=text))


def test_a_code_that_only_the_nodes_have_is_no_error(make_profile):
    text = (
        "batch_system: slurm\nresources: {cores: 1, walltime: 1 h}\n"
        "launch: {cp2k: no-such-launcher cp2k.psmp}\n"
    )
    warnings = check_for_cluster(read_members(find_study("smoke_cp2k")), make_profile(text=text))
    assert len(warnings) == 1 and "on this machine, not on the nodes" in warnings[0]
