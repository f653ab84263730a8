"""What ``qdcomp build`` makes of its options for slabs and ligands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

import numpy as np

from qdcomp.cli.console import notes
from qdcomp.errors import InputError

if TYPE_CHECKING:
    from qdcomp.structures import Ligand, Slab, Structure

REST = "rest"
"""Every site that gets no ligand."""


@dataclass(frozen=True)
class LigandOptions:
    """Ligands asked for.

    Attributes
    ----------
    shell
        Name, SMILES or file of each ligand, with its fraction.
    sites
        Names of sites of a slab; empty where a coverage decides.
    coverage
        Fraction of the sites that get a ligand.
    vacant
        Names of sites of a slab that are emptied.
    seed
        Seed of sites and poses.
    grow_cell
        Whether the vacuum may be raised.
    """

    shell: tuple[tuple[str, float], ...]
    sites: tuple[str, ...]
    coverage: float
    vacant: tuple[str, ...]
    seed: int
    grow_cell: bool


@dataclass(frozen=True)
class SlabOptions:
    """A slab asked for; None and empty texts where the builder's default is meant."""

    size: str
    composition: str
    lattice_constant: float | None
    facet: str
    termination: str
    crystal: str
    vacuum: float | None
    sides: str
    charge: Literal["formal", "neutral"] | int
    frozen: str


def read_ligands(
    ligands: Sequence[str],
    *,
    sites: str | None,
    coverage: float | None,
    vacant: str | None,
    seed: int,
    grow_cell: bool,
) -> LigandOptions:
    """Read the options of ligands.

    Raises
    ------
    InputError
        They contradict each other.
    """
    if not ligands and (sites or coverage is not None):
        raise InputError(
            "--sites and --coverage say where ligands go, and there are none; "
            "name one, like --ligand PEA"
        )
    named = _split(sites)
    if sites is not None and not named:
        raise InputError("--sites names no site; name some, like A1,A3, or leave it out for all")
    if len(set(named)) < len(named):
        raise InputError(f"--sites {sites} names a site twice; it is already taken the second time")
    if sites and coverage is not None:
        raise InputError("--sites and --coverage both say how many ligands; give one of them")
    return LigandOptions(
        shell=read_shell(ligands),
        sites=named,
        coverage=1.0 if coverage is None else coverage,
        vacant=_split(vacant),
        seed=seed,
        grow_cell=grow_cell,
    )


def _split(text: str | None) -> tuple[str, ...]:
    return tuple(filter(None, (name.strip() for name in (text or "").split(","))))


def read_shell(texts: Sequence[str]) -> tuple[tuple[str, float], ...]:
    """Read ``PEA:0.7``, ``OLA:0.3`` as ligands and fractions; without any, shares are equal.

    Raises
    ------
    InputError
        Some have a fraction and some have none.
    """
    pairs = [_read_fraction(text) for text in texts]
    given = [fraction is not None for _, fraction in pairs]
    if any(given) and not all(given):
        raise InputError(
            f"--ligand {' --ligand '.join(texts)}: some with a fraction, some without; give each "
            "its own, like --ligand PEA:0.7 --ligand OLA:0.3"
        )
    return tuple((name, fraction or 1 / len(pairs)) for name, fraction in pairs)


def _read_fraction(text: str) -> tuple[str, float | None]:
    name, separator, number = text.rpartition(":")
    try:
        return (name, float(number)) if separator and name else (text, None)
    except ValueError:  # a colon of a SMILES
        return text, None


def load_shell(options: LigandOptions) -> list[tuple[Ligand, float]]:
    """Load the ligands of a shell, with their fractions."""
    from qdcomp.structures import load_ligand

    with notes.status("looking for conformers"):
        return [(load_ligand(name, seed=options.seed), share) for name, share in options.shell]


def cover_dot(structure: Structure, options: LigandOptions) -> Structure:
    """Put ligands on a dot.

    Raises
    ------
    InputError
        An option is for slabs, or the ligands do not fit.
    """
    from qdcomp.structures import attach_ligands_to_dot

    if options.sites or options.vacant:
        raise InputError(
            "--sites and --vacant name sites of a slab; the sites of a dot are drawn: "
            "--coverage 0.5 --seed 1"
        )
    shell = load_shell(options)
    with notes.status("fitting ligands"):
        return attach_ligands_to_dot(structure, shell, options.coverage, seed=options.seed)


def cover_slab(slab: SlabOptions, options: LigandOptions) -> tuple[Slab, Structure]:
    """Build a slab, and put ligands on it.

    Raises
    ------
    InputError
        The slab cannot be built, or the ligands do not fit.
    """
    from qdcomp.structures import attach_ligands, draw_shell

    shell = load_shell(options)
    built = _build_slab(slab, [ligand for ligand, _ in shell])
    if shell and not built.sites:
        raise InputError(
            f"the slab ends in {built.termination} and has no A site for a ligand; end it in a "
            "plane with A, like --termination CsBr"
        )
    names = [site.name for site in built.sites if site.name not in options.vacant]
    by_site: dict[str, Ligand] = {}
    if shell:
        names = list(options.sites) or names
        fractions = [share for _, share in shell]
        drawn = draw_shell(len(names), fractions, options.coverage, options.seed).tolist()
        by_site = {
            name: shell[choice][0] for name, choice in zip(names, drawn, strict=True) if choice >= 0
        }
    vacant = options.vacant
    if vacant == (REST,):
        vacant = tuple(site.name for site in built.sites if site.name not in by_site)
    if not by_site and not vacant:
        return built, built.structure
    with notes.status("fitting ligands"):
        return built, attach_ligands(
            built, by_site, vacant=vacant, seed=options.seed, grow_cell=options.grow_cell
        )


def _build_slab(options: SlabOptions, ligands: Sequence[Ligand]) -> Slab:
    from qdcomp.structures import build_slab, measure_upright_length, vacuum_for
    from qdcomp.structures.slab import DEFAULT_VACUUM_ANGSTROM, Crystal, Sides

    n, m, layers = read_size(options.size)
    if options.charge == "neutral":
        raise InputError(
            "--charge neutral takes A atoms away, which is for dots; a slab that ends in AX is "
            "neutral as it is: --charge formal, or a number"
        )
    if options.sides not in ("both", "one"):
        raise InputError(f"--sides {options.sides!r}: expected both or one")
    if options.frozen not in ("all", "none"):
        raise InputError(f"--freeze {options.frozen!r}: of a slab, expected all or none")
    sides = cast(Sides, options.sides)
    tallest = max((measure_upright_length(ligand) for ligand in ligands), default=None)
    vacuum = DEFAULT_VACUUM_ANGSTROM if tallest is None else vacuum_for(tallest, sides)
    return build_slab(
        (n, m),
        layers,
        options.composition,
        facet=options.facet,
        termination=options.termination,
        crystal=cast(Crystal, options.crystal),
        lattice_constant=options.lattice_constant,
        vacuum_angstrom=vacuum if options.vacuum is None else options.vacuum,
        sides=sides,
        charge=options.charge,
        frozen=cast(Literal["all", "none"], options.frozen),
    )


def read_size(text: str) -> tuple[int, int, int]:
    """Read ``2x2x1``: surface cells along both directions, and layers.

    Raises
    ------
    InputError
        It is not three whole numbers.
    """
    parts = text.replace("×", "x").split("x")
    if len(parts) != 3 or not all(part.isdecimal() for part in parts):
        raise InputError(
            f"--slab {text!r}: expected surface cells and layers, like 2x2x1, the paper's slab"
        )
    n, m, layers = (int(part) for part in parts)
    return n, m, layers


def describe_ligands(structure: Structure) -> list[str]:
    """Say which ligands are where, how near they come and how densely they stand."""
    from qdcomp.analysis import compute_packing
    from qdcomp.structures import smallest_contact

    if not structure.ligands:
        return []
    symbols = structure.atoms.get_chemical_symbols()
    contact = smallest_contact(structure)
    names, counts = np.unique(structure.ligands, return_counts=True)
    lines = [
        "ligands: "
        + ", ".join(f"{count} {name}" for name, count in zip(names, counts, strict=True))
        + f"; smallest contact {contact.distance_angstrom:.2f} Å, between "
        + " and ".join(f"{symbols[atom]} of {_name_owner(structure, atom)}" for atom in contact[1:])
    ]
    if structure.kind == "slab":
        packing = compute_packing(
            structure.atoms.positions,
            symbols,
            structure.atoms.cell.array,
            structure.atoms.pbc,
            structure.ligand_index,
            names=structure.ligands,
        )
        lines += [
            f"{side}: {density:.2f} chains/nm²"
            for side, density in packing.chain_density_per_nm2.items()
            if density > 0
        ]
    return lines


def _name_owner(structure: Structure, atom: int) -> str:
    number = int(structure.ligand_index[atom])
    return "the perovskite" if number < 0 else f"ligand {number} ({structure.ligands[number]})"
