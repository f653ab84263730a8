import numpy as np
import pytest

from qdcomp.analysis import (
    compute_huang_rhys_spectrum,
    compute_linewidth,
    compute_linewidth_table,
    compute_quantum_linewidth,
)
from qdcomp.errors import InputError
from qdcomp.units import BOLTZMANN_EV_PER_K, FWHM_PER_SIGMA, HBAR_EV_FS, PLANCK_EV_FS

N = 4000
STEP = PLANCK_EV_FS / (0.00025 * N)  # bins of 0.25 meV: 2, 7 and 17 meV are whole numbers of them
TEMPERATURE = 10.0


def spectrum_of(factors, energies=(0.002, 0.007, 0.017)):
    time = STEP * np.arange(N)
    gap = np.full(N, 2.0)
    for energy, factor in zip(energies, factors, strict=True):
        amplitude = np.sqrt(4.0 * factor * energy * BOLTZMANN_EV_PER_K * TEMPERATURE)
        gap += amplitude * np.cos(energy / HBAR_EV_FS * time + 100 * energy)
    return compute_huang_rhys_spectrum(gap, STEP, TEMPERATURE)


def test_classical_linewidth_grows_as_the_root_of_temperature():
    assert compute_linewidth(0.1, 300.0) == pytest.approx(2 * compute_linewidth(0.1, 75.0))
    assert compute_linewidth(0.1, 0.0) == 0.0


def test_quantum_linewidth_of_the_2p4_nm_dot():
    # PHYSICS.md section 4: at 10 K 30 meV classically and 56 meV with zero-point motion.
    spectrum = spectrum_of((19.7, 6.6, 0.5))
    classical = compute_linewidth(spectrum.reorganization_energy_ev, 10.0)
    assert classical == pytest.approx(0.0300, abs=1e-4)
    assert compute_quantum_linewidth(spectrum, 10.0) == pytest.approx(0.0559, abs=2e-4)
    hot = compute_linewidth(spectrum.reorganization_energy_ev, 300.0)
    assert compute_quantum_linewidth(spectrum, 300.0) == pytest.approx(hot, rel=0.01)


def test_quantum_linewidth_at_absolute_zero_is_that_of_zero_point_motion():
    spectrum = spectrum_of((3.0, 2.0, 1.0))
    expected = FWHM_PER_SIGMA * np.sqrt(3 * 0.002**2 + 2 * 0.007**2 + 0.017**2)
    # The window spreads a line over three bins, which adds at most (ΔE/E)² to ⟨E⟩.
    assert compute_quantum_linewidth(spectrum, 1e-3) == pytest.approx(expected, rel=1e-3)


def test_quantum_is_never_below_classical():
    spectrum = spectrum_of((7.0, 1.9, 1.7))
    table = compute_linewidth_table(spectrum, [2.0, 10.0, 77.0, 300.0])
    assert (table.quantum_ev >= table.classical_ev).all()
    assert (np.diff(table.quantum_ev) > 0).all()


def test_table_holds_its_own_check_and_errors():
    spectrum = spectrum_of((7.0, 1.9, 1.7))
    table = compute_linewidth_table(spectrum, [10.0, 300.0])
    assert table.consistency < 1e-9
    relative = spectrum.reorganization_energy_error_ev / spectrum.reorganization_energy_ev
    assert table.classical_error_ev == pytest.approx(0.5 * relative * table.classical_ev)
    # Hot phonons are classical, their error is the same.
    assert table.quantum_error_ev[1] == pytest.approx(table.classical_error_ev[1], rel=0.02)


@pytest.mark.parametrize(("energy", "temperature"), [(-0.1, 300.0), (0.1, -1.0), (np.nan, 300.0)])
def test_impossible_arguments(energy, temperature):
    with pytest.raises(InputError, match="not negative"):
        compute_linewidth(energy, temperature)


def test_a_temperature_of_zero_has_no_coth():
    with pytest.raises(InputError, match="temperature"):
        compute_quantum_linewidth(spectrum_of((7.0, 1.9, 1.7)), 0.0)
