"""Which total energies may go into one difference: those of one level of theory.

Functional, dispersion, cutoff, basis, pseudopotentials: each shifts a total energy by more than a
binding energy, so a difference of two energies means something only where all of these agree.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from qdcomp.errors import InputError

OF_SLABS = ("kpoints", "dipole correction")
"""What a molecule in a box has none of, so that it need not agree with the slab's."""

NOT_STATED = "not stated"
"""Stands for what one energy's level does not say and another's does."""


def check_same_level(
    levels: Mapping[str, Mapping[str, str]], *, molecules: Collection[str] = ()
) -> None:
    """Refuse energies of different levels of theory.

    Each setting is compared with that of the first energy in ``levels``. What belongs to one
    element is named with the element last, as in ``basis Br`` or ``POTCAR Cs``: it must agree
    between the energies that have that element.

    Parameters
    ----------
    levels
        Level of theory of each energy by the name of the energy, ``{"N3-a": {"functional": "PBE",
        "cutoff": "400 eV", "kpoints": "4 4 1"}, …}``.
    molecules
        Names of the energies of molecules, whose k-points and dipole correction are exempt.

    Raises
    ------
    InputError
        If two levels differ; the message names each setting that does, and between which energies.
        Also if a name in ``molecules`` is none of ``levels``.
    """
    unknown = sorted(set(molecules) - set(levels))
    if unknown:
        raise InputError(
            f"{', '.join(unknown)} named as molecules, but the energies are "
            f"{', '.join(levels) or 'none'}; name molecules as in the levels"
        )
    keys = dict.fromkeys(key for level in levels.values() for key in level)
    differences = [text for key in keys for text in _compare(key, levels, molecules)]
    if differences:
        raise InputError(
            "energies of different levels of theory do not go into one difference: "
            f"{'; '.join(differences)}. Compute all of them with the same settings"
        )


def _compare(
    key: str, levels: Mapping[str, Mapping[str, str]], molecules: Collection[str]
) -> list[str]:
    """Describe where a setting is another than in the first energy that it matters to."""
    values = {name: level.get(key, NOT_STATED) for name, level in levels.items()}
    if key in OF_SLABS:
        values = {name: value for name, value in values.items() if name not in molecules}
    if _is_of_one_element(key):
        values = {name: value for name, value in values.items() if value != NOT_STATED}
    first = next(iter(values), "")
    return [
        f"{key} is {values[first]} in {first} and {value} in {name}"
        for name, value in values.items()
        if value != values[first]
    ]


def _is_of_one_element(key: str) -> bool:
    from ase.data import atomic_numbers

    return " " in key and key.rsplit(" ", 1)[1] in atomic_numbers
