"""What calculations give of a ligand shell: ΔG(N), binding, packing and entropy as observables.

PHYSICS.md section 6; Mi et al. 2025, Fig. 1 and SI Notes 3–5.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from qdcomp.analysis import (
    BindingEnergy,
    IdealGasEntropy,
    Packing,
    PairInteraction,
    SurfaceEnergyCurve,
)
from qdcomp.compare.ligand_entries import (
    BINDING,
    BOUND_AT_MINIMUM,
    CARBONS,
    COVERAGE,
    ENTROPY,
    LAST_STEP,
    MINIMUM,
    PAIR,
    PER_SITE,
    RINGS,
    TAILS,
    describe_reference,
    describe_slab,
)
from qdcomp.compare.observable import Observable
from qdcomp.errors import InputError


@dataclass(frozen=True)
class LigandCalculation:
    """What was calculated of one ligand with one method; what was not is None or empty.

    Attributes
    ----------
    ligand
        Its name as calculated, ``DDA_C8`` for DDA with tails of eight carbons.
    source
        Calculated with what: engine, version, functional.
    curve
        Surface free energy against the number of ligands.
    binding
        Binding energy of one.
    packings
        Packing by the name of the structure; that with most ligands is taken.
    entropy
        Entropy of the free ligand.
    entropy_ligand
        Name of the ligand that `entropy` is of, where it is another: the whole DDA.
    interaction
        Interaction of neighbours.
    assumptions
        What was assumed, for all of them.
    """

    ligand: str
    source: str
    curve: SurfaceEnergyCurve | None = None
    binding: BindingEnergy | None = None
    packings: Mapping[str, Packing] = field(default_factory=dict)
    entropy: IdealGasEntropy | None = None
    entropy_ligand: str | None = None
    interaction: PairInteraction | None = None
    assumptions: tuple[str, ...] = ()


def read_calculation(calculation: LigandCalculation) -> dict[str, Observable | str]:
    """Take each quantity from a calculation; a text says why there is none.

    Raises
    ------
    InputError
        If a number is not finite.
    """
    found: dict[str, Observable | str] = {}
    found |= _read_curve(calculation)
    found |= _read_packing(calculation)
    found[BINDING] = _read_binding(calculation)
    found[ENTROPY] = _read_entropy(calculation)
    found[PAIR] = _read_pair(calculation)
    return found


def _observe(
    calculation: LigandCalculation,
    quantity: str,
    value: float,
    error: float | None,
    unit: str,
    *assumptions: str,
    temperature_k: float | None = None,
    label: str | None = None,
) -> Observable:
    return Observable(
        quantity=quantity,
        value=value,
        error=error if error is not None and math.isfinite(error) else None,
        unit=unit,
        origin="calculated",
        source=calculation.source,
        label=label or calculation.ligand,
        temperature_k=temperature_k,
        assumptions=(*calculation.assumptions, *(text for text in assumptions if text)),
    )


def _read_curve(calculation: LigandCalculation) -> dict[str, Observable | str]:
    curve = calculation.curve
    if curve is None:
        reason = f"no surface free energy of {calculation.ligand} was calculated"
        names = (MINIMUM, PER_SITE, BOUND_AT_MINIMUM, COVERAGE, LAST_STEP)
        return dict.fromkeys(names, reason)
    lowest, sites = curve.minimum_bound, curve.n_sites
    energy = float(curve.free_energy_ev[lowest])
    error = float(curve.free_energy_error_ev[lowest])
    slab = describe_slab(sites)
    doubt = "" if curve.minimum_is_certain else curve.minimum_note
    kelvin = curve.temperature_k

    def observe(quantity: str, value: float, error: float | None, unit: str) -> Observable:
        return _observe(
            calculation, quantity, value, error, unit, slab, doubt, temperature_k=kelvin
        )

    return {
        MINIMUM: observe(MINIMUM, energy, error, "eV"),
        PER_SITE: observe(PER_SITE, energy / sites, error / sites, "eV"),
        BOUND_AT_MINIMUM: observe(BOUND_AT_MINIMUM, float(lowest), None, "1"),
        COVERAGE: observe(COVERAGE, lowest / sites, None, "1"),
        LAST_STEP: _read_last_step(curve, observe),
    }


def _read_last_step(
    curve: SurfaceEnergyCurve,
    observe: Callable[[str, float, float | None, str], Observable],
) -> Observable | str:
    """ΔG(N) − ΔG(N−1) at the last site: positive where the last ligand is uphill."""
    if int(curve.bound[-1]) < curve.n_sites:
        return f"the curve ends at N = {curve.bound[-1]} of {curve.n_sites}"
    step = float(curve.differential_ev[-1])
    if not math.isfinite(step):
        return "an energy at full coverage or one ligand below is missing"
    return observe(LAST_STEP, step, float(curve.differential_error_ev[-1]), "eV")


def _read_binding(calculation: LigandCalculation) -> Observable | str:
    binding = calculation.binding
    if binding is None:
        return f"no binding energy of {calculation.ligand} was calculated"
    return _observe(
        calculation,
        BINDING,
        binding.value_ev,
        binding.error_ev,
        "eV",
        describe_reference(binding.reference),
    )


def _read_entropy(calculation: LigandCalculation) -> Observable | str:
    entropy = calculation.entropy
    if entropy is None:
        return f"no entropy of {calculation.ligand} was calculated"
    return _observe(
        calculation,
        ENTROPY,
        entropy.ts_ev,
        None,
        "eV",
        f"ideal gas, method {entropy.method}, {entropy.pressure_pa:.0f} Pa",
        temperature_k=entropy.temperature_k,
        label=calculation.entropy_ligand or calculation.ligand,
    )


def _read_pair(calculation: LigandCalculation) -> Observable | str:
    interaction = calculation.interaction
    if interaction is None:
        return f"no interaction of {calculation.ligand} with its neighbours was calculated"
    if interaction.molecules == 2:
        return _observe(calculation, PAIR, interaction.energy_ev, interaction.error_ev, "eV")
    if interaction.mean_pair_ev is None:
        return f"{interaction.molecules} molecules were calculated and their pairs were not"
    pairs = f"mean of {len(interaction.pairs_ev)} pairs"
    return _observe(calculation, PAIR, interaction.mean_pair_ev, None, "eV", pairs)


def _read_packing(calculation: LigandCalculation) -> dict[str, Observable | str]:
    chosen = _choose_packing(calculation)
    if chosen is None:
        reason = f"no packing of {calculation.ligand} was calculated"
        return dict.fromkeys((CARBONS, RINGS, TAILS), reason)
    name, packing = chosen
    where = f"in {name}, with {len(packing.ligands)} ligands"
    return {
        CARBONS: f"{name} has no two ligands with carbon on one side"
        if packing.nearest_carbon_angstrom is None
        else _observe(calculation, CARBONS, packing.nearest_carbon_angstrom, None, "Å", where),
        RINGS: _read_rings(calculation, packing, where),
        TAILS: _read_tails(calculation, packing, where),
    }


def _choose_packing(calculation: LigandCalculation) -> tuple[str, Packing] | None:
    """Take the packing with most ligands; of several, that of the lowest configuration."""
    if not calculation.packings:
        return None
    curve = calculation.curve
    lowest = set() if curve is None else set(curve.lowest)
    return max(
        calculation.packings.items(), key=lambda item: (len(item[1].ligands), item[0] in lowest)
    )


def _read_rings(calculation: LigandCalculation, packing: Packing, where: str) -> Observable | str:
    if not packing.rings:
        return f"{calculation.ligand} has no aromatic ring"
    if not packing.ring_pairs:
        return f"no two rings of {calculation.ligand} are near enough to stack"
    nearest = packing.ring_pairs[0]
    arrangement = f"{nearest.arrangement}, planes at {nearest.plane_angle_deg:.0f}°"
    distance = nearest.centroid_distance_angstrom
    return _observe(calculation, RINGS, distance, None, "Å", where, arrangement)


def _read_tails(calculation: LigandCalculation, packing: Packing, where: str) -> Observable | str:
    if not packing.chain_density_per_nm2:
        return f"{calculation.ligand} has no tail on a surface"
    side, density = max(packing.chain_density_per_nm2.items(), key=lambda item: item[1])
    if not (math.isfinite(density) and density >= 0.0):
        raise InputError(f"the tail density of {calculation.ligand} is {density} per nm²")
    return _observe(calculation, TAILS, density, None, "1/nm²", where, f"side: {side}")
