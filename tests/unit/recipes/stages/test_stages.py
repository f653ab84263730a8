from types import SimpleNamespace

from qdcomp.engines.model.engine import ModelEngine
from qdcomp.recipes.runs.mended_log import read_mended
from qdcomp.recipes.runs.run_directory import create_run
from qdcomp.recipes.stages import stages
from qdcomp.recipes.study_files.studies import read_study
from qdcomp.resources import find_study


def test_inputs_are_all_listed_also_after_a_kill_before_the_list(tmp_path):
    run = create_run(tmp_path / "run", read_study(find_study("demo")))
    stages.build_structure_files(run)
    (relax,) = run.select_jobs("relax")
    hashes = stages.write_job_inputs(run, relax)
    assert {"job.json", "start.extxyz", "parameters.yaml"} <= set(hashes)
    (run.job_directory(relax) / stages.INPUTS_NAME).unlink()
    assert stages.write_job_inputs(run, relax) == hashes
    assert not [path for path in run.root.iterdir() if path.name.startswith("tmp")]


def test_a_damaged_restart_file_of_the_segment_before_stands_in_the_provenance(
    tmp_path, monkeypatch
):
    run = create_run(tmp_path / "run", read_study(find_study("demo")))
    stages.build_structure_files(run)
    job = next(job for job in run.jobs if job.previous is not None)
    before = run.read_built().atoms
    sentence = "qdcomp-1.restart cut off or empty: went on from qdcomp-1.restart.bak-1"
    monkeypatch.setattr(ModelEngine, "parse", lambda *_: SimpleNamespace(atoms=before))
    monkeypatch.setattr(ModelEngine, "restart_from", lambda *_: (sentence,))
    stages.write_job_inputs(run, job)
    (mended,) = read_mended(run.root)
    assert (mended["where"], mended["done"]) == (job.name, sentence)
    assert job.previous in mended["found"]
