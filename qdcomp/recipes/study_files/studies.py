"""Studies: YAML files that say what to build, run and analyse, checked before anything runs.

``workflows/demo.yaml`` is a commented example. A quantity carries its unit, ``10 fs``; a duration
is a whole number of time steps; everything that is wrong in a file is reported at once, with its
line. Settings of an engine are checked by the engine (`qdcomp.engines.Engine.check`).

What an engine needs differently from the others, how far it relaxes and on which k-points, may
stand among its own settings: ``engines: {cp2k: {relaxation: {…}, kpoints: [2, 2, 1]}}``.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import yaml

from qdcomp.engines import ENGINES, RelaxationSettings
from qdcomp.errors import InputError
from qdcomp.plain_yaml import decode_text
from qdcomp.recipes.study_files.dot_schema import DotStudy
from qdcomp.recipes.study_files.dot_sections import check_dot, read_dot_fields
from qdcomp.recipes.study_files.quantities import ENERGY, FORCE
from qdcomp.recipes.study_files.study_document import Problems, Section, compose_document
from qdcomp.recipes.study_files.study_schema import (
    HIGHEST_PRIORITY,
    MAX_STEPS,
    ReferenceSpec,
    Study,
)
from qdcomp.recipes.study_files.surface_schema import SurfaceStudy
from qdcomp.recipes.study_files.surface_sections import check_surface, read_surface_fields
from qdcomp.resources import is_file

DOT_RECIPE = "dot_linewidth"

SURFACE_RECIPES = ("ligand_binding", "surface_energy", "ligand_pair", "gas_entropy")

RECIPES = (DOT_RECIPE, *SURFACE_RECIPES)
"""Recipes that a study may name."""

LARGEST_SEED = 2**31 - 1

SWEEP_KEY = "sweep"
"""Section that makes a study one of many members (`qdcomp.recipes.campaigns`)."""

_FILE_ENDINGS = (".yaml", ".yml")
"""Endings of a setting that is the path of a file."""

LONGEST_NAME = 80
"""Most characters of the name of a study."""

_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_.-]{{0,{LONGEST_NAME - 1}}}")


def read_study(path: Path | str, *, engine: str | None = None) -> Study:
    """Read and check a study.

    Parameters
    ----------
    path
        A YAML file; `qdcomp.resources.find_study` finds a shipped one by its name.
    engine
        Engine to use instead of the one that the file names.

    Raises
    ------
    InputError
        The file is missing, or asks for something impossible, every problem with its line; or it
        is a sweep of many studies.
    ParseError
        The file is not YAML.
    """
    path = Path(path)
    content, node = open_study_file(path)
    for key, _ in node.value:
        if key.value == SWEEP_KEY:
            raise InputError(
                f"{path}, line {key.start_mark.line + 1}: this study has a sweep, so it is many, "
                "and this needs one: take one of its members from the folder of the campaign, or "
                "remove the sweep"
            )
    return read_study_node(node, Problems(path), content, engine=engine)


def open_study_file(path: Path) -> tuple[bytes, yaml.MappingNode]:
    """Content of the file of a study, and its YAML as a node.

    Raises
    ------
    InputError
        The file is missing.
    ParseError
        It is not YAML in UTF-8.
    """
    content = _read_bytes(path)
    return content, compose_document(path, decode_text(content, path))


def read_study_node(
    node: yaml.MappingNode, problems: Problems, content: bytes, *, engine: str | None = None
) -> Study:
    """Read and check a study from its YAML.

    Parameters
    ----------
    node
        The YAML of the file, without a sweep.
    problems
        Where problems are noted.
    content
        Content of the file, whose hash the study keeps.
    engine
        Engine to use instead of the one that the file names.

    Raises
    ------
    InputError
        As `read_study`.
    """
    if engine is not None and engine not in ENGINES:
        raise InputError(f"there is no engine {engine!r}; engines: {', '.join(ENGINES)}")
    path, document = problems.path, Section(node, "", problems)
    fields = _read_common_fields(document, engine)
    if fields["recipe"] is None:
        document.pass_over("recipe")  # which keys there may be is the recipe's to say
        document.finish()
        problems.raise_if_any()
    own_settings = _take_engine_section(document, fields["engine"])
    common = _read_relaxation(document)
    fields["relaxation"] = _read_relaxation(own_settings) or common or RelaxationSettings()
    is_dot = fields["recipe"] not in SURFACE_RECIPES
    if is_dot:
        fields |= read_dot_fields(document)
    else:
        fields |= read_surface_fields(document, own_settings, fields["recipe"], path.parent)
    settings = own_settings.take_everything() if own_settings else {}
    document.finish()
    problems.raise_if_any()
    fields["engine_settings"] = _find_named_files(settings, path.parent)
    fields |= {"source": path, "source_sha256": hashlib.sha256(content).hexdigest()}
    study = _make_study(fields, document, is_dot)
    problems.raise_if_any()
    return study


def _make_study(fields: dict[str, Any], document: Section, is_dot: bool) -> Study:
    if is_dot:
        dot_study = DotStudy(**fields)
        check_dot(dot_study, document)
        return dot_study
    surface_study = SurfaceStudy(**fields)
    check_surface(surface_study, document)
    return surface_study


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot read the study {path}: {reason}") from None


def _read_common_fields(document: Section, engine: str | None) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "name": _read_name(document),
        "description": (document.take_text("description") or "").strip(),
        "recipe": document.take_choice("recipe", RECIPES, required=" or ".join(RECIPES)),
        "engine": document.take_choice("engine", tuple(ENGINES), required=next(iter(ENGINES))),
        "reference": _read_reference(document),
    }
    fields["engine"] = engine or fields["engine"]
    seed = document.take_integer("seed", 0, LARGEST_SEED)
    reuse = document.take_flag("reuse")
    return fields | {
        "seed": 1 if seed is None else seed,
        "priority": document.take_integer("priority", 0, HIGHEST_PRIORITY) or 0,
        "reuse": True if reuse is None else reuse,
    }


def _read_name(document: Section) -> str | None:
    name = document.take_text("name", required="raino2022_dot_1p8nm")
    if name is not None and not _NAME.fullmatch(name):
        document.complain(
            "name",
            f"{name!r} names jobs and folders; use up to 80 letters, digits, '_', '-' and '.', "
            "a letter or digit first",
        )
    return name


def _read_reference(document: Section) -> ReferenceSpec | None:
    section = document.take_section("reference")
    if section is None:
        return None
    paper = section.take_text("paper", required="raino2022")
    dot, entry = section.take_text("dot"), section.take_text("entry")
    section.finish()
    return ReferenceSpec(paper or "", dot, entry)


def _read_relaxation(place: Section | None) -> RelaxationSettings | None:
    section = place.take_section("relaxation") if place else None
    if section is None:
        return None
    default = RelaxationSettings()
    force = section.take_quantity("max_force", FORCE)
    change = section.take_quantity("max_energy_change", ENERGY)
    steps = section.take_integer("max_steps", 1, MAX_STEPS)
    if force is not None and change is not None:
        section.complain(
            "max_energy_change",
            "a relaxation is converged by the force or by the change of the energy; give max_force "
            "or max_energy_change, not both",
        )
    section.finish()
    return RelaxationSettings(
        force or default.max_force_ev_per_angstrom, steps or default.max_steps, change
    )


def _take_engine_section(document: Section, engine: str | None) -> Section | None:
    """Take the settings of the engine that runs; those of the others are only tried for units."""
    section = document.take_section("engines")
    if section is None:
        return None
    settings = {name: section.take_section(name) for name in ENGINES}
    section.finish()
    for name, others in settings.items():
        if others is not None and name != engine:
            others.take_everything()
    return settings.get(engine or "")


def _find_named_files(settings: dict[str, object], folder: Path) -> dict[str, object]:
    """Give the files that settings name by a path their absolute one: jobs run in other folders.

    A path is relative to the folder of the study, or else to the current one.
    """
    found = dict(settings)
    for name, value in settings.items():
        if isinstance(value, str) and value.endswith(_FILE_ENDINGS):
            there = [place / value for place in (folder, Path()) if is_file(place / value)]
            found[name] = str(there[0].resolve()) if there else value
    return found
