import numpy as np
import pytest

from qdcomp.errors import InputError
from qdcomp.experiment.straight_line import fit_straight_line


@pytest.mark.parametrize(("scatter", "errors_given"), [(0.0, True), (2.0, True), (2.0, False)])
def test_slopes_are_unbiased_and_their_errors_honest(scatter: float, errors_given: bool) -> None:
    rng = np.random.default_rng(2)
    x = np.linspace(0.0, 1.0, 12)
    errors = rng.uniform(0.5, 2.0, 12) if errors_given else np.zeros(12)
    pulls = []
    for _ in range(1000):
        y = 5.0 + 3.0 * x + rng.normal(0.0, np.hypot(errors, scatter))
        line = fit_straight_line(x, y, errors if errors_given else None)
        pulls.append((line.slope.value - 3.0) / line.slope.error)
    pulls_of = np.array(pulls)
    assert 0.64 < np.mean(np.abs(pulls_of) < 1.0) < 0.72
    assert abs(pulls_of.mean()) < 2.5 * pulls_of.std() / np.sqrt(len(pulls_of))


def test_points_within_their_errors_have_no_scatter() -> None:
    line = fit_straight_line([0.0, 1.0, 2.0, 3.0], [1.0, 3.0, 5.0, 7.0], [0.1] * 4)
    assert line.scatter == 0.0
    assert line.slope.value == pytest.approx(2.0)
    # 1/√Σ(x − x̄)² of one error each
    assert line.slope.error == pytest.approx(0.1 / np.sqrt(5.0))


def test_scatter_beyond_the_errors_is_found() -> None:
    rng = np.random.default_rng(5)
    x = np.linspace(0.0, 1.0, 2000)
    line = fit_straight_line(x, rng.normal(0.0, np.hypot(1.0, 2.0), 2000), np.ones(2000))
    assert line.scatter == pytest.approx(2.0, rel=0.05)
    assert line.reduced_chi2 == pytest.approx(5.0, rel=0.1)


@pytest.mark.parametrize(
    ("x", "y", "errors", "complaint"),
    [
        ([0.0, 1.0], [0.0, 1.0], None, "at least 3"),
        ([1.0, 1.0, 1.0], [0.0, 1.0, 2.0], None, "are at 1"),
        ([0.0, 1.0, 2.0], [0.0, np.nan, 2.0], None, "not finite"),
        ([0.0, 1.0, 2.0], [0.0, 1.0, 2.0], [1.0, 0.0, 1.0], "not positive"),
        ([0.0, 1.0, 2.0], [0.0, 1.0], None, "shapes"),
    ],
)
def test_points_that_give_no_line_are_refused(x, y, errors, complaint) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=complaint):
        fit_straight_line(x, y, errors)
