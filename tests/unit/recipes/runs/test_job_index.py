"""A job that another run has done of the same inputs is not run again."""

import json
import shutil

import pytest
from builders.small_studies import write_study

from qdcomp.recipes.jobs.planned_job import ENGINE_KINDS
from qdcomp.recipes.jobs.run_record import RECORD_NAME, read_run_record
from qdcomp.recipes.runs import job_index
from qdcomp.recipes.runs.run_directory import TRAJECTORY_NAME, create_run, open_run
from qdcomp.recipes.stages.provenance import collect_provenance, parse_jobs
from qdcomp.recipes.study_files.studies import read_study
from qdcomp.recipes.workflows.run_launching import execute_run, find_launchpad


def make_run(folder, name, **options):
    path = write_study(folder / f"{name}.yaml", name=name, **options)
    return create_run(folder / name, read_study(path))


def execute(run):
    states = execute_run(run, find_launchpad(run))
    assert {state.state for state in states} == {"COMPLETED"}, states
    return {state.job.name.partition(": ")[2]: state for state in states}


def list_engine_jobs(run):
    return [job for job in run.jobs if job.kind in ENGINE_KINDS]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder of runs with a finished one."""
    folder = tmp_path_factory.mktemp("runs")
    execute(make_run(folder, "first"))
    return folder


@pytest.fixture
def copy(runs, tmp_path):
    """The same in another place, to change: an index knows places relative to itself."""
    return shutil.copytree(runs, tmp_path / "runs")


def test_every_job_of_an_engine_is_entered_once(runs):
    first = open_run(runs / "first")
    entries = [json.loads(path.read_text()) for path in (runs / "job_index").iterdir()]
    named = {(entry["run"], entry["job"]) for entry in entries}
    assert named == {("first", job.directory) for job in list_engine_jobs(first)}


def test_a_chain_of_jobs_is_taken_over_by_a_run_of_another_name(copy):
    first = open_run(copy / "first")
    other = make_run(copy, "other", more="analysis: {emission_temperature: 200 K}")
    states = execute(other)
    for job, original in zip(list_engine_jobs(other), list_engine_jobs(first), strict=True):
        record = read_run_record(other.job_directory(job))
        assert record.reused_from == str(first.job_directory(original))
        assert (record.walltime_s, record.runs) == (0.0, 0)
        assert not list(other.root.glob("tmp*"))
    assert states["01 relax"].reused_from.endswith("first/jobs/01_relax")
    assert states["03 sample 50 K (2/2)"].steps_done == 15
    trajectories = [run.root / "T50K" / TRAJECTORY_NAME for run in (first, other)]
    assert all(path.is_file() for path in trajectories)
    chain = collect_provenance(other, parse_jobs(other))
    assert all(job["run"]["reused_from"] for job in chain["jobs"])


@pytest.mark.parametrize("spoil", ["inputs", "outputs", "folder", "entry", "outside"])
def test_an_entry_that_does_not_hold_is_ignored(copy, spoil):
    first = open_run(copy / "first")
    other = make_run(copy, "other")
    relax = other.select_jobs("relax")[0]
    source, target = first.job_directory(relax), other.job_directory(relax)
    shutil.copytree(source, target)  # as prepared, not begun
    for name in (RECORD_NAME, other.engine.output_name, "result.json"):
        (target / name).unlink()
    assert job_index.reuse_job(other, target).reused_from == str(source)
    for name in (RECORD_NAME, other.engine.output_name, "result.json"):
        (target / name).unlink()
    noted = json.loads((target / job_index.INPUT_HASH_NAME).read_text())["hash"]
    entry = copy / "job_index" / f"{noted}.json"
    if spoil == "inputs":
        (source / "parameters.yaml").write_text("changed: by hand\n")
    elif spoil == "outputs":
        (source / "result.json").unlink()
    elif spoil == "folder":
        shutil.rmtree(first.root)
    elif spoil == "entry":
        entry.write_text('{"run": "fi')
    else:
        shutil.copytree(first.root, copy.parent / "elsewhere")
        entry.write_text(json.dumps({"run": "../elsewhere", "job": relax.directory}))
    assert job_index.reuse_job(other, target) is None
    assert not (target / RECORD_NAME).exists()


def test_what_is_begun_or_unwanted_is_not_taken_over(copy):
    first = open_run(copy / "first")
    relax = first.select_jobs("relax")[0]
    for name, more in (("begun", ""), ("unwanted", "reuse: false")):
        other = make_run(copy, name, more=more)
        target = other.job_directory(relax)
        shutil.copytree(first.job_directory(relax), target)
        (target / RECORD_NAME).unlink()
        if name == "unwanted":
            (target / other.engine.output_name).unlink()
        assert job_index.reuse_job(other, target) is None


def test_an_index_that_others_may_write_is_not_read(copy):
    other = make_run(copy, "other")
    relax = other.select_jobs("relax")[0]
    target = other.job_directory(relax)
    shutil.copytree(copy / "first" / relax.directory, target)
    for name in (RECORD_NAME, other.engine.output_name):
        (target / name).unlink()
    (copy / "job_index").chmod(0o777)
    assert job_index.reuse_job(other, target) is None


def test_inputs_written_in_two_attempts_have_no_hash(tmp_path):
    run = make_run(tmp_path, "run")
    directory = tmp_path / "job"
    directory.mkdir()
    for name in ("job.json", "FW.json", "batch-7.out"):
        (directory / name).write_text(str(run.root))
    job_index.note_inputs(run, directory, ["job.json"], before=set())
    noted = json.loads((directory / job_index.INPUT_HASH_NAME).read_text())
    assert list(noted["inputs"]) == ["job.json"]
    job_index.note_inputs(run, directory, ["job.json"], before={"job.json"})
    assert not (directory / job_index.INPUT_HASH_NAME).exists()


def test_names_of_folders_are_no_part_of_the_hash_and_files_taken_over_are(tmp_path):
    hashes = []
    for name, restart in (("one", "step 3"), ("two", "step 3"), ("three", "step 4")):
        run = make_run(tmp_path, name)
        directory = run.root / "job"
        directory.mkdir()
        (directory / "job.json").write_text(f'{{"previous": "{run.root}/jobs/01"}}')
        (directory / "restart").write_text(restart)
        job_index.note_inputs(run, directory, ["job.json"], before=set())
        hashes.append(json.loads((directory / job_index.INPUT_HASH_NAME).read_text())["hash"])
    assert hashes[0] == hashes[1] != hashes[2]
