"""Looking up basis sets and pseudopotentials in CP2K's data files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from qdcomp.errors import InputError

DEFAULT_BASIS_FILES = ("BASIS_MOLOPT", "BASIS_MOLOPT_UCL")
"""Files looked through for a basis set. The first has double-zeta sets of all elements of the
perovskites, the second the triple-zeta sets that the first lacks for Br, I, Cs, Sn and Pb; a name
that is in both is taken from the first."""

_ENTRY_LINES = 60
"""Lines after a heading that hold the longest entry."""


@dataclass(frozen=True)
class BasisEntry:
    """A basis set of one element.

    Attributes
    ----------
    name
        Its name.
    file_name
        Data file that it is in.
    entry
        Lines that follow its heading.
    """

    name: str
    file_name: str
    entry: tuple[str, ...]


def find_basis(
    data_dir: Path, files: Sequence[str], symbol: str, name: str, *, other_range: bool
) -> BasisEntry:
    """Find a basis set of an element in the first file that has it.

    Parameters
    ----------
    data_dir
        CP2K's data folder.
    files
        Names of the files to look through; the first has to be there.
    symbol
        Chemical symbol.
    name
        Name of the basis set.
    other_range
        Whether the set of the other range will do where this one is not to be found:
        ``TZVP-MOLOPT-GTH`` for ``TZVP-MOLOPT-SR-GTH``, and the other way round.

    Raises
    ------
    InputError
        No such file or no such set; the sets there are for the element are named.
    """
    names = (name, _swap_range(name)) if other_range else (name,)
    for wanted in names:
        for file_name in files:
            path = data_dir / file_name
            if not path.is_file() and file_name != files[0]:
                continue
            entry = _read_entry(path, symbol, wanted)
            if entry is not None:
                return BasisEntry(wanted, file_name, entry)
    present = dict.fromkeys(
        found for file_name in files for found in _list_names(data_dir / file_name, symbol)
    )
    raise InputError(
        f"{' and '.join(files)} in {data_dir} have no {name!r} for {symbol}; choose another in the "
        f"study (engines: cp2k: basis, one name or a name per element, and basis_file). For "
        f"{symbol} there are: {', '.join(present) or 'none'}"
    )


def find_entry(path: Path, symbol: str, name: str) -> tuple[str, ...]:
    """Lines that follow the heading of an entry of a CP2K data file.

    Raises
    ------
    InputError
        No such file or entry.
    """
    entry = _read_entry(path, symbol, name)
    if entry is None:
        raise InputError(
            f"{path.name} in {path.parent} has no {name!r} for {symbol}; choose another in the "
            "study (engines: cp2k: basis or potential)"
        )
    return entry


def count_functions(entry: Sequence[str]) -> int:
    """Count the spherical basis functions of an entry."""
    sets, line, total = int(entry[0]), 1, 0
    for _ in range(sets):
        numbers = [int(word) for word in entry[line].split()]
        lowest, exponents = numbers[1], numbers[3]
        total += sum(
            shells * (2 * (lowest + index) + 1) for index, shells in enumerate(numbers[4:])
        )
        line += 1 + exponents
    return total


def _swap_range(name: str) -> str:
    if "-SR-" in name:
        return name.replace("-SR-", "-")
    return name.replace("-MOLOPT-", "-MOLOPT-SR-")


def _read_entry(path: Path, symbol: str, name: str) -> tuple[str, ...] | None:
    if not path.is_file():
        raise InputError(f"CP2K's data folder {path.parent} has no file {path.name}")
    with path.open(errors="replace") as stream:
        for line in stream:
            words = line.split()
            if words[:1] == [symbol] and name in words[1:]:
                return tuple(text for _, text in zip(range(_ENTRY_LINES), stream, strict=False))
    return None


def _list_names(path: Path, symbol: str) -> list[str]:
    if not path.is_file():
        return []
    with path.open(errors="replace") as stream:
        headings = (line.split() for line in stream)
        return [words[1] for words in headings if words[:1] == [symbol] and len(words) > 1]
