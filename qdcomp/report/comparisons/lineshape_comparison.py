"""A calculated emission line on a measured spectrum: figures and table."""

from __future__ import annotations

from collections.abc import Sequence

from qdcomp.compare.lineshapes import LineshapeComparison
from qdcomp.compare.sideband_share import LineWidths
from qdcomp.report.drawing import style
from qdcomp.report.drawing.panel import Guide, Line, Panel, Points, thin_out
from qdcomp.report.measurements.measurement_html import PanelGroup
from qdcomp.report.pages.estimate_text import format_estimate
from qdcomp.report.pages.number_text import format_measured, format_plain
from qdcomp.report.pages.text_table import TextTable

MEV = 1e3


def state_share(comparison: LineshapeComparison, label: str) -> str:
    """Say what share of the measured width the sidebands explain."""
    share = comparison.share
    return (
        f"The calculated line of {label} is {MEV * share.calculated_fwhm_ev:.0f} meV wide and the "
        f"measured one {MEV * share.measured_fwhm_ev:.0f} meV: coupling to phonons explains "
        f"{format_measured(100.0 * share.value, 100.0 * share.error, '%')} of the measured width."
    )


def draw_lineshape(
    comparison: LineshapeComparison, label: str, cautions: Sequence[str] = ()
) -> PanelGroup:
    """Draw the measured spectrum with the calculated line on it, and the residuals."""
    per_mev = 1.0 / (MEV * comparison.pixel_widths_ev)
    energies = comparison.energies_ev
    shift = format_estimate(comparison.shift_ev, "eV")
    overlay = Panel(
        name="lineshape",
        title="Calculated line on the measured spectrum",
        x_label="photon energy [eV]",
        y_label="counts per meV",
        marks=(
            Points("measured", energies, comparison.counts * per_mev, style.TOTAL, faint=True),
            Line(
                f"calculated, {label}",
                *thin_out(energies, comparison.fitted_counts * per_mev),
                style.SERIES[1],
            ),
        ),
        notes=tuple(cautions),
        conditions=(
            f"two free numbers: shift {shift} and amplitude; {comparison.temperature_k:g} K",
        ),
        description=f"{state_share(comparison, label)} Reduced χ² {comparison.reduced_chi2:.3g}.",
    )
    residuals = Panel(
        name="lineshape_residuals",
        title="Measured less calculated",
        x_label="photon energy [eV]",
        y_label="deviation over the noise",
        marks=(Points("residuals", energies, comparison.residuals, style.TOTAL, faint=True),),
        guides=(Guide("", 0.0, "y"),),
        notes=tuple(cautions),
        description=f"Deviation in standard deviations; reduced χ² {comparison.reduced_chi2:.3g}.",
    )
    return PanelGroup("Lineshape", (overlay, residuals))


def tabulate_lineshape(comparison: LineshapeComparison) -> TextTable:
    """Widths and asymmetry of both lines, and what was fitted."""
    measured, calculated = comparison.measured, comparison.calculated
    rows = [
        (name, *(_format_width(widths, field) for widths in (measured, calculated)))
        for name, field in (
            ("FWHM", "fwhm"),
            ("HWHM of the low-energy side", "half_width_low"),
            ("HWHM of the high-energy side", "half_width_high"),
        )
    ]
    rows.append(
        (
            "Asymmetry, low over high",
            format_measured(measured.asymmetry, measured.asymmetry_error),
            format_measured(calculated.asymmetry, calculated.asymmetry_error),
        )
    )
    share = comparison.share
    rows += [
        ("Share of the measured width", "", format_measured(share.value, share.error)),
        ("Shift of the calculated energies", "", format_estimate(comparison.shift_ev, "eV")),
        ("Reduced χ² of two free numbers", "", format_plain(comparison.reduced_chi2)),
    ]
    note = "Both as the instrument shows them; the share is of widths without the instrument."
    return TextTable("Lineshape", ("Quantity", "Measured", "Calculated"), tuple(rows), note)


def _format_width(widths: LineWidths, field: str) -> str:
    value, error = getattr(widths, f"{field}_ev"), getattr(widths, f"{field}_error_ev")
    return format_measured(MEV * value, None if error is None else MEV * error, "meV")
