"""A campaign as a folder, on a launchpad, and what its status says; no engine runs."""

import pytest
from builders.small_studies import write_study

from qdcomp.errors import InputError, StoreError
from qdcomp.recipes.campaigns import campaign_folder
from qdcomp.recipes.campaigns.campaign_folder import make_runs, open_campaign, open_runs
from qdcomp.recipes.campaigns.launchpad_reader import LaunchpadReader
from qdcomp.recipes.campaigns.member_states import (
    count_jobs,
    read_member_states,
    suggest_command,
)
from qdcomp.recipes.campaigns.members import read_members
from qdcomp.recipes.campaigns.sweep_plan import plan_members
from qdcomp.recipes.launchpads import open_launchpad
from qdcomp.recipes.workflows.run_launching import find_launchpad, read_job_states
from qdcomp.recipes.workflows.submission import submit_runs
from qdcomp.report.campaigns.campaign_folders import find_run_folders


@pytest.fixture
def sweep(tmp_path):
    def sweep(more="sweep: {sizes: [1, 2], seeds: 2}\npriority: 5"):
        return read_members(write_study(tmp_path / "small.yaml", more=more))

    return sweep


@pytest.fixture
def campaign(tmp_path, sweep):
    """Folder and runs of a campaign."""
    return make_runs(sweep(), tmp_path / "campaign")


def test_each_member_is_a_run_in_the_folder_of_the_campaign(campaign):
    root, runs = campaign
    assert [run.root.parent for run in runs] == [root] * 4
    assert [run.root.name for run in runs] == list(open_campaign(root).members)
    assert open_campaign(root).members["small-n2-s1"]["structure.cells"] == "2"
    assert [run.study.study_hash for run in open_runs(root)] == [r.study.study_hash for r in runs]
    assert {find_launchpad(run) for run in runs} == {root / "launchpad.sqlite"}
    assert find_run_folders([root]) == tuple(run.root for run in runs)


def test_a_sweep_may_grow_and_not_become_another(tmp_path, sweep, campaign):
    root, runs = campaign
    assert make_runs(sweep(), root)[1][0].root == runs[0].root
    assert len(make_runs(sweep("sweep: {sizes: [1, 2, 3], seeds: 3}"), root)[1]) == 9
    with pytest.raises(InputError, match="holds a campaign of another sweep"):
        make_runs(sweep("sweep: {sizes: [1], seeds: 3}"), root)
    with pytest.raises(InputError, match="holds a campaign; choose another"):
        make_runs(sweep(""), root)
    make_runs(sweep(""), tmp_path / "alone")
    with pytest.raises(InputError, match="holds a run; choose another"):
        make_runs(sweep(), tmp_path / "alone")


def test_a_sweep_whose_growth_is_cut_off_is_that_which_it_was(sweep, campaign, monkeypatch):
    root, runs = campaign

    def cut_off(folder, study):
        raise KeyboardInterrupt

    monkeypatch.setattr(campaign_folder, "create_run", cut_off)
    with pytest.raises(KeyboardInterrupt):
        make_runs(sweep("sweep: {sizes: [1, 2, 3], seeds: 3}"), root)
    assert [run.root for run in open_runs(root)] == [run.root for run in runs]


def test_damage_is_told_with_the_way_to_mend_it(campaign):
    root, runs = campaign
    (runs[0].root / "study.yaml").unlink()
    with pytest.raises(InputError, match=r"small-n1-s1 of the campaign .* qdcomp run STUDY --out"):
        open_runs(root)
    for text in ("{", "[]", '{"name": "a", "engine": "b", "members": {"../x": {}}}'):
        (root / "campaign.json").write_text(text)
        with pytest.raises(StoreError, match=r"damaged .* qdcomp run STUDY --out"):
            open_campaign(root)


def test_on_a_cluster_the_way_to_mend_damage_computes_nothing(campaign):
    root, _ = campaign
    (root / "cluster.yaml").touch()
    (root / "campaign.json").write_text("{")
    with pytest.raises(
        StoreError, match=f"submit STUDY --cluster {root}/cluster.yaml --out {root}"
    ):
        open_runs(root)


def test_a_damaged_list_of_members_is_made_again_from_the_same_sweep(campaign, sweep):
    root, runs = campaign
    before = open_campaign(root)
    (root / "campaign.json").write_text((root / "campaign.json").read_text()[:100])
    with pytest.raises(InputError, match="holds a campaign of another sweep"):
        make_runs(sweep("sweep: {sizes: [1], seeds: 2}"), root)
    assert [run.root for run in make_runs(sweep(), root)[1]] == [run.root for run in runs]
    assert open_campaign(root) == before


def test_a_member_gets_its_lost_study_from_the_file_it_was_made_from(campaign, sweep):
    root, runs = campaign
    result = runs[0].root / "structure.extxyz"
    result.write_text("computed")
    (runs[0].root / "study.yaml").unlink()
    with pytest.raises(InputError, match="was changed; give that file as it was"):
        make_runs(sweep("sweep: {sizes: [1, 2], seeds: 2}\npriority: 7"), root)
    make_runs(sweep(), root)
    assert open_runs(root)[0].study.study_hash == runs[0].study.study_hash
    assert result.read_text() == "computed"


def test_all_members_go_onto_the_launchpad_at_once_and_once(campaign, capfd):
    root, runs = campaign
    with open_launchpad(root / "launchpad.sqlite") as pad:
        assert submit_runs(runs[:1], pad) == 1
        assert submit_runs(runs, pad) == 3
        assert submit_runs(runs, pad) == 0
        assert pad.fireworks.count_documents({"state": "READY"}) == 4
        assert pad.fireworks.distinct("spec._priority") == [5]
        workflow = {"metadata.run_directory": str(runs[1].root)}
        pad.workflows.delete_one(workflow)  # as a killed process leaves it
        assert submit_runs(runs, pad) == 1
        assert pad.workflows.count_documents({}) == 4
    with LaunchpadReader(None) as reader:
        assert [len(reader.read_states(run)) for run in runs] == [6] * 4
    assert capfd.readouterr().err == ""


def test_a_new_priority_reaches_jobs_that_are_there(campaign, sweep):
    root, runs = campaign
    with open_launchpad(root / "launchpad.sqlite") as pad:
        submit_runs(runs, pad)
        _, urgent = make_runs(sweep("sweep: {sizes: [1, 2], seeds: 2}\npriority: 50"), root)
        submit_runs(urgent, pad)
        assert pad.fireworks.distinct("spec._priority") == [50]


def test_the_status_counts_jobs_and_says_what_to_do(campaign):
    root, runs = campaign
    with open_launchpad(root / "launchpad.sqlite") as pad:
        submit_runs(runs[:3], pad)
        for number, (state, job) in enumerate(
            [("FIZZLED", "01 relax"), ("RUNNING", "00 build"), ("PAUSED", "00 build")]
        ):
            name = f"{runs[number].study.name}: {job}"
            pad.fireworks.update_one({"name": name}, {"$set": {"state": state}})
        states = read_member_states(open_campaign(root), pad)
        assert [state.describe() for state in states] == [
            "0 of 6 jobs; failed: 01 relax",
            "0 of 6 jobs; runs: 00 build",
            "0 of 6 jobs; paused: 00 build",
            "not on the launchpad",
        ]
        assert count_jobs(states)["WAITING"] == 14
        assert suggest_command(states, root) == f"qdcomp resume {root}"
        assert suggest_command(states[2:3], root) == f"qdcomp jobs continue {root}"
        pad.fireworks.update_many({}, {"$set": {"state": "COMPLETED"}})
        states = read_member_states(open_campaign(root), pad)
        assert [state.is_complete for state in states] == [True, True, True, False]
        assert suggest_command(states[:3], root) == ""


def test_the_newer_of_two_jobs_of_one_name_counts(campaign):
    root, runs = campaign
    with open_launchpad(root / "launchpad.sqlite") as pad:
        submit_runs(runs, pad)
        again = pad.fireworks.find_one({"name": "small-n1-s1: 01 relax"}, {"_id": 0})
        again |= {"fw_id": 999, "state": "RUNNING"}
        pad.fireworks.insert_one(again)
        (first, *_) = read_member_states(open_campaign(root), pad)
        assert first.list_jobs("RUNNING") == ["01 relax"] and len(first.states) == 6
        states = {state.job.name: state.state for state in read_job_states(runs[0], pad)}
        assert states["small-n1-s1: 01 relax"] == "RUNNING"


def test_members_that_differ_in_the_seed_are_planned_once(sweep):
    plan = plan_members(sweep())
    (_, small, large) = plan.rows()
    assert small[:4] == ("small-n1", "2", "11", "6") and large[0] == "small-n2"
    assert plan.n_jobs == 24
    assert plan.core_hours == pytest.approx(2 * sum(g.plan.core_hours for g in plan.groups))
