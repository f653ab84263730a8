import numpy as np
import pytest
from scipy.signal import lfilter

from qdcomp.analysis import compute_position_fluctuations, fit_gap_histogram
from qdcomp.errors import InputError
from qdcomp.units import FWHM_PER_SIGMA

SYMBOLS = ["Br"] * 30 + ["Pb"] * 20
DEPTHS = np.array([0.0] * 15 + [1.5] * 15 + [0.5] * 20)
AMPLITUDES = np.array([0.28] * 15 + [0.20] * 15 + [0.10] * 20)


@pytest.fixture
def positions():
    generator = np.random.default_rng(1)
    structure = generator.normal(scale=6.0, size=(50, 3))
    noise = generator.normal(size=(1500, 50, 3)) / np.sqrt(3.0)
    return structure + AMPLITUDES[:, None] * noise


def test_each_atom_and_layer_fluctuates_as_it_was_made_to(positions):
    result = compute_position_fluctuations(positions, SYMBOLS, depth_cells=DEPTHS)
    assert result.per_atom == pytest.approx(AMPLITUDES, rel=0.05)
    by_layer = {(entry.symbol, entry.depth_cells): entry for entry in result.by_layer}
    assert set(by_layer) == {("Br", 0.0), ("Pb", 0.5), ("Br", 1.5)}
    surface, inside = by_layer["Br", 0.0], by_layer["Br", 1.5]
    assert surface.fluctuation / inside.fluctuation == pytest.approx(1.4, rel=0.02)
    assert surface.n_atoms == 15


def test_an_element_is_the_root_mean_square_of_its_atoms(positions):
    result = compute_position_fluctuations(positions, SYMBOLS)
    bromine = next(entry for entry in result.by_element if entry.symbol == "Br")
    assert bromine.fluctuation == pytest.approx(np.sqrt((result.per_atom[:30] ** 2).mean()))
    assert result.by_layer == ()


def test_error_from_the_scatter_among_atoms():
    generator = np.random.default_rng(2)
    hits = 0
    for _ in range(200):
        squared = 0.04 * generator.gamma(4.0, 0.25, size=25)  # ρ² of each atom, mean 0.04
        swing = np.sqrt(squared)[None, :, None] * np.array([1, -1])[:, None, None]
        positions = np.concatenate([swing, np.zeros((2, 25, 2))], axis=2)
        (entry,) = compute_position_fluctuations(positions, ["Br"] * 25).by_element
        hits += abs(entry.fluctuation - 0.2) < entry.fluctuation_error
    assert 0.58 <= hits / 200 <= 0.76


def test_frozen_atoms_count_nowhere(positions):
    frozen = DEPTHS == 0.0
    result = compute_position_fluctuations(positions, SYMBOLS, depth_cells=DEPTHS, frozen=frozen)
    assert (result.per_atom[frozen] == 0.0).all()
    assert ("Br", 0.0) not in {(entry.symbol, entry.depth_cells) for entry in result.by_layer}
    bromine = next(entry for entry in result.by_element if entry.symbol == "Br")
    assert bromine.fluctuation == pytest.approx(0.20, rel=0.05)


def test_symbols_of_another_structure(positions):
    with pytest.raises(InputError, match="49 symbols for 50 atoms"):
        compute_position_fluctuations(positions, SYMBOLS[:-1])


def test_histogram_of_gaussian_gaps():
    gap = np.random.default_rng(3).normal(1.9, 0.03, size=20_000)
    histogram = fit_gap_histogram(gap)
    assert histogram.fit_mean_ev == pytest.approx(1.9, abs=1e-3)
    assert histogram.fwhm_ev == pytest.approx(FWHM_PER_SIGMA * 0.03, rel=0.02)
    assert histogram.counts.sum() == 20_000
    assert (histogram.density * np.diff(histogram.bin_edges_ev)).sum() == pytest.approx(1.0)
    assert histogram.skewness == pytest.approx(0.0, abs=0.06)
    assert histogram.excess_kurtosis == pytest.approx(0.0, abs=0.12)


def test_error_of_the_histograms_width_covers_the_truth_of_a_correlated_gap():
    generator = np.random.default_rng(5)
    memory = np.exp(-1 / 20)
    hits = 0
    for _ in range(200):
        noise = generator.normal(scale=0.03 * np.sqrt(1 - memory**2), size=2400)
        gap = 1.9 + lfilter([1.0], [1.0, -memory], noise)[400:]
        histogram = fit_gap_histogram(gap)
        hits += abs(histogram.fwhm_ev - FWHM_PER_SIGMA * 0.03) < histogram.fwhm_error_ev
    assert 0.58 <= hits / 200 <= 0.78


def test_histogram_of_a_skewed_gap_says_so():
    gap = 1.5 + 0.02 * np.random.default_rng(4).exponential(size=5000)
    histogram = fit_gap_histogram(gap, n_bins=40)
    assert histogram.skewness == pytest.approx(2.0, abs=0.4)
    assert len(histogram.counts) == 40
