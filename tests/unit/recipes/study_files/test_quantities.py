import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdcomp.errors import InputError
from qdcomp.recipes.study_files.quantities import (
    DIMENSIONS,
    ENERGY,
    FORCE,
    LENGTH,
    TEMPERATURE,
    TIME,
    format_quantity,
    parse_quantity,
)


@pytest.mark.parametrize(
    ("text", "dimension", "value"),
    [
        ("10 fs", TIME, 10.0),
        ("4.35 ps", TIME, 4350.0),
        ("1e-3 ns", TIME, 1000.0),
        ("10fs", TIME, 10.0),
        ("10 K", TEMPERATURE, 10.0),
        ("5.0 nm", LENGTH, 50.0),
        ("1 bohr", LENGTH, 0.529177210903),
        ("1 Ha", ENERGY, 27.211386245988),
        ("24 meV/angstrom", FORCE, 0.024),
        ("0.024 eV/Å", FORCE, 0.024),
        ("4.5e-4 hartree/bohr", FORCE, 4.5e-4 * 27.211386245988 / 0.529177210903),
    ],
)
def test_quantities_are_read_into_internal_units(text, dimension, value):
    assert parse_quantity(text, dimension) == pytest.approx(value, rel=1e-13)


@pytest.mark.parametrize(
    ("text", "dimension", "told"),
    [
        ("10", TIME, r"no unit; write a time like 10 fs"),
        ("10 K", TIME, r"'K' is a unit of temperature; write a time like 10 fs"),
        ("10 fz", TIME, r"no unit 'fz'; did you mean 'fs'\?"),
        ("300 k", TEMPERATURE, r"did you mean 'K'\?"),
        ("24 meV/angstom", FORCE, r"did you mean 'meV/angstrom'\?"),
        ("fs", TIME, r"not a time"),
        ("1e999 fs", TIME, r"not a time"),
        ("nan fs", TIME, r"not a time"),
        ("", LENGTH, r"not a length; write it like 5.87 angstrom"),
    ],
)
def test_wrong_quantities_are_told_the_right_form(text, dimension, told):
    with pytest.raises(InputError, match=told):
        parse_quantity(text, dimension)


@given(
    st.floats(min_value=1e-12, max_value=1e12, allow_subnormal=False),
    st.sampled_from(DIMENSIONS),
)
def test_a_written_quantity_reads_back(value, dimension):
    text = format_quantity(value, dimension)
    assert parse_quantity(text, dimension) == pytest.approx(value, rel=1e-14)
