"""The sections of a study of a dot, read and checked; and the dot that they describe."""

from __future__ import annotations

import re
from typing import Any

from qdcomp.errors import InputError
from qdcomp.recipes.study_files.dot_schema import (
    WINDOWS,
    AnalysisSpec,
    DotStudy,
    EquilibrationStage,
    FrozenSpec,
    SamplingSpec,
    ShellSpec,
    StructureSpec,
)
from qdcomp.recipes.study_files.quantities import LENGTH, TEMPERATURE, TIME
from qdcomp.recipes.study_files.study_document import Section
from qdcomp.recipes.study_files.study_schema import MAX_STEPS
from qdcomp.structures import (
    Structure,
    build_core_shell_dot,
    build_quantum_dot,
    parse_composition,
    select_frozen_atoms,
)
from qdcomp.structures.bulk import resolve_lattice_constant
from qdcomp.structures.quantum_dot import ChargePolicy
from qdcomp.structures.sites import MAX_CELLS

MAX_SEGMENTS = 1000
"""Most segments of one trajectory; each is a job."""

MAX_TRIED_CELLS = 24
"""Largest dot that is built to see whether it can be: 0.1 s. Larger ones fail when built."""

_WHOLE = 1e-6  # tolerance on a number of steps, for durations such as 0.3 ps / 0.1 fs


def read_dot_fields(document: Section) -> dict[str, Any]:
    """Read the fields that only a `DotStudy` has; what is wrong is noted in the document."""
    return {
        "structure": _read_structure(document),
        "equilibration": tuple(
            _read_stage(section) for section in document.take_sections("equilibration")
        ),
        "sampling": _read_sampling(document),
        "analysis": _read_analysis(document),
    }


def check_dot(study: DotStudy, document: Section) -> None:
    """Try to build the dot; what is wrong is noted in the document."""
    if study.structure.cells <= MAX_TRIED_CELLS:
        with document.noting("structure"):
            build_dot(study)


def _read_structure(document: Section) -> StructureSpec | None:
    example = "{kind: quantum_dot, cells: 3, composition: CsPbBr3}"
    section = document.take_section("structure", required=example)
    if section is None:
        return None
    kind = section.take_choice("kind", ("quantum_dot", "core_shell"), required="quantum_dot")
    cells = section.take_integer("cells", 1, MAX_CELLS, required="3")
    spec = StructureSpec(
        kind="core_shell" if kind == "core_shell" else "quantum_dot",
        cells=cells or 1,
        composition=_read_composition(section),
        lattice_constant_angstrom=section.take_quantity("lattice_constant", LENGTH),
        charge=_read_charge(section),
        shell=_read_shell(section, cells, kind),
        frozen=_read_frozen(section, cells),
        box_angstrom=section.take_quantity("box", LENGTH),
    )
    section.finish()
    _check_size(section, spec)
    return spec


def _read_composition(section: Section) -> str:
    text = section.take_text("composition", required="CsPbBr3")
    if text is None:
        return ""
    with section.noting("composition"):
        return parse_composition(text).formula
    return ""


def _read_charge(section: Section) -> ChargePolicy | int:
    text = section.take_text("charge")
    if text in (None, "formal"):
        return "formal"
    if text == "neutral":
        return "neutral"
    if re.fullmatch(r"[+-]?\d{1,6}", text, re.ASCII):
        return int(text)
    section.complain(
        "charge", f"expected formal, neutral or a whole number of charges e, got {text!r}"
    )
    return "formal"


def _read_shell(section: Section, cells: int | None, kind: str | None) -> ShellSpec | None:
    example = "{composition: CsCaBr3, cells: 1}"
    shell = section.take_section("shell", required=example if kind == "core_shell" else "")
    if shell is None:
        return None
    if kind == "quantum_dot":
        section.complain("shell", "a quantum_dot has no shell; write kind: core_shell")
    composition = _read_composition(shell)
    thickness = _take_half_cells(shell, "cells")
    if thickness is not None and cells is not None and 2 * thickness >= cells:
        shell.complain(
            "cells",
            f"a shell of {thickness:g} cells on either side leaves no core in a dot of "
            f"{cells} cells; it must be thinner than {cells / 2:g}",
        )
    shell.finish()
    return ShellSpec(composition, thickness or 0.0)


def _read_frozen(section: Section, cells: int | None) -> FrozenSpec | None:
    frozen = section.take_section("frozen")
    if frozen is None:
        return None
    region = frozen.take_choice("region", ("shell", "core"), required="shell")
    thickness = _take_half_cells(frozen, "shell_cells")
    if thickness is not None and cells is not None and 2 * thickness > cells:
        frozen.complain(
            "shell_cells",
            f"an outside of {thickness:g} cells is the whole dot of {cells} cells; "
            f"at most {cells / 2:g}",
        )
    frozen.finish()
    return FrozenSpec("core" if region == "core" else "shell", thickness or 0.0)


def _take_half_cells(section: Section, key: str) -> float | None:
    thickness = section.take_number(key, required="0.5")
    if thickness is None:
        return None
    if thickness <= 0.0 or thickness > MAX_CELLS or not (2 * thickness).is_integer():
        section.complain(key, f"expected 0.5, 1, 1.5, … unit cells, got {thickness:g}")
        return None
    return thickness


def _check_size(section: Section, spec: StructureSpec) -> None:
    if not spec.composition:
        return
    with section.noting("lattice_constant"):
        constant = resolve_lattice_constant(spec.composition, spec.lattice_constant_angstrom)
        edge = spec.cells * constant
        if spec.box_angstrom is not None and spec.box_angstrom <= edge:
            section.complain(
                "box",
                f"a box of {spec.box_angstrom:g} angstrom does not hold a dot of {edge:g} "
                "angstrom; leave vacuum around it, 15 angstrom on every side or more",
            )


def _read_stage(section: Section) -> EquilibrationStage:
    temperature = section.take_quantity("temperature", TEMPERATURE)
    steps, timestep, thermostat = _read_dynamics(section)
    section.finish()
    return EquilibrationStage(temperature, steps, timestep, thermostat)


def _read_sampling(document: Section) -> SamplingSpec | None:
    example = "{temperatures: [10 K], duration: 10 ps, timestep: 10 fs, thermostat_time: 1 ps}"
    section = document.take_section("sampling", required=example)
    if section is None:
        return None
    temperatures = section.take_quantities("temperatures", TEMPERATURE, required=True)
    if len({f"{temperature:g}" for temperature in temperatures}) != len(temperatures):
        section.complain("temperatures", "the same temperature is there twice")
    steps, timestep, thermostat = _read_dynamics(section)
    segments = section.take_integer("segments", 1, MAX_SEGMENTS) or 1
    if steps and segments > steps:
        section.complain("segments", f"{segments} segments do not fit into {steps} steps")
    section.finish()
    return SamplingSpec(temperatures, steps, timestep, thermostat, segments)


def _read_dynamics(section: Section) -> tuple[int, float, float | None]:
    duration = section.take_quantity("duration", TIME, required=True)
    timestep = section.take_quantity("timestep", TIME, required=True)
    steps = 0
    if duration is not None and timestep is not None:
        with section.noting("duration"):
            steps = _count_steps(duration, timestep)
    return steps, timestep or 0.0, _read_thermostat_time(section)


def _count_steps(duration_fs: float, timestep_fs: float) -> int:
    exact = duration_fs / timestep_fs
    if exact > MAX_STEPS:
        raise InputError(f"{exact:.3g} steps are more than the {MAX_STEPS:.0e} a study may ask for")
    steps = round(exact)
    if abs(exact - steps) <= _WHOLE * exact and steps > 0:
        return steps
    below, above = int(exact) * timestep_fs, (int(exact) + 1) * timestep_fs
    choices = f"{below:g} fs or {above:g} fs" if below else f"{above:g} fs"
    raise InputError(
        f"{duration_fs:g} fs is not a whole number of steps of {timestep_fs:g} fs; write {choices}"
    )


def _read_thermostat_time(section: Section) -> float | None:
    key = "thermostat_time"
    text = section.take_text(key, required="1 ps, or none for a run without thermostat")
    return None if text in (None, "none") else section.read_quantity(key, text, TIME)


def _read_analysis(document: Section) -> AnalysisSpec:
    section = document.take_section("analysis")
    if section is None:
        return AnalysisSpec()
    default = AnalysisSpec()
    temperature = section.take_quantity("emission_temperature", TEMPERATURE)
    table = section.take_quantities("linewidth_temperatures", TEMPERATURE)
    window = section.take_choice("window", WINDOWS)
    normal_modes = section.take_flag("normal_modes")
    section.finish()
    return AnalysisSpec(
        temperature or default.emission_temperature_k,
        table,
        window or default.window,
        bool(normal_modes),
    )


def build_dot(study: DotStudy) -> Structure:
    """Build what the study describes.

    Raises
    ------
    InputError
        The structure cannot be built so.
    """
    spec = study.structure
    if spec.shell is None:
        structure = build_quantum_dot(
            spec.cells,
            spec.composition,
            lattice_constant=spec.lattice_constant_angstrom,
            charge=spec.charge,
            seed=study.seed,
        )
    else:
        structure = build_core_shell_dot(
            spec.cells,
            core=spec.composition,
            shell=spec.shell.composition,
            shell_cells=spec.shell.cells,
            lattice_constant=spec.lattice_constant_angstrom,
            charge=spec.charge,
            seed=study.seed,
        )
    if spec.frozen is None:
        return structure
    frozen = select_frozen_atoms(structure, spec.frozen.region, spec.frozen.shell_cells)
    return structure.with_frozen(frozen)
