"""Readers of YAML files, as `builders.reader_fuzz` calls them: each takes a path."""

from pathlib import Path

from qdcomp.compare import load_published
from qdcomp.engines.model import read_parameters
from qdcomp.recipes.campaigns.members import read_members
from qdcomp.recipes.clusters.profile_sections import read_profile
from qdcomp.recipes.plans.plan import plan_jobs
from qdcomp.recipes.study_files.settings_check import check_engine_settings


def read_and_plan(path: Path) -> None:
    """Read a study or a sweep and do what is checked before anything large is built."""
    study = read_members(path).members[0].study
    check_engine_settings(study)
    assert len(plan_jobs(study)) >= 1


def read_model_parameters(path: Path) -> None:
    """Read a parameter file of the engine ``model``."""
    read_parameters(str(path))


def read_cluster_profile(path: Path) -> None:
    """Read the profile of a cluster."""
    assert read_profile(path).stages


def read_own_numbers(path: Path) -> None:
    """Read a user's file of published numbers."""
    load_published([path])
