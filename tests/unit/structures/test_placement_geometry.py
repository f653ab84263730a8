from functools import cache

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.spatial.transform import Rotation

from qdcomp.structures import load_ligand
from qdcomp.structures.placement_crowding import Crowd, Stand, Surroundings
from qdcomp.structures.placement_geometry import (
    bend_joints,
    build_frames,
    joint_ligand,
    left_jacobians,
    measure_dihedrals,
    rotation_matrices,
)


@cache
def joint(name):
    return joint_ligand(load_ligand(name))


def test_rotation_vectors_turn_as_they_say():
    vectors = np.array([[0.0, 0, 0], [1e-5, 0, 0], [0.3, -2.0, 0.7], [0, 0, 3.0]])
    expected = Rotation.from_rotvec(vectors).as_matrix()
    np.testing.assert_allclose(rotation_matrices(vectors), expected, atol=1e-14)


def test_left_jacobian_is_the_rotation_by_a_small_step_more():
    vector, step = np.array([[0.4, -1.1, 0.8]]), np.array([1e-6, -2e-6, 3e-6])
    stepped = Rotation.from_rotvec(vector[0] + step) * Rotation.from_rotvec(vector[0]).inv()
    np.testing.assert_allclose(left_jacobians(vector)[0] @ step, stepped.as_rotvec(), atol=1e-11)


def test_frames_put_z_on_the_normal():
    normals = np.array([[0, 0, 1.0], [0, 0, -1.0], [1, 0, 0], np.ones(3) / np.sqrt(3)])
    frames = build_frames(normals, np.array([0.0, 1.0, 2.0, 3.0]))
    np.testing.assert_allclose(frames @ [0, 0, 1], normals, atol=1e-15)
    np.testing.assert_allclose(np.linalg.det(frames), 1.0)
    np.testing.assert_allclose(
        frames @ frames.transpose(0, 2, 1), np.tile(np.eye(3), (4, 1, 1)), atol=1e-15
    )


@pytest.mark.parametrize(
    ("name", "joints"),
    [
        ("MA", 1),  # C-N
        ("PEA", 3),  # the ring turns as a whole
        ("DDA_C2", 6),  # two tails of two bonds, and two methyls
        ("acetate", 1),
        ("FA", 0),  # an amidinium is flat
    ],
)
def test_joints_are_the_single_bonds_outside_rings(name, joints):
    assert len(joint(name).joints) == joints


def test_a_double_bond_does_not_turn():
    oleate = joint("oleate")
    degree = np.bincount(oleate.bonds.ravel())
    flat = {atom for atom in np.flatnonzero((oleate.numbers == 6) & (degree == 3)).tolist()}
    assert not any(set(pair) <= flat for pair in oleate.joints.tolist())


def test_turning_joints_keeps_bonds_and_angles_and_adds_to_dihedrals():
    ligand = joint("DDA_C2")
    angles = np.random.default_rng(1).uniform(-3, 3, (1, len(ligand.joints)))
    bent = bend_joints(ligand, angles)[0]
    for pair in ligand.bonds.tolist():
        length = np.linalg.norm(np.diff(ligand.positions[pair], axis=0))
        assert np.linalg.norm(np.diff(bent[pair], axis=0)) == pytest.approx(length)
    for atom in range(len(bent)):  # distances of 1-3 atoms hold the angles
        around = np.setdiff1d(ligand.bonds[(ligand.bonds == atom).any(axis=1)], [atom])
        np.testing.assert_allclose(
            cdist(bent[around], bent[around]),
            cdist(ligand.positions[around], ligand.positions[around]),
            atol=1e-9,
        )
    change = measure_dihedrals(bent[None], ligand.dihedrals) - measure_dihedrals(
        ligand.positions[None], ligand.dihedrals
    )
    np.testing.assert_allclose(np.exp(1j * change), np.exp(1j * angles), atol=1e-9)


def test_dihedrals_have_the_sign_of_iupac():
    points = np.array([[[1.0, 0, 0], [0, 0, 0], [0, 0, 1], [0, 1, 1]]])
    assert np.degrees(measure_dihedrals(points, np.array([[0, 1, 2, 3]]))) == pytest.approx(90.0)


@pytest.mark.parametrize("name", ["PEA", "DDA_C2", "acetate"])
def test_gradient_of_a_crowd_is_that_of_its_energy(name):
    ligand = joint(name)
    rng = np.random.default_rng(5)
    normals = np.array([[0, 0, 1.0], [0, 0, -1.0]])
    stand = Stand(
        ligand,
        np.array([[0.0, 0, 1.0], [1.0, 3.0, -1.0]]),
        normals,
        build_frames(normals, rng.uniform(0, 6, 2)),
        rng.uniform(-1, 1, (2, len(ligand.joints))),
    )
    cell = np.array([[5.9, 0, 0], [0.8, 5.9, 0], [0, 0, 30.0]])
    ions = Surroundings(
        np.array([82, 35, 35, 35]),
        np.array([[3.0, 3, 0], [3.0, 3, 3], [0, 3, 0], [3, 0, 0]]),
        cell,
        np.array([True, True, False]),
    )
    crowd = Crowd([stand], ions)
    poses = crowd.start() + 0.3 * rng.standard_normal(stand.size)
    _, gradient = crowd.evaluate(poses)
    step = 1e-5
    numeric = [
        (crowd.evaluate(poses + d)[0] - crowd.evaluate(poses - d)[0]) / (2 * step)
        for d in step * np.eye(poses.size)
    ]
    np.testing.assert_allclose(gradient, numeric, rtol=1e-5, atol=1e-5)
