"""A user's own file of published or measured numbers, in the form of ``published.yaml``.

    smith2024:
      doi: 10.1000/example
      measured:
        - {what: single dot, edge_nm: 6.1, fwhm_mev: 92, fwhm_error_mev: 3, where: Fig. 2}

Entries have the names that they have in ``published.yaml``; rows of a list and the entries that
hold a linewidth have the keys of the shipped ones and those of `OPTIONAL_KEYS`. A name or key that
is none of them is refused, since nobody would read it.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qdcomp.errors import InputError
from qdcomp.plain_yaml import load_plain_yaml

OPTIONAL_KEYS = {
    "coupling_table": ("edge_nm", "fwhm_300K_error_mev"),
    "measured": ("edge_error_nm", "peak_error_ev", "fwhm_error_mev", "temperature_k"),
    "linewidth": ("edge_error_nm", "peak_ev", "fwhm_error_mev", "temperature_k"),
    "typical": ("fwhm_error_nm", "temperature_k"),
}
"""Keys that an entry, or a row of it, may have beside those of the shipped numbers."""

REQUIRED_KEYS = {
    "coupling_table": ("dot", "cells", "S_2meV", "S_7meV", "S_17meV", "fwhm_300K_mev"),
    "measured": ("what", "fwhm_mev"),
    "linewidth": ("fwhm_mev",),
}
"""Keys without which an entry, or a row of it, says nothing."""


def read_user_values(path: Path | str, shipped: Mapping[str, Any]) -> dict[str, Any]:
    """Read a user's file of numbers.

    Parameters
    ----------
    path
        The YAML file.
    shipped
        The numbers of the package, by paper, whose entries and keys are the known ones.

    Raises
    ------
    ParseError
        If the file is no YAML.
    InputError
        If there is no such file, it is not papers with entries, an entry or key is unknown (names
        the nearest), one is missing, or a number is not positive.
    """
    path = Path(path)
    data = load_plain_yaml(path)
    if not isinstance(data, dict) or not data:
        raise InputError(
            f"{path} has no papers; expected a key a paper, and its entries below: see the form in "
            "qdcomp/compare/published.yaml"
        )
    for key, paper in data.items():
        if not isinstance(key, str) or not isinstance(paper, dict) or not paper:
            raise InputError(f"{path}: {key!r} has no entries; expected a paper with its entries")
        _check_paper(f"{path}: {key}", paper, shipped)
    return data


def _check_paper(place: str, paper: Mapping[str, Any], shipped: Mapping[str, Any]) -> None:
    known = dict.fromkeys(name for other in shipped.values() for name in other)
    for name, entry in paper.items():
        _require_known(str(name), list(known), place)
        for row, keys in _pair_rows(name, entry, shipped, place):
            where = f"{place}.{name}"
            for key, value in row.items():
                hint = "; put text with a comma in quotes" if value is None else ""
                _require_known(str(key), keys, where, hint)
            missing = [key for key in REQUIRED_KEYS.get(name, ()) if key not in row]
            if missing:
                raise InputError(f"{where}: {dict(row)} has no {', '.join(missing)}")
            _check_numbers(row, where)


def _pair_rows(
    name: str, entry: object, shipped: Mapping[str, Any], place: str
) -> list[tuple[Mapping[str, Any], list[str]]]:
    """Give the rows of an entry whose keys are checked, each with the keys that are known."""
    same = [paper[name] for paper in shipped.values() if name in paper]
    optional = OPTIONAL_KEYS.get(name, ())
    if name == "coupling_table":
        rows = entry.get("rows") if isinstance(entry, Mapping) else None
        if not isinstance(entry, Mapping) or not isinstance(rows, list):
            raise InputError(f"{place}.{name} has no list of rows; expected `where` and `rows`")
        for key in entry:
            _require_known(str(key), ["where", "rows"], f"{place}.{name}")
        known = [row for table in same for row in table["rows"]]
    elif any(isinstance(other, list) for other in same):
        rows, known = entry, [row for other in same for row in other]
    elif name in OPTIONAL_KEYS:
        rows, known = [entry], same
    else:
        return []
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise InputError(f"{place}.{name} is {entry!r}; expected keys with values, as shipped")
    shown = (key for row in known for key, value in row.items() if value is not None)
    keys = list(dict.fromkeys([*shown, *optional, "where"]))
    return [(row, keys) for row in rows]


def _require_known(key: str, known: list[str], place: str, hint: str = "") -> None:
    if key not in known:
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.0)
        raise InputError(
            f"{place} has an unknown key {key!r}; nearest: {near[0]!r}; all: "
            f"{', '.join(known)}{hint}"
        )


NUMBERS = ("edge_nm", "peak_ev", "fwhm_mev", "fwhm_nm", "fwhm_300K_mev", "temperature_k", "cew_nm")
"""Keys that hold a positive number, or the two ends of a range."""


def _check_numbers(row: Mapping[str, Any], place: str) -> None:
    checked = [key for key in row if key in NUMBERS or "_error_" in str(key)]
    for key in checked:
        given = row[key]
        ends = given if isinstance(given, list) and len(given) == 2 else [given]
        for number in ends:
            if isinstance(number, bool) or not isinstance(number, int | float) or not number > 0:
                raise InputError(f"{place}: {key} is {given!r}; expected a positive number")
