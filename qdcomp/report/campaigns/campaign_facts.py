"""What a study is about, in the words that the index of a campaign filters by."""

from __future__ import annotations

from dataclasses import dataclass

from qdcomp.recipes.study_files.dot_schema import DotStudy, StructureSpec
from qdcomp.recipes.study_files.study_schema import Study
from qdcomp.recipes.study_files.surface_schema import SurfaceStudy

KINDS = {
    "dot_linewidth": "dot linewidth",
    "ligand_binding": "ligand binding",
    "surface_energy": "surface energy",
    "ligand_pair": "ligand pair",
    "gas_entropy": "ligand entropy",
}
"""Recipes in words."""

ANGSTROM_PER_NM = 10.0
"""Å in a nm."""


@dataclass(frozen=True)
class StudyFacts:
    """What a row of the index says of a study; empty where it does not apply.

    Attributes
    ----------
    kind
        Recipe in words.
    engine
        Engine that computes it.
    material
        Composition, with the shell and what is frozen.
    size
        Edge of a dot or extent of a slab.
    ligand
        Ligand as the study names it.
    temperature
        Temperatures of the trajectories, or of the gas.
    edge_nm
        Edge of a dot [nm]; None where unknown.
    """

    kind: str = ""
    engine: str = ""
    material: str = ""
    size: str = ""
    ligand: str = ""
    temperature: str = ""
    edge_nm: float | None = None


def describe_study(study: Study, edge_angstrom: float | None = None) -> StudyFacts:
    """Describe a study for the index.

    Parameters
    ----------
    study
        The study.
    edge_angstrom
        Edge of the built dot [Å]; None takes cells times lattice constant, where the study gives
        both.
    """
    kind = KINDS.get(study.recipe, study.recipe)
    if isinstance(study, DotStudy):
        edge_nm = _find_edge(study.structure, edge_angstrom)
        cells = study.structure.cells
        return StudyFacts(
            kind=kind,
            engine=study.engine,
            material=_name_dot(study.structure),
            size=f"{cells} cells" if edge_nm is None else f"{edge_nm:.2f} nm",
            temperature=_name_temperatures(study.sampling.temperatures_k),
            edge_nm=edge_nm,
        )
    if not isinstance(study, SurfaceStudy):
        return StudyFacts(kind=kind, engine=study.engine)
    slab = study.slab
    return StudyFacts(
        kind=kind,
        engine=study.engine,
        material="" if slab is None else f"{slab.composition} ({slab.facet})",
        size="molecule"
        if slab is None
        else f"{slab.repeat[0]}×{slab.repeat[1]}×{slab.layers} slab",
        ligand=study.ligand.name,
        temperature=f"{study.thermodynamics.temperature_k:g} K",
    )


def _find_edge(spec: StructureSpec, edge_angstrom: float | None) -> float | None:
    if edge_angstrom is None and spec.lattice_constant_angstrom is not None:
        edge_angstrom = spec.cells * spec.lattice_constant_angstrom
    return edge_angstrom / ANGSTROM_PER_NM if edge_angstrom else None


def _name_dot(spec: StructureSpec) -> str:
    name = spec.composition
    if spec.shell is not None:
        name += f"/{spec.shell.composition}"
    if spec.frozen is not None:
        depth = f"{spec.frozen.shell_cells:g}-cell"
        held = f"{depth} shell" if spec.frozen.region == "shell" else f"core below a {depth} shell"
        name += f", {held} frozen"
    return name


def _name_temperatures(temperatures_k: tuple[float, ...]) -> str:
    if len(temperatures_k) == 1:
        return f"{temperatures_k[0]:g} K"
    return f"{min(temperatures_k):g}–{max(temperatures_k):g} K ({len(temperatures_k)})"
