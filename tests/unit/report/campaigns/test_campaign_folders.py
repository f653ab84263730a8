from pathlib import Path

import pytest

from qdcomp.errors import InputError
from qdcomp.report.campaigns.campaign_folders import find_run_folders, label_folders


def make_run(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "study.yaml").write_text("name: x\n")
    return folder


def test_runs_are_found_inside_and_each_once(tmp_path):
    b, a = make_run(tmp_path / "runs" / "b"), make_run(tmp_path / "runs" / "deep" / "er" / "a")
    assert find_run_folders([tmp_path / "runs"]) == (b, a)
    assert find_run_folders([a, tmp_path / "runs", b]) == (a, b)


def test_a_run_is_not_searched_for_runs(tmp_path):
    run = make_run(tmp_path / "run")
    make_run(run / "jobs" / "inner")
    assert find_run_folders([tmp_path]) == (run,)


def test_what_lost_its_study_or_is_empty_is_there_to_be_told(tmp_path):
    runs = tmp_path / "runs"
    lost, empty, kept = runs / "lost", runs / "nothing", make_run(runs / "a")
    (lost / "jobs").mkdir(parents=True)
    empty.mkdir()
    (runs / "notes").mkdir()
    (runs / "notes" / "todo.txt").touch()
    (runs / ".cache" / "x").mkdir(parents=True)
    assert find_run_folders([runs]) == (kept, lost, empty)
    assert find_run_folders([runs / "notes"]) == (runs / "notes",)


def test_links_do_not_lead_in_circles(tmp_path):
    run = make_run(tmp_path / "runs" / "a")
    (tmp_path / "runs" / "again").symlink_to(tmp_path / "runs")
    assert find_run_folders([tmp_path / "runs"]) == (run,)


@pytest.mark.parametrize(("name", "what"), [("file", "is a file"), ("nowhere", "is not there")])
def test_a_wrong_name_is_told(tmp_path, name, what):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=f"{name} {what}; give the folder of a run"):
        find_run_folders([tmp_path / name])


def test_labels_are_short_where_they_can_be():
    assert label_folders([Path("/x/a"), Path("/x/b")]) == ("a", "b")
    assert label_folders([Path("/x/a"), Path("/y/a")]) == ("x/a", "y/a")
    far = [Path(f"/{top}/1/2/3/a") for top in "xy"]
    assert label_folders(far) == ("2/3/a", "2/3/a (2)")
