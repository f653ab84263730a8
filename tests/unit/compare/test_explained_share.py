import numpy as np
import pytest

from qdcomp.compare.explained_share import compute_explained_share
from qdcomp.compare.observable import Observable
from qdcomp.errors import InputError


def width(value, error=None, origin="measured", unit="meV"):
    return Observable("linewidth", value, error, unit, origin, "here", "dot")


def test_two_gaussian_broadenings_in_quadrature_leave_the_remainder():
    share = compute_explained_share(width(30.0, None, "calculated"), width(50.0))
    assert share.linear == pytest.approx(0.6)
    assert share.quadrature == pytest.approx(0.36)
    assert share.remainder == pytest.approx(40.0)
    assert share.linear_error is None
    assert share.quadrature_error is None


def test_paper_puts_its_share_linearly():
    """Rainò 2022, SI Note 1: 70 % of the overall width; 164 meV of some 234, half its variance."""
    share = compute_explained_share(width(164.0, None, "calculated"), width(164.0 / 0.70))
    assert share.linear == pytest.approx(0.70)
    assert share.quadrature == pytest.approx(0.49)


def test_error_of_the_share_is_that_of_repeated_measurements():
    rng = np.random.default_rng(0)
    calculated, measured = rng.normal(100.0, 6.0, 20_000), rng.normal(140.0, 5.0, 20_000)
    share = compute_explained_share(width(100.0, 6.0, "calculated"), width(140.0, 5.0))
    assert np.std(calculated / measured) == pytest.approx(share.linear_error, rel=0.03)
    assert np.std((calculated / measured) ** 2) == pytest.approx(share.quadrature_error, rel=0.03)


def test_error_of_one_side_only_is_said():
    share = compute_explained_share(width(100.0, 10.0, "calculated"), width(200.0))
    assert share.linear_error == pytest.approx(0.05)
    assert any("other width only" in note for note in share.notes)


def test_calculated_width_above_the_measured_leaves_nothing():
    share = compute_explained_share(width(0.2, 0.01, "calculated", "eV"), width(127.0))
    assert share.linear == pytest.approx(200 / 127)
    assert share.remainder is None
    assert any("explains all of it" in note for note in share.notes)


def test_width_of_zero_is_refused():
    with pytest.raises(InputError, match="linewidth"):
        compute_explained_share(width(100.0, None, "calculated"), width(0.0))
