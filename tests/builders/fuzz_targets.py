"""Readers of YAML files, as `builders.reader_fuzz` calls them: each takes a path."""

from pathlib import Path

from qdcomp.compare import load_published
from qdcomp.engines.model import read_parameters
from qdcomp.recipes.plan import plan_jobs
from qdcomp.recipes.settings_check import check_engine_settings
from qdcomp.recipes.studies import read_study


def read_and_plan(path: Path) -> None:
    """Read a study and do what is checked before anything large is built."""
    study = read_study(path)
    check_engine_settings(study)
    assert len(plan_jobs(study)) >= 1


def read_model_parameters(path: Path) -> None:
    """Read a parameter file of the engine ``model``."""
    read_parameters(str(path))


def read_own_numbers(path: Path) -> None:
    """Read a user's file of published numbers."""
    load_published([path])
