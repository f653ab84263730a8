"""Linewidth against temperature: calculated curves, and the measured points beside them.

    Γ(T) = 2√(2 ln 2) √(2 Λ kT)                       classical
    Γ(T) = 2√(2 ln 2) √(Σ_k S_k E_k² coth(E_k / 2kT))   quantum (PHYSICS.md section 4)

from the Huang–Rhys spectrum of a trajectory, with its 68 % band, or from Huang–Rhys factors of a
few bands as printed (2, 7, 17 meV; Rainò et al. 2022, SI Table 1), without one since none is
printed. Both are harmonic: what a crystal does beyond that at 300 K is in neither.

A width is brought from one temperature to another by the ratio of the quantum Γ of a given
coupling, never without one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qdcomp.analysis import (
    HuangRhysSpectrum,
    compute_linewidth,
    compute_linewidth_table,
    compute_quantum_linewidth,
)
from qdcomp.analysis.linewidth import thermal_energies
from qdcomp.compare.observable import (
    Difference,
    Observable,
    compare_observables,
    convert_observable,
)
from qdcomp.compare.published import BAND_ENERGIES_EV, PublishedCoupling
from qdcomp.compare.published_linewidths import LINEWIDTH, NO_PRINTED_ERROR
from qdcomp.compare.sizes import SAME_SIZE_NM, is_core_shell
from qdcomp.errors import InputError
from qdcomp.experiment import Estimate
from qdcomp.units import FWHM_PER_SIGMA

MEV = 1e3
"""meV per eV."""

CONVERTED = "converted from"
"""How the note begins that says a width was brought from another temperature."""


@dataclass(frozen=True)
class DiscreteCoupling:
    """Coupling to a few phonon energies.

    Attributes
    ----------
    energies_ev
        Phonon energies [eV], positive.
    huang_rhys_factors
        Huang–Rhys factor of each, no unit, not negative.
    """

    energies_ev: tuple[float, ...]
    huang_rhys_factors: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.energies_ev) != len(self.huang_rhys_factors) or not self.energies_ev:
            raise InputError(
                f"{len(self.energies_ev)} phonon energies and {len(self.huang_rhys_factors)} "
                "Huang-Rhys factors; expected one factor an energy"
            )
        if not all(math.isfinite(e) and e > 0.0 for e in self.energies_ev):
            raise InputError(f"phonon energies {self.energies_ev}; expected positive ones [eV]")
        if not all(math.isfinite(s) and s >= 0.0 for s in self.huang_rhys_factors):
            raise InputError(f"Huang-Rhys factors {self.huang_rhys_factors}; expected none below 0")

    @property
    def reorganization_energy_ev(self) -> float:
        """Λ = Σ S E [eV]."""
        return float(np.dot(self.huang_rhys_factors, self.energies_ev))


Coupling = HuangRhysSpectrum | DiscreteCoupling


@dataclass(frozen=True)
class WidthCurve:
    """Γ(T) in one form.

    Attributes
    ----------
    center
        Width [meV], shape ``(n_temperatures,)``.
    low, high
        68 % band [meV], likewise; None where the coupling has no error.
    """

    center: NDArray[np.float64]
    low: NDArray[np.float64] | None
    high: NDArray[np.float64] | None


@dataclass(frozen=True)
class TemperatureDependence:
    """Γ(T) of one dot.

    Attributes
    ----------
    label, source
        The dot, and calculated with what or published where.
    temperatures_k
        Temperatures [K], shape ``(n_temperatures,)``.
    classical, quantum
        The two forms.
    coupling
        What they are from.
    edge_nm
        Edge of the dot [nm]; None where not known.
    published
        Whether the coupling is printed in a paper.
    notes
        What was assumed.
    """

    label: str
    source: str
    temperatures_k: NDArray[np.float64]
    classical: WidthCurve
    quantum: WidthCurve
    coupling: Coupling
    edge_nm: Estimate | None
    published: bool
    notes: tuple[str, ...]


@dataclass(frozen=True)
class TemperaturePoint:
    """A measured width beside the curve at its own temperature.

    Attributes
    ----------
    measured
        The measured width [meV].
    calculated
        The quantum form at the same temperature [meV]; None where there is none.
    difference
        Calculated less measured [meV]; None likewise.
    reason
        Why it cannot be held against the curve; empty where it can.
    """

    measured: Observable
    calculated: Observable | None
    difference: Difference | None
    reason: str


def compute_temperature_dependence(
    coupling: Coupling,
    temperatures_k: ArrayLike,
    *,
    label: str,
    source: str,
    edge_nm: Estimate | None = None,
    published: bool = False,
    assumptions: Sequence[str] = (),
) -> TemperatureDependence:
    """Compute Γ(T), classical and quantum.

    Parameters
    ----------
    coupling
        Huang–Rhys spectrum of a trajectory at any temperature, or factors of a few phonons.
    temperatures_k
        Temperatures [K], shape ``(n_temperatures,)``.
    label, source
        The dot, and calculated with what or published where.
    edge_nm
        Edge of the dot [nm].
    published
        Whether the coupling is printed in a paper.
    assumptions
        What was assumed on the way to the coupling: that the engine is a surrogate.

    Raises
    ------
    InputError
        If a temperature is not positive, or there is none.
    """
    temperatures = np.atleast_1d(np.asarray(temperatures_k, dtype=np.float64))
    usable = temperatures.ndim == 1 and temperatures.size > 0
    if not usable or not np.all(np.isfinite(temperatures) & (temperatures > 0.0)):
        raise InputError(f"temperatures {temperatures_k!r}; expected one or more above 0 K")
    notes = [*assumptions, "harmonic: the coupling is the same at all temperatures"]
    if isinstance(coupling, HuangRhysSpectrum):
        table = compute_linewidth_table(coupling, temperatures)
        classical = _make_curve(table.classical_ev, table.classical_error_ev)
        quantum = _make_curve(table.quantum_ev, table.quantum_error_ev)
    else:
        energy = coupling.reorganization_energy_ev
        classical = _make_curve(
            np.array([compute_linewidth(energy, float(t)) for t in temperatures]), None
        )
        quantum = _make_curve(
            np.array([_compute_quantum(coupling, float(t)) for t in temperatures]), None
        )
        bands = ", ".join(f"{MEV * energy:g}" for energy in coupling.energies_ev)
        notes.append(f"each band is one phonon energy: {bands} meV")
        notes.append("the Huang-Rhys factors have no error, so that the curve has no band")
    return TemperatureDependence(
        label=label,
        source=source,
        temperatures_k=temperatures,
        classical=classical,
        quantum=quantum,
        coupling=coupling,
        edge_nm=edge_nm,
        published=published,
        notes=tuple(dict.fromkeys(notes)),
    )


def compute_published_temperature_dependence(
    row: PublishedCoupling, temperatures_k: ArrayLike
) -> TemperatureDependence:
    """Compute Γ(T) from the printed Huang–Rhys factors of one dot.

    Parameters
    ----------
    row
        A row of `load_coupling_table`.
    temperatures_k
        Temperatures [K], shape ``(n_temperatures,)``.

    Raises
    ------
    InputError
        If a temperature is not positive, or there is none.
    """
    return compute_temperature_dependence(
        DiscreteCoupling(BAND_ENERGIES_EV, row.huang_rhys_factors),
        temperatures_k,
        label=row.dot,
        source=f"{row.where}, doi {row.doi}",
        edge_nm=Estimate(CELL_NM * row.cells, math.nan),
        published=True,
        assumptions=(NO_PRINTED_ERROR,),
    )


CELL_NM = 0.6
"""Edge of a dot over its number of cells as Rainò et al. 2022 count it [nm]."""


def place_measured_points(
    curve: TemperatureDependence, measured: Sequence[Observable]
) -> tuple[TemperaturePoint, ...]:
    """Hold measured widths against the quantum Γ of a calculated dot, each at its temperature.

    Nothing is converted: the curve is computed where the point is.

    Parameters
    ----------
    curve
        Γ(T) of one dot.
    measured
        Measured linewidths of any temperature; one without temperature is refused, and so is one of
        another size or with a shell where the calculated dot has none.

    Raises
    ------
    InputError
        If one is no linewidth or no energy.
    """
    return tuple(_place_point(curve, point) for point in measured)


def convert_linewidth(point: Observable, temperature_k: float, coupling: Coupling) -> Observable:
    """Bring a linewidth to another temperature by the Γ(T) of a coupling.

        Γ(T₂) = Γ(T₁) Γ_q(T₂) / Γ_q(T₁),   Γ_q the quantum form

    The error is scaled alike; that of the ratio is left out, since the coupling mostly cancels in
    it (wholly in the classical limit, where it is √(T₂/T₁)).

    Parameters
    ----------
    point
        A linewidth with a temperature.
    temperature_k
        Temperature to bring it to [K].
    coupling
        Coupling of the same dot, or of one like it.

    Raises
    ------
    InputError
        If it is no linewidth, its temperature is not known or one of the two is not positive, or
        the coupling is zero.
    """
    if point.quantity != LINEWIDTH:
        raise InputError(f"{point.label} ({point.source}) is a {point.quantity}, no {LINEWIDTH}")
    if point.temperature_k is None:
        raise InputError(
            f"the temperature of the linewidth of {point.label} ({point.source}) is not known; it "
            f"cannot be brought to {temperature_k:g} K"
        )
    before = _compute_quantum(coupling, point.temperature_k)
    if before == 0.0:
        raise InputError("a coupling of zero says nothing of how a linewidth goes with temperature")
    ratio = _compute_quantum(coupling, temperature_k) / before
    note = (
        f"{CONVERTED} {point.temperature_k:g} K to {temperature_k:g} K by the harmonic quantum "
        f"Γ(T), a factor of {ratio:.3g}"
    )
    return replace(
        point,
        value=point.value * ratio,
        error=None if point.error is None else point.error * ratio,
        temperature_k=temperature_k,
        assumptions=(*point.assumptions, note),
    )


def _place_point(curve: TemperatureDependence, point: Observable) -> TemperaturePoint:
    if point.quantity != LINEWIDTH:
        raise InputError(f"{point.label} ({point.source}) is a {point.quantity}, no {LINEWIDTH}")
    measured = convert_observable(point, "meV")
    if point.temperature_k is None:
        return TemperaturePoint(measured, None, None, "its temperature is not known")
    calculated = _evaluate(curve, point.temperature_k)
    if is_core_shell(point) != is_core_shell(calculated):
        reason = "one of the two has a shell of another material and the other has none"
        return TemperaturePoint(measured, None, None, reason)
    notes = []
    if point.edge_nm is None or curve.edge_nm is None:
        notes.append(f"the size of {curve.label} or of {point.label} is not known: taken as one")
    elif abs(point.edge_nm.value - curve.edge_nm.value) > SAME_SIZE_NM:
        reason = (
            f"its edge is {point.edge_nm.value:.3g} nm and that of the calculated dot "
            f"{curve.edge_nm.value:.3g} nm"
        )
        return TemperaturePoint(measured, None, None, reason)
    difference = compare_observables(calculated, measured)
    difference = replace(difference, notes=(*difference.notes, *notes))
    return TemperaturePoint(measured, calculated, difference, "")


def _evaluate(curve: TemperatureDependence, temperature_k: float) -> Observable:
    """Give the quantum Γ of a curve at any temperature."""
    at = compute_temperature_dependence(
        curve.coupling, [temperature_k], label=curve.label, source=curve.source
    ).quantum
    value = float(at.center[0])
    return Observable(
        quantity=LINEWIDTH,
        value=value,
        error=None if at.high is None else float(at.high[0]) - value,
        unit="meV",
        origin="calculated",
        source=curve.source,
        label=curve.label,
        published=curve.published,
        temperature_k=temperature_k,
        edge_nm=curve.edge_nm,
        assumptions=curve.notes,
    )


def _compute_quantum(coupling: Coupling, temperature_k: float) -> float:
    """Quantum Γ [eV]."""
    if isinstance(coupling, HuangRhysSpectrum):
        return compute_quantum_linewidth(coupling, temperature_k)
    energies = np.array(coupling.energies_ev)
    reorganization = np.array(coupling.huang_rhys_factors) * energies
    variance = float(reorganization @ thermal_energies(energies, temperature_k))
    return FWHM_PER_SIGMA * math.sqrt(variance)


def _make_curve(width_ev: NDArray[np.float64], error_ev: NDArray[np.float64] | None) -> WidthCurve:
    center = MEV * width_ev
    if error_ev is None:
        return WidthCurve(center, None, None)
    return WidthCurve(center, center - MEV * error_ev, center + MEV * error_ev)
