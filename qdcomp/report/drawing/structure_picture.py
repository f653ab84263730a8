"""Picture of a structure: shaded spheres in orthographic projection, with legend and scale bar.

Every sphere is drawn pixel by pixel into a depth buffer, so that spheres cut each other as they
should. Atoms that others hide are left out beforehand, which keeps a 70,000-atom dot fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from qdcomp.errors import InputError
from qdcomp.report.drawing import style
from qdcomp.structures import Structure
from qdcomp.structures.contacts import find_bonds

FloatArray = NDArray[np.float64]

PICTURE_PIXELS = 1100
"""Width of the drawn image [px]."""

MARGIN_ANGSTROM = 1.5
"""Empty rim about the outermost spheres [Å]."""

HIDING_CELL_ANGSTROM = 2.0
"""Columns in which hidden atoms are looked for [Å]; narrower than the gaps between ions."""

HIDDEN_BELOW_ANGSTROM = 40.0
"""Atoms this far below the shallowest of the neighbouring columns are taken for hidden [Å]; by then
the channels between the ions are closed, unless one looks along an axis of the lattice."""

TILT_DEGREES = (-71.0, 23.0)
"""Rotations about x and z after which three faces of a cube are seen [degrees]."""

FROZEN_WHITENING = 0.55
"""How far the colour of a frozen atom goes to white."""

DEPTH_CUE = 0.35
"""How far the colour of the farthest atom goes to white."""

STICK_ANGSTROM, STICK_STEP_ANGSTROM = 0.13, 0.05
"""Radius of a bond of a ligand, and distance of the balls that it is drawn with [Å]."""

BAR_LENGTHS_NM = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True)
class Rendering:
    """A drawn structure.

    Attributes
    ----------
    image
        Red, green, blue and opacity from 0 to 1, shape ``(height, width, 4)``.
    angstrom_per_pixel
        Scale [Å].
    n_drawn
        Atoms drawn; the rest is hidden.
    low
        Lower left corner in the turned coordinates [Å], shape ``(2,)``.
    """

    image: FloatArray
    angstrom_per_pixel: float
    n_drawn: int
    low: FloatArray

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Left, right, lower and upper edge in the turned coordinates [Å]."""
        height, width = self.image.shape[:2]
        left, lower = (float(value) for value in self.low)
        scale = self.angstrom_per_pixel
        return left, left + width * scale, lower, lower + height * scale


def draw_structure(
    structure: Structure,
    path: Path | str,
    *,
    title: str | None = None,
    notes: Sequence[str] = (),
) -> Path:
    """Draw a structure to a PNG or SVG file.

    Parameters
    ----------
    structure
        What to draw; frozen atoms are paler.
    path
        Ends in ``.png`` or ``.svg``; its folder is made.
    title
        Above the picture; composition, edge, atoms and charge if not given.
    notes
        Assumptions, written below the title.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        If the ending is another, or there is no atom.
    """
    target = Path(path)
    if target.suffix.lower() not in {".png", ".svg"}:
        raise InputError(f"picture {target.name!r}: expected a name that ends in .png or .svg")
    rendering = render_structure(structure)
    target.parent.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(style.RC_PARAMS):
        figure = Figure(figsize=(6.0, 5.6), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        _place_image(axes, rendering)
        _place_title(axes, _describe(structure) if title is None else title, notes)
        _add_legend(axes, structure)
        metadata = {"Title": structure.description}
        if target.suffix.lower() == ".svg":
            figure.savefig(target, metadata={**metadata, "Date": None})
        else:
            figure.savefig(target, metadata=metadata)
    return target


def _describe(structure: Structure) -> str:
    edge = f", {structure.edge_angstrom / 10:.1f} nm" if structure.edge_angstrom else ""
    charge = f"charge {structure.charge:+d} e" if structure.charge else "neutral"
    return f"{structure.composition}{edge}, {len(structure.atoms)} atoms, {charge}"


def render_structure(
    structure: Structure,
    pixels: int = PICTURE_PIXELS,
    *,
    turn: FloatArray | None = None,
    window: tuple[FloatArray, FloatArray] | None = None,
) -> Rendering:
    """Render the spheres of a structure, and the bonds of its ligands.

    Parameters
    ----------
    structure
        What to draw.
    pixels
        Width of the image [px].
    turn
        Rotation to the screen, z towards the viewer, shape ``(3, 3)``; it is about the origin.
        Left out, three faces of a cube are seen, and the rotation is about the middle.
    window
        Lower left and upper right corner in the turned coordinates [Å], shape ``(2,)`` each; what
        is outside is cut off. Left out, all is seen.

    Raises
    ------
    InputError
        If there is no atom.
    """
    symbols = np.array(structure.atoms.get_chemical_symbols())
    if len(symbols) == 0:
        raise InputError("the structure has no atoms; there is nothing to draw")
    positions = structure.atoms.positions
    rotation = _three_faces() if turn is None else turn
    turned = (positions - (positions.mean(axis=0) if turn is None else 0.0)) @ rotation.T
    names, kinds = np.unique(symbols, return_inverse=True)
    radii = np.array([style.element_radius(name) for name in names])
    colors = np.array([to_rgb(style.element_color(name)) for name in names])[kinds]
    colors[structure.frozen] += FROZEN_WHITENING * (1.0 - colors[structure.frozen])
    low, high = find_window(turned, float(radii.max())) if window is None else window
    scale = float((high[0] - low[0]) / pixels)
    canvas = _Canvas((max(1, round((high[1] - low[1]) / scale)), pixels), low, scale)
    visible = find_visible(turned)
    depth = turned[:, 2]
    far = (depth.max() - depth) / max(float(np.ptp(depth)), 1e-9)
    colors += DEPTH_CUE * far[:, None] * (1.0 - colors)
    for kind, radius in enumerate(radii):
        chosen = np.flatnonzero(visible & (kinds == kind))
        canvas.stamp(turned[chosen], colors[chosen], float(radius))
    sticks, owners = _place_sticks(structure, rotation, turned)
    canvas.stamp(sticks, colors[owners], STICK_ANGSTROM)
    return Rendering(canvas.image[::-1], scale, int(visible.sum()), low)


def find_window(turned: FloatArray, radius: float) -> tuple[FloatArray, FloatArray]:
    """Corners of a window that holds all spheres up to this radius, with a rim [Å]."""
    rim = MARGIN_ANGSTROM + radius
    return turned[:, :2].min(axis=0) - rim, turned[:, :2].max(axis=0) + rim


def _three_faces() -> FloatArray:
    """Rotation to the viewing direction; z then points at the viewer."""
    x, z = np.radians(TILT_DEGREES)
    about_z = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    rotation: FloatArray = about_x @ about_z
    return rotation


def _place_sticks(
    structure: Structure, rotation: FloatArray, turned: FloatArray
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Centres of the balls that the bonds are drawn with, and the atom that each is coloured as.

    Each bond goes from both of its atoms half the way; where the cell cuts a ligand, both halves
    end in the air.
    """
    bonds = find_bonds(structure.atoms, structure.ligand_index)
    first = np.concatenate([bonds.first, bonds.second]).astype(np.int64)
    ends = turned[bonds.second] + bonds.offset @ rotation.T - turned[bonds.first]
    halves = 0.5 * np.concatenate([ends, -ends])
    longest = float(np.linalg.norm(halves, axis=1).max(initial=0.0))
    steps = np.linspace(0.0, 1.0, int(np.ceil(longest / STICK_STEP_ANGSTROM)) + 1)
    places = turned[first][:, None, :] + steps[None, :, None] * halves[:, None, :]
    return places.reshape(-1, 3), np.repeat(first, len(steps))


def find_visible(turned: FloatArray) -> NDArray[np.bool_]:
    """Mark the atoms that can be seen along z: those near the top of their column.

    Parameters
    ----------
    turned
        Positions, z towards the viewer [Å], shape ``(n_atoms, 3)``.

    Returns
    -------
    NDArray
        False where an atom lies `HIDDEN_BELOW_ANGSTROM` below all around it, shape ``(n_atoms,)``.
    """
    columns = np.floor(turned[:, :2] / HIDING_CELL_ANGSTROM).astype(np.int64)
    columns -= columns.min(axis=0) - 1
    tops = np.full(columns.max(axis=0) + 2, -np.inf)
    np.maximum.at(tops, (columns[:, 0], columns[:, 1]), turned[:, 2])
    shallowest = tops.copy()
    for shift_x in (-1, 0, 1):
        for shift_y in (-1, 0, 1):
            shifted = np.roll(tops, (shift_x, shift_y), axis=(0, 1))
            np.minimum(shallowest, shifted, out=shallowest)
    limit = shallowest[columns[:, 0], columns[:, 1]] - HIDDEN_BELOW_ANGSTROM
    visible: NDArray[np.bool_] = turned[:, 2] >= limit
    return visible


class _Canvas:
    """An image and the height of what is drawn in each of its pixels."""

    def __init__(self, shape: tuple[int, int], low: FloatArray, scale: float) -> None:
        self.image, self._buffer = np.ones((*shape, 4)), np.full(shape, -np.inf)
        self.image[..., 3] = 0.0
        self._low, self._scale = low, scale

    def stamp(self, centres: FloatArray, colors: FloatArray, radius_angstrom: float) -> None:
        """Draw spheres of one radius where they are in front of what is drawn already."""
        image, buffer = self.image, self._buffer
        radius = radius_angstrom / self._scale
        reach = int(np.ceil(radius))
        across = np.arange(-reach, reach + 1)
        dx, dy = (part.ravel() for part in np.meshgrid(across, across))
        inside = dx**2 + dy**2 <= radius**2
        dx, dy = dx[inside], dy[inside]
        rise = np.sqrt(radius**2 - dx**2 - dy**2)
        shade = 0.45 + 0.55 * np.clip((-0.45 * dx + 0.55 * dy + 0.7 * rise) / radius, 0.0, 1.0)
        gleam = np.clip((-0.4 * dx + 0.5 * dy + 0.77 * rise) / radius, 0.0, 1.0) ** 24
        pixels = np.rint((centres[:, :2] - self._low) / self._scale).astype(np.int64)
        columns = pixels[:, 0, None] + dx
        rows = pixels[:, 1, None] + dy
        heights = centres[:, 2, None] + self._scale * rise
        atoms, spots = np.nonzero(
            (columns >= 0) & (columns < image.shape[1]) & (rows >= 0) & (rows < image.shape[0])
        )
        flat = rows[atoms, spots] * image.shape[1] + columns[atoms, spots]
        height = heights[atoms, spots]
        order = np.argsort(height)
        # A repeated index keeps what is assigned last: the highest of this element.
        winner = np.full(buffer.size, -1, dtype=np.int64)
        winner[flat[order]] = order
        drawn = np.flatnonzero(winner >= 0)
        chosen = winner[drawn]
        higher = height[chosen] > buffer.ravel()[drawn]
        drawn, chosen = drawn[higher], chosen[higher]
        buffer.ravel()[drawn] = height[chosen]
        lit = colors[atoms[chosen]] * shade[spots[chosen], None]
        lit += 0.5 * gleam[spots[chosen], None] * (1.0 - lit)
        image.reshape(-1, 4)[drawn, :3] = lit
        image.reshape(-1, 4)[drawn, 3] = 1.0


def _place_image(axes: Any, rendering: Rendering) -> None:
    height, width = rendering.image.shape[:2]
    scale = rendering.angstrom_per_pixel / 10.0
    axes.imshow(
        np.clip(rendering.image, 0.0, 1.0),
        extent=(0.0, width * scale, 0.0, height * scale),
        interpolation="antialiased",
    )
    axes.set_axis_off()
    longest = 0.3 * width * scale
    bar = max([length for length in BAR_LENGTHS_NM if length <= longest] or [BAR_LENGTHS_NM[0]])
    bottom = -0.03 * height * scale
    axes.plot([0.0, bar], [bottom, bottom], color=style.INK, lw=3, solid_capstyle="butt")
    axes.annotate(
        f"{bar:g} nm",
        (0.5 * bar, bottom),
        xytext=(0, -4),
        textcoords="offset points",
        ha="center",
        va="top",
    )
    axes.set_xlim(0.0, width * scale)
    axes.set_ylim(-0.1 * height * scale, height * scale)


def _place_title(axes: Any, title: str, notes: Sequence[str]) -> None:
    axes.set_title(title.replace("$", r"\$"), loc="left", pad=18.0 if notes else 6.0)
    axes.annotate(
        " · ".join(notes).replace("$", r"\$"),
        (0.0, 1.0),
        xycoords="axes fraction",
        xytext=(0, 5),
        textcoords="offset points",
        fontsize=style.SMALL_FONT_SIZE,
        color=style.SURROGATE,
    )


def _add_legend(axes: Any, structure: Structure) -> None:
    entries = list_legend(structure)
    axes.legend(
        handles=entries,
        loc="upper right",
        bbox_to_anchor=(1.0, 0.0),
        ncols=len(entries),
        borderaxespad=0.0,
        handletextpad=0.2,
        columnspacing=1.2,
    )


def list_legend(structure: Structure) -> list[Line2D]:
    """Entries of a legend: the elements with their numbers, and atoms held fixed."""
    symbols = structure.atoms.get_chemical_symbols()
    entries = [
        _ball(f"{name} ({symbols.count(name)})", style.element_color(name))
        for name in dict.fromkeys(symbols)
    ]
    if structure.frozen.any():
        entries.append(_ball(f"paler: held fixed ({int(structure.frozen.sum())})", "#d9d9d9"))
    return entries


def _ball(label: str, color: str) -> Line2D:
    return Line2D([], [], ls="", marker="o", ms=8, mfc=color, mec=style.MUTED, mew=0.5, label=label)
