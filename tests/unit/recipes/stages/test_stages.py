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
