import pytest
import spglib
from ase.io import read

from qdcomp.errors import InputError
from qdcomp.structures import build_bulk, parse_composition
from qdcomp.structures.bulk import (
    B_ELEMENTS,
    LATTICE_CONSTANTS,
    X_ELEMENTS,
    resolve_lattice_constant,
)


def test_cell_is_cubic_perovskite():
    cell = build_bulk("CsPbBr3")
    as_tuple = (cell.cell.array, cell.get_scaled_positions(), cell.numbers)
    assert spglib.get_symmetry_dataset(as_tuple).number == 221
    assert cell.get_chemical_formula() == "Br3CsPb"
    assert cell.get_distance(1, 2, mic=True) == pytest.approx(5.87 / 2)  # Pb-Br


def test_every_supported_composition_has_a_lattice_constant_with_a_source():
    formulas = {f"Cs{b}{x}3" for b in B_ELEMENTS for x in X_ELEMENTS}
    assert set(LATTICE_CONSTANTS) == formulas
    assert all(entry.source for entry in LATTICE_CONSTANTS.values())
    assert [name for name, entry in LATTICE_CONSTANTS.items() if entry.is_estimate] == ["CsCaI3"]


def test_lattice_grows_with_the_halide():
    for b in B_ELEMENTS:
        chloride, bromide, iodide = (LATTICE_CONSTANTS[f"Cs{b}{x}3"].angstrom for x in X_ELEMENTS)
        assert chloride < bromide < iodide


@pytest.mark.parametrize("formula", ["CsPbBr3", "CsPbI3"])
def test_tabulated_constant_is_near_the_calculated_cubic_cell(shared_data, formula):
    crystal = read(shared_data / f"structures/crystals/{formula}_cubic_Pm-3m_MP.cif")
    calculated = crystal.cell.lengths()[0]  # PBE, which overestimates lattice constants
    assert 0.98 < LATTICE_CONSTANTS[formula].angstrom / calculated < 1.005


def test_order_of_elements_does_not_matter():
    assert parse_composition("PbBr3Cs") == parse_composition("CsPbBr3")


@pytest.mark.parametrize(
    ("formula", "complaint"),
    [
        ("CsPbF3", "unknown element 'F'"),
        ("CsXxBr3", "unknown element 'Xx'"),
        ("CsPBr3", r"unknown element 'P' in 'CsPBr3' \(did you mean Pb"),
        ("Cs4PbBr6", "wrong stoichiometry in 'Cs4PbBr6': 4 Cs on the A site"),
        ("CsPbBr2", "2 Br on the X site"),
        ("CsPbBr2I", "2 Br, 1 I on the X site"),
        ("CsBr3", "nothing on the B site"),
        ("cspbbr3", "not a chemical formula"),
        ("", "not a chemical formula"),
        (None, "not a chemical formula"),
    ],
)
def test_wrong_composition_is_named_with_a_remedy(formula, complaint):
    with pytest.raises(InputError, match=complaint) as error:
        parse_composition(formula)
    assert "expected ABX3 with A of Cs" in str(error.value)


@pytest.mark.parametrize("value", [0.587, 587.0, -5.87, 0.0, float("nan"), float("inf"), "wide"])
def test_implausible_lattice_constant_is_refused(value):
    with pytest.raises(InputError, match="expected a length in Å"):
        resolve_lattice_constant("CsPbBr3", value)
