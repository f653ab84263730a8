"""What a study of a dot says, as frozen dataclasses in internal units."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from qdcomp.engines import DynamicsSettings
from qdcomp.errors import InputError
from qdcomp.recipes.study_files.quantities import (
    LENGTH,
    TEMPERATURE,
    TIME,
    format_all,
    format_optional,
    format_quantity,
)
from qdcomp.recipes.study_files.study_schema import Study
from qdcomp.structures.quantum_dot import ChargePolicy

WINDOWS = ("hann", "rectangular")
"""Windows that the Huang–Rhys spectrum may use."""


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


@dataclass(frozen=True, kw_only=True)
class DotStudy(Study):
    """A study of one dot: recipe ``dot_linewidth``.

    Attributes
    ----------
    structure, equilibration, sampling, analysis
        What is built and done.
    """

    structure: StructureSpec
    sampling: SamplingSpec
    equilibration: tuple[EquilibrationStage, ...] = ()
    analysis: AnalysisSpec = field(default_factory=AnalysisSpec)

    def describe_body(self) -> dict[str, Any]:
        """Give what only a study of a dot has, as its file holds it."""
        return {
            "structure": _describe_structure(self.structure),
            "equilibration": [
                {"temperature": format_optional(stage.temperature_k, TEMPERATURE)}
                | _describe_dynamics(stage)
                for stage in self.equilibration
            ],
            "sampling": {"temperatures": format_all(self.sampling.temperatures_k, TEMPERATURE)}
            | _describe_dynamics(self.sampling)
            | {"segments": self.sampling.segments},
            "analysis": {
                "emission_temperature": format_optional(
                    self.analysis.emission_temperature_k, TEMPERATURE
                ),
                "linewidth_temperatures": format_all(
                    self.analysis.linewidth_temperatures_k, TEMPERATURE
                )
                or None,
                "window": self.analysis.window,
                "normal_modes": self.analysis.normal_modes,
            },
        }


def as_dot_study(study: Study) -> DotStudy:
    """Take a study for one of a dot.

    Raises
    ------
    InputError
        It is of another recipe.
    """
    if isinstance(study, DotStudy):
        return study
    raise InputError(
        f"{study.name} is a study of the recipe {study.recipe}, and this needs one of a dot "
        "(recipe: dot_linewidth)"
    )


def _describe_structure(spec: StructureSpec) -> dict[str, Any]:
    return {
        "kind": spec.kind,
        "cells": spec.cells,
        "composition": spec.composition,
        "lattice_constant": format_optional(spec.lattice_constant_angstrom, LENGTH),
        "charge": spec.charge,
        "shell": vars(spec.shell) if spec.shell else None,
        "frozen": vars(spec.frozen) if spec.frozen else None,
        "box": format_optional(spec.box_angstrom, LENGTH),
    }


def _describe_dynamics(spec: EquilibrationStage | SamplingSpec) -> dict[str, Any]:
    return {
        "duration": format_quantity(spec.steps * spec.timestep_fs, TIME),
        "timestep": format_quantity(spec.timestep_fs, TIME),
        "thermostat_time": format_optional(spec.thermostat_time_fs, TIME) or "none",
    }
