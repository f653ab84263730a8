"""Configurations of one number of ligands: the lowest, the average, and what is missing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from qdcomp.errors import InputError
from qdcomp.units import BOLTZMANN_EV_PER_K


@dataclass(frozen=True)
class ConfigurationEnergy:
    """Energy of one arrangement of ligands on the slab.

    Attributes
    ----------
    name
        Name of the configuration, ``N4-a``.
    bound
        Bound ligands N.
    degeneracy
        Arrangements that symmetry makes equal to this one, itself counted.
    energy_ev, error_ev
        Total energy and its standard error [eV]; None if there is none.
    failure
        Why there is no energy; None where there is one.
    """

    name: str
    bound: int
    degeneracy: int
    energy_ev: float | None
    error_ev: float | None = None
    failure: str | None = None


@dataclass(frozen=True, eq=False)
class ConfigurationAverage:
    """Averages over configurations for each N; NaN where not all arrangements have an energy.

    Attributes
    ----------
    free_energy_ev
        −kT ln Σ g exp(−E/kT) [eV], shape ``(n,)``.
    mean_energy_ev
        Σ p E with p = g exp(−E/kT) / Σ [eV], shape ``(n,)``.
    error_ev
        √(Σ p² σ²), the standard error of the free energy [eV], shape ``(n,)``.
    """

    free_energy_ev: NDArray[np.float64]
    mean_energy_ev: NDArray[np.float64]
    error_ev: NDArray[np.float64]


def group_by_bound(
    configurations: Sequence[ConfigurationEnergy], n_sites: int
) -> tuple[tuple[ConfigurationEnergy, ...], ...]:
    """Return the configurations of each N = 0, 1, … up to the largest; empty where none is given.

    Raises
    ------
    InputError
        If N = 0 has no energy, a name occurs twice, a number cannot be, or there are more ligands
        or arrangements of them than the sites have.
    """
    _check_configurations(configurations)
    largest = max(entry.bound for entry in configurations)
    if largest > n_sites:
        raise InputError(
            f"{largest} ligands on {n_sites} sites; expected at most one ligand a site"
        )
    groups = tuple(
        tuple(entry for entry in configurations if entry.bound == bound)
        for bound in range(largest + 1)
    )
    for bound, group in enumerate(groups):
        _check_degeneracies(group, bound, n_sites)
    return groups


def find_lowest(group: Sequence[ConfigurationEnergy]) -> ConfigurationEnergy | None:
    """Return the configuration of the lowest energy; None if none has an energy."""
    known = [(entry.energy_ev, entry) for entry in group if entry.energy_ev is not None]
    return min(known, key=lambda pair: pair[0])[1] if known else None


def average_over_configurations(
    groups: Sequence[Sequence[ConfigurationEnergy]], n_sites: int, temperature_k: float
) -> ConfigurationAverage:
    """Boltzmann averages over the configurations of each N of which all have an energy."""
    rows = [
        _average(group, math.comb(n_sites, bound), BOLTZMANN_EV_PER_K * temperature_k)
        for bound, group in enumerate(groups)
    ]
    free, mean, error = np.array(rows, dtype=np.float64).T
    return ConfigurationAverage(free_energy_ev=free, mean_energy_ev=mean, error_ev=error)


def list_gaps(groups: Sequence[Sequence[ConfigurationEnergy]]) -> tuple[str, ...]:
    """Name each N without an energy, with the reason."""
    return tuple(
        f"N = {bound}: {_describe_failures(group) if group else 'not computed'}"
        for bound, group in enumerate(groups)
        if find_lowest(group) is None
    )


def list_incomplete(groups: Sequence[Sequence[ConfigurationEnergy]]) -> tuple[str, ...]:
    """Name each N of which some configurations failed and others did not."""
    return tuple(
        f"N = {bound}: {_describe_failures(group)}"
        for bound, group in enumerate(groups)
        if find_lowest(group) is not None and any(entry.energy_ev is None for entry in group)
    )


def _describe_failures(group: Sequence[ConfigurationEnergy]) -> str:
    return "; ".join(
        f"{entry.name} has no energy ({entry.failure or 'no reason given'})"
        for entry in group
        if entry.energy_ev is None
    )


def _average(
    group: Sequence[ConfigurationEnergy], arrangements: int, thermal_energy: float
) -> tuple[float, float, float]:
    known = [entry for entry in group if entry.energy_ev is not None]
    if sum(entry.degeneracy for entry in known) < arrangements:
        return np.nan, np.nan, np.nan
    energies = np.array([entry.energy_ev for entry in known], dtype=np.float64)
    degeneracies = np.array([entry.degeneracy for entry in known], dtype=np.float64)
    errors = np.array([np.nan if e.error_ev is None else e.error_ev for e in known])
    exponents = np.log(degeneracies) - (energies - energies.min()) / thermal_energy
    log_sum = float(logsumexp(exponents))
    shares = np.exp(exponents - log_sum)
    return (
        float(energies.min()) - thermal_energy * log_sum,
        float(shares @ energies),
        float(np.sqrt(shares**2 @ errors**2)),
    )


def _check_configurations(configurations: Sequence[ConfigurationEnergy]) -> None:
    names = [entry.name for entry in configurations]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"configuration {', '.join(twice)} is given twice; give each once")
    for entry in configurations:
        _check_configuration(entry)
    if find_lowest([entry for entry in configurations if entry.bound == 0]) is None:
        failures = _describe_failures([e for e in configurations if e.bound == 0])
        raise InputError(
            "the energy of the slab without ligands (N = 0) is missing, and every free energy "
            f"refers to it{': ' + failures if failures else ''}; add N = 0 to the series, "
            "or compute it again, and go on"
        )


def _check_degeneracies(group: Sequence[ConfigurationEnergy], bound: int, n_sites: int) -> None:
    total, arrangements = sum(entry.degeneracy for entry in group), math.comb(n_sites, bound)
    if total > arrangements:
        raise InputError(
            f"the degeneracies of N = {bound} add up to {total}, and {n_sites} sites hold "
            f"{bound} ligands in {arrangements} ways; give each configuration once"
        )


def _check_configuration(entry: ConfigurationEnergy) -> None:
    if entry.bound < 0 or entry.degeneracy < 1:
        raise InputError(
            f"configuration {entry.name} has {entry.bound} ligands and degeneracy "
            f"{entry.degeneracy}; expected N >= 0 and a degeneracy of at least 1"
        )
    if entry.energy_ev is not None and not np.isfinite(entry.energy_ev):
        raise InputError(
            f"the energy of configuration {entry.name} is {entry.energy_ev} eV; give a finite "
            "number, or None with the reason as its failure"
        )
    if entry.error_ev is not None and not (np.isfinite(entry.error_ev) and entry.error_ev >= 0):
        raise InputError(
            f"the error of configuration {entry.name} is {entry.error_ev} eV; expected >= 0"
        )
