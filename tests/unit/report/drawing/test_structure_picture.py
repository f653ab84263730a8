from xml.etree import ElementTree

import numpy as np
import pytest
from ase import Atoms
from matplotlib.image import imread

from qdcomp.errors import InputError
from qdcomp.report import draw_structure
from qdcomp.report.drawing.structure_picture import find_visible, render_structure
from qdcomp.report.drawing.style import element_radius
from qdcomp.report.pages.viewer_data import LARGEST_DRAWN, describe_for_viewer
from qdcomp.structures import Structure, build_quantum_dot, layer_groups, select_frozen_atoms


def structure_of(atoms: Atoms) -> Structure:
    return Structure(
        atoms=atoms,
        charge=0,
        charge_policy="given",
        depth_cells=np.full(len(atoms), np.nan),
        frozen=np.zeros(len(atoms), dtype=bool),
        edge_angstrom=0.0,
        cells=0,
        composition="$X$ <b>",
        description="by hand",
    )


def test_one_atom_is_a_disc_of_its_size():
    rendering = render_structure(structure_of(Atoms("Cs")), pixels=400)
    area = (rendering.image[..., 3] > 0.0).sum() * rendering.angstrom_per_pixel**2
    assert area == pytest.approx(np.pi * element_radius("Cs") ** 2, rel=0.02)


def test_the_nearer_atom_hides_the_farther_one():
    apart = 4.0 * np.array([np.sin(np.radians(23)), np.cos(np.radians(23)), 0.0])
    view = structure_of(Atoms("CsBr", positions=[[0, 0, 0], -0.01 * apart]))
    cesium_only = render_structure(structure_of(Atoms("Cs")), pixels=300)
    both = render_structure(view, pixels=300)
    blue = (both.image[..., 2] > both.image[..., 0]) & (both.image[..., 3] > 0)
    assert blue.sum() == pytest.approx((cesium_only.image[..., 3] > 0).sum(), rel=0.05)


def test_atoms_deep_below_are_left_out():
    grid = np.mgrid[0:20:2.0, 0:20:2.0].reshape(2, -1).T
    top = np.column_stack([grid, np.zeros(len(grid))])
    deep = np.column_stack([grid[45:46], [-60.0]])
    visible = find_visible(np.vstack([top, deep]))
    assert visible[:-1].all()
    assert not visible[-1]


@pytest.mark.parametrize("name", ["dot.png", "deep/dot.svg"])
def test_picture_is_written_where_asked(tmp_path, name):
    dot = build_quantum_dot(2)
    dot = dot.with_frozen(select_frozen_atoms(dot, "shell", 0.5))
    path = draw_structure(dot, tmp_path / name, notes=("surrogate engine model",))
    assert path == tmp_path / name
    if path.suffix == ".svg":
        assert ElementTree.parse(path).getroot().tag.endswith("svg")
    else:
        image = imread(path)
        assert image[..., :3].std() > 0.1


def test_texts_of_a_structure_are_not_mathematics(tmp_path):
    assert draw_structure(structure_of(Atoms("PbBr")), tmp_path / "a.png").is_file()


def test_other_formats_and_empty_structures_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"ends in \.png or \.svg"):
        draw_structure(build_quantum_dot(1, charge="neutral"), tmp_path / "dot.jpeg")
    with pytest.raises(InputError, match="no atoms"):
        draw_structure(structure_of(Atoms()), tmp_path / "dot.png")


def test_large_dot_is_drawn_in_seconds_not_minutes():
    dot = build_quantum_dot(13)
    rendering = render_structure(dot)
    assert rendering.n_drawn <= len(dot.atoms)
    middle = rendering.image[400:600, 450:650, 3]
    assert middle.mean() > 0.99


def test_viewer_is_given_every_atom_and_its_layer():
    dot = build_quantum_dot(3)
    scene = describe_for_viewer(dot)
    assert scene["drawn"] == scene["total"] == len(dot.atoms)
    assert {layer["name"]: layer["count"] for layer in scene["layers"]} == {
        name: int(mask.sum()) for name, mask in layer_groups(dot).items()
    }
    positions = np.array(scene["position"]).reshape(-1, 3)
    centred = dot.atoms.positions - dot.atoms.positions.mean(axis=0)
    np.testing.assert_allclose(positions, centred, atol=0.0051)
    symbols = [scene["elements"][index]["symbol"] for index in scene["element"]]
    assert symbols == dot.atoms.get_chemical_symbols()


def test_viewer_is_given_the_outside_of_a_large_dot():
    dot = build_quantum_dot(13)
    scene = describe_for_viewer(dot)
    assert len(dot.atoms) > LARGEST_DRAWN > scene["drawn"] == len(scene["element"])
    assert scene["total"] == len(dot.atoms)
