import numpy as np
import pytest

from qdcomp.errors import InputError
from qdcomp.experiment.spectra.linewidth_statistics import compute_linewidth_statistics


def make_dots(rng: np.random.Generator, n: int = 81) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    energies = rng.uniform(2.40, 2.65, n)
    errors = rng.uniform(0.5, 3.0, n)
    widths = 70.0 + 200.0 * (energies - 2.40) + rng.normal(0.0, np.hypot(errors, 6.0))
    return energies, widths, errors


def test_the_slope_of_81_dots_is_unbiased_and_its_error_honest() -> None:
    rng = np.random.default_rng(1)
    pulls = []
    for _ in range(400):
        line = compute_linewidth_statistics(*make_dots(rng)).line
        pulls.append((line.slope.value - 200.0) / line.slope.error)
    assert abs(np.mean(pulls)) < 2.0 * np.std(pulls) / 20.0
    assert 0.62 < np.mean(np.abs(pulls) < 1.0) < 0.74


def test_every_dot_is_in_one_bin() -> None:
    energies, widths, errors = make_dots(np.random.default_rng(2))
    statistics = compute_linewidth_statistics(energies, widths, errors, n_bins=4)
    assert sum(group.n_dots for group in statistics.bins) == 81
    first = statistics.bins[0]
    inside = widths[(energies >= first.energies_ev[0]) & (energies < first.energies_ev[1])]
    assert first.width_mev is not None
    assert first.width_mev.value == pytest.approx(inside.mean())
    assert first.width_mev.error == pytest.approx(inside.std(ddof=1) / np.sqrt(len(inside)))
    assert statistics.line.scatter == pytest.approx(6.0, rel=0.3)
    assert statistics.correlation is not None and statistics.correlation > 0.8
    assert statistics.line.intercept.value == pytest.approx(widths.mean(), rel=0.02)


def test_empty_bins_and_single_dots_have_no_error() -> None:
    statistics = compute_linewidth_statistics(
        [2.41, 2.42, 2.55], [70.0, 72.0, 90.0], bin_edges_ev=[2.4, 2.45, 2.5, 2.6]
    )
    assert statistics.bins[1].width_mev is None
    assert statistics.bins[2].standard_deviation_mev is None
    assert np.isnan(statistics.bins[2].width_mev.error)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("energies", "widths", "complaint"),
    [
        ([2.4, 2.5], [70.0, 71.0], "at least 3"),
        ([2.4, 2.5, np.nan], [70.0, 71.0, 72.0], "not finite"),
        ([2.4, 2.5, 2.6], [70.0, -1.0, 72.0], "not positive"),
        ([2.4, 2.4, 2.4], [70.0, 71.0, 72.0], "emit at 2.4"),
        ([2.4, 2.5, 2.6], [70.0, 71.0], "shapes"),
    ],
)
def test_dots_that_give_no_statistic_are_refused(energies, widths, complaint) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=complaint):
        compute_linewidth_statistics(energies, widths)
