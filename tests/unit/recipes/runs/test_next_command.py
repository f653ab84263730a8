"""The command that is named to a user whose run or campaign is not complete."""

import pytest

from qdcomp.errors import InputError
from qdcomp.recipes.clusters.profile_sections import find_profile
from qdcomp.recipes.runs.next_command import describe_next_command, suggest_next_command


@pytest.fixture
def campaign(tmp_path):
    """Folder of a campaign on a cluster, with one member."""
    (tmp_path / "member").mkdir()
    for name in ("campaign.json", "cluster.yaml"):
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("states", "command"),
    [
        ({"COMPLETED", "READY"}, "resume"),
        ({"FIZZLED", "WAITING", "PAUSED"}, "resume"),
        ({"COMPLETED", "PAUSED", "WAITING"}, "jobs continue"),
        ({"DEFUSED"}, "jobs continue"),
        (set(), "resume"),
    ],
)
def test_jobs_that_a_user_holds_are_told_to_go_on(tmp_path, states, command):
    assert suggest_next_command(tmp_path, states) == f"qdcomp {command} {tmp_path}"


def test_a_member_of_a_campaign_on_a_cluster_does_not_compute_on_the_login_node(campaign):
    member = campaign / "member"
    assert suggest_next_command(member, {"READY"}) == f"qdcomp submit {campaign}"
    assert suggest_next_command(member, {"FIZZLED"}) == f"qdcomp doctor {campaign} --mend"
    assert suggest_next_command(member, {"PAUSED"}) == f"qdcomp jobs continue {member}"
    with pytest.raises(InputError, match=f"handed over as a whole: qdcomp submit {campaign}$"):
        find_profile(member)


def test_a_member_that_was_handed_over_alone_goes_on_alone(campaign):
    (campaign / "member" / "cluster.yaml").touch()
    command = suggest_next_command(campaign / "member", {"READY"})
    assert command == f"qdcomp submit {campaign / 'member'}"


@pytest.mark.parametrize(
    ("states", "condition"),
    [
        ({"RUNNING", "RESERVED"}, "if no process runs it any more, "),
        ({"COMPLETED", "RESERVED"}, "if its batch jobs are no longer in the queue, "),
        ({"COMPLETED", "READY"}, ""),
    ],
)
def test_jobs_that_another_has_are_left_to_it(states, condition):
    assert describe_next_command(states, "qdcomp x") == f"{condition}go on with: qdcomp x"


def test_a_folder_with_spaces_is_quoted_for_the_shell(tmp_path):
    folder = tmp_path / "my runs"
    assert suggest_next_command(folder, {"READY"}) == f"qdcomp resume '{folder}'"
