import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from qdcomp.analysis import remove_rigid_body_motion
from qdcomp.errors import InputError
from qdcomp.units import AMU_ANGSTROM2_PER_FS2_EV

MASSES = np.array([132.9, 207.2, 79.9, 79.9, 40.1, 79.9, 132.9])


@pytest.fixture
def structure():
    return np.random.default_rng(3).normal(scale=4.0, size=(7, 3))


def tumble(structure, n_frames=60, noise=0.0, seed=1):
    generator = np.random.default_rng(seed)
    angles = np.linspace(0.0, 2.0, n_frames)[:, None] * np.array([0.3, -1.0, 0.5])
    rotations = Rotation.from_rotvec(angles).as_matrix()
    internal = structure + noise * generator.normal(size=(n_frames, 7, 3))
    drift = np.linspace(0.0, 30.0, n_frames)[:, None] * np.array([1.0, 0.2, -0.4])
    return np.einsum("fij,fnj->fni", rotations, internal) + drift[:, None, :], rotations


def test_a_rigid_body_that_drifts_and_tumbles_stands_still(structure):
    positions, rotations = tumble(structure)
    aligned = remove_rigid_body_motion(positions, MASSES)
    assert np.ptp(aligned.positions, axis=0).max() < 1e-10
    assert aligned.rmsd.max() < 1e-10
    turned = np.linalg.norm(Rotation.from_matrix(rotations).as_rotvec(), axis=1)
    assert aligned.rotation_angles == pytest.approx(turned, abs=1e-6)
    distances = np.linalg.norm(structure[:, None] - structure[None], axis=-1)
    kept = np.linalg.norm(aligned.mean_positions[:, None] - aligned.mean_positions[None], axis=-1)
    assert kept == pytest.approx(distances, abs=1e-9)


def test_vibrations_survive_and_the_mean_structure_is_the_mean(structure):
    positions, _ = tumble(structure, noise=0.05)
    aligned = remove_rigid_body_motion(positions, MASSES)
    assert aligned.mean_positions == pytest.approx(aligned.positions.mean(axis=0), abs=1e-6)
    # Six of 21 degrees of freedom are gone; the rest of the noise is there.
    expected = 0.05 * np.sqrt(3.0 * 15 / 21)
    assert aligned.rmsd.mean() == pytest.approx(expected, rel=0.15)


def test_no_frame_is_mirrored(structure):
    flat = structure * np.array([1.0, 1.0, 1e-3])
    positions = flat + 2e-2 * np.random.default_rng(0).normal(size=(40, 7, 3))
    aligned = remove_rigid_body_motion(positions, MASSES)

    def chirality(frames):
        a, b, c = (frames[:, i] - frames[:, 0] for i in (1, 2, 3))
        return np.sign(np.einsum("fi,fi->f", a, np.cross(b, c)))

    assert (chirality(aligned.positions) == chirality(positions)).all()


def test_velocities_lose_momentum_and_angular_momentum_and_keep_the_rest(structure):
    generator = np.random.default_rng(5)
    internal = generator.normal(scale=1e-3, size=(20, 7, 3))
    positions = np.broadcast_to(structure, internal.shape)
    still = remove_rigid_body_motion(positions, MASSES, internal).velocities
    spin = np.array([1e-3, -2e-3, 5e-4])
    spun = internal + np.array([0.1, 0.0, -0.3]) + np.cross(spin, positions)
    aligned = remove_rigid_body_motion(positions, MASSES, spun)
    assert aligned.velocities == pytest.approx(still, abs=1e-12)
    momentum = np.einsum("n,fni->fi", MASSES, aligned.velocities)
    angular = np.einsum("n,fni->fi", MASSES, np.cross(aligned.positions, aligned.velocities))
    assert np.abs(momentum).max() < 1e-12
    assert np.abs(angular).max() < 1e-10


def test_six_degrees_of_freedom_of_kinetic_energy_go(structure):
    generator = np.random.default_rng(11)
    thermal = generator.normal(size=(4000, 7, 3)) / np.sqrt(
        MASSES[:, None] * AMU_ANGSTROM2_PER_FS2_EV
    )
    positions = np.broadcast_to(structure, thermal.shape)
    internal = remove_rigid_body_motion(positions, MASSES, thermal).velocities
    degrees = AMU_ANGSTROM2_PER_FS2_EV * np.einsum("n,fni->f", MASSES, internal**2).mean()
    assert degrees == pytest.approx(3 * 7 - 6, rel=0.03)


def test_a_frame_that_is_not_a_number_is_named(structure):
    positions, _ = tumble(structure)
    positions[17, 2, 1] = np.nan
    with pytest.raises(InputError, match="frame 17"):
        remove_rigid_body_motion(positions, MASSES)


def test_velocities_of_another_length_are_refused(structure):
    positions, _ = tumble(structure)
    with pytest.raises(InputError, match="velocities have shape"):
        remove_rigid_body_motion(positions, MASSES, positions[:-1])
