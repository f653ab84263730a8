"""Who can write to the database cannot have a worker run code that is not qdcomp's."""

import sys

import pytest
from fireworks import Firework, PyTask, ScriptTask
from fireworks.utilities import fw_serializers

from qdcomp.errors import StoreError
from qdcomp.recipes.firetasks import RunEngine
from qdcomp.recipes.launchpads import (
    check_specification,
    launch_all,
    only_own_tasks,
    open_launchpad,
)
from qdcomp.recipes.launchpads.trusted_tasks import TASK_MODULE, TRUSTED_VARIABLE, is_own_task
from qdcomp.recipes.workflows.workflow import TASKS


def test_every_task_of_every_job_is_trusted_and_nothing_else_of_its_module():
    for kinds in TASKS.values():
        assert all(is_own_task(task().fw_name) for task in kinds)
    for name in ("FireTaskBase", "FWAction", "Path", "stages", "open_run", "__builtins__", ""):
        assert not is_own_task(f"{{{{{TASK_MODULE}.{name}}}}}")


@pytest.mark.parametrize(
    "name",
    [
        "ScriptTask",
        "PyTask",
        "{{os.system}}",
        "{{qdcomp.recipes.stages.stages.run_engine}}",
        "{{qdcomp.recipes.firetasks.stages.run_engine}}",
        f"{TASK_MODULE}.RunEngine",
        f"{{{{{TASK_MODULE}.RunEngine}}}} ",
        None,
        {"$ne": 1},
    ],
)
def test_other_names_are_not(name):
    assert not is_own_task(name)


@pytest.mark.parametrize(
    "task", [ScriptTask.from_str("touch pwned"), PyTask(func="os.mkdir", args=["pwned"])]
)
def test_a_planted_job_is_not_launched_and_left_as_it_is(path, tmp_path, task, read_states):
    with open_launchpad(path) as launchpad:
        launchpad.add_wf(Firework(task, spec={"run": "here"}))
        with pytest.raises(StoreError, match="not a task of qdcomp"):
            launch_all(launchpad, {}, tmp_path)
        assert read_states(launchpad) == ["READY"]
    assert list(tmp_path.rglob("pwned")) == []


def test_no_module_is_imported_for_a_name_in_the_database(path, tmp_path, monkeypatch):
    (tmp_path / "planted_module.py").write_text("raise SystemError('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    with open_launchpad(path) as launchpad:
        launchpad.add_wf(Firework(RunEngine(), spec={"run": "here"}))
        for planted in (
            {"_tasks": [{"_fw_name": "{{planted_module.Task}}"}]},
            {"deep": {"in": [{"_fw_name": "{{planted_module.Task}}"}]}},
        ):
            launchpad.update_spec([1], planted, mongo=False)
            with pytest.raises(StoreError, match="not a task of qdcomp"):
                launch_all(launchpad, {}, tmp_path)
        launchpad.update_spec([1], {"_tasks": [{"_fw_name": RunEngine().fw_name}], "deep": {
            "@module": "planted_module", "@class": "Task"}})  # fmt: skip
        with only_own_tasks():
            assert launchpad.get_fw_by_id(1).spec["deep"]["@class"] == "Task"
    assert "planted_module" not in sys.modules


def test_the_loader_of_fireworks_is_its_own_again_afterwards():
    before = fw_serializers.load_object, fw_serializers.DECODE_MONTY
    with pytest.raises(StoreError), only_own_tasks():
        fw_serializers.load_object(PyTask(func="os.getcwd").to_dict())
    assert before == (fw_serializers.load_object, fw_serializers.DECODE_MONTY)


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"_background_tasks": []}, "_background_tasks"),
        ({"_files_in": {"a": "/etc/passwd"}}, "_files_in"),
        ({"_add_launchpad_and_fw_id": True}, "_add_launchpad_and_fw_id"),
        ({"_recovery": {"_mode": "cp", "_prev_dir": "/"}}, "copy a folder"),
        ({"run_directory": "/runs/a", "_launch_dir": "/runs/b"}, "outside the run"),
        ({"run_directory": "/runs/a", "_launch_dir": "/runs/a/../../etc"}, "outside the run"),
        ({"_tasks": [{"_fw_name": "ScriptTask"}]}, "ScriptTask"),
    ],
)
def test_a_specification_that_asks_for_more_than_a_job_is_refused(spec, told):
    with pytest.raises(StoreError, match=told):
        check_specification(spec)


def test_the_specification_of_a_job_passes():
    check_specification(
        {
            "run_directory": "/runs/a",
            "job": "a: 01 relax",
            "_launch_dir": "/runs/a/relax",
            "_category": "cp2k",
            "_allow_fizzled_parents": True,
            "_tasks": [{"_fw_name": RunEngine().fw_name}],
        }
    )


def test_a_task_that_the_user_trusts_by_name_is_launched(path, tmp_path, monkeypatch, read_states):
    monkeypatch.setenv(TRUSTED_VARIABLE, "Other, PyTask")
    with open_launchpad(path) as launchpad:
        launchpad.add_wf(Firework(PyTask(func="os.getcwd")))
        assert launch_all(launchpad, {}, tmp_path) == (1,)
        assert read_states(launchpad) == ["COMPLETED"]
