import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdcomp.errors import InputError
from qdcomp.structures import (
    build_core_shell_dot,
    build_quantum_dot,
    layer_groups,
    layer_labels,
    select_frozen_atoms,
)


def test_layers_alternate_from_the_surface_inwards():
    labels = list(layer_groups(build_quantum_dot(5)))
    assert labels == [
        "0.0 CsBr",
        "0.5 PbBr2",
        "1.0 CsBr",
        "1.5 PbBr2",
        "2.0 CsBr",
        "2.5 PbBr2",
    ]


@given(cells=st.integers(1, 10))
@settings(max_examples=10, deadline=None)
def test_depth_is_the_distance_to_the_nearest_face(cells):
    dot = build_quantum_dot(cells)
    inside = dot.edge_angstrom / 2 - np.abs(dot.atoms.positions).max(axis=1)
    np.testing.assert_allclose(dot.depth_cells * dot.edge_angstrom / cells, inside, atol=1e-9)


def test_lead_lies_in_half_layers_and_caesium_in_whole_ones():
    dot = build_quantum_dot(4)
    symbols = np.array(dot.atoms.get_chemical_symbols())
    assert set(dot.depth_cells[symbols == "Pb"]) == {0.5, 1.5}
    assert set(dot.depth_cells[symbols == "Cs"]) == {0, 1, 2}
    assert (dot.depth_cells[symbols == "Br"] == 2).sum() == 0  # the centre is one Cs


def test_groups_hold_each_atom_once():
    groups = layer_groups(build_quantum_dot(6, charge="neutral"))
    np.testing.assert_array_equal(sum(mask.astype(int) for mask in groups.values()), 1)


def test_labels_name_the_shell_material():
    dot = build_core_shell_dot(6)
    assert list(layer_groups(dot))[:4] == ["0.0 CsBr", "0.5 CaBr2", "1.0 CsBr", "1.5 PbBr2"]


def test_innermost_atom_has_the_core_halide_in_its_label():
    dot = build_core_shell_dot(4, shell="CsPbCl3")
    assert list(layer_groups(dot)) == [
        "0.0 CsCl",
        "0.5 PbCl2",
        "1.0 CsBr",
        "1.5 PbBr2",
        "2.0 CsBr",
    ]


def test_labels_where_a_layer_lacks_an_element():
    assert set(layer_labels(build_quantum_dot(2))) == {"0.0 CsBr", "0.5 PbBr2", "1.0 CsBr"}
    assert set(layer_labels(build_quantum_dot(1))) == {"0.0 CsBr", "0.5 PbBr2"}


@pytest.mark.parametrize(
    ("thickness", "deepest_frozen"), [(0.5, 0.0), (1, 0.5), (1.5, 1.0), (2, 1.5)]
)
def test_frozen_shell_of_the_paper(thickness, deepest_frozen):
    """Rainò 2022, Supplementary Figure 7: CsBr; + PbBr2; + CsBr; + PbBr2."""
    dot = build_quantum_dot(5, charge="neutral")
    frozen = select_frozen_atoms(dot, "shell", thickness)
    np.testing.assert_array_equal(frozen, dot.depth_cells <= deepest_frozen)


def test_frozen_core_is_what_the_frozen_shell_leaves():
    dot = build_quantum_dot(5)
    for thickness in (0.5, 1, 1.5, 2):
        shell, core = (select_frozen_atoms(dot, region, thickness) for region in ("shell", "core"))
        np.testing.assert_array_equal(shell, ~core)


def test_freeze_survives_relaxation():
    dot = build_quantum_dot(3)
    rng = np.random.default_rng(0)
    moved = dot.with_positions(dot.atoms.positions + rng.normal(0, 0.5, dot.atoms.positions.shape))
    np.testing.assert_array_equal(select_frozen_atoms(moved), select_frozen_atoms(dot))


@pytest.mark.parametrize(
    ("region", "thickness", "what"), [("shell", 3, "every atom"), ("core", 3, "no atom")]
)
def test_freezing_all_or_nothing_is_refused(region, thickness, what):
    with pytest.raises(InputError, match=f"freezes {what}.*at most 2.5"):
        select_frozen_atoms(build_quantum_dot(5), region, thickness)


@pytest.mark.parametrize("thickness", [0, -0.5, 0.25, float("nan")])
def test_thickness_is_a_multiple_of_a_layer(thickness):
    with pytest.raises(InputError, match="positive multiple of"):
        select_frozen_atoms(build_quantum_dot(3), "shell", thickness)


def test_unknown_region_is_refused():
    with pytest.raises(InputError, match="expected 'shell' or 'core'"):
        select_frozen_atoms(build_quantum_dot(3), "surface", 0.5)
