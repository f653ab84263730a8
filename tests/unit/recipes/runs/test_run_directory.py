"""The folder of a run whose study is damaged."""

import pytest
from builders.small_studies import write_study

from qdcomp.errors import StoreError
from qdcomp.recipes.runs.run_directory import create_run, open_run
from qdcomp.recipes.study_files.studies import read_study


@pytest.fixture
def damaged(tmp_path):
    """A run in a folder of runs, whose study was cut off."""
    run = create_run(tmp_path / "run", read_study(write_study(tmp_path / "small.yaml")))
    path = run.root / "study.yaml"
    path.write_text(path.read_text()[:120])
    return run


def test_a_damaged_study_is_told_with_what_keeps_the_finished_jobs(damaged):
    with pytest.raises(StoreError, match="in another folder beside this one, which takes over"):
        open_run(damaged.root)
    with pytest.raises(StoreError, match="put it back as it was"):
        create_run(damaged.root, damaged.study)


def test_that_of_a_member_is_made_again_with_the_campaign(damaged):
    (damaged.root.parent / "campaign.json").touch()
    with pytest.raises(StoreError, match="remove it, and the next command says how"):
        open_run(damaged.root)
