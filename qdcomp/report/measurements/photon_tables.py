"""Tables of the photons of one dot."""

from __future__ import annotations

from qdcomp.experiment.blinking.power_law import PowerLawFit
from qdcomp.experiment.correlations.g2_analysis import G2Analysis
from qdcomp.experiment.photon_analysis import PhotonAnalysis
from qdcomp.report.measurements.decay_panels import MODEL_NAMES
from qdcomp.report.pages.estimate_text import format_estimate, format_estimates
from qdcomp.report.pages.number_text import MISSING, format_plain
from qdcomp.report.pages.text_table import TextTable

HEADER = ("Quantity", "Value")


def list_photon_tables(analysis: PhotonAnalysis) -> tuple[TextTable, ...]:
    """All numbers of an analysis."""
    tables = [tabulate_blinking(analysis), tabulate_durations(analysis)]
    if analysis.g2 is not None:
        tables += [tabulate_g2(analysis.g2), tabulate_gated_g2(analysis.g2)]
    tables += tabulate_lifetimes(analysis)
    return tuple(table for table in tables if table is not None and table.rows)


def tabulate_blinking(analysis: PhotonAnalysis) -> TextTable:
    """ON fraction, Mandel Q, levels, photodarkening."""
    blinking = analysis.blinking
    states, mandel, dark = blinking.states, blinking.mandel, blinking.photodarkening
    rows = [
        ("Time bins", f"{len(blinking.trace)} of {1e3 * blinking.trace.bin_s:g} ms"),
        ("Mean rate", f"{format_plain(blinking.trace.mean_rate_per_s, 4)} counts/s"),
    ]
    if states is not None:
        bin_s = blinking.trace.bin_s
        on, off = states.on_level, states.off_level
        rows += [
            ("ON threshold", f"{format_plain(states.threshold)} counts per bin"),
            ("ON fraction", format_estimate(states.on_fraction)),
            ("ON level", MISSING if on is None else f"{format_plain(on / bin_s)} counts/s"),
            ("OFF level", MISSING if off is None else f"{format_plain(off / bin_s)} counts/s"),
            ("Switches", str(states.switches)),
        ]
    if mandel is not None:
        rows += [
            ("Mandel Q, Gaussian fit of the ON peak", format_estimate(mandel.gaussian)),
            ("Mandel Q, ON bins", format_estimate(mandel.on_bins)),
            ("Mandel Q, all bins", format_estimate(mandel.all_bins)),
        ]
    if blinking.change_points is not None and blinking.levels is not None:
        rows += [
            ("Change points", str(len(blinking.change_points.times_s))),
            ("Levels", str(len(blinking.levels.rates_per_s))),
            ("Their rates", format_estimates(blinking.levels.rates_per_s, "counts/s")),
        ]
    if dark is not None:
        longer = f"longer than {format_plain(dark.longer_than_s)} s" if dark.longer_than_s else ""
        rows.append(("T70", format_estimate(dark.t70_s, "s") if dark.t70_s else longer or MISSING))
    return TextTable("Blinking", HEADER, tuple(rows))


def tabulate_g2(g2: G2Analysis) -> TextTable:
    """g2(0), purity, bunching."""
    rows = []
    if g2.selection is not None:
        share = format_plain(100.0 * g2.selection.time_share)
        rows.append(("Photons", f"{g2.selection.name}, {share} % of the measurement"))
    if g2.pulsed is not None:
        coincidences = " ".join(map(str, g2.pulsed.coincidences))
        rows += [
            ("g2(0)", format_estimate(g2.zero_delay)),
            ("g2(0) without the decay's background", format_estimate(g2.corrected_zero_delay)),
            ("Purity, 1 − g2(0)", format_estimate(g2.pulsed.purity)),
            (
                f"Coincidences at pulse lags −{g2.pulsed.lags[-1]} … {g2.pulsed.lags[-1]}",
                coincidences,
            ),
        ]
    if g2.antibunching is not None:
        rows += [
            ("g2(0), fit of the dip", format_estimate(g2.antibunching.zero_delay)),
            ("Antibunching time", format_estimate(g2.antibunching.time_ns, "ns")),
        ]
    if g2.bunching is not None:
        rows += [
            ("Bunching amplitude", format_estimate(g2.bunching.amplitude)),
            ("Bunching rate", format_estimate(g2.bunching.rate_per_s, "1/s")),
        ]
    return TextTable("Photon correlation", HEADER, tuple(rows))


def tabulate_gated_g2(g2: G2Analysis) -> TextTable | None:
    """g2(0) of photons that come late after their pulse."""
    gated = g2.gated
    if gated is None:
        return None
    return TextTable(
        "g2(0) of late photons",
        ("Later than", "Share of the photons", "g2(0)", "g2(0) without background"),
        tuple(
            (
                f"{format_plain(gate)} ns",
                f"{format_plain(100.0 * share)} %",
                format_estimate(measured),
                format_estimate(corrected),
            )
            for gate, share, measured, corrected in zip(
                gated.gates_ns,
                gated.photon_shares,
                gated.zero_delay,
                gated.without_background,
                strict=True,
            )
        ),
        f"Delays count from the foot of the rise at {format_plain(gated.start_ns)} ns. Errors of "
        "different rows go together.",
    )


def tabulate_durations(analysis: PhotonAnalysis) -> TextTable | None:
    """Power laws of the ON and OFF durations."""
    laws = (("ON", analysis.blinking.on_law), ("OFF", analysis.blinking.off_law))
    rows = [_describe_law(name, law) for name, law in laws if law is not None]
    return TextTable(
        "Power laws of the durations",
        ("State", "Durations", "Exponent", "Cut-off", "Goodness of fit, p"),
        tuple(rows),
        "By maximum likelihood. A p below 0.1 means that the durations do not follow the law.",
    )


def _describe_law(name: str, law: PowerLawFit) -> tuple[str, ...]:
    return (
        name,
        str(law.n_durations),
        format_estimate(law.exponent),
        format_estimate(law.cutoff_s, "s"),
        format_plain(law.goodness_p_value, 2),
    )


def tabulate_lifetimes(analysis: PhotonAnalysis) -> list[TextTable]:
    """Lifetimes of the whole decay, and of the bright, grey and dark time."""
    decay = analysis.decay
    if decay is None:
        return []
    rows = []
    fits = [("all", 1.0, decay.lifetime)]
    fits += [(one.window.name, one.time_share, one.fit) for one in decay.windows]
    for name, share, fit in fits:
        if fit is None:
            rows.append((name, f"{share:.0%}", MISSING, MISSING, MISSING, MISSING, MISSING))
            continue
        lifetimes = format_estimates([part.lifetime_ns for part in fit.components], "ns")
        shares = ", ".join(f"{part.photon_share.value:.0%}" for part in fit.components)
        rows.append(
            (
                name,
                f"{share:.0%}",
                MODEL_NAMES[fit.model],
                lifetimes,
                shares,
                format_estimate(fit.lifetime_ns, "ns"),
                format_plain(fit.deviance_per_degree),
            )
        )
    kind = decay.blinking_type
    note = "" if kind is None else f"Type of blinking: {kind.verdict}. {kind.reason}."
    header = (
        "Time",
        "Share",
        "Model",
        "Lifetimes",
        "Photon shares",
        "Average by amplitude",
        "Deviance per degree of freedom",
    )
    return [TextTable("Lifetimes", header, tuple(rows), note)]
