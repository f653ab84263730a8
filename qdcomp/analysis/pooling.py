"""Several independent trajectories of the same dot as one result.

Means over the trajectories, each with the standard error of the mean from their scatter: it holds
whatever the statistics of one trajectory are.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from qdcomp.analysis.huang_rhys import HuangRhysBand, HuangRhysSpectrum
from qdcomp.errors import InputError


def pool_spectra(spectra: Sequence[HuangRhysSpectrum]) -> HuangRhysSpectrum:
    """Average the Huang–Rhys spectra of independent trajectories.

    Parameters
    ----------
    spectra
        Two or more, of the same temperature, energies, window and bands.

    Returns
    -------
    Means; errors are standard errors of the mean. What all warn of is said once, the rest with the
    number of its trajectory.

    Raises
    ------
    InputError
        Fewer than two, or spectra that do not belong together.
    """
    first = spectra[0] if spectra else None
    if first is None or len(spectra) < 2:
        raise InputError(f"pooling needs two spectra or more, got {len(spectra)}")
    for other in spectra[1:]:
        same_grid = np.array_equal(other.energies_ev, first.energies_ev)
        same_analysis = _describe_analysis(other) == _describe_analysis(first)
        if not (same_grid and same_analysis):
            raise InputError(
                "spectra of different temperatures, energies, windows or bands cannot be pooled"
            )
    return dataclasses.replace(
        first,
        power_density=np.mean([one.power_density for one in spectra], axis=0),
        huang_rhys_density=np.mean([one.huang_rhys_density for one in spectra], axis=0),
        spectral_density=np.mean([one.spectral_density for one in spectra], axis=0),
        reorganization_energy_ev=_mean(spectra, lambda one: one.reorganization_energy_ev),
        reorganization_energy_error_ev=_error(spectra, lambda one: one.reorganization_energy_ev),
        huang_rhys_factor=_mean(spectra, lambda one: one.huang_rhys_factor),
        huang_rhys_factor_error=_error(spectra, lambda one: one.huang_rhys_factor),
        zero_bin_reorganization_energy_ev=_mean(
            spectra, lambda one: one.zero_bin_reorganization_energy_ev
        ),
        variance_ev2=_mean(spectra, lambda one: one.variance_ev2),
        bands=tuple(_pool_band(spectra, index) for index in range(len(first.bands))),
        unassigned_reorganization_energy_ev=_mean(
            spectra, lambda one: one.unassigned_reorganization_energy_ev
        ),
        warnings=_pool_warnings(spectra),
        n_trajectories=sum(one.n_trajectories for one in spectra),
    )


def _describe_analysis(spectrum: HuangRhysSpectrum) -> tuple[object, ...]:
    """List what has to be the same; zero padding gives fewer samples the same energies."""
    edges = tuple((band.center_ev, band.lower_ev, band.upper_ev) for band in spectrum.bands)
    return spectrum.temperature_k, spectrum.n_samples, spectrum.window, edges


def _pool_warnings(spectra: Sequence[HuangRhysSpectrum]) -> tuple[str, ...]:
    common = [text for text in spectra[0].warnings if all(text in one.warnings for one in spectra)]
    single = [
        f"trajectory {number}: {text}"
        for number, one in enumerate(spectra, start=1)
        for text in one.warnings
        if text not in common
    ]
    return (*common, *single)


def _pool_band(spectra: Sequence[HuangRhysSpectrum], index: int) -> HuangRhysBand:
    return dataclasses.replace(
        spectra[0].bands[index],
        reorganization_energy_ev=_mean(
            spectra, lambda one: one.bands[index].reorganization_energy_ev
        ),
        reorganization_energy_error_ev=_error(
            spectra, lambda one: one.bands[index].reorganization_energy_ev
        ),
        huang_rhys_factor=_mean(spectra, lambda one: one.bands[index].huang_rhys_factor),
        huang_rhys_factor_error=_error(spectra, lambda one: one.bands[index].huang_rhys_factor),
    )


def _mean(
    spectra: Sequence[HuangRhysSpectrum], quantity: Callable[[HuangRhysSpectrum], float]
) -> float:
    return float(np.mean([quantity(one) for one in spectra]))


def _error(
    spectra: Sequence[HuangRhysSpectrum], quantity: Callable[[HuangRhysSpectrum], float]
) -> float:
    values = [quantity(one) for one in spectra]
    return float(np.std(values, ddof=1) / np.sqrt(len(values)))
