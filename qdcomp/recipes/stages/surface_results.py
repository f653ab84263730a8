"""From the energies of a run's jobs to the result of its recipe, kept in ``result.h5``."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from qdcomp.analysis import (
    BindingEnergy,
    ConfigurationEnergy,
    FragmentEnergy,
    IdealGasEntropy,
    InteractionScan,
    Packing,
    PairInteraction,
    SurfaceEnergyCurve,
    check_same_level,
    compute_binding_energy,
    compute_interaction_energy,
    compute_packing,
    compute_surface_energy,
    fit_interaction_scan,
    ideal_gas_entropy,
)
from qdcomp.errors import InputError
from qdcomp.recipes.plans.ligand_binding import COMPLEX, WITHOUT
from qdcomp.recipes.plans.ligand_pair import LAYER
from qdcomp.recipes.plans.surface_molecules import (
    CLUSTER,
    cut_molecules,
    measure_scan,
    name_monomer,
    name_pair,
    name_scan,
)
from qdcomp.recipes.runs.results import save_result
from qdcomp.recipes.runs.run_directory import RESULT_NAME, RunDirectory
from qdcomp.recipes.stages.energies import EnergyTable, read_energies
from qdcomp.recipes.stages.stages import write_whole
from qdcomp.recipes.study_files.dipole_correction import describe_dipole_correction
from qdcomp.recipes.study_files.surface_schema import CATION, COUNTERION, ENTROPY_LIGAND, ION_PAIR
from qdcomp.recipes.study_files.surface_structures import (
    build_study_slab,
    choose_sites,
    load_entropy_ligand,
)
from qdcomp.structures import Structure

MIN_SCAN_POINTS = 4
"""Fewest points that a spline goes through."""


@dataclass(frozen=True)
class LigandResult:
    """Result of a study of ligands: what its recipe computes; the rest is None or empty.

    Attributes
    ----------
    recipe
        Recipe of the study.
    level
        Level of theory that the energies have in common.
    curve
        Surface free energy.
    binding
        Binding energy of one ligand.
    interaction, scan
        Interaction of neighbours, and of two of them against their distance.
    entropy
        Entropy of the free ligand.
    packings
        Packing of the ligands, by the name of the structure.
    assumptions
        What was assumed.
    failures
        Why an energy is missing, by the name of the structure.
    """

    recipe: str
    level: dict[str, str] = field(default_factory=dict)
    curve: SurfaceEnergyCurve | None = None
    binding: BindingEnergy | None = None
    interaction: PairInteraction | None = None
    scan: InteractionScan | None = None
    entropy: IdealGasEntropy | None = None
    packings: dict[str, Packing] = field(default_factory=dict)
    assumptions: tuple[str, ...] = ()
    failures: dict[str, str] = field(default_factory=dict)


def combine_results(run: RunDirectory) -> dict[str, float]:
    """Make the result of a run out of its energies; return the main numbers.

    Raises
    ------
    InputError
        Energies of different levels of theory, or the energies that all others are counted from
        are missing.
    """
    energies = read_energies(run)
    check_same_level(energies.levels, molecules=energies.molecules)
    combine: Callable[[RunDirectory, EnergyTable], LigandResult] = {
        "surface_energy": _combine_surface_energy,
        "ligand_binding": _combine_binding,
        "ligand_pair": _combine_pair,
        "gas_entropy": _combine_entropy,
    }[run.study.recipe]
    result = combine(run, energies)
    save_result(run.root / RESULT_NAME, result)
    return summarise_result(result)


def summarise_result(result: LigandResult) -> dict[str, float]:
    """Give the main numbers of a result, by name with the unit."""
    found: dict[str, float] = {}
    if result.curve is not None:
        found["minimum_bound"] = result.curve.minimum_bound
        found["minimum_free_energy_ev"] = float(
            result.curve.free_energy_ev[result.curve.minimum_bound]
        )
    if result.binding is not None:
        found["binding_energy_ev"] = result.binding.value_ev
    if result.interaction is not None:
        found["interaction_energy_ev"] = result.interaction.energy_ev
    if result.entropy is not None:
        found["ts_ev"] = result.entropy.ts_ev
    return found


def _combine_surface_energy(run: RunDirectory, energies: EnergyTable) -> LigandResult:
    study = run.surface_study
    slab = build_study_slab(study)
    entropy, assumptions = _compute_entropy(run, energies)
    configurations = [
        ConfigurationEnergy(
            name=entry.name,
            bound=entry.bound,
            degeneracy=entry.degeneracy,
            energy_ev=energies.find(entry.name),
            failure=energies.failures.get(entry.name),
        )
        for entry in choose_sites(study)
    ]
    curve = compute_surface_energy(
        configurations,
        ion_pair_energy_ev=energies.require(ION_PAIR),
        ts_ev=entropy.ts_ev,
        n_sites=len(slab.sites),
        area_angstrom2=slab.area_angstrom2,
        sides=study.slab.sides if study.slab else "both",
        temperature_k=study.thermodynamics.temperature_k,
    )
    return LigandResult(
        recipe=study.recipe,
        level=energies.slab_level,
        curve=curve,
        entropy=entropy,
        packings=_compute_packings(run, [entry.name for entry in configurations]),
        assumptions=(*assumptions, *describe_dipole_correction(study)),
        failures=energies.failures,
    )


def _combine_binding(run: RunDirectory, energies: EnergyTable) -> LigandResult:
    study = run.surface_study
    from_ions = study.binding.reference == "separate_ions"
    fragments = None
    if study.binding.counterpoise:
        fragments = {
            part: FragmentEnergy(
                own_basis_ev=energies.require(f"{label}_alone"),
                with_ghosts_ev=energies.require(f"{label}_with_ghosts"),
            )
            for part, label in (("surface", "surface"), ("adsorbate", "pair"))
        }
    binding = compute_binding_energy(
        complex_ev=energies.require(COMPLEX),
        without_ev=energies.require(WITHOUT),
        ion_pair_ev=None if from_ions else energies.require(ION_PAIR),
        cation_ev=energies.require(CATION) if from_ions else None,
        anion_ev=energies.require(COUNTERION) if from_ions else None,
        reference="separate ions" if from_ions else "ion pair",
        fragments=fragments,
    )
    entropy, assumptions = _compute_entropy(run, energies)
    return LigandResult(
        recipe=study.recipe,
        level=energies.slab_level,
        binding=binding,
        entropy=entropy,
        packings=_compute_packings(run, [COMPLEX]),
        assumptions=(*assumptions, *describe_dipole_correction(study)),
        failures=energies.failures,
    )


def _combine_pair(run: RunDirectory, energies: EnergyTable) -> LigandResult:
    study = run.surface_study
    numbers = range(study.pair.neighbours + 1)
    monomers = [energies.require(name_monomer(number)) for number in numbers]
    pairs = {(0, number): energies.require(name_pair(number)) for number in numbers[1:]}
    several = study.pair.neighbours > 1
    interaction = compute_interaction_energy(
        energies.require(CLUSTER) if several else pairs[0, 1],
        monomers,
        pairs_ev=pairs,
    )
    built = run.read_built(LAYER)
    distances = measure_scan(study, _read_last(run, LAYER) or built, built)
    points = [
        (distance, (energies.find(name_scan(index)) or math.nan) - monomers[0] - monomers[1])
        for index, distance in enumerate(distances)
    ]
    scan = None
    if sum(math.isfinite(energy) for _, energy in points) >= MIN_SCAN_POINTS:
        scan = fit_interaction_scan(*zip(*points, strict=True))
    return LigandResult(
        recipe=study.recipe,
        level=energies.slab_level,
        interaction=interaction,
        scan=scan,
        packings=_compute_packings(run, [LAYER]),
        assumptions=(*_describe_pair_assumptions(run), *describe_dipole_correction(study)),
        failures=energies.failures,
    )


def _combine_entropy(run: RunDirectory, energies: EnergyTable) -> LigandResult:
    entropy, assumptions = _compute_entropy(run, energies)
    return LigandResult(
        recipe=run.study.recipe,
        level=energies.slab_level,
        entropy=entropy,
        assumptions=assumptions,
        failures=energies.failures,
    )


def _compute_entropy(
    run: RunDirectory, energies: EnergyTable
) -> tuple[IdealGasEntropy, tuple[str, ...]]:
    """Entropy of the free ligand, and what was assumed of its geometry.

    Raises
    ------
    InputError
        The method needs frequencies, and they are missing.
    """
    study = run.surface_study
    spec = study.thermodynamics
    ligand = load_entropy_ligand(study)
    relaxed = run.relaxed_path(ENTROPY_LIGAND)
    atoms = run.read_relaxed(ENTROPY_LIGAND).atoms if relaxed.is_file() else ligand.atoms
    frequencies = energies.frequencies_per_cm.get(ENTROPY_LIGAND)
    if spec.method != "rigid" and frequencies is None:
        reason = energies.failures.get(ENTROPY_LIGAND, "they were not computed")
        raise InputError(
            f"the method {spec.method} needs the frequencies of {ligand.name} ({reason}); mend "
            "that job, then qdcomp resume; or write method: rigid"
        )
    entropy = ideal_gas_entropy(
        atoms.get_chemical_symbols(),
        atoms.positions,
        spec.temperature_k,
        spec.pressure_pa,
        method=spec.method,
        symmetry_number=spec.symmetry_number or ligand.symmetry_number,
        frequencies_per_cm=frequencies,
    )
    geometry = (
        f"relaxed by {study.engine}" if relaxed.is_file() else f"{ligand.conformer}, not relaxed"
    )
    return entropy, (
        f"the entropy of the free ligand is that of {ligand.name} ({geometry}) by the method "
        f"{spec.method}; that of the bound ligand is neglected, as in Mi et al.",
    )


def _compute_packings(run: RunDirectory, pieces: Iterable[str]) -> dict[str, Packing]:
    """Packing of the ligands of each structure, relaxed where it was, that has any."""
    packings = {}
    for piece in pieces:
        structure = _read_last(run, piece)
        if structure is None or not structure.ligands:
            continue
        atoms = structure.atoms
        packings[piece] = compute_packing(
            atoms.positions,
            atoms.get_chemical_symbols(),
            atoms.cell.array,
            atoms.pbc,
            structure.ligand_index,
            names=structure.ligands,
        )
    return packings


def _read_last(run: RunDirectory, piece: str) -> Structure | None:
    """Read a structure as relaxed, or as built where no job relaxes it; None where that failed."""
    if run.relaxed_path(piece).is_file():
        return run.read_relaxed(piece)
    relaxes = any(job.kind == "relax" and job.piece == piece for job in run.jobs)
    return None if relaxes else run.read_built(piece)


def _describe_pair_assumptions(run: RunDirectory) -> tuple[str, ...]:
    spec = run.surface_study.pair
    what = {
        "tail": "their tails, with the head group replaced by hydrogen",
        "amine": "their amines, one proton of each head group removed",
        "ion_pair": "their ion pairs, each with its counterion of the surface",
    }[spec.form]
    where = "relaxed" if spec.geometry == "relaxed" else "built, not relaxed"
    return (
        f"the molecules are {what}, where they stand in the layer as {where}; two bare cations "
        "would repel each other by electron volts",
    )


def cut_molecules_of_run(run: RunDirectory) -> list[str]:
    """Cut the molecules of a study of pairs out of its layer; return their names."""
    built = run.read_built(LAYER)
    relaxes = run.relaxed_path(LAYER).is_file()
    layer = run.read_relaxed(LAYER) if relaxes else built
    molecules = cut_molecules(run.surface_study, layer, chosen_in=built)
    for name, structure in molecules.items():
        write_whole(run.built_path(name), structure)
    return list(molecules)
