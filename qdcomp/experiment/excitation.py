"""How strongly a dot is excited, and how much of its light is detected."""

from __future__ import annotations

import math
from dataclasses import dataclass

from qdcomp.errors import InputError
from qdcomp.experiment.estimate import Estimate

PLANCK_J_S = 6.62607015e-34
LIGHT_SPEED_M_PER_S = 2.99792458e8

_SQUARE_NM_PER_SQUARE_CM = 1e14
_REACH_NM = 15.0
"""Distance to the wavelength of a published efficiency within which it holds."""


@dataclass(frozen=True)
class PublishedEfficiency:
    """Share of a dot's photons that an instrument detects.

    Attributes
    ----------
    wavelength_nm
        Emission [nm].
    efficiency
        Detected over emitted photons.
    instrument
        What it was measured on.
    source
        Where it is printed.
    """

    wavelength_nm: float
    efficiency: float
    instrument: str
    source: str


_MI_SETUP = "NA 1.45 oil objective, two Hamamatsu C11202-100 photodiodes"
_MI_SOURCE = "Mi et al., Nat. Commun. (2025), Supplementary Note 8"

PUBLISHED_EFFICIENCIES = (
    PublishedEfficiency(470.0, 0.09, _MI_SETUP, _MI_SOURCE),
    PublishedEfficiency(515.0, 0.08, _MI_SETUP, _MI_SOURCE),
    PublishedEfficiency(650.0, 0.03, _MI_SETUP, _MI_SOURCE),
)


@dataclass(frozen=True)
class Excitation:
    """Excitation of a dot by one pulse.

    Attributes
    ----------
    excitons_per_pulse
        ⟨N⟩, mean number of excitons that a pulse makes.
    fluence_uj_per_cm2
        Energy of a pulse over the area of the spot, P/(R π r²) [µJ/cm²], without the factor f.
    """

    excitons_per_pulse: Estimate
    fluence_uj_per_cm2: Estimate


def compute_excitation(
    *,
    power_w: Estimate,
    wavelength_nm: float,
    cross_section_cm2: Estimate,
    repetition_hz: float,
    spot_radius_nm: Estimate,
    position_factor: float = 2.0,
) -> Excitation:
    """Mean number of excitons per pulse, ⟨N⟩ = f P λ σ/(R π r² h c).

    Mi et al. (2025), Supplementary Note 7.

    Parameters
    ----------
    power_w
        Average power of the laser at the sample, P [W].
    wavelength_nm
        Of the laser, λ [nm].
    cross_section_cm2
        Absorption cross-section of the dot at that wavelength, σ [cm²].
    repetition_hz
        Pulses per second, R [Hz].
    spot_radius_nm
        1/e² radius of the Gaussian spot, r [nm]; a diameter gives a quarter of ⟨N⟩.
    position_factor
        f; 2 for a dot in the centre of a Gaussian spot, less beside it.

    Raises
    ------
    InputError
        If a number is not positive or an error is negative.
    """
    measured = {"power": power_w, "cross-section": cross_section_cm2, "radius": spot_radius_nm}
    exact = {
        "wavelength": wavelength_nm,
        "repetition rate": repetition_hz,
        "position factor": position_factor,
    }
    for name, estimate in measured.items():
        _require_positive(name, estimate.value)
        if estimate.error < 0.0:
            raise InputError(f"the {name} has a negative error; give a standard error")
    for name, value in exact.items():
        _require_positive(name, value)
    area_cm2 = math.pi * spot_radius_nm.value**2 / _SQUARE_NM_PER_SQUARE_CM
    fluence = power_w.value / repetition_hz / area_cm2
    photon_j = PLANCK_J_S * LIGHT_SPEED_M_PER_S / (wavelength_nm * 1e-9)
    excitons = position_factor * fluence / photon_j * cross_section_cm2.value
    light = math.hypot(
        power_w.error / power_w.value, 2.0 * spot_radius_nm.error / spot_radius_nm.value
    )
    every = math.hypot(light, cross_section_cm2.error / cross_section_cm2.value)
    return Excitation(
        excitons_per_pulse=Estimate(excitons, excitons * every),
        fluence_uj_per_cm2=Estimate(fluence * 1e6, fluence * 1e6 * light),
    )


def compute_emitted_rate(detected_per_s: Estimate, efficiency: Estimate) -> Estimate:
    """Photons that a dot emits [1/s]: those detected over the detection efficiency.

    Mi et al. (2025), Supplementary Note 8. The errors count as independent.

    Raises
    ------
    InputError
        If the rate is negative or the efficiency is not above 0 and at most 1.
    """
    if not (math.isfinite(detected_per_s.value) and detected_per_s.value >= 0.0):
        raise InputError(f"a rate of {detected_per_s.value} counts/s is negative or no number")
    if not 0.0 < efficiency.value <= 1.0:
        raise InputError(f"an efficiency of {efficiency.value}; expected more than 0, at most 1")
    rate = detected_per_s.value / efficiency.value
    error = math.hypot(detected_per_s.error, rate * efficiency.error) / efficiency.value
    return Estimate(rate, error)


def find_detection_efficiency(wavelength_nm: float) -> PublishedEfficiency:
    """Find the published efficiency of the nearest wavelength; it holds for its instrument.

    Raises
    ------
    InputError
        If none was published within 15 nm.
    """
    nearest = min(PUBLISHED_EFFICIENCIES, key=lambda one: abs(one.wavelength_nm - wavelength_nm))
    if not abs(nearest.wavelength_nm - wavelength_nm) <= _REACH_NM:
        known = ", ".join(f"{one.wavelength_nm:g}" for one in PUBLISHED_EFFICIENCIES)
        raise InputError(
            f"no published efficiency within {_REACH_NM:g} nm of {wavelength_nm} nm (there are "
            f"{known} nm); give the efficiency of your instrument"
        )
    return nearest


def _require_positive(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0.0):
        raise InputError(f"a {name} of {value} is not a positive number")
