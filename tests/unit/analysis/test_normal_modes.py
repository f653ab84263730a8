import numpy as np
import pytest

from qdcomp.analysis import compute_mode_coupling, compute_normal_modes
from qdcomp.errors import InputError
from qdcomp.units import AMU_ANGSTROM2_PER_FS2_EV, HBAR_EV_FS

MASSES = np.array([79.9, 207.2, 132.9, 79.9, 40.1])


@pytest.fixture
def cluster():
    """Positions and Hessian of springs between all pairs of five atoms."""
    positions = np.random.default_rng(1).normal(scale=3.0, size=(5, 3))
    hessian = np.zeros((15, 15))
    for i in range(5):
        for j in range(i):
            along = positions[i] - positions[j]
            along /= np.linalg.norm(along)
            block = (1.0 + i) * np.outer(along, along)
            for a, b, sign in ((i, i, 1), (j, j, 1), (i, j, -1), (j, i, -1)):
                hessian[3 * a : 3 * a + 3, 3 * b : 3 * b + 3] += sign * block
    return positions, hessian


def test_diatomic_molecule():
    # One vibration with ω² = k (1/m1 + 1/m2) and five rigid-body motions.
    positions = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 2.5]])
    hessian = np.zeros((6, 6))
    hessian[np.ix_([2, 5], [2, 5])] = 8.0 * np.array([[1, -1], [-1, 1]])
    modes = compute_normal_modes(hessian, MASSES[:2], positions)
    omega = np.sqrt(8.0 * (1 / MASSES[0] + 1 / MASSES[1]) / AMU_ANGSTROM2_PER_FS2_EV)
    assert modes.n_rigid_body_modes == 5
    assert modes.energies_ev == pytest.approx([HBAR_EV_FS * omega])


def test_free_cluster_has_3n_minus_6_vibrations(cluster):
    positions, hessian = cluster
    modes = compute_normal_modes(hessian, MASSES, positions)
    assert modes.energies_ev.shape == (9,)
    assert (modes.energies_ev > 1e-3).all()
    assert modes.n_rigid_body_modes == 6
    assert modes.n_imaginary == 0
    assert modes.warnings == ()
    flat = modes.eigenvectors.reshape(9, 15)
    assert flat @ flat.T == pytest.approx(np.eye(9), abs=1e-12)
    moved = np.einsum("kni,n->ki", modes.eigenvectors, np.sqrt(MASSES))
    turned = np.einsum("kni,n->ki", np.cross(positions, modes.eigenvectors), np.sqrt(MASSES))
    assert np.abs(moved).max() < 1e-10
    assert np.abs(turned).max() < 1e-9


def test_noise_of_finite_differences_does_not_stiffen_rigid_motion(cluster):
    positions, hessian = cluster
    clean = compute_normal_modes(hessian, MASSES, positions)
    noisy = hessian + 1e-3 * np.random.default_rng(2).normal(size=(15, 15))
    modes = compute_normal_modes(noisy, MASSES, positions)
    assert modes.energies_ev == pytest.approx(clean.energies_ev, rel=0.01)


def test_frozen_atoms_are_taken_out(cluster):
    _, hessian = cluster
    frozen = np.array([True, False, False, True, True])
    modes = compute_normal_modes(hessian, MASSES, frozen=frozen)
    assert modes.energies_ev.shape == (6,)
    assert modes.n_rigid_body_modes == 0
    assert np.abs(modes.eigenvectors[:, frozen]).max() == 0.0
    free = np.repeat(~frozen, 3)
    block = hessian[np.ix_(free, free)] / np.sqrt(np.outer(*2 * [np.repeat(MASSES, 3)[free]]))
    expected = HBAR_EV_FS * np.sqrt(np.linalg.eigvalsh(block) / AMU_ANGSTROM2_PER_FS2_EV)
    assert modes.energies_ev == pytest.approx(expected, rel=1e-8)


def test_a_free_rotation_about_two_frozen_atoms_is_soft_and_not_imaginary(cluster):
    _, hessian = cluster
    frozen = np.array([True, False, False, True, False])
    modes = compute_normal_modes(hessian, MASSES, frozen=frozen)
    assert (np.abs(modes.energies_ev) < 1e-6).sum() == 1
    assert modes.n_imaginary == 0


def test_imaginary_modes_are_negative_and_reported_and_not_coupled(cluster):
    positions, hessian = cluster
    plain = compute_normal_modes(hessian, MASSES, positions)
    weighted = (plain.eigenvectors[0] * np.sqrt(MASSES)[:, None]).ravel()
    saddle = hessian - 0.05 * np.outer(weighted, weighted)
    modes = compute_normal_modes(saddle, MASSES, positions)
    assert modes.n_imaginary == 1
    assert modes.energies_ev[0] < 0
    assert any("not a minimum" in text for text in modes.warnings)
    coupling = compute_mode_coupling(modes, np.ones((5, 3)))
    assert coupling.n_excluded == 1
    assert (coupling.energies_ev > 0).all()
    assert any("not in the Huang-Rhys factors" in text for text in coupling.warnings)


def test_coupling_of_a_known_displacement(cluster):
    # A gap whose gradient is −ω² ΔQ e √m shifts the minimum by ΔQ: S = ω ΔQ² / 2ħ.
    positions, hessian = cluster
    modes = compute_normal_modes(hessian, MASSES, positions)
    mode, shift = 4, 0.3  # Å √amu
    omega = modes.energies_ev[mode] / HBAR_EV_FS
    stiffness = omega**2 * AMU_ANGSTROM2_PER_FS2_EV
    gradient = -stiffness * shift * modes.eigenvectors[mode] * np.sqrt(MASSES)[:, None]
    coupling = compute_mode_coupling(modes, gradient, groups={"Pb": MASSES > 200.0})
    expected = AMU_ANGSTROM2_PER_FS2_EV * omega * shift**2 / (2 * HBAR_EV_FS)
    assert coupling.huang_rhys_factors[mode] == pytest.approx(expected, rel=1e-10)
    assert coupling.huang_rhys_factor == pytest.approx(expected, rel=1e-10)
    assert coupling.reorganization_energy_ev == pytest.approx(0.5 * stiffness * shift**2, rel=1e-10)
    share = (modes.eigenvectors[mode, 1] ** 2).sum()
    assert coupling.coupled_participation["Pb"] == pytest.approx(share, rel=1e-8)


def test_reorganization_energy_is_what_relaxation_on_the_excited_surface_gains(cluster):
    # Λ = ½ gᵀ H⁻¹ g, without any mode.
    positions, hessian = cluster
    modes = compute_normal_modes(hessian, MASSES, positions)
    distances = np.random.default_rng(3).normal(size=(5, 5))
    gradient = np.zeros((5, 3))
    for i in range(5):
        for j in range(i):
            along = (positions[i] - positions[j]) * distances[i, j] / 10
            gradient[i] += along
            gradient[j] -= along
    coupling = compute_mode_coupling(modes, gradient)
    expected = 0.5 * gradient.ravel() @ np.linalg.pinv(hessian, rcond=1e-10) @ gradient.ravel()
    assert coupling.reorganization_energy_ev == pytest.approx(expected, rel=1e-8)


def test_participations_of_a_partition_add_up_to_one(cluster):
    positions, hessian = cluster
    modes = compute_normal_modes(hessian, MASSES, positions)
    surface = np.array([True, False, True, False, False])
    coupling = compute_mode_coupling(
        modes, np.ones((5, 3)) * positions, groups={"surface": surface, "inside": ~surface}
    )
    assert sum(coupling.participation.values()) == pytest.approx(np.ones(9))
    assert sum(coupling.coupled_participation.values()) == pytest.approx(1.0)
    in_bands = sum(band.reorganization_energy_ev for band in coupling.bands)
    below = coupling.reorganization_energies_ev[coupling.energies_ev < 0.025].sum()
    assert in_bands == pytest.approx(below)
    assert coupling.bands[0].reorganization_energy_error_ev == 0.0


def test_an_asymmetric_hessian_is_told(cluster):
    positions, hessian = cluster
    tilted = hessian.copy()
    tilted[0, 5] += 1.0
    modes = compute_normal_modes(tilted, MASSES, positions)
    assert any("asymmetric" in text for text in modes.warnings)


def test_impossible_arguments(cluster):
    positions, hessian = cluster
    with pytest.raises(InputError, match="positions are needed"):
        compute_normal_modes(hessian, MASSES)
    with pytest.raises(InputError, match=r"positions have shape \(4, 3\)"):
        compute_normal_modes(hessian, MASSES, positions[:4])
    with pytest.raises(InputError, match="no vibration"):
        compute_normal_modes(np.zeros((3, 3)), MASSES[:1], np.zeros((1, 3)))
    with pytest.raises(InputError, match="all 5 atoms are frozen"):
        compute_normal_modes(hessian, MASSES, frozen=np.ones(5, dtype=bool))
    with pytest.raises(InputError, match=r"expected finite numbers of shape \(15, 15\)"):
        compute_normal_modes(hessian[:12, :12], MASSES, positions)
    modes = compute_normal_modes(hessian, MASSES, positions)
    with pytest.raises(InputError, match="gap gradient"):
        compute_mode_coupling(modes, np.ones(15))
    with pytest.raises(InputError, match="no mode lies above"):
        compute_mode_coupling(modes, np.ones((5, 3)), minimum_energy_ev=10.0)
