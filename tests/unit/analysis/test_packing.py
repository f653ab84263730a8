import numpy as np
import pytest

from qdcomp.analysis import classify_stacking, compute_packing
from qdcomp.errors import InputError

CELL = np.diag([11.8, 11.8, 40.0])
SLAB = (True, True, False)
CC, CH = 1.395, 1.085


def make_benzene(centre=(0.0, 0.0, 0.0), tilt_deg=0.0):
    """Benzene in the plane xy, turned about x."""
    angles = np.radians(60 * np.arange(6))
    circle = np.stack([np.cos(angles), np.sin(angles), np.zeros(6)], axis=1)
    positions = np.concatenate([CC * circle, (CC + CH) * circle])
    cosine, sine = np.cos(np.radians(tilt_deg)), np.sin(np.radians(tilt_deg))
    turn = np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
    return positions @ turn.T + np.asarray(centre)


def move(positions, x, y, z):
    return positions + np.array([x, y, z])


def pack_benzenes(*molecules, cell=None, pbc=(False, False, False)):
    positions = np.concatenate(molecules)
    index = np.repeat(np.arange(len(molecules)), 12)
    symbols = (["C"] * 6 + ["H"] * 6) * len(molecules)
    return compute_packing(positions, symbols, cell, pbc, index)


def make_alkylammonium(carbons, foot, *, lean_deg=0.0, up=1):
    """N and an all-trans chain that leans in the plane xz; hydrogens left out."""
    steps = np.arange(carbons + 1)
    zigzag = np.stack([np.where(steps % 2, 0.42, -0.42), 0 * steps, 1.27 * steps], axis=1)
    cosine, sine = np.cos(np.radians(lean_deg)), np.sin(np.radians(lean_deg))
    turn = np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]])
    positions = zigzag @ turn.T * [1, 1, up] + np.asarray(foot)
    return ["N"] + ["C"] * carbons, positions


def pack_on_slab(ligands, *, wrap=False, cell=CELL):
    """One perovskite atom in the middle, then the ligands."""
    symbols, positions, index = ["Pb"], [np.array([[0.0, 0.0, 20.0]])], [-1]
    for number, (elements, coordinates) in enumerate(ligands):
        symbols += elements
        positions.append(coordinates)
        index += [number] * len(elements)
    stacked = np.concatenate(positions)
    if wrap:
        stacked[:, :2] %= np.diag(cell)[:2]
    return compute_packing(stacked, symbols, cell, SLAB, index, names=("A", "B"))


@pytest.mark.parametrize(
    ("centre", "tilt", "distance", "angle", "offset", "arrangement"),
    [
        ((0, 0, 3.9), 0, 3.9, 0, 0.0, "face-to-face"),
        ((1.6, 0, 3.6), 0, np.hypot(1.6, 3.6), 0, 1.6, "parallel displaced"),
        ((0, 0, 5.0), 90, 5.0, 90, 0.0, "T-shaped"),
        ((0, 0, 4.8), 45, 4.8, 45, 0.0, "tilted"),
        ((6.0, 0, 1.0), 0, np.hypot(6.0, 1.0), 0, 6.0, "side by side"),
    ],
)
def test_a_pair_of_benzenes_is_measured_and_named(
    centre, tilt, distance, angle, offset, arrangement
):
    packing = pack_benzenes(make_benzene(), make_benzene(centre, tilt))
    assert len(packing.rings) == 2
    (pair,) = packing.ring_pairs
    assert pair.ligands == (0, 1)
    assert pair.centroid_distance_angstrom == pytest.approx(distance)
    assert pair.plane_angle_deg == pytest.approx(angle, abs=1e-4)
    assert pair.offset_angstrom == pytest.approx(offset, abs=1e-4)
    assert pair.arrangement == arrangement


def test_a_t_shape_is_measured_from_the_ring_that_faces_the_other():
    # The stem stands over the face of the first; its own normal points past that ring.
    pair = pack_benzenes(make_benzene(tilt_deg=90), make_benzene((0, 5.0, 0))).ring_pairs[0]
    assert pair.plane_distance_angstrom == pytest.approx(5.0)
    assert pair.offset_angstrom == pytest.approx(0.0, abs=1e-6)


def test_a_ring_stacks_with_its_own_image_across_the_cell():
    cell = np.diag([3.8, 12.0, 30.0])
    flat = make_benzene()[:, [2, 1, 0]] + np.array([0.1, 6.0, 15.0])
    packing = pack_benzenes(flat, cell=cell, pbc=SLAB)
    (pair,) = packing.ring_pairs
    assert pair.translation == (1, 0, 0)
    assert pair.centroid_distance_angstrom == pytest.approx(3.8)
    assert pair.arrangement == "face-to-face"
    assert packing.contacts[0].ligands == (0, 0)
    assert packing.nearest_carbon_angstrom == pytest.approx(3.8)


def test_every_image_that_is_near_enough_is_a_pair():
    cell = np.diag([8.0, 20.0, 30.0])
    upright = make_benzene()[:, [2, 1, 0]]
    packing = pack_benzenes(
        move(upright, 0, 10, 15), move(upright, 4.0, 10, 15), cell=cell, pbc=SLAB
    )
    assert [pair.centroid_distance_angstrom for pair in packing.ring_pairs] == pytest.approx([4, 4])
    assert {pair.translation for pair in packing.ring_pairs} == {(0, 0, 0), (-1, 0, 0)}


def test_cyclohexane_and_bent_rings_are_not_aromatic():
    chair = make_benzene()[:6] * [1.05, 1.05, 1]
    chair[:, 2] += 0.25 * (-1.0) ** np.arange(6)
    index = np.zeros(6, dtype=int)
    packing = compute_packing(chair, ["C"] * 6, None, (False,) * 3, index)
    assert packing.rings == ()
    flat = make_benzene()
    with_two_hydrogens = np.concatenate(
        [flat, move(flat[6:], 0, 0, 0.9), move(flat[6:], 0, 0, -0.9)]
    )
    symbols = ["C"] * 6 + ["H"] * 18
    bonds = [(c, (c + 1) % 6) for c in range(6)]
    bonds += [(c, 6 + c + 6 * k) for c in range(6) for k in range(3)]
    packing = compute_packing(
        with_two_hydrogens, symbols, None, (False,) * 3, np.zeros(24, dtype=int), bonds=bonds
    )
    assert packing.rings == ()


def test_both_rings_of_naphthalene_are_found_and_do_not_pair_within_it():
    turned = np.stack(
        [np.cos(np.radians(30 + 60 * np.arange(6))), np.sin(np.radians(30 + 60 * np.arange(6)))],
        axis=1,
    )
    first = np.concatenate([CC * turned, np.zeros((6, 1))], axis=1)
    second = move(first, np.sqrt(3) * CC, 0, 0)
    shared = np.linalg.norm(second[:, None] - first[None], axis=-1).min(axis=1) < 0.1
    positions = np.concatenate([first, second[~shared]])
    packing = compute_packing(positions, ["C"] * 10, None, (False,) * 3, np.zeros(10, dtype=int))
    assert len(packing.rings) == 2
    assert packing.ring_pairs == ()


def test_a_molecule_cut_by_the_cell_is_put_together_again():
    ligand = make_alkylammonium(8, (11.5, 11.7, 22.0), lean_deg=30)
    whole, cut = pack_on_slab([ligand]), pack_on_slab([ligand], wrap=True)
    assert cut.chains[0].length_angstrom == pytest.approx(whole.chains[0].length_angstrom)
    assert cut.mean_tilt_deg == pytest.approx(whole.mean_tilt_deg)
    assert cut.nearest_carbon_angstrom == pytest.approx(whole.nearest_carbon_angstrom)
    assert cut.warnings == whole.warnings == ()


def test_given_bonds_hold_across_the_cell_too():
    symbols, positions = make_alkylammonium(8, (11.5, 11.7, 22.0), lean_deg=60)
    cut = positions.copy()
    cut[:, :2] %= 11.8
    bonds = [(atom, atom + 1) for atom in range(8)]
    whole, given = (
        compute_packing(where, symbols, CELL, SLAB, [0] * 9, bonds=bonds)
        for where in (positions, cut)
    )
    assert given.chains[0].length_angstrom == pytest.approx(whole.chains[0].length_angstrom)
    assert given.nearest_carbon_angstrom == pytest.approx(whole.nearest_carbon_angstrom)


def test_a_ligand_longer_than_the_cell_meets_its_images():
    # Leaning by 60 degrees, the chain reaches over the neighbouring cell.
    packing = pack_on_slab([make_alkylammonium(16, (1.0, 1.0, 22.0), lean_deg=60)])
    positions = make_alkylammonium(16, (1.0, 1.0, 22.0), lean_deg=60)[1][1:]
    expected = min(
        np.linalg.norm(
            positions[:, None] + [11.8 * i, 11.8 * j, 0] - positions[None], axis=-1
        ).min()
        for i in range(-4, 5)
        for j in range(-4, 5)
        if (i, j) != (0, 0)
    )
    assert packing.nearest_carbon_angstrom == pytest.approx(expected)
    assert packing.chains[0].length_angstrom > 11.8


@pytest.mark.parametrize("lean", [0.0, 20.0, 60.0])
@pytest.mark.parametrize("up", [1, -1])
def test_tilt_is_from_the_outward_normal_on_either_side(lean, up):
    foot = (2.0, 2.0, 20.0 + 4.0 * up)
    packing = pack_on_slab([make_alkylammonium(12, foot, lean_deg=lean, up=up)])
    side = "top" if up > 0 else "bottom"
    assert packing.sides == (side,)
    assert packing.mean_tilt_deg == {side: pytest.approx(lean, abs=1.5)}


def test_chain_density_counts_tails_of_each_side():
    symbols, positions = make_alkylammonium(8, (2.0, 2.0, 22.0))
    other = make_alkylammonium(8, (6.0, 2.0, 22.0))[1][1:] - [1.6, 0, 0]
    # A second chain and two methyls on the same N, as in dioctyldimethylammonium.
    methyls = positions[0] + np.array([[0.0, 1.5, 0.0], [0.0, -1.5, 0.0]])
    bonds = [(i, i + 1) for i in range(1, 9)]
    bonds += [(1, 10), *[(i, i + 1) for i in range(10, 17)], (1, 18), (1, 19)]
    packing = compute_packing(
        np.concatenate([[[0, 0, 20.0]], positions, other, methyls]),
        ["Pb", *symbols, *["C"] * 10],
        CELL,
        SLAB,
        [-1] + [0] * 19,
        bonds=bonds,
        names=("DDA_C8",),
    )
    assert packing.ligands == ("DDA_C8",)
    assert [chain.carbons for chain in packing.chains] == [8, 8]
    assert packing.chain_density_per_nm2 == {"top": pytest.approx(2 / 1.18**2)}
    assert packing.ligand_density_per_nm2 == {"top": pytest.approx(1 / 1.18**2)}
    # The two tails of one ligand are neighbours: 4.0 Å along x, less 1.6 Å.
    assert packing.chain_pairs[0].ligands == (0, 0)
    assert packing.chain_pairs[0].axis_distance_angstrom == pytest.approx(2.4, abs=0.01)
    assert packing.chain_pairs[0].axis_angle_deg == pytest.approx(0.0, abs=0.01)


def test_a_spacer_between_charges_and_a_head_carbon_are_no_chains():
    # +N(C)–C–C–C–S and a formamidinium N–C–N.
    chain = np.array([[1.5 * i, 0.0, 0.0] for i in range(6)])
    symbols = ["C", "N", "C", "C", "C", "S"]
    packing = compute_packing(chain, symbols, None, (False,) * 3, np.zeros(6, dtype=int))
    assert packing.chains == ()
    assert any("no ligand has a tail" in warning for warning in packing.warnings)


def test_full_alkyl_layers_are_told_to_be_denser_than_crystalline():
    feet = [(x, y, 22.0) for x in (0.5, 4.5, 8.5) for y in (0.5, 4.5, 8.5)]
    packing = pack_on_slab([make_alkylammonium(10, foot) for foot in feet])
    assert packing.chain_density_per_nm2["top"] == pytest.approx(9 / 1.18**2)
    assert any("denser than crystalline" in warning for warning in packing.warnings)


def test_sides_do_not_touch_each_other():
    above = make_alkylammonium(4, (2.0, 2.0, 22.0))
    below = make_alkylammonium(4, (2.0, 2.0, 18.0), up=-1)
    packing = pack_on_slab([above, below])
    assert packing.sides == ("top", "bottom")
    assert [contact.ligands for contact in packing.contacts] == [(0, 0), (1, 1)]
    # Carbons a step apart on the zigzag: 0.84 Å nearer along x, 1.27 Å apart along z.
    nearest = np.hypot(11.8 - 0.84, 1.27)
    assert packing.nearest_per_ligand_angstrom == pytest.approx([nearest, nearest])


def test_a_skewed_cell_gives_the_same_as_its_straight_equal():
    ligands = [make_alkylammonium(6, (1.0, 1.0, 22.0)), make_alkylammonium(6, (6.0, 4.0, 22.0))]
    straight = pack_on_slab(ligands)
    skewed = CELL.copy()
    skewed[1, 0] += 2 * 11.8
    sheared = pack_on_slab(ligands, cell=skewed)
    assert sheared.nearest_carbon_angstrom == pytest.approx(straight.nearest_carbon_angstrom)
    assert [pair.axis_distance_angstrom for pair in sheared.chain_pairs] == pytest.approx(
        [pair.axis_distance_angstrom for pair in straight.chain_pairs]
    )


def test_packing_does_not_depend_on_where_the_origin_is():
    feet = [(1.0, 1.0, 22.0), (5.0, 8.0, 22.0), (9.0, 3.0, 22.0)]
    ligands = [make_alkylammonium(7, foot, lean_deg=25) for foot in feet]
    moved = [(symbols, move(positions, 4.4, 7.7, 0)) for symbols, positions in ligands]
    here, there = pack_on_slab(ligands), pack_on_slab(moved, wrap=True)
    assert [c.distance_angstrom for c in there.contacts] == pytest.approx(
        [c.distance_angstrom for c in here.contacts]
    )
    assert [p.axis_distance_angstrom for p in there.chain_pairs] == pytest.approx(
        [p.axis_distance_angstrom for p in here.chain_pairs]
    )


def test_a_dot_has_contacts_and_no_density():
    packing = pack_benzenes(make_benzene(), make_benzene((0, 0, 3.9)))
    assert packing.chain_density_per_nm2 == {}
    assert packing.area_angstrom2 is None
    assert packing.contacts[0].distance_angstrom == pytest.approx(3.9)
    assert any("not periodic" in warning for warning in packing.warnings)


def test_clashes_and_broken_molecules_are_told():
    clash = pack_benzenes(make_benzene(), make_benzene((0, 0, 2.0)))
    assert any("they clash" in warning for warning in clash.warnings)
    broken = np.concatenate([make_benzene(), make_benzene((0, 0, 9.0))])
    symbols = (["C"] * 6 + ["H"] * 6) * 2
    packing = compute_packing(broken, symbols, None, (False,) * 3, np.zeros(24, dtype=int))
    assert any("2 pieces" in warning for warning in packing.warnings)


def test_limits_of_the_classification():
    assert classify_stacking(29.9, 0.7) == "face-to-face"
    assert classify_stacking(29.9, 0.9) == "parallel displaced"
    assert classify_stacking(30.0, 0.9) == "tilted"
    assert classify_stacking(60.1, 0.9) == "T-shaped"
    assert classify_stacking(0.0, 2.9) == "side by side"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ligand_index": [-1, -1]}, "no atom belongs to a ligand"),
        ({"ligand_index": [0]}, "one element, vector and number"),
        ({"positions": [[0, 0, 0], [np.nan, 0, 0]]}, "atom 1"),
        ({"pbc": (True, True, False)}, "periodic along"),
        ({"bonds": [1, 2, 3]}, "shape"),
    ],
)
def test_what_cannot_be_packed_is_refused(change, message):
    given = {
        "positions": [[0, 0, 0], [1.5, 0, 0]],
        "symbols": ["C", "C"],
        "cell": None,
        "pbc": (False, False, False),
        "ligand_index": [0, 0],
    } | change
    with pytest.raises(InputError, match=message):
        compute_packing(**given)
