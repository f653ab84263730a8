"""The sections of a study of ligands and surfaces, read and checked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

from qdcomp.errors import InputError
from qdcomp.recipes.quantities import LENGTH, PRESSURE, TEMPERATURE
from qdcomp.recipes.study_document import Section
from qdcomp.recipes.surface_schema import (
    ZONE_CENTRE,
    BindingSpec,
    CoverageSpec,
    KPoints,
    LigandSpec,
    PairSpec,
    SlabSpec,
    SurfaceStudy,
    ThermodynamicsSpec,
)
from qdcomp.recipes.surface_structures import build_study_slab, choose_sites, load_study_ligand
from qdcomp.structures import parse_composition

MAX_REPEAT = 8
"""Most surface cells along one direction."""

MAX_LAYERS = 20

MAX_KPOINTS = 50

_LIGAND_FILES = (".xyz", ".extxyz", ".sdf", ".mol")


def read_surface_fields(
    document: Section, own_settings: Section | None, recipe: str, folder: Path
) -> dict[str, Any]:
    """Read the fields that only a `SurfaceStudy` has; what is wrong is noted in the document.

    Parameters
    ----------
    document
        The study.
    own_settings
        Settings of the engine that runs, where k-points of its own may stand.
    recipe
        Recipe of the study.
    folder
        Folder of the study, which the file of a ligand is looked for in.
    """
    fields: dict[str, Any] = {
        "ligand": _read_ligand(document, folder),
        "slab": _read_slab(document, own_settings) if recipe != "gas_entropy" else None,
        "thermodynamics": _read_thermodynamics(document),
    }
    common = _read_kpoints(document, "final_kpoints")
    fields["final_kpoints"] = _read_kpoints(own_settings, "final_kpoints") or common
    relaxes = document.take_flag("relax_molecules")
    fields["relax_molecules"] = True if relaxes is None else relaxes
    if recipe == "surface_energy":
        fields["coverage"] = _read_coverage(document)
    if recipe == "ligand_binding":
        fields["binding"] = _read_binding(document)
    if recipe == "ligand_pair":
        fields["pair"] = _read_pair(document)
    return fields


def _read_ligand(document: Section, folder: Path) -> LigandSpec | None:
    section = document.take_section("ligand", required="{name: PEA}")
    if section is None:
        return None
    name = section.take_text("name", required="PEA, a SMILES or a file")
    conformers = ("lowest", "extended", "xtb")
    conformer = section.take_choice("conformer", conformers) or "lowest"
    spec = LigandSpec(
        name=_find_ligand_file(name or "", folder),
        charge=section.take_integer("charge", -9, 9),
        conformer=cast(Any, conformer),
        counterion=section.take_choice("counterion", ("Cl", "Br", "I", "Cs")) or "Br",
        box_angstrom=section.take_quantity("box", LENGTH),
    )
    section.finish()
    return spec


def _find_ligand_file(name: str, folder: Path) -> str:
    """Give the absolute path of a ligand's file: jobs run in other folders."""
    if not name.endswith(_LIGAND_FILES):
        return name
    there = [place / name for place in (folder, Path()) if (place / name).is_file()]
    return str(there[0].resolve()) if there else name


def _read_slab(document: Section, own_settings: Section | None) -> SlabSpec | None:
    own_kpoints = _read_kpoints(own_settings, "kpoints")
    section = document.take_section("slab", required="{repeat: [2, 2], layers: 1}")
    if section is None:
        return None
    default = SlabSpec()
    composition = section.take_text("composition") or default.composition
    with section.noting("composition"):
        composition = parse_composition(composition).formula
    repeat = section.take_integers("repeat", 1, MAX_REPEAT, count=2) or default.repeat
    kpoints = _read_kpoints(section, "kpoints")
    spec = SlabSpec(
        repeat=(repeat[0], repeat[1]),
        layers=section.take_integer("layers", 1, MAX_LAYERS) or default.layers,
        composition=composition,
        facet=_read_facet(section) or default.facet,
        termination=section.take_text("termination") or default.termination,
        crystal=cast(
            Any, section.take_choice("crystal", ("cubic", "orthorhombic")) or default.crystal
        ),
        lattice_constant_angstrom=section.take_quantity("lattice_constant", LENGTH),
        vacuum_angstrom=section.take_quantity("vacuum", LENGTH),
        sides=cast(Any, section.take_choice("sides", ("both", "one")) or default.sides),
        frozen=cast(Any, section.take_choice("frozen", ("all", "none")) or default.frozen),
        kpoints=own_kpoints or kpoints or ZONE_CENTRE,
    )
    section.finish()
    return spec


def _read_facet(section: Section) -> str | None:
    text = section.take_text("facet")
    if text is not None and not re.fullmatch(r"[01]{3}", text):
        section.complain("facet", f"expected 100, 110 or 111, got {text!r}")
        return None
    return text


def _read_kpoints(section: Section | None, key: str) -> KPoints | None:
    if section is None:
        return None
    grid = section.take_integers(key, 1, MAX_KPOINTS, count=3)
    return None if grid is None else (grid[0], grid[1], grid[2])


def _read_coverage(document: Section) -> CoverageSpec:
    section = document.take_section("coverage")
    if section is None:
        return CoverageSpec()
    bound = section.take_integers("bound", 0, 4 * MAX_REPEAT**2) or ()
    names = section.take_texts("configurations")
    if len(set(bound)) != len(bound):
        section.complain("bound", "the same number is there twice")
    section.finish()
    chosen: Any = names[0] if names in ((), ("ewald",), ("all",)) and names else names or "ewald"
    return CoverageSpec(tuple(sorted(bound)), chosen)


def _read_binding(document: Section) -> BindingSpec:
    section = document.take_section("binding")
    if section is None:
        return BindingSpec()
    references = ("ion_pair", "separate_ions")
    spec = BindingSpec(
        site=section.take_text("site") or "",
        reference=cast(Any, section.take_choice("reference", references) or "ion_pair"),
        counterpoise=bool(section.take_flag("counterpoise")),
    )
    section.finish()
    return spec


def _read_pair(document: Section) -> PairSpec:
    section = document.take_section("pair")
    if section is None:
        return PairSpec()
    forms = ("tail", "amine", "ion_pair")
    spec = PairSpec(
        geometry=cast(Any, section.take_choice("geometry", ("relaxed", "built")) or "built"),
        form=cast(Any, section.take_choice("form", forms) or "tail"),
        neighbours=section.take_integer("neighbours", 1, 8) or 1,
        displacements_angstrom=section.take_displacements("displacements", LENGTH),
    )
    section.finish()
    return spec


def _read_thermodynamics(document: Section) -> ThermodynamicsSpec:
    section = document.take_section("thermodynamics")
    default = ThermodynamicsSpec()
    if section is None:
        return default
    methods = ("rigid", "rrho", "quasi-rrho")
    spec = ThermodynamicsSpec(
        temperature_k=section.take_quantity("temperature", TEMPERATURE) or default.temperature_k,
        pressure_pa=section.take_quantity("pressure", PRESSURE) or default.pressure_pa,
        method=cast(Any, section.take_choice("method", methods) or default.method),
        ligand=section.take_text("ligand") or "",
        symmetry_number=section.take_integer("symmetry_number", 1, 60),
    )
    section.finish()
    return spec


def check_surface(study: SurfaceStudy, document: Section) -> None:
    """Try to build the ligand and the bare slab; what is wrong is noted in the document."""
    with document.noting("ligand"):
        ligand = load_study_ligand(study)
        if study.slab is not None and ligand.site != "A":
            raise InputError(
                f"{ligand.name} ({ligand.charge:+d} e, {ligand.head_group}) takes no A site: this "
                "recipe removes a cationic ligand and a halide together; choose an ammonium, or "
                "build the slab with qdcomp build"
            )
    with document.noting("thermodynamics"):
        load_study_ligand(study, study.thermodynamics.ligand)
    if study.slab is not None:
        with document.noting("slab"):
            build_study_slab(study)
            with document.noting("coverage" if study.recipe == "surface_energy" else "binding"):
                choose_sites(study)
