"""Which total energies may go into one difference: those of one level of theory.

Functional, dispersion, cutoff, basis, pseudopotentials: each shifts a total energy by more than a
binding energy, so a difference of two energies means something only where all of these agree.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from qdcomp.errors import InputError

K_POINTS = "kpoints"
"""What a molecule in a box has none of, so that it need not agree with the slab's."""

NOT_STATED = "not stated"
"""Stands for what one energy's level does not say and another's does."""


def check_same_level(
    levels: Mapping[str, Mapping[str, str]], *, molecules: Collection[str] = ()
) -> None:
    """Refuse energies of different levels of theory.

    Each energy is compared with the first one of ``levels``. What belongs to one element is named
    with the element last, as in ``basis Br`` or ``POTCAR Cs``: it must agree only between energies
    that both have that element.

    Parameters
    ----------
    levels
        Level of theory of each energy by the name of the energy, ``{"N3-a": {"functional": "PBE",
        "cutoff": "400 eV", "kpoints": "4 4 1"}, …}``.
    molecules
        Names of the energies of molecules, whose ``kpoints`` are exempt.

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
    slabs = [name for name in levels if name not in molecules]
    if not levels:
        return
    reference = slabs[0] if slabs else next(iter(levels))
    differences = []
    for name, level in levels.items():
        exempt = {K_POINTS} if name in molecules else set()
        differences += _describe_differences(reference, levels[reference], name, level, exempt)
    if differences:
        raise InputError(
            "energies of different levels of theory do not go into one difference: "
            f"{'; '.join(differences)}. Compute all of them with the same settings"
        )


def _describe_differences(
    first: str,
    first_level: Mapping[str, str],
    second: str,
    second_level: Mapping[str, str],
    exempt: Collection[str],
) -> list[str]:
    differences = []
    for key in dict.fromkeys([*first_level, *second_level]):
        ours, theirs = first_level.get(key), second_level.get(key)
        one_lacks_the_element = _is_of_one_element(key) and (ours is None or theirs is None)
        if key in exempt or ours == theirs or one_lacks_the_element:
            continue
        differences.append(
            f"{key} is {ours or NOT_STATED} in {first} and {theirs or NOT_STATED} in {second}"
        )
    return differences


def _is_of_one_element(key: str) -> bool:
    from ase.data import atomic_numbers

    return " " in key and key.rsplit(" ", 1)[1] in atomic_numbers
