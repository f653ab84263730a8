"""Size of a dot from its emission, by a named sizing curve.

Each curve gives E(d) of cubes of edge d, its range of validity and the scatter of the measured
points about it; outside the range there is no size. Choose by material and ligand: the curves
differ by more than their scatter, and a size is as good as its curve.

``mi2025``
    E = 2.3097 eV + 1.1660 eV nm / d: least squares here through the four points of Mi et al. 2025,
    SI Table 1 (CsPbBr3, as synthesised: 3.0, 3.6, 4.2, 5.1 nm at 462, 467, 478, 491 nm).
``mi2025_damato2023``
    E = 2.3233 eV + 1.1165 eV nm / d: the same with the 12 nm batch of D'Amato et al. 2023 (mean of
    64 dots 512.5 nm) as a fifth point, for weakly confined CsPbBr3.
``effective_mass``
    E = E_g + 3 h²/(8 μ d²) − 3.05 e²/(4πε₀ε d), particles in a cubic box with their Coulomb energy
    to first order (Brus, J. Chem. Phys. 80, 4403 (1984), doi 10.1063/1.447218, for a sphere), with
    E_g = 2.342 eV, μ = 0.126 m₀, ε = 7.3 of CsPbBr3 (Yang et al., ACS Energy Lett. 2, 1621 (2017),
    doi 10.1021/acsenergylett.7b00416, at low temperature). Not fitted to sizes: from 5.0 to 6.1 nm
    it is within 15 % of `mi2025_damato2023`, which is taken as its error, and beyond it is not:
    smaller dots leave the parabolic bands, larger ones need a gap at room temperature.
``mapbbr3``
    MAPbBr3, by interpolation in the table of Commun. Phys. 6 (2023), doi
    10.1038/s42005-023-01459-8, Table 2 (2.7 to 9.9 nm at 475 to 524 nm).

The two lines are fits made here, of numbers that the papers print; the parameters of Yang et al.
are quoted as others cite them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.optimize import brentq

from qdcomp.errors import InputError
from qdcomp.experiment.estimate import Estimate
from qdcomp.experiment.spectra.spectrum import HC_EV_NM
from qdcomp.units import COULOMB_EV_ANGSTROM

BOX_ENERGY_EV_NM2 = 3.0 * 0.376030
"""3 h²/(8 m₀): ground state of a free electron in a cube of edge d, times d² [eV nm²]."""

CUBE_COULOMB = 3.05
"""Coulomb energy of two ground-state charges in a cube, in e²/(4πε₀ε d)."""

CSPBBR3_GAP_EV = 2.342
CSPBBR3_REDUCED_MASS = 0.126
CSPBBR3_PERMITTIVITY = 7.3

EFFECTIVE_MASS_EDGES_NM = (5.0, 6.1)
EFFECTIVE_MASS_RELATIVE_ERROR = 0.15

MAPBBR3_EDGES_NM = (2.7, 3.2, 5.0, 6.0, 7.5, 8.7, 9.9)
MAPBBR3_PEAKS_NM = (475.0, 498.0, 514.0, 518.0, 522.0, 523.0, 524.0)

MAPBBR3_PEAK_ERROR_EV = 0.0012
"""Half a nanometre: the table gives whole ones."""

MAPBBR3_RELATIVE_ERROR = 0.10
"""Assumed error of its sizes, which the table gives without one."""


@dataclass(frozen=True)
class SizingCurve:
    """Emission energy against size.

    Attributes
    ----------
    name
        Its name here.
    material
        What it holds for.
    source
        Paper and place, with its DOI.
    edges_nm
        Sizes that it was made of, or holds for (smallest, largest edge) [nm].
    energies_ev
        Range of validity (lowest, highest peak energy) [eV]: those of the same dots.
    compute_energy_ev
        E(d) [eV] of an edge [nm]; falls with the edge.
    scatter_ev
        Standard deviation of the measured points about the curve [eV].
    relative_size_error
        Error of the model, as a share of the size.
    """

    name: str
    material: str
    source: str
    edges_nm: tuple[float, float]
    energies_ev: tuple[float, float]
    compute_energy_ev: Callable[[float], float]
    scatter_ev: float
    relative_size_error: float = 0.0


@dataclass(frozen=True)
class DotSize:
    """Size by a sizing curve.

    Attributes
    ----------
    edge_nm
        Edge of the cube [nm], with the error of the peak and the scatter of the curve; None outside
        the curve's range.
    curve
        Name of the curve.
    source
        Where it is from.
    reason
        Why there is no size; empty where there is one.
    """

    edge_nm: Estimate | None
    curve: str
    source: str
    reason: str = ""


def _make_inverse_curve(offset_ev: float, slope_ev_nm: float) -> Callable[[float], float]:
    return lambda edge_nm: offset_ev + slope_ev_nm / edge_nm


def _effective_mass_energy(edge_nm: float) -> float:
    coulomb = CUBE_COULOMB * 0.1 * COULOMB_EV_ANGSTROM / (CSPBBR3_PERMITTIVITY * edge_nm)
    return CSPBBR3_GAP_EV + BOX_ENERGY_EV_NM2 / (CSPBBR3_REDUCED_MASS * edge_nm**2) - coulomb


_MAPBBR3 = PchipInterpolator(MAPBBR3_EDGES_NM, HC_EV_NM / np.array(MAPBBR3_PEAKS_NM))

_MI = "Mi et al., Nat. Commun. (2025), SI Table 1"

SIZING_CURVES: dict[str, SizingCurve] = {
    curve.name: curve
    for curve in (
        SizingCurve(
            name="mi2025",
            material="CsPbBr3",
            source=f"{_MI}; line through its points made here",
            edges_nm=(3.0, 5.1),
            energies_ev=(HC_EV_NM / 491.0, HC_EV_NM / 462.0),
            compute_energy_ev=_make_inverse_curve(2.309668, 1.166020),
            scatter_ev=0.0209,
        ),
        SizingCurve(
            name="mi2025_damato2023",
            material="CsPbBr3",
            source=f"{_MI}, and D'Amato et al., Nano Lett. 23, 10228 (2023), Fig. 3a; line through "
            "their points made here",
            edges_nm=(3.0, 12.0),
            energies_ev=(HC_EV_NM / 512.5, HC_EV_NM / 462.0),
            compute_energy_ev=_make_inverse_curve(2.323308, 1.116550),
            scatter_ev=0.0175,
        ),
        SizingCurve(
            name="effective_mass",
            material="CsPbBr3",
            source="effective masses with first-order Coulomb energy; parameters of Yang et al., "
            "ACS Energy Lett. 2, 1621 (2017), doi 10.1021/acsenergylett.7b00416",
            edges_nm=EFFECTIVE_MASS_EDGES_NM,
            energies_ev=(
                _effective_mass_energy(EFFECTIVE_MASS_EDGES_NM[1]),
                _effective_mass_energy(EFFECTIVE_MASS_EDGES_NM[0]),
            ),
            compute_energy_ev=_effective_mass_energy,
            scatter_ev=0.0,
            relative_size_error=EFFECTIVE_MASS_RELATIVE_ERROR,
        ),
        SizingCurve(
            name="mapbbr3",
            material="MAPbBr3",
            source="Commun. Phys. 6 (2023), doi 10.1038/s42005-023-01459-8, Table 2",
            edges_nm=(MAPBBR3_EDGES_NM[0], MAPBBR3_EDGES_NM[-1]),
            energies_ev=(HC_EV_NM / MAPBBR3_PEAKS_NM[-1], HC_EV_NM / MAPBBR3_PEAKS_NM[0]),
            compute_energy_ev=lambda edge_nm: float(_MAPBBR3(edge_nm)),
            scatter_ev=MAPBBR3_PEAK_ERROR_EV,
            relative_size_error=MAPBBR3_RELATIVE_ERROR,
        ),
    )
}
"""The curves by name."""


def estimate_dot_size(peak_energy_ev: Estimate, curve: str = "mi2025_damato2023") -> DotSize:
    """Estimate the edge of a dot from its emission.

    Parameters
    ----------
    peak_energy_ev
        Peak of the emission [eV], with its error.
    curve
        Name of a curve of `SIZING_CURVES`.

    Raises
    ------
    InputError
        If there is no such curve or the energy is not positive.
    """
    if curve not in SIZING_CURVES:
        raise InputError(f"no sizing curve {curve!r}; there are {', '.join(SIZING_CURVES)}")
    chosen = SIZING_CURVES[curve]
    energy = peak_energy_ev.value
    if not (math.isfinite(energy) and energy > 0.0):
        raise InputError(f"the peak is at {energy} eV; expected a positive energy")
    lowest, highest = chosen.energies_ev
    if not lowest <= energy <= highest:
        side = "larger than" if energy < lowest else "smaller than"
        limit = chosen.edges_nm[1 if energy < lowest else 0]
        return DotSize(
            None,
            chosen.name,
            chosen.source,
            f"{energy:.3f} eV lies outside the {lowest:.3f}–{highest:.3f} eV of the curve "
            f"{chosen.name}: the dot is {side} {limit:g} nm by it, or of another material",
        )
    edge = _invert(chosen, energy)
    step = 1e-3 * (highest - lowest)
    below, above = max(energy - step, lowest), min(energy + step, highest)
    slope = (above - below) / (_invert(chosen, below) - _invert(chosen, above))
    peak_error = peak_energy_ev.error if math.isfinite(peak_energy_ev.error) else 0.0
    error = math.hypot(
        math.hypot(peak_error, chosen.scatter_ev) / slope, chosen.relative_size_error * edge
    )
    return DotSize(Estimate(edge, error), chosen.name, chosen.source)


def _invert(curve: SizingCurve, energy: float) -> float:
    """Find the edge of an energy; the measured points lie about the curve, not on it."""
    smallest, largest = curve.edges_nm
    while curve.compute_energy_ev(smallest) < energy:
        smallest *= 0.95
    while curve.compute_energy_ev(largest) > energy:
        largest *= 1.05
    return float(brentq(lambda trial: curve.compute_energy_ev(trial) - energy, smallest, largest))
