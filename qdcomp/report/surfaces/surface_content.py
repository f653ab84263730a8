"""What a report on ligands and surfaces is made of: one run per engine, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from qdcomp.analysis import (
    BindingEnergy,
    IdealGasEntropy,
    InteractionScan,
    Packing,
    PairInteraction,
    SurfaceEnergyCurve,
)
from qdcomp.report.dots.content import JobRow
from qdcomp.report.surfaces.coverage_overview import CoverageOverview
from qdcomp.structures import Structure

STAND_IN = "stand-in"
"""Word in the version of an executable that only plays the part of a code."""


@dataclass(frozen=True, eq=False)
class StructurePair:
    """A structure as built, and as the engine relaxed it; None where it did not."""

    built: Structure
    relaxed: Structure | None = None

    @property
    def last(self) -> Structure:
        """The relaxed one if there is one."""
        return self.built if self.relaxed is None else self.relaxed


@dataclass(frozen=True, eq=False)
class SurfaceRunContent:
    """One run of a recipe of ligands: what one engine gave.

    Attributes
    ----------
    label
        What tells it from the other runs of the report, ``VASP``.
    engine_name, engine_version
        The code that computed it. A version that holds the word ``stand-in`` is none.
    is_surrogate
        True where the engine stands in for a first-principles code; every figure says so.
    level
        Level of theory, setting by setting.
    curve, binding, interaction, scan, entropy
        What the recipe computed; None where it did not.
    packings
        Packing of the ligands, by the name of the structure.
    structures
        Structures by name, in the order in which they are shown.
    coverage
        Arrangements of the ligands on the sites; None where there is no surface.
    entropy_ligand
        Ligand whose entropy was taken; empty where it is the ligand of the report.
    assumptions, warnings
        What was assumed, and what the reader should know.
    failures
        Why an energy is missing, by the name of the structure.
    jobs
        Jobs of the run.
    provenance
        From the study file to the settings of the jobs, nested.
    """

    label: str
    engine_name: str
    engine_version: str = ""
    is_surrogate: bool = False
    level: Mapping[str, str] = field(default_factory=dict)
    curve: SurfaceEnergyCurve | None = None
    binding: BindingEnergy | None = None
    interaction: PairInteraction | None = None
    scan: InteractionScan | None = None
    entropy: IdealGasEntropy | None = None
    packings: Mapping[str, Packing] = field(default_factory=dict)
    structures: Mapping[str, StructurePair] = field(default_factory=dict)
    coverage: CoverageOverview | None = None
    entropy_ligand: str = ""
    assumptions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    failures: Mapping[str, str] = field(default_factory=dict)
    jobs: tuple[JobRow, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def caution(self) -> str:
        """Why its numbers are not those of a first-principles code; empty where they are."""
        if STAND_IN in self.engine_version.lower():
            return f"{self.engine_name.upper()} stand-in: not a DFT result"
        if self.is_surrogate:
            return f"surrogate engine {self.engine_name}, not first principles"
        return ""

    @property
    def conditions(self) -> str:
        """Engine, main settings and temperature in one line."""
        known = [self.level[key] for key in ("functional", "dispersion") if key in self.level]
        parts = [f"{self.engine_name.upper()} {'-'.join(known)}".strip()]
        parts += [self.level[key] for key in ("basis", "cutoff") if self.level.get(key)]
        if "kpoints" in self.level:
            parts.append(f"k-points {self.level['kpoints']}")
        if self.curve is not None:
            parts.append(f"{self.curve.temperature_k:g} K")
        elif self.entropy is not None:
            parts.append(f"{self.entropy.temperature_k:g} K")
        return ", ".join(parts)


@dataclass(frozen=True, eq=False)
class SurfaceReportContent:
    """Everything that a report on ligands and surfaces shows.

    Attributes
    ----------
    recipe
        ``surface_energy``, ``ligand_binding``, ``ligand_pair`` or ``gas_entropy``; of runs of
        several recipes, their names with commas.
    title
        Title of the page.
    ligand
        Name of the ligand in the library, or what the study calls it.
    runs
        One per engine, at least one.
    paper
        Paper whose numbers stand beside, ``mi2025``; None for none.
    surrogate_note
        How far a surrogate is to be trusted, one or two sentences.
    """

    recipe: str
    title: str
    ligand: str
    runs: tuple[SurfaceRunContent, ...]
    paper: str | None = None
    surrogate_note: str = ""

    @property
    def cautions(self) -> tuple[str, ...]:
        """What every figure says of its runs; with the run's label where others are sound."""
        several = len(self.runs) > 1
        return tuple(
            name_run(run, run.caution) if several else run.caution
            for run in self.runs
            if run.caution
        )

    def describe_conditions(self, chosen: tuple[SurfaceRunContent, ...]) -> tuple[str, ...]:
        """Give engine and settings of these runs, each with its label where there are several."""
        several = len(self.runs) > 1
        return tuple(name_run(run, run.conditions) if several else run.conditions for run in chosen)


def name_run(run: SurfaceRunContent, text: str) -> str:
    """Put the label of a run before a text that does not begin with it."""
    return text if text.startswith(run.label) else f"{run.label}: {text}"
