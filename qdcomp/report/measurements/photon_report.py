"""The report on the photons of one dot."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qdcomp.experiment.photon_analysis import PhotonAnalysis
from qdcomp.report.measurements.blinking_panels import list_blinking_panels
from qdcomp.report.measurements.decay_panels import list_decay_panels
from qdcomp.report.measurements.g2_panels import list_g2_panels
from qdcomp.report.measurements.measurement_html import (
    MeasurementReport,
    PanelGroup,
    write_measurement_report,
)
from qdcomp.report.measurements.photon_tables import list_photon_tables
from qdcomp.report.pages.estimate_text import format_estimate
from qdcomp.report.pages.number_text import format_plain

SIMULATED = "simulated"
"""Word in the source of a stream that no instrument measured."""


def write_photon_report(
    analysis: PhotonAnalysis, directory: Path | str, provenance: Mapping[str, Any]
) -> Path:
    """Write the report of an analysis into a folder; errors as of `write_measurement_report`.

    Parameters
    ----------
    analysis
        What to show.
    directory
        Made if it is not there.
    provenance
        From the file to its reader.
    """
    return write_measurement_report(describe_photons(analysis, provenance), directory)


def describe_photons(analysis: PhotonAnalysis, provenance: Mapping[str, Any]) -> MeasurementReport:
    """Put an analysis into headlines, tables and figures."""
    header = analysis.header
    source = Path(header.source).name or "photon stream"
    groups = [PanelGroup("Blinking", list_blinking_panels(analysis.blinking))]
    if analysis.g2 is not None:
        groups.append(PanelGroup("Photon correlation", list_g2_panels(analysis.g2)))
    if analysis.decay is not None:
        groups.append(PanelGroup("Decay", list_decay_panels(analysis.decay)))
    simulated = SIMULATED in header.source.lower() or SIMULATED in header.instrument.lower()
    return MeasurementReport(
        title=f"Single dot: {source}",
        origin=(
            f"{source}: {header.instrument or 'photon stream'}, mode {header.mode}, "
            f"{header.photons} photons in {format_plain(header.duration_s)} s on channels "
            f"{', '.join(map(str, header.channels))}."
        ),
        headlines=(summarise_photons(analysis),),
        tables=list_photon_tables(analysis),
        groups=tuple(group for group in groups if group.panels),
        results=collect_photon_results(analysis),
        caution="Simulated photons, not a measurement" if simulated else "",
        warnings=analysis.warnings,
        absent=analysis.absent,
        provenance={
            **provenance,
            "stream": {
                "mode": header.mode,
                "instrument": header.instrument,
                "macrotime_resolution_s": header.macrotime_resolution_s,
                "microtime_resolution_ns": header.microtime_resolution_ns,
                "duration_s": header.duration_s,
                "photons_per_channel": {str(k): n for k, n in header.photons_per_channel.items()},
            },
            "analysis": analysis.settings,
        },
    )


def summarise_photons(analysis: PhotonAnalysis) -> str:
    """Give the main numbers in one line."""
    parts = [f"{analysis.blinking.trace.mean_rate_per_s:.3g} counts/s"]
    states, mandel = analysis.blinking.states, analysis.blinking.mandel
    if states is not None:
        parts.append(f"ON fraction = {format_estimate(states.on_fraction)}")
    if mandel is not None:
        chosen = mandel.gaussian or mandel.on_bins or mandel.all_bins
        parts.append(f"Q = {format_estimate(chosen)}")
    if analysis.g2 is not None and analysis.g2.zero_delay is not None:
        parts.append(f"g2(0) = {format_estimate(analysis.g2.zero_delay)}")
    if analysis.decay is not None and analysis.decay.lifetime is not None:
        parts.append(f"τ = {format_estimate(analysis.decay.lifetime.lifetime_ns, 'ns')}")
    return ", ".join(parts)


def collect_photon_results(analysis: PhotonAnalysis) -> dict[str, Any]:
    """Give all numbers, nested, for ``results.json`` and ``--json``; long arrays are left out."""
    blinking, decay = analysis.blinking, analysis.decay
    return {
        "source": analysis.header.source,
        "photons": analysis.header.photons,
        "duration_s": analysis.header.duration_s,
        "mean_rate_per_s": blinking.trace.mean_rate_per_s,
        "bin_s": blinking.trace.bin_s,
        "states": blinking.states
        and {
            name: getattr(blinking.states, name)
            for name in ("threshold", "bright_level", "on_fraction", "on_level", "off_level")
        }
        | {"switches": blinking.states.switches},
        "mandel": blinking.mandel,
        "on_power_law": blinking.on_law,
        "off_power_law": blinking.off_law,
        "change_points": None
        if blinking.change_points is None
        else len(blinking.change_points.times_s),
        "levels": blinking.levels
        and {
            "rates_per_s": blinking.levels.rates_per_s,
            "time_shares": blinking.levels.time_shares,
        },
        "t70_s": blinking.photodarkening and blinking.photodarkening.t70_s,
        "lifetime": decay and decay.lifetime,
        "lifetimes_by_intensity": None
        if decay is None
        else {window.window.name: window.fit for window in decay.windows},
        "blinking_type": decay and decay.blinking_type,
        "g2": None if analysis.g2 is None else analysis.g2.numbers,
        "absent": analysis.absent,
        "warnings": analysis.warnings,
    }
