"""Figures of the notebooks: panels of qdcomp's reports, side by side."""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt

from qdcomp.report.drawing import style
from qdcomp.report.drawing.panel import Panel
from qdcomp.report.drawing.static_drawing import draw_panel

INCHES = (6.4, 4.9)
"""Width and height of a panel."""


def show(*panels: Panel | None, note: str = "") -> None:
    """Draw panels in a row; as a script, into ``figures/`` of the folder where it runs.

    Parameters
    ----------
    panels
        What to draw; None is left out.
    note
        What stands on every panel that does not say it: that it is simulated, for example.
    """
    drawn = [_add_note(panel, note) for panel in panels if panel is not None]
    with mpl.rc_context(style.RC_PARAMS):
        figure, axes = plt.subplots(
            1,
            len(drawn),
            figsize=(INCHES[0] * len(drawn), INCHES[1]),
            layout="constrained",
            squeeze=False,
        )
        for place, panel in zip(axes[0], drawn, strict=True):
            draw_panel(place, panel)
        if mpl.get_backend().lower() == "agg":
            folder = Path("figures")
            folder.mkdir(exist_ok=True)
            figure.savefig(folder / f"{Path(sys.argv[0]).stem}_{drawn[0].name}.png")
            plt.close(figure)
        else:
            plt.show()


def _add_note(panel: Panel, note: str) -> Panel:
    says_it = any(note in text for text in panel.notes)
    return panel if says_it else panel.with_notes((note,))
