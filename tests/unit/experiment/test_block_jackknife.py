"""Errors of series that remember."""

import numpy as np
import pytest

from qdcomp.experiment.block_jackknife import jackknife_blocks


@pytest.mark.parametrize("memory", [1, 40])
def test_the_error_of_a_mean_is_honest_for_series_with_memory(memory):
    rng = np.random.default_rng(memory)
    covered = []
    for _ in range(300):
        series = np.repeat(rng.normal(size=6000 // memory), memory)
        found = jackknife_blocks(len(series), lambda kept, s=series: np.array([s[kept].mean()]))[0]
        covered.append(abs(found.value) < found.error)
    assert 0.62 <= np.mean(covered) <= 0.74


def test_the_error_of_independent_numbers_is_the_textbooks():
    values = np.random.default_rng(1).normal(size=2000)
    found = jackknife_blocks(2000, lambda kept: np.array([values[kept].mean()]), blocks=2000)[0]
    assert found.error == pytest.approx(values.std(ddof=1) / np.sqrt(2000), rel=1e-3)


def test_one_number_has_no_error():
    assert np.isnan(jackknife_blocks(1, lambda kept: np.array([1.0]))[0].error)
