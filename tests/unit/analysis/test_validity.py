import numpy as np
import pytest

from qdcomp.analysis import (
    compute_dephasing,
    compute_huang_rhys_spectrum,
    compute_phonon_dos,
    fit_gap_histogram,
)
from qdcomp.analysis.validity import require_mask, require_masses, require_vectors
from qdcomp.errors import InputError

GAP = 2.0 + 0.05 * np.sin(0.4 * np.arange(64.0)) + 0.02 * np.cos(1.1 * np.arange(64.0))


@pytest.mark.parametrize("timestep", [0.0, -5.0, float("nan"), None])
def test_a_time_step_that_is_missing_or_not_positive(timestep):
    for analyse in (
        lambda: compute_huang_rhys_spectrum(GAP, timestep, 10.0),
        lambda: compute_dephasing(GAP, timestep),
        lambda: compute_phonon_dos(np.ones((32, 4, 3)), np.ones(4), timestep, 10.0),
    ):
        with pytest.raises(InputError, match="time step"):
            analyse()


@pytest.mark.parametrize("temperature", [0.0, -10.0])
def test_a_temperature_that_is_not_positive(temperature):
    with pytest.raises(InputError, match="temperature"):
        compute_huang_rhys_spectrum(GAP, 10.0, temperature)


def test_a_gap_that_is_not_a_number_names_its_frame():
    broken = GAP.copy()
    broken[[41, 50]] = np.nan, np.inf
    for analyse in (
        lambda: compute_huang_rhys_spectrum(broken, 10.0, 10.0),
        lambda: compute_dephasing(broken, 10.0),
        lambda: fit_gap_histogram(broken),
    ):
        with pytest.raises(InputError, match="frame 41"):
            analyse()


def test_a_gap_that_does_not_move():
    for analyse in (
        lambda: compute_huang_rhys_spectrum(np.full(64, 2.0), 10.0, 10.0),
        lambda: compute_dephasing(np.full(64, 2.0), 10.0),
        lambda: fit_gap_histogram(np.full(64, 2.0)),
    ):
        with pytest.raises(InputError, match=r"gap is 2\.0 eV in all"):
            analyse()


def test_a_gap_of_too_few_frames():
    with pytest.raises(InputError, match="at least 16"):
        compute_huang_rhys_spectrum(GAP[:10], 10.0, 10.0)


def test_a_gap_with_two_axes():
    with pytest.raises(InputError, match="one value per frame"):
        compute_huang_rhys_spectrum(GAP.reshape(2, 32), 10.0, 10.0)


def test_vectors_of_the_wrong_shape():
    with pytest.raises(InputError, match=r"expected \(n_frames, n_atoms, 3\)"):
        require_vectors("positions", np.zeros((4, 12)))


def test_masks_and_masses_of_the_wrong_kind():
    with pytest.raises(InputError, match="booleans"):
        require_mask("frozen", np.array([0, 1, 1]), 3)
    with pytest.raises(InputError, match=r"expected \(2,\)"):
        require_masses(np.ones(3), 2)
    with pytest.raises(InputError, match="mass of atom 1"):
        require_masses([12.0, -1.0], 2)
    with pytest.raises(InputError, match="of atom 0"):
        require_masses([np.nan, 1.0], 2)
