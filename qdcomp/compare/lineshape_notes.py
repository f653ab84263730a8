"""What was assumed in laying a calculated line over a measured one, in sentences."""

from __future__ import annotations

from qdcomp.analysis import Lineshape
from qdcomp.compare.instrument_line import InstrumentLine
from qdcomp.compare.lineshape_fit import LineOverlay
from qdcomp.compare.sideband_share import SidebandShare
from qdcomp.experiment import EmissionFit, Estimate

LARGEST_CHI2 = 2.0
"""Reduced χ² above which the calculated shape is said not to be the measured one."""

BROAD_INSTRUMENT = 0.5
"""Share of the measured width from which the instrument's is called large."""


def describe_errors(
    estimated: bool, counts_per_photon: float | None, relative_error: float | None
) -> list[str]:
    """Say which errors nobody gave.

    Parameters
    ----------
    estimated
        Whether the errors of the counts are those of the fit.
    counts_per_photon
        As given to the fit; None where the scatter told the errors.
    relative_error
        Standard error of Λ over Λ, or None.
    """
    notes = []
    if estimated and counts_per_photon is None:
        notes.append("the counts came without errors: theirs are estimated from their scatter")
    if relative_error is None:
        notes.append(
            "Λ came without an error: the calculated widths have none, and that of the share is "
            "the measurement's alone"
        )
    return notes


def describe_instrument(
    fit: EmissionFit, instrument: InstrumentLine | None, calculated: Lineshape
) -> list[str]:
    """Say what broadens either line besides the dot.

    Parameters
    ----------
    fit
        The measured line.
    instrument
        None where it was taken as sharp.
    calculated
        The calculated line.
    """
    notes = [
        f"the calculated line carries a Gaussian of {1e3 * calculated.broadening_ev:.2g} meV of "
        "its own, which counts as sideband width"
    ]
    if instrument is None:
        notes.append("the instrument's width is not known: taken as sharp")
    elif 1e3 * instrument.fwhm_ev > BROAD_INSTRUMENT * fit.fwhm_mev.value:
        notes.append(
            f"the instrument ({1e3 * instrument.fwhm_ev:.3g} meV) makes much of the measured width "
            f"({fit.fwhm_mev.value:.3g} meV): the share follows from what is left"
        )
    return notes


def describe_result(
    calculated: Lineshape,
    fit: EmissionFit,
    overlay: LineOverlay,
    share: SidebandShare,
    background: Estimate | str,
) -> list[str]:
    """Say what the shift means, and where the comparison is to be read with care.

    Parameters
    ----------
    calculated, fit
        The calculated and the measured line.
    overlay
        The one on the other.
    share
        What the sidebands explain.
    background
        As of `compare_lineshape`.
    """
    shift = f"{overlay.shift_ev.value:+.3f} eV"
    notes = [
        f"the calculated energies are relative to the gap: the shift of {shift} puts them on the "
        f"measured line at {fit.peak_energy_ev.value:.3f} eV and is no result"
        if calculated.vertical_energy_ev == 0.0
        else f"the calculated gap is not at the measured peak: the line is shifted by {shift}, "
        "and only its shape is compared"
    ]
    if background == "none":
        notes.append("no background was taken off: all counts are the line's")
    if background == "constant":
        notes.append(
            "the background is that of the measured line's own fit; how much of it the calculated "
            "line's wings would take is in the errors of shift and amplitude"
        )
    if overlay.reduced_chi2 > LARGEST_CHI2:
        notes.append(
            f"reduced χ² {overlay.reduced_chi2:.1f}: the measured line has another shape than the "
            "calculated one; the errors of shift and amplitude know of the counts only"
        )
    if share.value > 1.0 + share.error:
        notes.append(
            f"the calculated sidebands alone are {share.value:.2f} times as wide as the measured "
            "line: the share is above 1"
        )
    return notes
