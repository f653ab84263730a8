"""Huang–Rhys spectrum from the fluctuating gap of a classical trajectory.

Ground state harmonic, excited state shifted: the gap U(t) has the correlation function

    C(t) = ⟨δU(t) δU(0)⟩ = Σ_k 2 S_k ħω_k kT cos ω_k t,   σ² = C(0) = 2 Λ kT,   Λ = Σ_k S_k ħω_k

and S(E) follows from its power spectral density P(E) as S = P / (2 E kT) (PHYSICS.md section 4; for
a single line this is Eq. 1 of Rainò et al. 2022, S = |F|² / 4ħωkT).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qdcomp.analysis.power_spectrum import (
    compute_power_density,
    energy_axis,
    energy_resolution,
    window_coherence,
)
from qdcomp.analysis.sampling import detect_drift, relative_spectral_error
from qdcomp.analysis.validity import MINIMUM_FRAMES, require_positive, require_series
from qdcomp.errors import InputError
from qdcomp.units import BOLTZMANN_EV_PER_K

CLOSED_GAP_EV = 0.1
"""Below this a gap counts as closed [eV] (PHYSICS.md section 1)."""

NYQUIST_SHARE = 0.01
"""Share of the variance in the top fifth of the spectrum above which the user is told."""


@dataclass(frozen=True)
class HuangRhysBand:
    """Coupling to the phonons of one band.

    Attributes
    ----------
    name
        For example ``"2 meV"``.
    center_ev
        Nominal energy Ē of the band [eV], by which Λ is turned into S.
    lower_ev, upper_ev
        Edges [eV]; the band holds lower ≤ E < upper.
    reorganization_energy_ev, reorganization_energy_error_ev
        Λ_b and its standard error [eV]; the error is 0 where nothing was sampled (normal modes).
    huang_rhys_factor, huang_rhys_factor_error
        S_b = Λ_b / Ē_b and its standard error; like Λ_b nan where no energy of the spectrum lies
        in the band.
    """

    name: str
    center_ev: float
    lower_ev: float
    upper_ev: float
    reorganization_energy_ev: float
    reorganization_energy_error_ev: float
    huang_rhys_factor: float
    huang_rhys_factor_error: float


@dataclass(frozen=True)
class HuangRhysSpectrum:
    """Exciton–phonon coupling resolved in phonon energy.

    Attributes
    ----------
    energies_ev
        Phonon energies E_j, from zero to the Nyquist energy [eV], shape ``(n_energies,)``.
    power_density
        P(E), one-sided power spectral density of the gap [eV²/eV], shape ``(n_energies,)``.
    huang_rhys_density
        S(E) = P / (2 E kT) [1/eV], shape ``(n_energies,)``; 0 at E = 0, where S is not defined.
    spectral_density
        E·S(E) = P / (2 kT) [dimensionless: eV per eV], shape ``(n_energies,)``.
    energy_step_ev
        Spacing of ``energies_ev`` [eV].
    energy_resolution_ev
        Full width at half maximum that a sharp mode has here [eV].
    temperature_k
        Temperature of the trajectory [K].
    timestep_fs
        Time between samples [fs].
    n_samples
        Number of samples of the gap, in each trajectory.
    window
        Name of the window.
    reorganization_energy_ev, reorganization_energy_error_ev
        Λ = Σ_j P_j ΔE / 2kT over all bins, the zero bin included, and its standard error [eV].
    huang_rhys_factor, huang_rhys_factor_error
        Σ_j S(E_j) ΔE over E > 0, and its standard error.
    zero_bin_reorganization_energy_ev
        What the zero bin adds to Λ [eV]: variance too slow for this trajectory to resolve. It is
        part of Λ and of the band that begins at 0, and of no S(E).
    variance_ev2
        Plain variance of the gap [eV²].
    bands
        The bands around 2, 7 and 17 meV.
    unassigned_reorganization_energy_ev
        Λ outside all bands [eV].
    warnings
        What the user should know.
    n_trajectories
        Independent trajectories that it is the mean of.
    """

    energies_ev: NDArray[np.float64]
    power_density: NDArray[np.float64]
    huang_rhys_density: NDArray[np.float64]
    spectral_density: NDArray[np.float64]
    energy_step_ev: float
    energy_resolution_ev: float
    temperature_k: float
    timestep_fs: float
    n_samples: int
    window: str
    reorganization_energy_ev: float
    reorganization_energy_error_ev: float
    huang_rhys_factor: float
    huang_rhys_factor_error: float
    zero_bin_reorganization_energy_ev: float
    variance_ev2: float
    bands: tuple[HuangRhysBand, ...]
    unassigned_reorganization_energy_ev: float
    warnings: tuple[str, ...]
    n_trajectories: int = 1


class BandDefinition(NamedTuple):
    """Nominal energy and edges of a band [eV]."""

    center_ev: float
    lower_ev: float
    upper_ev: float


DEFAULT_BANDS = (
    BandDefinition(0.002, 0.0, 0.0045),
    BandDefinition(0.007, 0.0045, 0.012),
    BandDefinition(0.017, 0.012, 0.025),
)
"""The three bands of Rainò et al. 2022; edges half-way between them, and 25 meV at the top, above
the highest phonon of CsPbBr3."""


def compute_huang_rhys_spectrum(
    gap_ev: ArrayLike,
    timestep_fs: float,
    temperature_k: float,
    *,
    window: str = "hann",
    zero_padding: int = 1,
    bands: Sequence[BandDefinition] = DEFAULT_BANDS,
) -> HuangRhysSpectrum:
    """Huang–Rhys spectrum of a gap that fluctuates along a classical trajectory.

        P_j = c_j |X_j|² δt / (h Σ w²),   S(E_j) = P_j / (2 E_j kT),   Λ = Σ_j P_j ΔE / 2kT

    with X the transform of w (U − Ū), sums over bins, no trapezoid (PHYSICS.md section 4).
    Classical harmonic dynamics needs no quantum correction of S. Errors are those of one
    trajectory (:mod:`qdcomp.analysis.sampling`).

    Parameters
    ----------
    gap_ev
        Gap in each frame [eV], shape ``(n_frames,)``.
    timestep_fs
        Time between frames [fs].
    temperature_k
        Temperature of the trajectory [K].
    window
        ``"hann"`` or ``"rectangular"``.
    zero_padding
        How many times longer than the data the transform is; finer bins, no better resolution.
    bands
        Nominal energy and edges of each band; Λ_b is summed over lower ≤ E < upper.

    Raises
    ------
    InputError
        If the gap has fewer than 16 frames, is not finite or does not change, or the time step or
        the temperature is not positive.
    """
    step = require_positive("time step", timestep_fs, "fs")
    temperature = require_positive("temperature", temperature_k, "K")
    gap = require_series("gap", gap_ev, minimum=MINIMUM_FRAMES)
    if np.ptp(gap) == 0.0:
        raise InputError(
            f"the gap is {gap[0]} eV in all {len(gap)} frames; expected one that fluctuates: "
            "check that orbital energies were written at every step"
        )
    if zero_padding < 1:
        raise InputError(f"zero padding {zero_padding}; expected 1 (none) or more")
    n_transform = zero_padding * len(gap)
    energies = energy_axis(n_transform, step)
    power = compute_power_density(gap - gap.mean(), step, window=window, n_transform=n_transform)
    coherence = window_coherence(window, len(gap), n_transform)
    resolution = energy_resolution(window, len(gap), step)

    reorganization = power * energies[1] / (2.0 * BOLTZMANN_EV_PER_K * temperature)
    factors = np.zeros_like(reorganization)
    factors[1:] = reorganization[1:] / energies[1:]
    total = float(reorganization.sum())
    summed = tuple(_sum_band(band, energies, reorganization, coherence) for band in bands)
    return HuangRhysSpectrum(
        energies_ev=energies,
        power_density=power,
        huang_rhys_density=factors / energies[1],
        spectral_density=reorganization / energies[1],
        energy_step_ev=float(energies[1]),
        energy_resolution_ev=resolution,
        temperature_k=temperature,
        timestep_fs=step,
        n_samples=len(gap),
        window=window,
        reorganization_energy_ev=total,
        reorganization_energy_error_ev=total * relative_spectral_error(reorganization, coherence),
        huang_rhys_factor=float(factors.sum()),
        huang_rhys_factor_error=float(factors.sum()) * relative_spectral_error(factors, coherence),
        zero_bin_reorganization_energy_ev=float(reorganization[0]),
        variance_ev2=float(gap.var()),
        bands=summed,
        unassigned_reorganization_energy_ev=total
        - float(np.nansum([band.reorganization_energy_ev for band in summed])),
        warnings=(
            *_warn_about_gap(gap),
            *_warn_about_resolution(resolution, len(gap) * step, bands),
            *_warn_about_empty_bands(summed),
            *_warn_about_nyquist(power, energies),
        ),
    )


def sum_bands(
    energies_ev: NDArray[np.float64],
    reorganization_energies_ev: NDArray[np.float64],
    bands: Sequence[BandDefinition] = DEFAULT_BANDS,
) -> tuple[HuangRhysBand, ...]:
    """Sum the reorganization energies of discrete modes in bands, without error.

    Parameters
    ----------
    energies_ev
        Mode energies [eV], shape ``(n_modes,)``.
    reorganization_energies_ev
        Λ_k [eV], shape ``(n_modes,)``.
    bands
        Nominal energy and edges of each band.
    """
    return tuple(_sum_band(band, energies_ev, reorganization_energies_ev, None) for band in bands)


def _sum_band(
    band: BandDefinition,
    energies: NDArray[np.float64],
    reorganization: NDArray[np.float64],
    coherence: NDArray[np.float64] | None,
) -> HuangRhysBand:
    center, lower, upper = band
    if not 0.0 <= lower < upper or center <= 0.0:
        raise InputError(
            f"band at {center} eV with edges {lower} and {upper} eV; expected 0 <= lower < upper "
            "and a positive centre"
        )
    inside = reorganization[(energies >= lower) & (energies < upper)]
    if coherence is None:
        total, error = float(inside.sum()), 0.0
    elif len(inside) == 0:
        total = error = math.nan  # too short a trajectory to tell: not the same as no coupling
    else:
        total = float(inside.sum())
        error = total * relative_spectral_error(inside, coherence)
    return HuangRhysBand(
        name=f"{center * 1e3:g} meV",
        center_ev=center,
        lower_ev=lower,
        upper_ev=upper,
        reorganization_energy_ev=total,
        reorganization_energy_error_ev=error,
        huang_rhys_factor=total / center,
        huang_rhys_factor_error=error / center,
    )


def _warn_about_gap(gap: NDArray[np.float64]) -> list[str]:
    warnings = []
    closed = np.flatnonzero(gap < CLOSED_GAP_EV)
    if len(closed):
        warnings.append(
            f"the gap is closed (below {CLOSED_GAP_EV} eV) in {len(closed)} of {len(gap)} frames, "
            f"first in frame {closed[0]}: the charge of the dot or its surface is not what it "
            "should be, and the numbers of this run mean little"
        )
    drift = detect_drift(gap)
    if drift.significant:
        warnings.append(
            f"the gap drifts by {drift.change * 1e3:.1f} meV over the trajectory "
            f"(p = {drift.p_value:.1g}): equilibrate longer, or Λ contains the drift"
        )
    return warnings


def _warn_about_empty_bands(bands: Sequence[HuangRhysBand]) -> tuple[str, ...]:
    empty = [band.name for band in bands if math.isnan(band.huang_rhys_factor)]
    if not empty:
        return ()
    return (f"no energy of the spectrum lies in the {', '.join(empty)} band: S is not known there",)


def _warn_about_resolution(
    resolution: float, duration: float, bands: Sequence[BandDefinition]
) -> list[str]:
    warnings = []
    for center, _, _ in bands[:1]:
        if resolution > 0.5 * center:
            needed = duration * resolution / (0.5 * center)
            warnings.append(
                f"{duration / 1e3:.1f} ps resolve {resolution * 1e3:.2f} meV, too coarse for the "
                f"{center * 1e3:g} meV band; {needed / 1e3:.0f} ps would do"
            )
    return warnings


def _warn_about_nyquist(power: NDArray[np.float64], energies: NDArray[np.float64]) -> list[str]:
    top = power[energies > 0.8 * energies[-1]].sum() / power.sum()
    if top > NYQUIST_SHARE:
        return [
            f"{top:.1%} of the gap's variance lies within 20 % of the Nyquist energy "
            f"({energies[-1] * 1e3:.0f} meV): the time step is too long or the gap is noisy"
        ]
    return []
