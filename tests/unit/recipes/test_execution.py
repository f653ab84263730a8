from pathlib import Path

import pytest

from qdcomp.engines.cp2k import Cp2kEngine
from qdcomp.errors import EngineError
from qdcomp.recipes.execution import run_job


def test_a_program_that_is_not_the_engine_says_so_in_its_own_words(monkeypatch, tmp_path: Path):
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\necho module openmpi is not loaded >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("QDCOMP_CP2K_COMMAND", str(program))
    directory = tmp_path / "job"
    directory.mkdir()
    with pytest.raises(EngineError, match="module openmpi is not loaded"):
        run_job(Cp2kEngine(), directory)
