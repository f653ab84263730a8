"""Head groups by which a ligand holds on to a perovskite: which atom, on which site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from qdcomp.errors import InputError

Site = Literal["A", "X", "AX"]


@dataclass(frozen=True)
class HeadGroup:
    """A kind of head group.

    Attributes
    ----------
    name
        What chemists call it.
    smarts
        Pattern; the first atom is the one that takes the site.
    site
        ``A``: in place of an A cation; ``X``: in place of a halide; ``AX``: zwitterions.
    """

    name: str
    smarts: str
    site: Site


HEAD_GROUPS = (
    HeadGroup("sulfobetaine", "[NX4+;$(N(C)(C)(C)CCCS(=O)(=O)[O-])]", "AX"),
    HeadGroup("phosphocholine", "[NX4+;$(N(C)(C)(C)CCOP(=O)[O-])]", "AX"),
    HeadGroup("amidinium", "[CX3;$(C(=[NX3+])[NX3])]", "A"),
    HeadGroup("quaternary ammonium", "[NX4+;H0]", "A"),
    HeadGroup("primary ammonium", "[NX4+;H3]", "A"),
    HeadGroup("secondary ammonium", "[NX4+;H2]", "A"),
    HeadGroup("tertiary ammonium", "[NX4+;H1]", "A"),
    HeadGroup("carboxylate", "[CX3;$(C(=O)[O-])]", "X"),
    HeadGroup("phosphonate", "[PX4;$(P(=O)[O-])]", "X"),
    HeadGroup("sulfonate", "[SX4;$(S(=O)(=O)[O-])]", "X"),
    HeadGroup("thiolate", "[SX1-]", "X"),
)
"""Head groups that are looked for, the more special first."""


def find_head_group(molecule: Any, name: str) -> tuple[HeadGroup, int]:
    """Find the head group of a molecule and the atom that takes the site.

    Parameters
    ----------
    molecule
        Molecule of RDKit.
    name
        What the ligand is called, for messages.

    Raises
    ------
    InputError
        It has none of the known head groups, or several of one kind.
    """
    from rdkit import Chem

    for group in HEAD_GROUPS:
        matches = molecule.GetSubstructMatches(Chem.MolFromSmarts(group.smarts))
        if len(matches) > 1:
            raise InputError(
                f"{name} has {len(matches)} head groups ({group.name}); a ligand holds on by one"
            )
        if matches:
            return group, int(matches[0][0])
    known = ", ".join(dict.fromkeys(group.name for group in HEAD_GROUPS))
    raise InputError(
        f"no head group is found in {name}; known ones: {known}. Write the ion that binds, with "
        "its charge: [NH3+]CCc1ccccc1, not NCCc1ccccc1"
    )
