"""A run whose files were damaged or removed: what the commands say, and how it is mended."""

import shutil
import sys

import h5py
import pytest

from qdcomp.cli import USER_ERROR, main

STUDY = """\
name: small
description: 1.2 nm CsPbBr3 dot, a few steps
recipe: dot_linewidth
engine: model
structure: {kind: quantum_dot, cells: 2, composition: CsPbBr3, charge: formal, box: 4.0 nm}
relaxation: {max_force: 10 meV/angstrom, max_steps: 100}
equilibration: [{duration: 100 fs, timestep: 10 fs, thermostat_time: 15 fs}]
sampling:
  {temperatures: [10 K], duration: 400 fs, timestep: 10 fs, thermostat_time: 1 ps, segments: 2}
analysis: {normal_modes: true}
seed: 1
"""


def call(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["qdcomp", *map(str, arguments)])
    with pytest.raises(SystemExit) as left:
        main()
    return left.value.code


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    (folder / "study.yaml").write_text(STUDY)
    with pytest.MonkeyPatch.context() as patch:
        assert call(patch, "run", folder / "study.yaml", "--out", folder / "run") == 0
    return folder / "run"


@pytest.fixture
def run(finished):
    """The finished run, put back as it was afterwards: its launchpad knows where it lies."""
    kept = finished.with_name("kept")
    shutil.copytree(finished, kept)
    yield finished
    shutil.rmtree(finished)
    kept.rename(finished)


@pytest.mark.slow
def test_a_relaxation_says_how_many_steps_it_took(monkeypatch, capsys, run):
    assert call(monkeypatch, "status", run) == 0
    relax = next(line for line in capsys.readouterr().out.splitlines() if "relax" in line)
    assert "COMPLETED" in relax and " 0/100" not in relax


@pytest.mark.slow
@pytest.mark.parametrize("name", ["trajectory.h5", "analysis.h5"])
def test_resume_makes_again_what_was_removed(monkeypatch, run, name):
    output = run / "jobs" / "03_sample_T10K_2of2" / "model.out"
    before = output.read_bytes()
    (run / "T10K" / name).unlink()
    assert call(monkeypatch, "resume", run) == 0
    assert (run / "T10K" / name).is_file()
    assert output.read_bytes() == before  # no engine ran again


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "structure.extxyz",
        "relaxed.extxyz",
        "normal_modes/harmonic_spectrum.h5",
        "T10K/trajectory.h5",
        "T10K/analysis.h5",
    ],
)
def test_a_file_cut_off_is_named_and_made_again_when_removed(monkeypatch, capsys, run, name):
    path = run / name
    whole = path.read_bytes()
    path.write_bytes(whole[: 2 * len(whole) // 3])
    command = "analyse" if name.endswith("trajectory.h5") else "report"
    assert call(monkeypatch, command, run) == USER_ERROR
    error = capsys.readouterr().err
    assert str(path) in error and "qdcomp resume" in error
    path.unlink()
    assert call(monkeypatch, "resume", run) == 0
    assert path.is_file()


@pytest.mark.slow
def test_a_damaged_list_of_inputs_is_named(monkeypatch, capsys, run):
    listing = run / "jobs" / "01_relax" / "inputs.json"
    listing.write_text('{"job.json": ')
    assert call(monkeypatch, "report", run) == USER_ERROR
    error = capsys.readouterr().err
    assert f"{listing}: damaged" in error and "Remove the file" in error
    listing.unlink()
    assert call(monkeypatch, "report", run) == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "name", "expected"),
    [
        ("report", "analysis.h5", "no analysis yet at 10 K"),
        ("analyse", "trajectory.h5", "no trajectory yet at 10 K"),
    ],
)
def test_an_unfinished_run_says_how_to_go_on(monkeypatch, capsys, run, command, name, expected):
    (run / "T10K" / name).unlink()
    assert call(monkeypatch, command, run) == USER_ERROR
    error = capsys.readouterr().err
    assert expected in error
    assert f"qdcomp resume {run}" in error


@pytest.mark.slow
def test_an_analysis_of_another_version_is_to_be_made_again(monkeypatch, capsys, run):
    with h5py.File(run / "T10K" / "analysis.h5", "a") as file:
        del file["spectrum"].attrs["reorganization_energy_ev"]
    assert call(monkeypatch, "report", run) == USER_ERROR
    assert "another version" in capsys.readouterr().err
    assert call(monkeypatch, "analyse", run) == 0


@pytest.mark.slow
@pytest.mark.parametrize("content", [b"", b'{"command": 1', b"\x89PNG", b'{"no": "record"}'])
def test_a_damaged_record_of_a_job_is_named(monkeypatch, capsys, run, content):
    record = run / "jobs" / "01_relax" / "run_record.json"
    record.write_bytes(content)
    assert call(monkeypatch, "status", run) == USER_ERROR
    error = capsys.readouterr().err
    assert f"{record}: damaged" in error and "Remove the file" in error
    record.unlink()
    assert call(monkeypatch, "resume", run) == 0


@pytest.mark.slow
def test_a_copy_of_a_run_is_taken_up_where_it_lies(monkeypatch, capsys, run, tmp_path):
    copy = shutil.copytree(run, tmp_path / "copy")
    assert call(monkeypatch, "status", copy) == USER_ERROR
    assert f"qdcomp resume {copy}" in capsys.readouterr().err
    output = copy / "jobs" / "03_sample_T10K_2of2" / "model.out"
    before = output.read_bytes()
    assert call(monkeypatch, "resume", copy) == 0
    assert output.read_bytes() == before
