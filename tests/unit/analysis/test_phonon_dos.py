import numpy as np
import pytest

from qdcomp.analysis import compute_phonon_dos, differentiate_positions, remove_rigid_body_motion
from qdcomp.errors import InputError
from qdcomp.units import AMU_ANGSTROM2_PER_FS2_EV, BOLTZMANN_EV_PER_K, HBAR_EV_FS

N_ATOMS, N_FRAMES, STEP, TEMPERATURE = 40, 1200, 8.0, 50.0
MASSES = np.random.default_rng(0).choice([79.9, 132.9, 207.2], N_ATOMS)
ENERGY = 0.007


def oscillators(energies_ev, seed=1):
    """Positions and velocities of independent oscillators, each with kT, shape (F, N, 3)."""
    generator = np.random.default_rng(seed)
    frequency = np.broadcast_to(energies_ev, (N_ATOMS, 3)) / HBAR_EV_FS
    mass = MASSES[:, None] * AMU_ANGSTROM2_PER_FS2_EV
    amplitude = np.sqrt(2.0 * BOLTZMANN_EV_PER_K * TEMPERATURE / mass) / frequency
    phase = generator.uniform(0.0, 2.0 * np.pi, (N_ATOMS, 3))
    angle = frequency * STEP * np.arange(N_FRAMES)[:, None, None] + phase
    return amplitude * np.sin(angle), amplitude * frequency * np.cos(angle)


def test_a_sharp_mode_has_its_energy_and_the_stated_width():
    _, velocities = oscillators(ENERGY)
    dos = compute_phonon_dos(velocities, MASSES, STEP, TEMPERATURE)
    assert dos.energies_ev[np.argmax(dos.density)] == pytest.approx(ENERGY, abs=dos.energy_step_ev)
    mean = dos.density @ dos.energies_ev / dos.density.sum()
    assert mean == pytest.approx(ENERGY, rel=1e-3)
    above = dos.density > 0.5 * dos.density.max()
    assert above.sum() * dos.energy_step_ev == pytest.approx(
        dos.energy_resolution_ev, abs=dos.energy_step_ev
    )


@pytest.mark.parametrize("window", ["hann", "rectangular"])
def test_it_counts_the_degrees_of_freedom_and_measures_the_temperature(window):
    generator = np.random.default_rng(2)
    _, velocities = oscillators(generator.uniform(0.002, 0.02, (N_ATOMS, 3)))
    # Independent oscillators have 3N degrees of freedom, the six of a free body included.
    dos = compute_phonon_dos(velocities, MASSES, STEP, TEMPERATURE, window=window)
    assert dos.density.sum() * dos.energy_step_ev == pytest.approx(3 * N_ATOMS - 6, rel=1e-12)
    expected = TEMPERATURE * 3 * N_ATOMS / (3 * N_ATOMS - 6)
    assert dos.kinetic_temperature_k == pytest.approx(expected, rel=0.02)
    assert dos.warnings == ()


def test_partial_densities_add_up_and_count_their_atoms():
    generator = np.random.default_rng(3)
    _, velocities = oscillators(generator.uniform(0.002, 0.02, (N_ATOMS, 3)))
    groups = {f"{m}": m == MASSES for m in np.unique(MASSES)}
    dos = compute_phonon_dos(velocities, MASSES, STEP, TEMPERATURE, groups=groups)
    assert sum(dos.partial.values()) == pytest.approx(dos.density, rel=1e-12)
    for name, mask in groups.items():
        share = dos.partial[name].sum() / dos.density.sum()
        assert share == pytest.approx(mask.mean(), rel=0.03)


def test_frozen_atoms_have_no_phonons():
    frozen = np.arange(N_ATOMS) < 15
    _, velocities = oscillators(ENERGY)
    velocities[:, frozen] = 0.0
    dos = compute_phonon_dos(
        velocities, MASSES, STEP, TEMPERATURE, frozen=frozen, groups={"held": frozen}
    )
    assert dos.n_degrees_of_freedom == 75
    assert dos.density.sum() * dos.energy_step_ev == pytest.approx(75, rel=1e-12)
    assert dos.kinetic_temperature_k == pytest.approx(TEMPERATURE, rel=0.01)
    assert dos.partial["held"].max() == 0.0


def test_central_differences_give_the_spectrum_of_the_velocities():
    generator = np.random.default_rng(4)
    positions, velocities = oscillators(generator.uniform(0.002, 0.06, (N_ATOMS, 3)))
    derived = differentiate_positions(positions, STEP)
    wanted = compute_phonon_dos(velocities[1:-1], MASSES, STEP, TEMPERATURE)
    corrected = compute_phonon_dos(derived, MASSES, STEP, TEMPERATURE, central_differences=True)
    plain = compute_phonon_dos(derived, MASSES, STEP, TEMPERATURE)
    scale = wanted.density.max()
    assert np.abs(corrected.density - wanted.density).max() < 5e-3 * scale
    assert np.abs(plain.density - wanted.density).max() > 0.03 * scale
    assert corrected.kinetic_temperature_k == pytest.approx(wanted.kinetic_temperature_k, rel=1e-3)
    assert plain.kinetic_temperature_k < 0.95 * wanted.kinetic_temperature_k


def test_rigid_rotation_leaves_no_density():
    generator = np.random.default_rng(5)
    structure = generator.normal(scale=5.0, size=(N_ATOMS, 3))
    positions, velocities = oscillators(0.01)
    spin = np.array([2e-4, 0.0, -1e-4])
    positions = positions + structure
    spun = velocities + np.cross(spin, positions)
    aligned = remove_rigid_body_motion(positions, MASSES, spun)
    still = remove_rigid_body_motion(positions, MASSES, velocities)
    with_spin = compute_phonon_dos(aligned.velocities, MASSES, STEP, TEMPERATURE)
    without = compute_phonon_dos(still.velocities, MASSES, STEP, TEMPERATURE)
    assert with_spin.density == pytest.approx(without.density, abs=1e-9 * without.density.max())


def test_a_wrong_temperature_and_a_long_time_step_are_warned_of():
    _, velocities = oscillators(0.24)
    dos = compute_phonon_dos(velocities, MASSES, STEP, 2.0 * TEMPERATURE)
    assert any("mean temperature" in warning for warning in dos.warnings)
    assert any("time step" in warning for warning in dos.warnings)


def test_nothing_that_moves_and_nothing_free():
    with pytest.raises(InputError, match="no free atom moves"):
        compute_phonon_dos(np.zeros((32, 5, 3)), np.ones(5), 5.0, 10.0)
    with pytest.raises(InputError, match="no internal degree"):
        compute_phonon_dos(np.ones((32, 2, 3)), np.ones(2), 5.0, 10.0)
    with pytest.raises(InputError, match="at least 16"):
        compute_phonon_dos(np.ones((8, 5, 3)), np.ones(5), 5.0, 10.0)
    with pytest.raises(InputError, match="at least 3"):
        differentiate_positions(np.ones((2, 5, 3)), 5.0)
