"""What a study of ligands and surfaces says, as frozen dataclasses in internal units."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from qdcomp.errors import InputError
from qdcomp.recipes.study_files.quantities import (
    LENGTH,
    PRESSURE,
    TEMPERATURE,
    format_optional,
    format_quantity,
)
from qdcomp.recipes.study_files.study_schema import Study
from qdcomp.structures.conformers import ConformerChoice
from qdcomp.structures.slab import Crystal, Sides

EntropyMethod = Literal["rigid", "rrho", "quasi-rrho"]
FragmentForm = Literal["tail", "amine", "ion_pair"]

Fragment = Literal["", "ligand", "surface"]

KPoints = tuple[int, int, int]

ZONE_CENTRE: KPoints = (1, 1, 1)

ION_PAIR, CATION, COUNTERION, ENTROPY_LIGAND = "ion_pair", "ligand", "counterion", "entropy_ligand"
"""Names of the free molecules of a study."""


@dataclass(frozen=True)
class SlabSpec:
    """The surface.

    Attributes
    ----------
    repeat
        Surface unit cells along x and y.
    layers
        Number of BX2 layers.
    composition
        Perovskite, ``CsPbBr3``.
    facet
        Miller indices of the surface, ``100``.
    termination
        Outermost layer, ``CsBr``.
    crystal
        ``cubic``, ``orthorhombic``.
    lattice_constant_angstrom
        Edge of the cubic unit cell [Å]; None takes the crystal's own.
    vacuum_angstrom
        Vacuum between the outermost atoms of two images [Å]; None takes what the ligand needs.
    sides
        Whether ligands are on both sides of the slab or on one.
    frozen
        ``all``: the atoms of the perovskite stay where the crystal has them; ``none``: all move.
    kpoints
        Monkhorst–Pack grid of the slab.
    """

    repeat: tuple[int, int] = (2, 2)
    layers: int = 1
    composition: str = "CsPbBr3"
    facet: str = "100"
    termination: str = "CsBr"
    crystal: Crystal = "orthorhombic"
    lattice_constant_angstrom: float | None = None
    vacuum_angstrom: float | None = None
    sides: Sides = "both"
    frozen: Literal["all", "none"] = "all"
    kpoints: KPoints = ZONE_CENTRE


@dataclass(frozen=True)
class LigandSpec:
    """The ligand.

    Attributes
    ----------
    name
        Name in the library, SMILES, or file.
    charge
        Total charge of a ligand from a file [e]; None where it is known.
    conformer
        ``lowest``, ``extended`` or ``xtb``.
    counterion
        What it is paired with in the gas phase, and removed with from the surface: the halide of
        the slab, where there is one.
    box_angstrom
        Edge of the cubic box of molecules [Å]; None leaves it to the engine.
    """

    name: str
    charge: int | None = None
    conformer: ConformerChoice = "lowest"
    counterion: str = "Br"
    box_angstrom: float | None = None


@dataclass(frozen=True)
class CoverageSpec:
    """Which coverages are computed, in which configurations.

    Attributes
    ----------
    bound
        Numbers of bound ligands; empty takes every one from none to all sites.
    configurations
        ``ewald``: the configuration of lowest electrostatic energy of each number; ``all``; or
        names of configurations.
    """

    bound: tuple[int, ...] = ()
    configurations: Literal["ewald", "all"] | tuple[str, ...] = "ewald"


@dataclass(frozen=True)
class BindingSpec:
    """How the binding energy of one ligand is computed.

    Attributes
    ----------
    site
        Site that the ligand takes; empty takes the first one of the upper side.
    reference
        What the ligand comes from: its ion pair in the gas phase, or separate ions.
    counterpoise
        Whether the basis-set superposition error is computed with ghost atoms.
    """

    site: str = ""
    reference: Literal["ion_pair", "separate_ions"] = "ion_pair"
    counterpoise: bool = False


@dataclass(frozen=True)
class PairSpec:
    """Which ligands are taken from the surface, and how they are moved against each other.

    Attributes
    ----------
    geometry
        ``relaxed``: as the engine relaxed the full layer; ``built``: as placed.
    form
        What is left of each ligand, uncharged: its ``tail`` with the head group replaced by H,
        its ``amine``, or its ``ion_pair``.
    neighbours
        Number of nearest ligands around the first one.
    displacements_angstrom
        Displacements along the line between the two nearest molecules [Å]; empty scans nothing.
    """

    geometry: Literal["relaxed", "built"] = "built"
    form: FragmentForm = "tail"
    neighbours: int = 1
    displacements_angstrom: tuple[float, ...] = ()


@dataclass(frozen=True)
class ThermodynamicsSpec:
    """How the entropy of the free ligand is computed.

    Attributes
    ----------
    temperature_k, pressure_pa
        Temperature [K] and pressure [Pa] of the gas.
    method
        ``rigid``, ``rrho`` or ``quasi-rrho``; the last two need frequencies.
    ligand
        Ligand whose entropy is taken; empty takes the study's own. The paper puts truncated
        tails on the surface, and takes the entropy of the whole ligand.
    symmetry_number
        Symmetry number of the rotation; None takes the conformer's.
    """

    temperature_k: float = 298.15
    pressure_pa: float = 101325.0
    method: EntropyMethod = "rigid"
    ligand: str = ""
    symmetry_number: int | None = None


@dataclass(frozen=True, kw_only=True)
class SurfaceStudy(Study):
    """A study of ligands: on a surface, in pairs or in the gas phase.

    Attributes
    ----------
    ligand
        The ligand.
    slab
        The surface; None where there is none, as in ``gas_entropy``.
    coverage, binding, pair, thermodynamics
        What the recipe does with them.
    relax_molecules
        Whether molecules are relaxed by the engine; without, they stay as built.
    final_kpoints
        Grid of a last energy of each relaxed slab; None where the relaxation's energy is taken.
    """

    ligand: LigandSpec
    slab: SlabSpec | None = None
    coverage: CoverageSpec = field(default_factory=CoverageSpec)
    binding: BindingSpec = field(default_factory=BindingSpec)
    pair: PairSpec = field(default_factory=PairSpec)
    thermodynamics: ThermodynamicsSpec = field(default_factory=ThermodynamicsSpec)
    relax_molecules: bool = True
    final_kpoints: KPoints | None = None

    def describe_body(self) -> dict[str, Any]:
        """Give what only a study of ligands has, as its file holds it."""
        body: dict[str, Any] = {
            "ligand": _describe_ligand(self.ligand),
            "slab": _describe_slab(self.slab) if self.slab else None,
            "thermodynamics": _describe_thermodynamics(self.thermodynamics),
            "relax_molecules": self.relax_molecules,
            "final_kpoints": list(self.final_kpoints) if self.final_kpoints else None,
        }
        if self.recipe == "surface_energy":
            body["coverage"] = _describe_coverage(self.coverage)
        if self.recipe == "ligand_binding":
            body["binding"] = vars(self.binding) | {"site": self.binding.site or None}
        if self.recipe == "ligand_pair":
            body["pair"] = _describe_pair(self.pair)
        return body


def as_surface_study(study: Study) -> SurfaceStudy:
    """Take a study for one of ligands and surfaces.

    Raises
    ------
    InputError
        It is of another recipe.
    """
    if isinstance(study, SurfaceStudy):
        return study
    raise InputError(
        f"{study.name} is a study of the recipe {study.recipe}, and this needs one of ligands "
        "(recipe: ligand_binding, surface_energy, ligand_pair or gas_entropy)"
    )


def _describe_ligand(spec: LigandSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "charge": spec.charge,
        "conformer": spec.conformer,
        "counterion": spec.counterion,
        "box": format_optional(spec.box_angstrom, LENGTH),
    }


def _describe_slab(spec: SlabSpec) -> dict[str, Any]:
    return {
        "repeat": list(spec.repeat),
        "layers": spec.layers,
        "composition": spec.composition,
        "facet": spec.facet,
        "termination": spec.termination,
        "crystal": spec.crystal,
        "lattice_constant": format_optional(spec.lattice_constant_angstrom, LENGTH),
        "vacuum": format_optional(spec.vacuum_angstrom, LENGTH),
        "sides": spec.sides,
        "frozen": spec.frozen,
        "kpoints": list(spec.kpoints),
    }


def _describe_coverage(spec: CoverageSpec) -> dict[str, Any]:
    chosen = spec.configurations
    return {
        "bound": list(spec.bound) or None,
        "configurations": chosen if isinstance(chosen, str) else list(chosen),
    }


def _describe_pair(spec: PairSpec) -> dict[str, Any]:
    moved = [format_quantity(shift, LENGTH) for shift in spec.displacements_angstrom]
    return {
        "geometry": spec.geometry,
        "form": spec.form,
        "neighbours": spec.neighbours,
        "displacements": moved or None,
    }


def _describe_thermodynamics(spec: ThermodynamicsSpec) -> dict[str, Any]:
    return {
        "temperature": format_quantity(spec.temperature_k, TEMPERATURE),
        "pressure": format_quantity(spec.pressure_pa, PRESSURE),
        "method": spec.method,
        "ligand": spec.ligand or None,
        "symmetry_number": spec.symmetry_number,
    }
