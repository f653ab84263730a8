from pathlib import Path

import pytest

from qdcomp.engines.cp2k import Cp2kEngine
from qdcomp.errors import EngineError
from qdcomp.recipes.jobs.job_execution import run_job


def test_a_program_that_is_not_the_engine_says_so_in_its_own_words(monkeypatch, tmp_path: Path):
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\necho module openmpi is not loaded >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("QDCOMP_CP2K_COMMAND", str(program))
    directory = tmp_path / "job"
    directory.mkdir()
    with pytest.raises(EngineError, match="module openmpi is not loaded"):
        run_job(Cp2kEngine(), directory)


def test_the_engine_does_not_learn_the_password_of_the_launchpad(monkeypatch, tmp_path: Path):
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\nenv\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("QDCOMP_CP2K_COMMAND", str(program))
    monkeypatch.setenv("QDCOMP_LAUNCHPAD", "mongodb://anna:hidden@host/db")
    directory = tmp_path / "job"
    directory.mkdir()
    with pytest.raises(EngineError, match="stopped before"):
        run_job(Cp2kEngine(), directory)
    printed = (directory / Cp2kEngine().output_name).read_text()
    assert "OMP_NUM_THREADS" in printed
    for path in directory.iterdir():
        assert "hidden" not in path.read_text(errors="replace"), path
