"""Jobs of VASP that the stand-in has run, without custodian."""

import subprocess
from pathlib import Path

import pytest

from builders.vasp_potcars import write_potcars
from builders.vasp_stand_in import install_stand_in
from qdcomp.engines.base import EngineJob
from qdcomp.engines.vasp import VaspEngine


def run_stand_in(directory: Path, job: EngineJob) -> Path:
    """Write a job into a new directory and run it once."""
    directory.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PMG_VASP_PSP_DIR", str(write_potcars(directory.parent / "sets")))
        patch.setenv("QDCOMP_VASP", str(install_stand_in(directory.parent / "bin")))
        patch.delenv("QDCOMP_VASP_GAMMA", raising=False)
        patch.delenv("VASP_STAND_IN", raising=False)
        engine = VaspEngine()
        engine.write_inputs(directory, job)
        with (directory / "vasp.out").open("w") as output:
            subprocess.run(engine.command(directory), cwd=directory, stdout=output, check=True)
    return directory
