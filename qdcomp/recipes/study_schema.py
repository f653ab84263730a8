"""What a study says, as frozen dataclasses in internal units."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from qdcomp.engines import DynamicsSettings, RelaxationSettings
from qdcomp.recipes.quantities import FORCE, LENGTH, TEMPERATURE, TIME, Dimension, format_quantity
from qdcomp.structures.quantum_dot import ChargePolicy

RECIPES = ("dot_linewidth",)
"""Recipes that a study may name."""

WINDOWS = ("hann", "rectangular")
"""Windows that the Huang–Rhys spectrum may use."""


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


@dataclass(frozen=True)
class ShellSpec:
    """The shell of a core/shell dot: its composition and thickness [unit cells]."""

    composition: str
    cells: float


@dataclass(frozen=True)
class FrozenSpec:
    """Atoms held fixed.

    Attributes
    ----------
    region
        ``shell``: the outside is fixed and the inside moves; ``core``: the other way round.
    shell_cells
        Thickness of the outside in unit cells; 0.5 is the outermost CsBr layer.
    """

    region: Literal["shell", "core"]
    shell_cells: float


@dataclass(frozen=True)
class StructureSpec:
    """What is built.

    Attributes
    ----------
    kind
        ``quantum_dot`` or ``core_shell``.
    cells
        Unit cells along an edge.
    composition
        Composition of the dot, of the core where there is a shell.
    lattice_constant_angstrom
        Edge of the cubic unit cell [Å]; None takes the tabulated one.
    charge
        ``formal``, ``neutral``, or a number of elementary charges.
    shell, frozen
        Shell and frozen region, None where there is none.
    box_angstrom
        Edge of the cubic box [Å]; None leaves it to the engine.
    """

    kind: Literal["quantum_dot", "core_shell"]
    cells: int
    composition: str
    lattice_constant_angstrom: float | None = None
    charge: ChargePolicy | int = "formal"
    shell: ShellSpec | None = None
    frozen: FrozenSpec | None = None
    box_angstrom: float | None = None


@dataclass(frozen=True)
class EquilibrationStage:
    """A stretch of dynamics whose frames are not analysed.

    Attributes
    ----------
    temperature_k
        Temperature [K]; None runs at the sampling temperature that follows.
    steps
        Number of steps.
    timestep_fs
        Time step [fs].
    thermostat_time_fs
        Time constant of the thermostat [fs]; None runs without one.
    """

    temperature_k: float | None
    steps: int
    timestep_fs: float
    thermostat_time_fs: float | None

    def dynamics(self, sampling_temperature_k: float) -> DynamicsSettings:
        """Make the settings of this stage on the way to a sampling temperature [K]."""
        own = self.temperature_k
        return DynamicsSettings(
            temperature_k=sampling_temperature_k if own is None else own,
            timestep_fs=self.timestep_fs,
            steps=self.steps,
            thermostat_time_fs=self.thermostat_time_fs,
            frontier_orbitals=False,
        )


@dataclass(frozen=True)
class SamplingSpec:
    """The dynamics that is analysed.

    Attributes
    ----------
    temperatures_k
        Temperatures [K], each a trajectory of its own.
    steps
        Number of steps of each trajectory.
    timestep_fs
        Time step [fs].
    thermostat_time_fs
        Time constant of the thermostat [fs]; None runs without one.
    segments
        Jobs that a trajectory is split into, each going on from the one before.
    """

    temperatures_k: tuple[float, ...]
    steps: int
    timestep_fs: float
    thermostat_time_fs: float | None
    segments: int = 1

    def dynamics(self, temperature_k: float, segment: int) -> DynamicsSettings:
        """Make the settings of segment number `segment`, counted from 0, at a temperature [K].

        Segments differ by at most one step; longer ones come first.
        """
        length, longer = divmod(self.steps, self.segments)
        return DynamicsSettings(
            temperature_k=temperature_k,
            timestep_fs=self.timestep_fs,
            steps=length + (segment < longer),
            thermostat_time_fs=self.thermostat_time_fs,
            frontier_orbitals=True,
            first_step=segment * length + min(segment, longer),
        )


@dataclass(frozen=True)
class AnalysisSpec:
    """What is computed from the trajectories.

    Attributes
    ----------
    emission_temperature_k
        Temperature of the predicted emission line [K].
    linewidth_temperatures_k
        Temperatures of the table of linewidths [K]; empty takes the analysis' own.
    window
        Window of the spectrum, one of `WINDOWS`.
    normal_modes
        Whether the spectrum is also computed from normal modes, without a trajectory.
    """

    emission_temperature_k: float = 300.0
    linewidth_temperatures_k: tuple[float, ...] = ()
    window: str = "hann"
    normal_modes: bool = False


@dataclass(frozen=True)
class Study:
    """A campaign of calculations, validated.

    Attributes
    ----------
    name, description
        What it is called, and about.
    recipe
        Recipe that runs it, one of `RECIPES`.
    engine
        Engine that computes it.
    reference
        Published numbers to hold it against; None where there are none.
    structure, relaxation, equilibration, sampling, analysis
        What is built and done.
    engine_settings
        Settings of `engine`, as the study gives them; a quantity is a number, in the unit that
        the name of the setting ends in (``cutoff_ry``), else in the internal unit.
    seed
        Seed of everything random in it.
    source
        File that it was read from.
    source_sha256
        SHA-256 of the text of that file.
    """

    name: str
    description: str
    recipe: str
    engine: str
    structure: StructureSpec
    sampling: SamplingSpec
    equilibration: tuple[EquilibrationStage, ...] = ()
    relaxation: RelaxationSettings = field(default_factory=RelaxationSettings)
    analysis: AnalysisSpec = field(default_factory=AnalysisSpec)
    engine_settings: Mapping[str, Any] = field(default_factory=dict)
    reference: ReferenceSpec | None = None
    seed: int = 1
    source: Path | None = None
    source_sha256: str = ""

    @property
    def study_hash(self) -> str:
        """SHA-256 of all that decides the results: not of name, description, reference, file."""
        decisive = self.to_dict()
        for key in ("name", "description", "reference"):
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
                "structure": _describe_structure(self.structure),
                "relaxation": {
                    "max_force": format_quantity(self.relaxation.max_force_ev_per_angstrom, FORCE),
                    "max_steps": self.relaxation.max_steps,
                },
                "equilibration": [
                    {"temperature": _format(stage.temperature_k, TEMPERATURE)}
                    | _describe_dynamics(stage)
                    for stage in self.equilibration
                ],
                "sampling": {"temperatures": _format_all(self.sampling.temperatures_k)}
                | _describe_dynamics(self.sampling)
                | {"segments": self.sampling.segments},
                "analysis": {
                    "emission_temperature": _format(
                        self.analysis.emission_temperature_k, TEMPERATURE
                    ),
                    "linewidth_temperatures": _format_all(self.analysis.linewidth_temperatures_k)
                    or None,
                    "window": self.analysis.window,
                    "normal_modes": self.analysis.normal_modes,
                },
                "engines": {self.engine: dict(self.engine_settings)},
                "seed": self.seed,
            }
        )
        return content


def _describe_structure(spec: StructureSpec) -> dict[str, Any]:
    return {
        "kind": spec.kind,
        "cells": spec.cells,
        "composition": spec.composition,
        "lattice_constant": _format(spec.lattice_constant_angstrom, LENGTH),
        "charge": spec.charge,
        "shell": vars(spec.shell) if spec.shell else None,
        "frozen": vars(spec.frozen) if spec.frozen else None,
        "box": _format(spec.box_angstrom, LENGTH),
    }


def _describe_dynamics(spec: EquilibrationStage | SamplingSpec) -> dict[str, Any]:
    return {
        "duration": format_quantity(spec.steps * spec.timestep_fs, TIME),
        "timestep": format_quantity(spec.timestep_fs, TIME),
        "thermostat_time": _format(spec.thermostat_time_fs, TIME) or "none",
    }


def _format(value: float | None, dimension: Dimension) -> str | None:
    return None if value is None else format_quantity(value, dimension)


def _format_all(temperatures_k: tuple[float, ...]) -> list[str]:
    return [format_quantity(temperature, TEMPERATURE) for temperature in temperatures_k]


def _drop_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _drop_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_drop_none(item) for item in value]
    return value
