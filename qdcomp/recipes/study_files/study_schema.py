"""What every study says, as a frozen dataclass in internal units; recipes add their own part."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from qdcomp.engines import RelaxationSettings
from qdcomp.recipes.study_files.quantities import ENERGY, FORCE, format_optional, format_quantity

MAX_STEPS = 10**9
"""Most steps that a study may ask for in one stretch of dynamics or one relaxation."""

HIGHEST_PRIORITY = 100
"""Highest priority of a study."""

INDIFFERENT = ("name", "description", "reference", "priority", "reuse")
"""What a study says that does not decide its results."""


@dataclass(frozen=True)
class ReferenceSpec:
    """The published numbers that a study is held against.

    Attributes
    ----------
    paper
        Paper in ``published.yaml``.
    dot
        Dot in the paper's table, ``1.8 nm``; None where the study is of another kind.
    entry
        Other entry of the paper, ``frozen_shell_2p9nm_300K``; None for its table of dots.
    """

    paper: str
    dot: str | None = None
    entry: str | None = None


@dataclass(frozen=True, kw_only=True)
class Study:
    """A campaign of calculations, validated; each recipe has its own kind of study.

    Attributes
    ----------
    name, description
        What it is called, and about.
    recipe
        Recipe that runs it.
    engine
        Engine that computes it.
    reference
        Published numbers to hold it against; None where there are none.
    relaxation
        How far geometries are relaxed.
    engine_settings
        Settings of `engine`, as the study gives them; a quantity is a number, in the unit that
        the name of the setting ends in (``cutoff_ry``), else in the internal unit.
    seed
        Seed of everything random in it.
    priority
        FireWorks starts the jobs of a higher one first, 0 to `HIGHEST_PRIORITY`.
    reuse
        Whether a job is taken over from another run that has done it already.
    source
        File that it was read from.
    source_sha256
        SHA-256 of the text of that file.
    """

    name: str
    description: str
    recipe: str
    engine: str
    relaxation: RelaxationSettings = field(default_factory=RelaxationSettings)
    engine_settings: Mapping[str, Any] = field(default_factory=dict)
    reference: ReferenceSpec | None = None
    seed: int = 1
    priority: int = 0
    reuse: bool = True
    source: Path | None = None
    source_sha256: str = ""

    def describe_body(self) -> dict[str, Any]:
        """Give what only this kind of study has, as its file holds it."""
        raise NotImplementedError

    @property
    def study_hash(self) -> str:
        """SHA-256 of all that decides the results: not of what `INDIFFERENT` names."""
        decisive = self.to_dict()
        for key in INDIFFERENT:
            decisive.pop(key, None)
        return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()

    def to_yaml(self) -> str:
        """Write the study as YAML that `read_study` reads back to the same study."""
        return str(yaml.safe_dump(self.to_dict(), sort_keys=False, allow_unicode=True, width=100))

    def to_dict(self) -> dict[str, Any]:
        """Give the study as the mapping that its file holds, every default spelled out."""
        content: dict[str, Any] = _drop_none(
            {
                "name": self.name,
                "description": self.description,
                "recipe": self.recipe,
                "engine": self.engine,
                "reference": vars(self.reference) if self.reference else None,
                "relaxation": _describe_relaxation(self.relaxation),
            }
            | self.describe_body()
            | {"engines": {self.engine: dict(self.engine_settings)}, "seed": self.seed}
            | {"priority": self.priority or None, "reuse": None if self.reuse else False}
        )
        return content


def _describe_relaxation(relaxation: RelaxationSettings) -> dict[str, Any]:
    change = format_optional(relaxation.max_energy_change_ev, ENERGY)
    force = format_quantity(relaxation.max_force_ev_per_angstrom, FORCE)
    return {
        "max_force": None if change else force,
        "max_energy_change": change,
        "max_steps": relaxation.max_steps,
    }


def _drop_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _drop_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_drop_none(item) for item in value]
    return value
