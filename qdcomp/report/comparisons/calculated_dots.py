"""Finished runs of dots as what comparisons are made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from qdcomp.analysis import DotAnalysis, ModeCoupling
from qdcomp.compare.observable import Observable
from qdcomp.compare.published_linewidths import LINEWIDTH
from qdcomp.compare.sizes import CORE_SHELL
from qdcomp.compare.surface_share import CoreShellRuns, DotModes, DotRuns, SurfaceRoutes
from qdcomp.compare.verdict import SURROGATE
from qdcomp.experiment import Estimate
from qdcomp.recipes.runs.results import load_result
from qdcomp.recipes.runs.run_directory import (
    ANALYSIS_NAME,
    MODES_NAME,
    RunDirectory,
    check_analyses,
)
from qdcomp.recipes.study_files.dot_schema import StructureSpec
from qdcomp.report.dots.comparison_panels import MEV, predict_linewidth

ANGSTROM_PER_NM = 10.0

_PLAIN: dict[str, Any] = {"kind": "quantum_dot", "shell": None}
"""What a core/shell dot is without its shell."""


@dataclass(frozen=True)
class CalculatedDot:
    """One finished run of a dot.

    Attributes
    ----------
    label
        The dot in a few words: size, shell, what is frozen.
    source
        Engine that calculated it.
    is_surrogate
        Whether that engine is one.
    structure
        What was built, as the study says.
    edge_nm
        Edge of the built dot [nm].
    analysis
        Observables at the lowest temperature of the study.
    modes
        Coupling of the normal modes; None where they were not computed.
    """

    label: str
    source: str
    is_surrogate: bool
    structure: StructureSpec
    edge_nm: float
    analysis: DotAnalysis
    modes: ModeCoupling | None

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What stands between this calculation and the dot it is of."""
        surrogate = f"{self.source} is no DFT: absolute values are not those of PBE"
        classical = (
            "classical Γ(T) from the coupling at "
            f"{self.analysis.temperature_k:g} K, harmonic (PHYSICS.md, section 4)"
        )
        return (surrogate, classical) if self.is_surrogate else (classical,)


def load_calculated_dot(run: RunDirectory) -> CalculatedDot:
    """Read the results of a finished run of a dot.

    Raises
    ------
    InputError
        If the run is not one of a dot, or not finished.
    StoreError
        If a result is damaged.
    """
    study = run.dot_study
    check_analyses(run)
    coldest = min(study.sampling.temperatures_k)
    modes = run.modes_directory / MODES_NAME
    edge_nm = run.read_built().edge_angstrom / ANGSTROM_PER_NM
    return CalculatedDot(
        label=f"{_name_dot(study.structure, edge_nm)} ({coldest:g} K run)",
        source=f"engine {study.engine} ({SURROGATE})"
        if run.engine.is_surrogate
        else f"engine {study.engine}",
        is_surrogate=run.engine.is_surrogate,
        structure=study.structure,
        edge_nm=edge_nm,
        analysis=load_result(run.find_file("analyse", coldest, ANALYSIS_NAME), DotAnalysis),
        modes=load_result(modes, ModeCoupling) if modes.is_file() else None,
    )


def observe_linewidths(
    dots: Sequence[CalculatedDot], temperature_k: float
) -> tuple[Observable, ...]:
    """Predict Γ(T) of all dots whose atoms are all free to move.

    Parameters
    ----------
    dots
        Calculated dots.
    temperature_k
        Temperature of the emission [K].
    """
    return tuple(_observe(dot, temperature_k) for dot in dots if dot.structure.frozen is None)


def _observe(dot: CalculatedDot, temperature_k: float) -> Observable:
    width = predict_linewidth(dot.analysis, temperature_k)
    return Observable(
        quantity=LINEWIDTH,
        value=width.value_ev * MEV,
        error=width.error_ev * MEV,
        unit="meV",
        origin="calculated",
        source=dot.source,
        label=dot.label,
        temperature_k=temperature_k,
        edge_nm=Estimate(dot.edge_nm, math.nan),
        assumptions=dot.assumptions,
    )


def find_surface_routes(dots: Sequence[CalculatedDot]) -> SurfaceRoutes:
    """Sort runs into the routes to the surface's share: frozen shells, modes, core/shell.

    The free dot is that which the frozen shells belong to; without these the largest with modes.
    """
    frozen = [
        dot for dot in dots if dot.structure.frozen and dot.structure.frozen.region == "shell"
    ]
    free = [dot for dot in dots if dot.structure.frozen is None and dot.structure.shell is None]
    partner = next((dot for dot in free if any(_same_dot(dot, one) for one in frozen)), None)
    chosen = partner or max(
        free, key=lambda dot: (dot.modes is not None, dot.edge_nm), default=None
    )
    if chosen is None:
        return SurfaceRoutes()
    return SurfaceRoutes(
        free=_collect_seeds(chosen, free),
        frozen={
            float(dot.structure.frozen.shell_cells): _collect_seeds(dot, frozen)
            for dot in frozen
            if dot.structure.frozen and _same_dot(dot, chosen)
        },
        modes=None
        if chosen.modes is None
        else DotModes(chosen.label, chosen.source, chosen.modes, chosen.edge_nm),
        core_shell=tuple(_pair_core_shell(dots, free)),
    )


def _pair_core_shell(
    dots: Sequence[CalculatedDot], free: Sequence[CalculatedDot]
) -> list[CoreShellRuns]:
    """Core/shell dots, each with a plain dot of its outer edge and engine."""
    pairs = []
    for dot in dots:
        if dot.structure.shell is None or dot.structure.frozen is not None:
            continue
        plain = next(
            (
                one
                for one in free
                if _same_dot(one, replace(dot, structure=replace(dot.structure, **_PLAIN)))
            ),
            None,
        )
        if plain is not None:
            shell = float(dot.structure.shell.cells)
            pairs.append(CoreShellRuns(_as_runs(plain), _as_runs(dot), shell, "edge"))
    return pairs


def _same_dot(one: CalculatedDot, other: CalculatedDot) -> bool:
    """Whether two runs are of one dot at one temperature, whatever is frozen in either."""
    keys = [
        (
            dot.source,
            replace(dot.structure, frozen=None, box_angstrom=None),
            dot.analysis.temperature_k,
        )
        for dot in (one, other)
    ]
    return keys[0] == keys[1]


def _collect_seeds(dot: CalculatedDot, among: Sequence[CalculatedDot]) -> DotRuns:
    seeds = [
        one.analysis
        for one in among
        if one.label == dot.label
        and one.source == dot.source
        and one.analysis.temperature_k == dot.analysis.temperature_k
    ]
    return DotRuns(dot.label, dot.source, seeds, dot.edge_nm)


def _as_runs(dot: CalculatedDot) -> DotRuns:
    return DotRuns(dot.label, dot.source, [dot.analysis], dot.edge_nm)


def _name_dot(spec: StructureSpec, edge_nm: float) -> str:
    name = f"{edge_nm:.2g} nm"
    if spec.charge != "formal":
        name += f", charge {spec.charge}"
    if spec.shell is not None:
        name += f" {CORE_SHELL} {spec.composition}/{spec.shell.composition}"
    if spec.frozen is not None:
        name += f", {spec.frozen.shell_cells:g}-cell {spec.frozen.region} frozen"
    return name
