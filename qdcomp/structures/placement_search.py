"""The search for poses in which ligands stand on their sites without touching.

Each trial starts upright, with conformers and turns about the normal that are the same for all
ligands or drawn for each, lets the atoms swell from a part of their size to the whole, and walks
downhill in all poses at once. Of the trials without near contacts the one of lowest energy is
kept; its repulsion is then made stiffer, and ligands that still touch are turned and tried again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdcomp.structures.contacts import Contact, find_smallest_contact
from qdcomp.structures.placement_crowding import Crowd, Stand, Surroundings
from qdcomp.structures.placement_geometry import build_frames
from qdcomp.structures.upright_conformers import UprightLigand

STAGES = ((0.6, 60), (0.8, 60), (1.0, 300))
"""Size of the atoms and steps of the walk, one stage after the other."""

POLISH_STIFFNESS = 20.0
"""How much stiffer the repulsion is at the end, against everything else …"""

POLISH_SWELLING = 0.9
"""… and how large the atoms: it acts on near contacts alone."""

POLISH_STEPS = 200
"""Steps of the walk with the stiff repulsion."""

FEW_LIGANDS = 24
"""Up to so many ligands several trials are made; in a larger crowd, repairs do more for less."""

TRIALS = 4
"""Trials for a few ligands, if one of them has no near contact …"""

MOST_TRIALS = 8
"""… and at most, if none is without."""

REPAIRS = 12
"""Attempts to turn ligands that touch."""

JITTER = 0.03
"""Random part of the starting poses [rad, Å]: it breaks symmetries that would hold the walk."""

GOLDEN_TURN = 2 * np.pi * (np.sqrt(5) - 1) / 2
"""Turn from one trial to the next [rad]: any number of them is spread evenly over the circle."""


@dataclass(frozen=True, eq=False)
class Place:
    """A site with the ligand that is to stand there.

    Attributes
    ----------
    anchor
        Where the head belongs [Å], shape ``(3,)``.
    normal
        Outward unit normal, shape ``(3,)``.
    upright
        The ligand and its conformers to choose from.
    """

    anchor: NDArray[np.float64]
    normal: NDArray[np.float64]
    upright: UprightLigand


@dataclass(frozen=True, eq=False)
class Settlement:
    """Ligands on their places.

    Attributes
    ----------
    positions
        Atoms of each ligand [Å], in the order of the places, shape ``(n_atoms, 3)`` each.
    contact
        Smallest contact; atoms are numbered fixed ones first, then ligands by kind.
    trials
        Trials that were made, repairs included.
    """

    positions: tuple[NDArray[np.float64], ...]
    contact: Contact | None
    trials: int

    @property
    def contact_angstrom(self) -> float:
        """Smallest contact [Å]; infinite where nothing is near anything."""
        return np.inf if self.contact is None else self.contact.distance_angstrom


@dataclass(frozen=True, eq=False)
class _Trial:
    crowd: Crowd
    members: tuple[NDArray[np.int64], ...]
    poses: NDArray[np.float64]
    energy: float
    contact: Contact | None

    @property
    def room(self) -> float:
        return np.inf if self.contact is None else self.contact.distance_angstrom


def settle_ligands(
    places: Sequence[Place], surroundings: Surroundings, *, seed: int, min_contact_angstrom: float
) -> Settlement:
    """Let ligands stand on their places so that nothing touches, as far as that is found.

    Parameters
    ----------
    places
        Where which ligand stands; at least one.
    surroundings
        The fixed atoms.
    seed
        The same seed gives the same poses.
    min_contact_angstrom
        Contacts smaller than this [Å] are repaired; the caller decides what to do with the rest.
    """
    rng = np.random.default_rng(seed)
    few = len(places) <= FEW_LIGANDS
    tried: list[_Trial] = []
    for number in range(MOST_TRIALS if few else 1):
        tried.append(_try(places, surroundings, number, rng))
        if number + 1 >= TRIALS and any(trial.room >= min_contact_angstrom for trial in tried):
            break
    roomy = [trial for trial in tried if trial.room >= min_contact_angstrom]
    best = min(roomy, key=lambda t: t.energy) if roomy else max(tried, key=lambda t: t.room)
    best = _polish(best)
    repairs = 0
    while best.room < min_contact_angstrom and repairs < REPAIRS:
        attempt = _polish(_turn_touching(best, min_contact_angstrom, rng))
        best = max(best, attempt, key=lambda t: t.room)
        repairs += 1
    return Settlement(_collect(best, len(places)), best.contact, len(tried) + repairs)


def _try(
    places: Sequence[Place], surroundings: Surroundings, number: int, rng: np.random.Generator
) -> _Trial:
    """One trial: even numbers are the same for all ligands, odd ones drawn for each."""
    if number % 2:
        azimuths = rng.uniform(0, 2 * np.pi, len(places))
        choices = [int(rng.integers(len(place.upright.angles))) for place in places]
    else:
        azimuths = np.full(len(places), GOLDEN_TURN * number)
        choices = [number // 2 % len(place.upright.angles) for place in places]
    crowd, members = _gather(places, azimuths, choices, surroundings)
    poses = crowd.start()
    poses = poses + JITTER * rng.standard_normal(poses.size)
    for swelling, steps in STAGES:
        crowd.swelling = swelling
        poses = crowd.minimise(poses, steps)
    return _judge(crowd, members, poses)


def _gather(
    places: Sequence[Place],
    azimuths: NDArray[np.float64],
    choices: Sequence[int],
    surroundings: Surroundings,
) -> tuple[Crowd, tuple[NDArray[np.int64], ...]]:
    """Ligands of one kind as one stand, and the places of each stand."""
    groups: dict[int, list[int]] = {}
    for index, place in enumerate(places):
        groups.setdefault(id(place.upright), []).append(index)
    stands = []
    for members in groups.values():
        upright = places[members[0]].upright
        chosen = [choices[index] for index in members]
        normals = np.array([places[index].normal for index in members])
        stands.append(
            Stand(
                ligand=upright.ligand,
                anchors=np.array([places[index].anchor for index in members]),
                normals=normals,
                frames=build_frames(normals, azimuths[members]) @ upright.frames[chosen],
                angles=upright.angles[chosen],
            )
        )
    return Crowd(stands, surroundings), tuple(np.array(group) for group in groups.values())


def _judge(
    crowd: Crowd, members: tuple[NDArray[np.int64], ...], poses: NDArray[np.float64]
) -> _Trial:
    contact = find_smallest_contact(
        crowd.place(poses),
        crowd.ligand_index,
        crowd.excluded,
        crowd.surroundings.cell,
        crowd.surroundings.pbc,
    )
    return _Trial(crowd, members, poses, crowd.evaluate(poses)[0], contact)


def _polish(trial: _Trial) -> _Trial:
    """Walk on with a stiff repulsion, which widens the smallest contacts."""
    crowd = trial.crowd
    crowd.stiffness, crowd.swelling = POLISH_STIFFNESS, POLISH_SWELLING
    poses = crowd.minimise(trial.poses, POLISH_STEPS)
    crowd.stiffness, crowd.swelling = 1.0, 1.0
    polished = _judge(crowd, trial.members, poses)
    return max(trial, polished, key=lambda t: t.room)


def _turn_touching(trial: _Trial, limit: float, rng: np.random.Generator) -> _Trial:
    """Turn the ligands with contacts below the limit by random angles, and walk downhill again."""
    crowd = trial.crowd
    touching = crowd.find_touching(trial.poses, limit)
    parts = [part.copy() for part in crowd.split(trial.poses)]
    first = 0
    for stand, part in zip(crowd.stands, parts, strict=True):
        for row in range(len(part)):
            if touching[first + row]:
                part[row, :3] += rng.uniform(-np.pi, np.pi) * stand.normals[row]
                part[row, 6:] += 0.3 * rng.standard_normal(part.shape[1] - 6)
        first += len(part)
    poses = np.concatenate([part.ravel() for part in parts])
    for swelling, steps in STAGES:
        crowd.swelling = swelling
        poses = crowd.minimise(poses, steps)
    return _judge(crowd, trial.members, poses)


def _collect(trial: _Trial, n_places: int) -> tuple[NDArray[np.float64], ...]:
    """Positions of each ligand, in the order of the places."""
    positions = trial.crowd.place(trial.poses)
    index = trial.crowd.ligand_index
    order = np.concatenate(trial.members)
    placed: list[NDArray[np.float64]] = [np.empty((0, 3))] * n_places
    for ligand, place in enumerate(order.tolist()):
        placed[place] = positions[index == ligand]
    return tuple(placed)
