import numpy as np
import pytest

from qdcomp.analysis import compute_orbital_localization
from qdcomp.errors import InputError

SYMBOLS = ["Pb", "Pb", "Br", "Br", "Ca"]
DEPTHS = np.array([1.5, 1.5, 1.0, 0.0, 0.5])


def populations(n_frames=200):
    generator = np.random.default_rng(1)
    shares = np.array([0.4, 0.3, 0.2, 0.08, 0.02])
    return (
        shares
        * generator.uniform(0.8, 1.2, size=(n_frames, 1))
        * (1 + 0.1 * generator.normal(size=(n_frames, 5)))
    )


def test_shares_of_elements_and_layers():
    orbital = compute_orbital_localization(
        SYMBOLS, lumo_populations=populations(), depth_cells=DEPTHS
    ).lumo
    assert sum(orbital.by_element.values()) == pytest.approx(1.0)
    assert orbital.by_element["Pb"] == pytest.approx(0.7, abs=0.01)
    assert orbital.by_element["Ca"] == pytest.approx(0.02, abs=0.002)
    assert orbital.depths_cells.tolist() == [0.0, 0.5, 1.0, 1.5]
    assert orbital.by_layer == pytest.approx([0.08, 0.02, 0.2, 0.7], abs=0.01)
    assert orbital.by_layer.sum() == pytest.approx(1.0)
    assert orbital.by_element_series["Br"].shape == (200,)
    assert 0 < orbital.by_element_error["Pb"] < 0.01


def test_participating_atoms_of_an_even_and_of_a_single_one():
    even = compute_orbital_localization(SYMBOLS, homo_populations=np.ones((3, 5))).homo
    assert even.participating_atoms == pytest.approx(5.0)
    single = compute_orbital_localization(SYMBOLS, homo_populations=np.eye(5)).homo
    assert single.participating_atoms == pytest.approx(1.0)
    assert len(single.by_layer) == 0


def test_an_orbital_that_was_not_written_is_none():
    both = compute_orbital_localization(SYMBOLS, homo_populations=populations())
    assert both.lumo is None


def test_wrong_populations():
    with pytest.raises(InputError, match=r"expected \(n_frames, 5\)"):
        compute_orbital_localization(SYMBOLS, homo_populations=np.ones((3, 4)))
    broken = populations()
    broken[7] = 0.0
    with pytest.raises(InputError, match="frame 7"):
        compute_orbital_localization(SYMBOLS, lumo_populations=broken)
    with pytest.raises(InputError, match="depths"):
        compute_orbital_localization(SYMBOLS, depth_cells=DEPTHS[:3])
