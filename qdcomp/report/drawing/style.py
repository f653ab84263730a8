"""One look for every figure: colours told apart without colour vision, fonts of 8 pt and more.

Colours are those of Okabe and Ito (https://jfly.uni-koeln.de/color/); lines differ in dashes too,
so that a grey print still tells them apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ase.data import atomic_numbers, covalent_radii
from ase.data.colors import jmol_colors

INK = "#1f2933"
"""Text and axes."""

MUTED = "#52606d"
"""Notes, guides and secondary text; 6.5 : 1 on white."""

GRID = "#d9dee4"
"""Grid lines."""

TOTAL = "#56616c"
"""Totals and points among coloured curves, visible on white and on black."""

GUIDE = "#7b8794"
"""Dashed guides, visible on white and on black."""

SURROGATE = "#b84a00"
"""Labels of surrogates and assumptions; more than 4.5 : 1 on white."""

SERIES = ("#0072b2", "#d55e00", "#009e73", "#b5508c", "#8a6d00", "#3f8fc4", "#6b6b6b")
"""Colours of series that have no colour of their own, in order."""

DASHES = ("solid", "dash", "dot", "dashdot")
"""Dash patterns in order, in the words of plotly."""

LAYERS = ("#2b6cb0", "#d07c0b", "#17907f", "#b8442c", "#7d5ba6", "#8a8f0d", "#3fa0c8", "#9c4f7c")
"""Colours of layers from the surface inwards."""

BANDS = ("#cfe3f3", "#fbe3c8", "#d6ecdf")
"""Shading of the 2, 7 and 17 meV bands."""

HEAT_MAP = "Blues"
"""Shades of a map, as matplotlib names them."""

ELEMENT_COLORS = {
    "Cs": "#3f8fc4",
    "Pb": "#6b6b6b",
    "Br": "#c8551b",
    "Ca": "#009e73",
    "Sn": "#8c7b4f",
    "Cl": "#8a9a1b",
    "I": "#7d4c9e",
    "H": "#f1f3f5",
    "C": "#3d4348",
    "N": "#2b3fd6",
    "O": "#d3164c",
    "P": "#e08a00",
    "S": "#d9bd00",
}
"""Colours of the elements of a dot and its ligands; others have those of Jmol. Carbon is darker
than Jmol's, which is the grey of lead."""

FONT_SIZE = 9.0
"""Points; the smallest text is 8."""

SMALL_FONT_SIZE = 8.0
"""Points."""

RC_PARAMS: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": FONT_SIZE,
    "axes.titlesize": FONT_SIZE + 1,
    "axes.titleweight": "bold",
    "axes.labelsize": FONT_SIZE,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.linewidth": 0.8,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.labelsize": SMALL_FONT_SIZE,
    "ytick.labelsize": SMALL_FONT_SIZE,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.fontsize": SMALL_FONT_SIZE,
    "legend.frameon": False,
    "lines.linewidth": 1.4,
    "text.color": INK,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "savefig.dpi": 160,
    "svg.hashsalt": "qdcomp",
}
"""Settings of matplotlib inside a figure's context; nothing global is changed."""


def element_color(symbol: str) -> str:
    """Colour of an element, ``#rrggbb``."""
    if symbol in ELEMENT_COLORS:
        return ELEMENT_COLORS[symbol]
    red, green, blue = jmol_colors[atomic_numbers.get(symbol, 0)]
    return f"#{round(255 * red):02x}{round(255 * green):02x}{round(255 * blue):02x}"


def element_radius(symbol: str) -> float:
    """Radius an atom is drawn with [Å]: 0.6 of its covalent radius."""
    return 0.6 * float(covalent_radii[atomic_numbers.get(symbol, 0)])


def cycle(colors: Sequence[str], index: int) -> str:
    """Colour or dash of that place in a list that starts again at its end."""
    return colors[index % len(colors)]
