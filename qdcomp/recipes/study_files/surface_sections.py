"""The sections of a study of ligands and surfaces, read and checked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

from qdcomp.errors import InputError
from qdcomp.recipes.study_files.quantities import LENGTH, PRESSURE, TEMPERATURE
from qdcomp.recipes.study_files.study_document import Section
from qdcomp.recipes.study_files.surface_schema import (
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
from qdcomp.recipes.study_files.surface_structures import (
    build_study_slab,
    check_vacuum,
    choose_sites,
    load_study_ligand,
)
from qdcomp.resources import is_file
from qdcomp.structures import Ligand, parse_composition
from qdcomp.structures.coverage import check_choice
from qdcomp.structures.molecule_input import FILE_ENDINGS

MAX_REPEAT = 8
"""Most surface cells along one direction."""

MAX_LAYERS = 20

MAX_KPOINTS = 50

_FRACTION = re.compile(r"(?P<ligand>.+):(\d+\.\d*|\.\d+)", re.ASCII)
"""A ligand of a mixed shell, as ``qdcomp build`` reads it; no SMILES ends so."""


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
    slab = _read_slab(document, own_settings) if recipe != "gas_entropy" else None
    fields: dict[str, Any] = {
        "ligand": _read_ligand(document, folder, slab or SlabSpec()),
        "slab": slab,
        "thermodynamics": _read_thermodynamics(document, folder),
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


def _read_ligand(document: Section, folder: Path, slab: SlabSpec) -> LigandSpec | None:
    """Read the ligand; its counterion is the halide that leaves the slab with it."""
    section = document.take_section("ligand", required="{name: PEA}")
    if section is None:
        return None
    name = section.take_text("name", required="PEA, a SMILES or a file") or ""
    mixed = _FRACTION.fullmatch(name)
    if mixed:
        section.complain(
            "name",
            f"{name!r} has a fraction, and the ligands of a study are all the same: write "
            f"{mixed['ligand']}; qdcomp build places mixed shells",
        )
    halide = parse_composition(slab.composition).x
    conformers = ("lowest", "extended", "xtb")
    conformer = section.take_choice("conformer", conformers) or "lowest"
    spec = LigandSpec(
        name=_find_ligand_file(name, folder),
        charge=section.take_integer("charge", -9, 9),
        conformer=cast(Any, conformer),
        counterion=section.take_choice("counterion", ("Cl", "Br", "I", "Cs")) or halide,
        box_angstrom=section.take_quantity("box", LENGTH),
    )
    section.finish()
    return spec


def _find_ligand_file(name: str, folder: Path) -> str:
    """Give the absolute path of a ligand's file: jobs run in other folders."""
    if not name.lower().endswith(FILE_ENDINGS):
        return name
    there = [place / name for place in (folder, Path()) if is_file(place / name)]
    return str(there[0].resolve()) if there else name


def _read_slab(document: Section, own_settings: Section | None) -> SlabSpec | None:
    own_kpoints = _read_kpoints(own_settings, "kpoints")
    section = document.take_section("slab", required="{repeat: [2, 2], layers: 1}")
    if section is None:
        return None
    default = SlabSpec()
    composition = default.composition
    with section.noting("composition"):
        text = section.take_text("composition") or default.composition
        composition = parse_composition(text).formula
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
    names = section.take_texts("configurations") or ("ewald",)
    chosen: Any = names[0] if names in (("ewald",), ("all",)) else names
    with section.noting("configurations"):
        check_choice(chosen)
    if len(set(bound)) != len(bound):
        section.complain("bound", "the same number is there twice")
    section.finish()
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


def _read_thermodynamics(document: Section, folder: Path) -> ThermodynamicsSpec:
    section = document.take_section("thermodynamics")
    default = ThermodynamicsSpec()
    if section is None:
        return default
    methods = ("rigid", "rrho", "quasi-rrho")
    spec = ThermodynamicsSpec(
        temperature_k=section.take_quantity("temperature", TEMPERATURE) or default.temperature_k,
        pressure_pa=section.take_quantity("pressure", PRESSURE) or default.pressure_pa,
        method=cast(Any, section.take_choice("method", methods) or default.method),
        ligand=_find_ligand_file(section.take_text("ligand") or "", folder),
        symmetry_number=section.take_integer("symmetry_number", 1, 60),
    )
    section.finish()
    return spec


def check_surface(study: SurfaceStudy, document: Section) -> None:
    """Try to build the ligand and the bare slab; what is wrong is noted in the document.

    A check stands inside the ones that it rests on, so that a mistake is told once.
    """
    with document.noting("ligand"):
        ligand = load_study_ligand(study)
        if study.slab is not None:
            _check_exchange(study, ligand, study.slab)
        with document.noting("thermodynamics"):
            _check_entropy_ligand(study, ligand)
        if study.slab is not None:
            _check_slab(study, document)


def _check_exchange(study: SurfaceStudy, ligand: Ligand, slab: SlabSpec) -> None:
    """Check that the ligand and its counterion are what the slab's ions can be exchanged for."""
    if ligand.site != "A":
        raise InputError(
            f"{ligand.name} ({ligand.charge:+d} e, {ligand.head_group}) takes no A site: this "
            "recipe removes a cationic ligand and a halide together; choose an ammonium, or "
            "build the slab with qdcomp build"
        )
    halide = parse_composition(slab.composition).x
    if study.ligand.counterion != halide:
        raise InputError(
            f"the counterion is {study.ligand.counterion}, and what leaves {slab.composition} with "
            f"a ligand is {halide}: the energies would not balance; write counterion: {halide}, or "
            "leave it out"
        )


def _check_entropy_ligand(study: SurfaceStudy, ligand: Ligand) -> None:
    """Check that the ligand whose entropy is taken could stand for the ligand of the study."""
    other = load_study_ligand(study, study.thermodynamics.ligand)
    if (other.charge, other.site) != (ligand.charge, ligand.site):
        raise InputError(
            f"the entropy of {other.name} ({other.charge:+d} e, {other.site} site) is not that of "
            f"{ligand.name} ({ligand.charge:+d} e, {ligand.site} site); choose a ligand of the "
            "same charge and site, or leave it out"
        )


def _check_slab(study: SurfaceStudy, document: Section) -> None:
    with document.noting("slab"):
        build_study_slab(study)
        with document.noting("coverage" if study.recipe == "surface_energy" else "binding"):
            choose_sites(study)
            with document.noting("slab"):
                check_vacuum(study)
