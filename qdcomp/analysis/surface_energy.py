"""Surface free energy against the number of bound ligands.

    ΔG(N) = E(N) − E(0) − N [E(LBr, gas) − T S_gas(L) + Δμ],   ΔG(N) − ΔG(N−1)

(PHYSICS.md section 6; Mi et al. 2025, Fig. 1c–d and SI Notes 3–4). E(N) is that of the slab with N
ligands, each of which came with its Br⁻; the entropy of a bound ligand is neglected, as in the
paper. Δμ moves the chemical potential of LBr away from the ideal gas that S_gas is of.

Where a number of ligands has several configurations the curve takes the lowest, as the paper does.
Beside it stands the average over the configurations with their degeneracies g,

    F(N) = −kT ln Σ_i g_i exp(−E_i / kT),

which contains the entropy of where the ligands sit: F lies below the lowest configuration, by
kT ln g where there is but one. F(N) is referred to F(0), which has one configuration. The sum is
over all arrangements of N ligands on n sites: where the degeneracies of the energies that are
known do not add up to n!/N!(n−N)!, there is no average.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdcomp.analysis.surface_energy_points import (
    ConfigurationEnergy,
    average_over_configurations,
    find_lowest,
    group_by_bound,
    list_gaps,
    list_incomplete,
)
from qdcomp.analysis.validity import require_positive
from qdcomp.errors import InputError
from qdcomp.units import MJ_PER_M2_PER_EV_ANGSTROM2

SIDES = {"one": 1, "both": 2}
"""Surfaces of a slab that carry ligands."""

AVERAGE_NOTE = (
    "the averaged curve is -kT ln of the sum over configurations with their degeneracies, at each "
    "N whose configurations are all computed: it includes the entropy of where the ligands sit; "
    "the default curve is the lowest configuration, as in Mi et al."
)
"""What the averaged curve is."""


@dataclass(frozen=True, eq=False)
class SurfaceEnergyCurve:
    """ΔG(N) and what follows from it; NaN where N has no energy.

    Attributes
    ----------
    bound
        Numbers of bound ligands, 0, 1, … up to the largest given, shape ``(n,)``.
    n_sites
        Sites that can hold a ligand.
    free_energy_ev, free_energy_error_ev
        ΔG(N) of the lowest configuration and its standard error [eV], shape ``(n,)``. The error is
        NaN where that of an energy in it is not known.
    differential_ev, differential_error_ev
        ΔG(N) − ΔG(N−1) and its standard error [eV], shape ``(n,)``; NaN at N = 0 and on both sides
        of a gap. E(0) drops out, and E(LBr) enters once, not N times.
    lowest
        Name of the lowest configuration of each N, empty at a gap.
    averaged_free_energy_ev, averaged_free_energy_error_ev
        F(N) − F(0) − N μ, with the entropy of the configurations, and its error, shape ``(n,)``;
        NaN where not all arrangements of N ligands are among the energies.
    averaged_differential_ev
        Its differential [eV], shape ``(n,)``.
    mean_energy_ev
        Boltzmann mean of ΔG over the configurations, without that entropy [eV], shape ``(n,)``;
        NaN likewise.
    minimum_bound
        N of the lowest ΔG among those known.
    minimum_is_certain
        False where a gap, a failed configuration or the end of the series could hide a lower one
        next to the minimum.
    minimum_note
        The minimum in words, with the reason if it is uncertain.
    per_area_mev_per_angstrom2, per_area_mj_per_m2
        ΔG over the area that carries ligands [meV/Å²], [mJ/m²], shape ``(n,)``.
    area_angstrom2, sides
        Area of one side [Å²] and which sides carry ligands, ``one`` or ``both``.
    temperature_k, ts_ev, ion_pair_energy_ev, chemical_potential_ev
        Temperature [K], T S_gas of one ligand, E(LBr) and Δμ [eV].
    configurations
        The energies that went in, in the order given.
    gaps
        The N without an energy, each with the reason.
    incomplete
        The N of which a configuration failed and another did not, each with the names.
    warnings
        What the user should know.
    """

    bound: NDArray[np.int64]
    n_sites: int
    free_energy_ev: NDArray[np.float64]
    free_energy_error_ev: NDArray[np.float64]
    differential_ev: NDArray[np.float64]
    differential_error_ev: NDArray[np.float64]
    lowest: tuple[str, ...]
    averaged_free_energy_ev: NDArray[np.float64]
    averaged_free_energy_error_ev: NDArray[np.float64]
    averaged_differential_ev: NDArray[np.float64]
    mean_energy_ev: NDArray[np.float64]
    minimum_bound: int
    minimum_is_certain: bool
    minimum_note: str
    per_area_mev_per_angstrom2: NDArray[np.float64]
    per_area_mj_per_m2: NDArray[np.float64]
    area_angstrom2: float
    sides: str
    temperature_k: float
    ts_ev: float
    ion_pair_energy_ev: float
    chemical_potential_ev: float
    configurations: tuple[ConfigurationEnergy, ...]
    gaps: tuple[str, ...]
    incomplete: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def has_average(self) -> bool:
        """Whether the average is known at an N that has several configurations."""
        return _has_average(self.averaged_free_energy_ev, self.configurations)


def compute_surface_energy(
    configurations: Sequence[ConfigurationEnergy],
    *,
    n_sites: int,
    ion_pair_energy_ev: float,
    ts_ev: float,
    area_angstrom2: float,
    sides: str = "both",
    temperature_k: float = 298.15,
    chemical_potential_ev: float = 0.0,
    ion_pair_error_ev: float | None = None,
) -> SurfaceEnergyCurve:
    """Surface free energy, differential and minimum from the energies of the configurations.

    Errors of E(N), E(0) and E(LBr) are independent of each other; ΔG(N) has
    √(σ_N² + σ_0² + N² σ_LBr²) and the differential √(σ_N² + σ_{N−1}² + σ_LBr²).

    Parameters
    ----------
    configurations
        Energy, or failure, of each configuration, that without ligands among them.
    n_sites
        Sites that can hold a ligand, on all sides that carry ligands.
    ion_pair_energy_ev, ion_pair_error_ev
        E(LBr) in the gas [eV] and its standard error; None if not known.
    ts_ev
        T S of the gas of one ligand at ``temperature_k`` [eV], from `ideal_gas_entropy`.
    area_angstrom2
        Area of one side of the slab's cell [Å²].
    sides
        Which sides carry ligands: ``both`` or ``one``.
    temperature_k
        Temperature of ``ts_ev`` and of the average [K].
    chemical_potential_ev
        Δμ of LBr against the ideal gas of ``ts_ev`` [eV]; positive favours binding.

    Raises
    ------
    InputError
        If the energy at N = 0 is missing, a name occurs twice, a number is not finite, there are
        more ligands than sites, a degeneracy is below 1, the degeneracies of an N add up to more
        than its arrangements, or ``sides`` is neither.
    """
    _check_numbers(ion_pair_energy_ev, ts_ev, chemical_potential_ev, ion_pair_error_ev)
    area = require_positive("area", area_angstrom2, "Å²") * _count_sides(sides)
    temperature = require_positive("temperature", temperature_k, "K")
    groups = group_by_bound(configurations, n_sites)
    bound = np.arange(len(groups), dtype=np.int64)
    lowest = tuple(find_lowest(group) for group in groups)
    energies = np.array([np.nan if entry is None else entry.energy_ev for entry in lowest])
    errors = np.array(
        [np.nan if entry is None or entry.error_ev is None else entry.error_ev for entry in lowest]
    )
    reference = ion_pair_energy_ev - ts_ev + chemical_potential_ev
    reference_error = np.nan if ion_pair_error_ev is None else ion_pair_error_ev
    free_energy = energies - energies[0] - bound * reference
    average = average_over_configurations(groups, n_sites, temperature)
    averaged = average.free_energy_ev - average.free_energy_ev[0] - bound * reference
    gaps, incomplete = list_gaps(groups), list_incomplete(groups)
    minimum, certain, note = _name_minimum(free_energy, groups, n_sites)
    return SurfaceEnergyCurve(
        bound=bound,
        n_sites=n_sites,
        free_energy_ev=free_energy,
        free_energy_error_ev=_propagate(bound, errors, reference_error),
        differential_ev=_differentiate(free_energy),
        differential_error_ev=_propagate_differential(errors, reference_error),
        lowest=tuple("" if entry is None else entry.name for entry in lowest),
        averaged_free_energy_ev=averaged,
        averaged_free_energy_error_ev=_propagate(bound, average.error_ev, reference_error),
        averaged_differential_ev=_differentiate(averaged),
        mean_energy_ev=average.mean_energy_ev - average.mean_energy_ev[0] - bound * reference,
        minimum_bound=minimum,
        minimum_is_certain=certain,
        minimum_note=note,
        per_area_mev_per_angstrom2=1000.0 * free_energy / area,
        per_area_mj_per_m2=MJ_PER_M2_PER_EV_ANGSTROM2 * free_energy / area,
        area_angstrom2=area_angstrom2,
        sides=sides,
        temperature_k=temperature,
        ts_ev=ts_ev,
        ion_pair_energy_ev=ion_pair_energy_ev,
        chemical_potential_ev=chemical_potential_ev,
        configurations=tuple(configurations),
        gaps=gaps,
        incomplete=incomplete,
        warnings=_warn(
            configurations,
            gaps,
            incomplete,
            "" if certain else note,
            ion_pair_error_ev,
            has_average=_has_average(averaged, configurations),
        ),
    )


def _check_numbers(
    ion_pair_energy: float, ts: float, chemical_potential: float, ion_pair_error: float | None
) -> None:
    for name, value in (
        ("energy of LBr", ion_pair_energy),
        ("T S of the ligand", ts),
        ("shift of the chemical potential", chemical_potential),
    ):
        if not np.isfinite(value):
            raise InputError(f"the {name} is {value} eV; expected a finite number")
    if ion_pair_error is not None and not (np.isfinite(ion_pair_error) and ion_pair_error >= 0):
        raise InputError(f"the error of the energy of LBr is {ion_pair_error} eV; expected >= 0")


def _count_sides(sides: str) -> int:
    if sides not in SIDES:
        raise InputError(f"sides is {sides!r}; expected 'both' or 'one'")
    return SIDES[sides]


def _has_average(
    averaged: NDArray[np.float64], configurations: Sequence[ConfigurationEnergy]
) -> bool:
    counts = np.bincount([entry.bound for entry in configurations])
    return bool(np.isfinite(averaged[counts > 1]).any())


def _differentiate(free_energy: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.diff(free_energy, prepend=np.nan)


def _propagate(
    bound: NDArray[np.int64], errors: NDArray[np.float64], reference_error: float
) -> NDArray[np.float64]:
    """Error of ΔG(N); at N = 0 it is zero, for E(0) cancels."""
    total = np.sqrt(errors**2 + errors[0] ** 2 + (bound * reference_error) ** 2)
    return np.where(bound == 0, 0.0, total)


def _propagate_differential(
    errors: NDArray[np.float64], reference_error: float
) -> NDArray[np.float64]:
    before = np.concatenate([[np.nan], errors[:-1]])
    result: NDArray[np.float64] = np.sqrt(errors**2 + before**2 + reference_error**2)
    return result


def _name_minimum(
    free_energy: NDArray[np.float64],
    groups: Sequence[Sequence[ConfigurationEnergy]],
    n_sites: int,
) -> tuple[int, bool, str]:
    """Return N of the minimum, whether no neighbour can hide a lower one, and that in words."""
    minimum = int(np.nanargmin(free_energy))
    doubts = []
    for neighbour in (minimum - 1, minimum + 1):
        if not 0 <= neighbour <= n_sites:
            continue
        if neighbour >= len(groups):
            doubts.append(f"N = {neighbour} next to it was not computed")
        elif np.isnan(free_energy[neighbour]):
            doubts.append(f"N = {neighbour} next to it has no energy")
        elif any(entry.energy_ev is None for entry in groups[neighbour]):
            doubts.append(f"a configuration of N = {neighbour} failed")
    note = f"minimum at N = {minimum} of {n_sites}"
    if doubts:
        note += f", uncertain: {' and '.join(doubts)}"
    return minimum, not doubts, note


def _warn(
    configurations: Sequence[ConfigurationEnergy],
    gaps: tuple[str, ...],
    incomplete: tuple[str, ...],
    uncertain_minimum: str,
    ion_pair_error: float | None,
    *,
    has_average: bool,
) -> tuple[str, ...]:
    warnings = [f"gap: {gap}" for gap in gaps]
    warnings += [f"the lowest may be missing: {entry}" for entry in incomplete]
    if uncertain_minimum:
        warnings.append(uncertain_minimum)
    if ion_pair_error is None and any(entry.error_ev is not None for entry in configurations):
        warnings.append(
            "the energies have errors and E(LBr) has none: no error bar is drawn; "
            "give ion_pair_error_ev, 0 if it is exact"
        )
    if has_average:
        warnings.append(AVERAGE_NOTE)
    return tuple(warnings)
