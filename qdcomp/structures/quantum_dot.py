"""Cubic quantum dots of n unit cells, and who pays for their charge.

A dot is cut from the cubic crystal, AX-terminated (CsBr for CsPbBr3): (n+1)³ A, n³ B and
3n²(n+1) X atoms. The eight corner A atoms are removed, as in Rainò 2022 (SI, Supplementary
Note 1). Its formal charge is

    q = N_A + 2 N_B − N_X = 3n − 7.

Charge policies: ``formal`` hands q to the engine as the total charge, so that the shell is
closed; ``neutral`` removes surface A atoms until q = 0 (`qdcomp.structures.vacancies`); a whole
number is handed to the engine as it is (policy ``electrons``).
"""

from __future__ import annotations

from collections import Counter
from typing import Literal

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from qdcomp.errors import InputError
from qdcomp.structures.bulk import Perovskite, parse_composition, resolve_lattice_constant
from qdcomp.structures.sites import (
    check_cells,
    check_whole_number,
    count_open_directions,
    cut_dot,
    site_depth_cells,
)
from qdcomp.structures.structure import Structure, sum_formal_charges
from qdcomp.structures.vacancies import choose_vacancies

ChargePolicy = Literal["formal", "neutral"]


def build_quantum_dot(
    cells: int,
    composition: str = "CsPbBr3",
    lattice_constant: float | None = None,
    charge: ChargePolicy | int = "formal",
    seed: int = 1,
    remove_corners: bool = True,
) -> Structure:
    """Build a cubic dot of ``cells`` unit cells along the edge.

    Parameters
    ----------
    cells
        Unit cells along the edge; 3 is the 1.8 nm dot.
    composition
        Formula ABX3: A Cs; B Pb, Ca, Sn; X Cl, Br, I.
    lattice_constant
        Cubic lattice constant [Å]; None takes the tabulated one.
    charge
        ``formal``, ``neutral``, or the total charge [e] as a whole number.
    seed
        Decides between equivalent choices of removed atoms (``neutral`` only).
    remove_corners
        Whether the eight corner A atoms are removed; ``neutral`` always removes corners first.

    Raises
    ------
    InputError
        If the size, composition, lattice constant, charge or seed cannot be used.
    """
    return assemble_dot(
        cells,
        parse_composition(composition),
        lattice_constant=resolve_lattice_constant(composition, lattice_constant),
        charge=charge,
        seed=seed,
        remove_corners=remove_corners,
    )


def assemble_dot(
    cells: int,
    core: Perovskite,
    *,
    shell: Perovskite | None = None,
    shell_cells: float = 0.0,
    lattice_constant: float,
    charge: ChargePolicy | int,
    seed: int,
    remove_corners: bool,
) -> Structure:
    """Put atoms on the sites of a dot; sites less deep than ``shell_cells`` are the shell's.

    Parameters are those of `build_quantum_dot` and `build_core_shell_dot`, already read.

    Raises
    ------
    InputError
        If the size, charge or seed cannot be used.
    """
    cells = check_cells(cells)
    sites = cut_dot(cells)
    policy, given = _check_charge(charge, remove_corners)
    occupied = _occupied_a_sites(sites.a, cells, policy, _check_seed(seed), remove_corners)
    outer = shell or core
    groups = (
        (sites.a[occupied], core.a, outer.a),
        (sites.b, core.b, outer.b),
        (sites.x, core.x, outer.x),
    )
    symbols: list[str] = []
    ordered: list[NDArray[np.int64]] = []
    for group, core_element, shell_element in groups:
        in_shell = site_depth_cells(group, cells) < shell_cells
        ordered += [group[~in_shell], group[in_shell]]
        symbols += [core_element] * int((~in_shell).sum())
        symbols += [shell_element] * int(in_shell.sum())
    placed = np.concatenate(ordered)
    formal = sum_formal_charges(symbols)
    total = formal if given is None else given
    atoms = Atoms(symbols, positions=(placed - cells) * (lattice_constant / 2))
    composition = core.formula if shell is None else f"{core.formula}/{shell.formula}"
    rim = "" if shell is None else f", shell {shell_cells:g} × {lattice_constant:g} Å"
    return Structure(
        atoms=atoms,
        charge=total,
        charge_policy=policy,
        depth_cells=site_depth_cells(placed, cells),
        frozen=np.zeros(len(atoms), dtype=bool),
        edge_angstrom=cells * lattice_constant,
        cells=cells,
        composition=composition,
        description=(
            f"cubic {composition} dot, edge {cells} × {lattice_constant:g} Å{rim}: "
            f"{_name_counts(symbols)}, {len(atoms)} atoms, "
            f"{_describe_charge(policy, total, formal, seed)}"
        ),
        warnings=_charge_warnings(cells, policy, total, formal),
    )


def _check_charge(charge: ChargePolicy | int, remove_corners: bool) -> tuple[str, int | None]:
    """Name of the charge policy, and the total charge where it was given."""
    expected = "'formal', 'neutral' or a whole number of elementary charges"
    if not isinstance(charge, str):
        return "electrons", check_whole_number("charge", charge, expected)
    if charge not in ("formal", "neutral"):
        raise InputError(f"charge = {charge!r}: expected {expected}")
    if charge == "neutral" and not remove_corners:
        raise InputError(
            "charge = 'neutral' takes atoms from the corners first and cannot keep them all; "
            "use charge = 'formal' or a whole number with remove_corners = False"
        )
    return charge, None


def _check_seed(seed: int) -> int:
    expected = "a whole number from 0 upwards"
    number = check_whole_number("seed", seed, expected)
    if number < 0:
        raise InputError(f"seed = {seed!r}: expected {expected}")
    return number


def _occupied_a_sites(
    a_sites: NDArray[np.int64], cells: int, policy: str, seed: int, remove_corners: bool
) -> NDArray[np.bool_]:
    if policy == "neutral":
        return ~choose_vacancies(a_sites, cells, seed)
    if not remove_corners:
        return np.ones(len(a_sites), dtype=bool)
    kept: NDArray[np.bool_] = count_open_directions(a_sites, cells) != 3
    return kept


def _name_counts(symbols: list[str]) -> str:
    """``Cs56Pb27Br108``: elements in the order of the atoms."""
    return "".join(f"{symbol}{n if n > 1 else ''}" for symbol, n in Counter(symbols).items())


def _describe_charge(policy: str, total: int, formal: int, seed: int) -> str:
    how = {
        "formal": "the sum of formal charges",
        "neutral": f"surface A atoms removed, seed {seed}",
        "electrons": f"as given; formal charges add up to {formal:+d} e",
    }
    return f"charge {total:+d} e ({policy}: {how[policy]})"


def _charge_warnings(cells: int, policy: str, total: int, formal: int) -> tuple[str, ...]:
    warnings = []
    if cells == 1 and policy == "formal" and formal < 0:
        warnings.append(
            f"one unit cell without its corners is a bare BX6 anion of {total:+d} e, smaller than "
            "any dot of the papers; charge = 'neutral' keeps four corner atoms"
        )
    if policy == "electrons" and total != formal:
        warnings.append(
            f"total charge {total:+d} e differs from the sum of formal charges {formal:+d} e by "
            f"{formal - total:+d} electrons: the band edges may be partly filled and the gap closed"
        )
    return tuple(warnings)
