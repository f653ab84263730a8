from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from qdcomp.report.drawing import style
from qdcomp.report.drawing.structure_picture import STICK_ANGSTROM, render_structure
from qdcomp.report.pages.viewer_data import describe_for_viewer
from qdcomp.report.surfaces.slab_picture import VIEWS, draw_views
from qdcomp.report.surfaces.surface_content import StructurePair


def test_views_are_rotations():
    for turn in VIEWS.values():
        np.testing.assert_allclose(turn @ turn.T, np.eye(3))
        assert np.linalg.det(turn) == pytest.approx(1.0)


@pytest.mark.parametrize("kind", ["png", "svg"])
@pytest.mark.parametrize("relaxed", [True, False])
def test_pictures_before_and_after_relaxation(covered, tmp_path, kind, relaxed):
    moved = covered.with_positions(covered.atoms.positions + 0.05) if relaxed else None
    path = draw_views(
        StructurePair(covered, moved), tmp_path / f"a.{kind}", title="$N$", notes=("stand-in",)
    )
    if kind == "png":
        assert imread(path)[..., :3].std() > 0.05
        return
    pictures = ElementTree.parse(path).getroot().iter("{http://www.w3.org/2000/svg}image")
    assert len(list(pictures)) == (4 if relaxed else 2)


def test_bonds_are_drawn_between_atoms_of_a_ligand_alone(covered):
    rendering = render_structure(covered, 800, turn=VIEWS["side"])
    first, second = covered.atoms.positions[[28, 29]]
    assert covered.atoms.get_chemical_symbols()[28] == "C"
    middle = VIEWS["side"] @ (0.5 * (first + second))
    left, _, _, upper = rendering.extent
    column = round((middle[0] - left) / rendering.angstrom_per_pixel)
    row = round((upper - middle[1]) / rendering.angstrom_per_pixel)
    assert rendering.image[row, column, 3] == 1.0
    reach = round(3.0 * STICK_ANGSTROM / rendering.angstrom_per_pixel)
    assert rendering.image[row, column, :3].max() < 0.9
    around = rendering.image[row - reach : row + reach, column - reach : column + reach, 3]
    assert around.mean() < 1.0


def test_elements_of_ligands_are_told_from_those_of_the_perovskite():
    colors = {name: np.array(to_rgb(style.element_color(name))) for name in
              ("Cs", "Pb", "Br", "C", "H", "N", "O")}  # fmt: skip
    for first in ("C", "H", "N", "O"):
        for second in ("Cs", "Pb", "Br"):
            assert np.linalg.norm(colors[first] - colors[second]) > 0.25, (first, second)


def test_viewer_is_given_bonds_cell_and_ligands(covered):
    scene = describe_for_viewer(covered, "N2")
    assert scene["name"] == "N2"
    atoms = covered.atoms
    carbons = sum(symbol == "C" for symbol in atoms.get_chemical_symbols())
    assert len(scene["stick_atom"]) == 2 * 2 * carbons
    sticks = np.array(scene["stick"]).reshape(-1, 3)
    lengths = 2 * np.linalg.norm(sticks, axis=1)
    assert ((lengths > 1.0) & (lengths < 1.5)).all()
    origin, *vectors = np.array(scene["cell"])
    np.testing.assert_allclose(vectors, atoms.cell.array, atol=1e-3)
    np.testing.assert_allclose(origin, -atoms.positions.mean(axis=0), atol=1e-3)
    layers = {layer["name"]: layer["count"] for layer in scene["layers"]}
    assert layers["ligand PEA"] == 24
    assert sum(layers.values()) == len(atoms)


def test_a_ligand_cut_by_the_cell_has_sticks_of_its_bond_lengths(covered):
    positions = covered.atoms.positions.copy()
    cell = covered.atoms.cell.array
    positions[28:34] += cell[0]
    lengths = [
        sorted(np.linalg.norm(np.array(describe_for_viewer(s)["stick"]).reshape(-1, 3), axis=1))
        for s in (covered, covered.with_positions(positions))
    ]
    np.testing.assert_allclose(lengths[0], lengths[1], atol=2e-3)
