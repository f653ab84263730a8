from collections import Counter

import numpy as np
import pytest

from qdcomp.errors import InputError
from qdcomp.structures import build_core_shell_dot, build_quantum_dot


def elements(structure):
    return Counter(structure.atoms.get_chemical_symbols())


def test_published_core_shell_dot():
    dot = build_core_shell_dot(6)
    assert elements(dot) == {"Cs": 335, "Ca": 152, "Pb": 64, "Br": 756}
    assert dot.charge == 11
    assert dot.composition == "CsPbBr3/CsCaBr3"


@pytest.mark.parametrize("cells", range(3, 13))
def test_shell_of_k_cells_leaves_a_core_of_n_minus_2k(cells):
    for thickness in range(1, (cells + 1) // 2):
        dot = build_core_shell_dot(cells, shell_cells=thickness)
        assert elements(dot)["Pb"] == (cells - 2 * thickness) ** 3
        assert elements(dot)["Pb"] + elements(dot)["Ca"] == cells**3


def test_sites_and_charge_are_those_of_the_core_only_dot():
    plain, layered = build_quantum_dot(5), build_core_shell_dot(5)
    sort = [np.lexsort(dot.atoms.positions.T) for dot in (plain, layered)]
    np.testing.assert_array_equal(plain.atoms.positions[sort[0]], layered.atoms.positions[sort[1]])
    assert plain.charge == layered.charge


def test_shell_lies_outside_the_core():
    dot = build_core_shell_dot(7, shell_cells=2)
    symbols = np.array(dot.atoms.get_chemical_symbols())
    reach = np.abs(dot.atoms.positions).max(axis=1)
    assert reach[symbols == "Pb"].max() < reach[symbols == "Ca"].min()


@pytest.mark.parametrize(("thickness", "chlorine_depths"), [(0.5, [0]), (1, [0, 0.5])])
def test_halide_of_the_shell_is_replaced_to_its_depth(thickness, chlorine_depths):
    dot = build_core_shell_dot(4, shell="CsPbCl3", shell_cells=thickness)
    symbols = np.array(dot.atoms.get_chemical_symbols())
    assert sorted(set(dot.depth_cells[symbols == "Cl"])) == chlorine_depths
    assert dot.depth_cells[symbols == "Br"].min() == thickness


def test_neutral_core_shell_dot():
    dot = build_core_shell_dot(6, charge="neutral")
    assert elements(dot)["Cs"] == 324
    assert dot.charge == 0


@pytest.mark.parametrize(("cells", "thickness"), [(6, 3), (6, 5), (5, 3), (2, 1), (1, 1)])
def test_shell_without_core_is_refused(cells, thickness):
    with pytest.raises(InputError, match=f"leaves no core in a dot of {cells} unit cells"):
        build_core_shell_dot(cells, shell_cells=thickness)


def test_core_thicker_than_the_dot_is_refused():
    with pytest.raises(InputError, match=r"core \(8 unit cells\) thicker than the dot \(6"):
        build_core_shell_dot(6, shell_cells=-1)


@pytest.mark.parametrize("thickness", [0, 0.3, float("nan"), "one", None])
def test_thickness_is_a_multiple_of_a_layer(thickness):
    with pytest.raises(InputError, match="positive multiple of"):
        build_core_shell_dot(6, shell_cells=thickness)


def test_shell_that_changes_nothing_is_refused():
    with pytest.raises(InputError, match="nothing would change"):
        build_core_shell_dot(6, shell_cells=0.5)
    with pytest.raises(InputError, match="core and shell are both CsPbBr3"):
        build_core_shell_dot(6, shell="CsPbBr3")


def test_half_cell_that_changes_nothing_is_said():
    thin, thick = build_core_shell_dot(6, shell_cells=1), build_core_shell_dot(6, shell_cells=1.5)
    assert elements(thin) == elements(thick)
    assert thin.warnings == ()
    assert "same atoms as one of 1" in thick.warnings[0]
