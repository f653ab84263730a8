"""Numbers printed in the papers, each with the place it is printed at.

The numbers are data (``published.yaml`` beside this module), units in the keys. `load_published`
gives them all, with those of a user's own files of the same form. `find_published` gives any of
them by its path of keys, `find_coupling_row` the exciton-phonon coupling of one dot (Rainò 2022,
SI, Supplementary Table 1).
"""

from __future__ import annotations

import copy
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from qdcomp.compare.user_values import read_user_values
from qdcomp.errors import InputError

BAND_ENERGIES_EV = (0.002, 0.007, 0.017)
"""Phonon energies of the three bands of the coupling table [eV]."""

NOT_SAID = "not said"
"""Place or DOI of a table in a user's file that gives none."""


@dataclass(frozen=True)
class PublishedValue:
    """One published entry.

    Attributes
    ----------
    value
        What is printed: a number, a text such as ``< 4``, a list or a mapping. The unit is in
        the key.
    where
        Figure, table or note; None where the collection does not say.
    doi
        Identifier of the paper; None where the collection does not say.
    """

    value: Any
    where: str | None
    doi: str | None


@dataclass(frozen=True)
class PublishedCoupling:
    """Exciton-phonon coupling of one dot as published.

    Attributes
    ----------
    dot
        The dot in the paper's words.
    cells
        Unit cells along the edge.
    core_shell
        Whether it is the core/shell dot.
    huang_rhys_2mev, huang_rhys_7mev, huang_rhys_17mev
        Huang-Rhys factors of the bands around 2, 7 and 17 meV, no unit.
    fwhm_300k_mev
        Linewidth (full width at half maximum) at 300 K [meV].
    where, doi
        Table and paper; "not said" where a user's file does not.
    """

    dot: str
    cells: int
    core_shell: bool
    huang_rhys_2mev: float
    huang_rhys_7mev: float
    huang_rhys_17mev: float
    fwhm_300k_mev: float
    where: str
    doi: str

    @property
    def huang_rhys_factors(self) -> tuple[float, float, float]:
        """The three factors, in the order of `BAND_ENERGIES_EV`."""
        return self.huang_rhys_2mev, self.huang_rhys_7mev, self.huang_rhys_17mev

    @property
    def reorganization_energy_ev(self) -> float:
        """Λ = Σ S E over the three bands [eV] (PHYSICS.md, section 4)."""
        pairs = zip(self.huang_rhys_factors, BAND_ENERGIES_EV, strict=True)
        return sum(factor * energy for factor, energy in pairs)


@cache
def _published() -> dict[str, Any]:
    text = files("qdcomp.compare").joinpath("published.yaml").read_text(encoding="utf-8")
    data: dict[str, Any] = yaml.safe_load(text)
    return data


def load_published(extra_files: Sequence[Path | str] = ()) -> dict[str, Any]:
    """Give all published numbers, by paper; a copy that may be changed.

    Parameters
    ----------
    extra_files
        A user's own files in the form of ``published.yaml``, each paper under a key of its own.

    Raises
    ------
    InputError
        If a file cannot be read or used, or a paper's key is there already.
    ParseError
        If a file is no YAML.
    """
    shipped = _published()
    merged = copy.deepcopy(shipped)
    for path in extra_files:
        for paper, entries in read_user_values(path, shipped).items():
            if paper in merged:
                owner = "the numbers of qdcomp" if paper in shipped else "another file"
                raise InputError(
                    f"{path}: the paper {paper!r} is in {owner} already; give yours another key"
                )
            merged[paper] = entries
    return merged


def find_published(path: str, published: Mapping[str, Any] | None = None) -> PublishedValue:
    """Find one entry by its path, ``raino2022.frozen_shell_2p9nm_300K.free_fwhm_mev``.

    Parameters
    ----------
    path
        Keys with dots between them.
    published
        Numbers of `load_published`; the shipped ones if absent.

    Raises
    ------
    InputError
        If there is no such entry; names the nearest key.
    """
    node: Any = _published() if published is None else published
    where: str | None = None
    doi: str | None = None
    for depth, key in enumerate(path.split(".")):
        if not isinstance(node, Mapping) or key not in node:
            raise InputError(_unknown_key(path, key, depth, node))
        node = node[key]
        if isinstance(node, Mapping):
            where, doi = node.get("where", where), node.get("doi", doi)
    return PublishedValue(copy.deepcopy(node), where, doi)


def _unknown_key(path: str, key: str, depth: int, node: object) -> str:
    parent = ".".join(path.split(".")[:depth]) or "the published numbers"
    if not isinstance(node, Mapping):
        return f"{path!r}: {parent} is a single entry and has no keys; stop there"
    keys = [str(name) for name in node]
    near = difflib.get_close_matches(key, keys, n=1, cutoff=0.0)
    return f"unknown key {key!r} in {parent}; nearest: {near[0]!r}; all: {', '.join(keys)}"


def load_coupling_table(
    paper: str = "raino2022", published: Mapping[str, Any] | None = None
) -> tuple[PublishedCoupling, ...]:
    """Give the coupling table of a paper, smallest dot first, the core/shell dot last.

    Parameters
    ----------
    paper
        Its key.
    published
        Numbers of `load_published`; the shipped ones if absent.

    Raises
    ------
    InputError
        If there is no such paper, or it has no table.
    """
    table = find_published(f"{paper}.coupling_table", published)
    return tuple(
        PublishedCoupling(
            dot=row["dot"],
            cells=row["cells"],
            core_shell="core/shell" in row["dot"],
            huang_rhys_2mev=float(row["S_2meV"]),
            huang_rhys_7mev=float(row["S_7meV"]),
            huang_rhys_17mev=float(row["S_17meV"]),
            fwhm_300k_mev=float(row["fwhm_300K_mev"]),
            where=table.where or NOT_SAID,
            doi=table.doi or NOT_SAID,
        )
        for row in table.value["rows"]
    )


def find_coupling_row(cells: int, core_shell: bool = False) -> PublishedCoupling | None:
    """Find the published coupling of the dot of this size; None where the paper has none.

    Parameters
    ----------
    cells
        Unit cells along the edge.
    core_shell
        Whether the dot has a CsCaBr3 shell.
    """
    rows = load_coupling_table()
    return next((row for row in rows if (row.cells, row.core_shell) == (cells, core_shell)), None)


def check_reference(paper: str, dot: str | None = None, entry: str | None = None) -> None:
    """Refuse a reference to numbers that there are not.

    Parameters
    ----------
    paper
        Paper, ``raino2022``.
    dot
        Dot of its table of couplings, ``1.8 nm``; None where no dot is referred to.
    entry
        Another entry of the paper, ``frozen_shell_2p9nm_300K``; None likewise.

    Raises
    ------
    InputError
        Names the nearest one there is.
    """
    find_published(paper)
    if entry is not None:
        find_published(f"{paper}.{entry}")
    if dot is not None:
        rows = find_published(f"{paper}.coupling_table").value["rows"]
        dots = [str(row["dot"]) for row in rows]
        if dot not in dots:
            near = difflib.get_close_matches(dot, dots, n=1, cutoff=0.0)
            raise InputError(
                f"{paper} has no dot {dot!r}; nearest: {near[0]!r}; all: {', '.join(dots)}"
            )
