"""Panels of photon correlations: pulsed g2 and long delays."""

from __future__ import annotations

import numpy as np

from qdcomp.experiment.correlations.g2_analysis import G2Analysis
from qdcomp.experiment.correlations.gated_g2 import GatedG2
from qdcomp.experiment.estimate import Estimate
from qdcomp.report.drawing import style
from qdcomp.report.drawing.panel import Bars, Guide, Line, Mark, Panel, Points
from qdcomp.report.pages.estimate_text import format_estimate

LARGEST_ERROR = 0.5
"""Error of a gated g2(0) above which a point tells nothing."""


def list_g2_panels(found: G2Analysis) -> tuple[Panel, ...]:
    """Figures of the correlations, those without data left out."""
    panels = []
    if found.pulsed is not None:
        panels.append(draw_pulsed_g2(found))
    if found.gated is not None:
        panels.append(draw_gated_g2(found.gated))
    if found.cw is not None:
        panels.append(draw_cw_g2(found))
    if found.long_delay is not None:
        panels.append(draw_long_delay_g2(found))
    return tuple(panels)


def draw_pulsed_g2(found: G2Analysis) -> Panel:
    """Draw the coincidences by pulses over their mean."""
    pulsed = found.pulsed
    if pulsed is None:
        raise ValueError("there is no pulsed g2")
    corrected = ""
    if found.corrected_zero_delay is not None:
        corrected = (
            f", without the decay's background {format_estimate(found.corrected_zero_delay)}"
        )
    return Panel(
        name="pulsed_g2",
        title="Second-order correlation by pulses",
        x_label=f"pulses of {pulsed.period_ns:.4g} ns from start to stop",
        y_label="coincidences over the mean of the side peaks",
        marks=(
            Bars(
                "g2",
                tuple(f"{lag:+d}" if lag else "0" for lag in pulsed.lags),
                pulsed.g2,
                style.SERIES[0],
                pulsed.error,
            ),
        ),
        guides=(Guide("", 1.0, "y"),),
        description=(
            f"g2(0) = {format_estimate(pulsed.zero_delay)}{corrected}; "
            f"{int(pulsed.coincidences.sum())} coincidences."
        ),
    )


def draw_gated_g2(found: GatedG2) -> Panel:
    """Draw g2(0) of photons that come late after their pulse."""
    marks: list[Mark] = [_draw_gates("as measured", found, found.zero_delay, style.SERIES[0])]
    if any(value is not None for value in found.without_background):
        marks.append(
            _draw_gates("without background", found, found.without_background, style.SERIES[1])
        )
    return Panel(
        name="gated_g2",
        title="Antibunching of late photons",
        x_label="earliest delay after the foot of the rise [ns]",
        y_label="g2(0)",
        marks=tuple(marks),
        guides=(Guide("", 0.0, "y"),),
        description=(
            "Both photons of a pair come later than the gate, beyond which a fast biexciton gives "
            "none. Later gates hold part of the pairs of earlier ones: their errors go together. "
            f"Not shown: values with an error above {LARGEST_ERROR:g}."
        ),
    )


def _draw_gates(
    label: str, found: GatedG2, values: tuple[Estimate | None, ...], color: str
) -> Points:
    known = [
        (gate, one)
        for gate, one in zip(found.gates_ns, values, strict=True)
        if one is not None and one.error < LARGEST_ERROR
    ]
    return Points(
        label,
        np.array([gate for gate, _ in known]),
        np.array([one.value for _, one in known]),
        color,
        np.array([one.error for _, one in known]),
        hollow=color != style.SERIES[0],
        joined=True,
    )


def draw_cw_g2(found: G2Analysis) -> Panel:
    """Draw g2 at short delays of continuous excitation."""
    cw, dip = found.cw, found.antibunching
    if cw is None:
        raise ValueError("there is no g2 at short delays")
    marks: list[Mark] = [
        Points("g2", cw.delays_ns, cw.g2, style.SERIES[0], cw.error, faint=len(cw.g2) > 200)
    ]
    description = f"{int(cw.pairs.sum())} pairs."
    if dip is not None:
        marks.append(Line("fit of the dip", cw.delays_ns, dip.fitted, style.SERIES[1]))
        description += (
            f" g2(0) = {format_estimate(dip.zero_delay)}, "
            f"τ₀ = {format_estimate(dip.time_ns, 'ns')}; response of the instrument not taken off."
        )
    return Panel(
        name="cw_g2",
        title="Second-order correlation at short delays",
        x_label="delay from start to stop [ns]",
        y_label="g2",
        marks=tuple(marks),
        guides=(Guide("", 1.0, "y"),),
        y_range=(0.0, 1.1 * float(np.max(cw.g2 + cw.error))),
        description=description,
    )


def draw_long_delay_g2(found: G2Analysis) -> Panel:
    """Draw g2 from nanoseconds to seconds."""
    delays = found.long_delay
    if delays is None:
        raise ValueError("there is no long-delay g2")
    seen = delays.expected >= 1.0
    marks: list[Mark] = [
        Points("g2", delays.delays_s[seen], delays.g2[seen], style.SERIES[0], delays.error[seen])
    ]
    description = "Normalised so that light that knows nothing of its photons gives 1."
    if found.bunching is not None:
        bunching = found.bunching
        marks.append(Line("bunching", bunching.delays_s, bunching.fitted, style.SERIES[1]))
        description += (
            f" Bunching: amplitude {format_estimate(bunching.amplitude)}, rate "
            f"{format_estimate(bunching.rate_per_s, '1/s')}."
        )
    top = float(np.max(delays.g2[seen] + delays.error[seen])) if seen.any() else 2.0
    return Panel(
        name="long_delay_g2",
        title="Second-order correlation at long delays",
        x_label="delay [s]",
        y_label="g2",
        marks=tuple(marks),
        guides=(Guide("", 1.0, "y"),),
        y_range=(0.0, 1.1 * min(top, 10.0)),
        description=description,
        x_log=True,
    )
