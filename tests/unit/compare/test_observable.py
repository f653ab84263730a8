import math

import pytest

from qdcomp.compare import Observable, compare_observables, convert_observable
from qdcomp.errors import InputError


def width(value, error=None, unit="meV", **more):
    entry = {
        "quantity": "linewidth",
        "origin": "calculated",
        "source": "engine model",
        "label": "a dot",
        "temperature_k": 300.0,
    }
    return Observable(value=value, error=error, unit=unit, **(entry | more))


def test_the_distance_is_in_units_of_the_combined_error():
    found = compare_observables(width(127.0, 3.0), width(0.122, 0.004, "eV", origin="measured"))
    assert found.value == pytest.approx(5.0)
    assert found.error == pytest.approx(5.0)
    assert found.sigmas == pytest.approx(1.0)
    assert not found.one_sided


def test_one_error_alone_gives_an_upper_bound_of_the_distance():
    found = compare_observables(width(127.0, 2.0), width(121.0))
    assert found.one_sided and found.sigmas == pytest.approx(3.0)


def test_without_errors_there_is_a_difference_and_no_distance():
    found = compare_observables(width(127.0), width(121.0))
    assert found.value == pytest.approx(6.0)
    assert found.error is None and found.sigmas is None


def test_conversion_keeps_the_relative_error():
    converted = convert_observable(width(127.0, 3.0), "eV")
    assert (converted.value, converted.error) == pytest.approx((0.127, 0.003))
    back = convert_observable(converted, "meV")
    assert math.isclose(back.value, 127.0)


def test_a_width_in_nm_is_not_one_in_ev():
    with pytest.raises(InputError, match="only with the peak"):
        convert_observable(width(15.0, unit="nm"), "meV")


def test_other_quantities_temperatures_and_units_are_refused():
    with pytest.raises(InputError, match="cannot be compared with edge"):
        compare_observables(width(1.0), width(1.0, quantity="edge"))
    with pytest.raises(InputError, match="bring both to one temperature"):
        compare_observables(width(1.0), width(1.0, temperature_k=10.0))
    with pytest.raises(InputError, match="unknown unit 'furlong'"):
        width(1.0, unit="furlong")


def test_a_missing_temperature_is_assumed_and_said():
    found = compare_observables(width(1.0), width(1.0, temperature_k=None, label="his dot"))
    assert any("his dot" in note and "taken to be at 300 K" in note for note in found.notes)


@pytest.mark.parametrize("value, error", [(math.nan, None), (1.0, -1.0), (1.0, math.inf)])
def test_numbers_that_are_none_are_refused(value, error):
    with pytest.raises(InputError):
        width(value, error)
