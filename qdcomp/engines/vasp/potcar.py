"""PAW data sets from the user's licensed folder, found, read and joined, never kept elsewhere.

They are looked for in ``PMG_VASP_PSP_DIR`` (the name that pymatgen gave it), in its folder of PBE
data sets or in itself, as ``Cs_sv/POTCAR`` or ``POTCAR.Cs_sv``, also gzipped.

Mi et al. do not say which data sets they used. The defaults are those that the VASP manual
recommends for standard calculations; for Cs there is ``Cs_sv`` only, for Pb it prefers ``Pb_d``
over ``Pb``. All of them ask for 400 eV or less, the paper's cutoff.
"""

from __future__ import annotations

import gzip
import os
import re
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

from qdcomp.engines.vasp.job_file import Species
from qdcomp.engines.vasp.settings import VaspSettings
from qdcomp.errors import InputError

FOLDER_VARIABLE = "PMG_VASP_PSP_DIR"
"""Environment variable with the folder of the licensed data sets."""

FOLDERS = (
    "POT_GGA_PAW_PBE", "potpaw_PBE", "POT_GGA_PAW_PBE_54", "POT_PAW_PBE_54", "POTPAW_PBE_54",
    "potpaw_PBE.54", "POT_GGA_PAW_PBE_52", "POT_PAW_PBE_52", "POTPAW_PBE_52", "potpaw_PBE.52",
    "POT_PAW_PBE_64", "potpaw_PBE.64", "PBE",
)  # fmt: skip
"""Names of the folder of PBE data sets, the one that is taken first in front."""

_DEFAULTS: dict[str, tuple[str, float, float]] = {
    "H": ("H", 1, 250.0), "B": ("B", 3, 318.6), "C": ("C", 4, 400.0), "N": ("N", 5, 400.0),
    "O": ("O", 6, 400.0), "F": ("F", 7, 400.0), "Na": ("Na_pv", 7, 259.6), "Si": ("Si", 4, 245.3),
    "P": ("P", 5, 255.0), "S": ("S", 6, 258.7), "Cl": ("Cl", 7, 262.5), "K": ("K_sv", 9, 259.3),
    "Ca": ("Ca_sv", 10, 266.6), "Mn": ("Mn_pv", 13, 269.9), "Zn": ("Zn", 12, 276.7),
    "Br": ("Br", 7, 216.3), "Rb": ("Rb_sv", 9, 220.1), "Cd": ("Cd", 12, 274.3),
    "Sn": ("Sn_d", 14, 241.1), "I": ("I", 7, 175.6), "Cs": ("Cs_sv", 9, 220.3),
    "Pb": ("Pb_d", 14, 237.8), "Bi": ("Bi_d", 15, 242.8),
}  # fmt: skip
"""Default data set of each element, its valence electrons and the cutoff it asks for [eV]: the
latter two only for estimates where the data sets are not at hand."""

_END = "End of Dataset"
_TITLE = re.compile(r"^\s*TITEL\s*=\s*(.+?)\s*$", re.MULTILINE)
_LEXCH = re.compile(r"^\s*LEXCH\s*=\s*(\S+)", re.MULTILINE)
_ZVAL = re.compile(r"\bZVAL\s*=\s*([\d.]+)")
_ENMAX = re.compile(r"\bENMAX\s*=\s*([\d.]+)")


def find_potcar_folder(settings: VaspSettings) -> Path | None:
    """Folder of the PBE data sets; None where ``PMG_VASP_PSP_DIR`` is not set.

    Raises
    ------
    InputError
        It is set, but there is no such folder.
    """
    named = os.environ.get(FOLDER_VARIABLE, "").strip()
    if not named:
        return None
    root = Path(named).expanduser()
    if not root.is_dir():
        raise InputError(
            f"{FOLDER_VARIABLE}={named}: there is no such folder; set it to the folder that your "
            "licensed PAW data sets (POTCAR) lie in"
        )
    wanted = (settings.potcar_folder,) if settings.potcar_folder else FOLDERS
    found = next((root / name for name in wanted if (root / name).is_dir()), None)
    if found is None and settings.potcar_folder:
        raise InputError(f"vasp setting 'potcar_folder': {root} has no {settings.potcar_folder!r}")
    return found or root


def choose_species(
    symbols: Iterable[str], settings: VaspSettings, folder: Path | None
) -> tuple[Species, ...]:
    """Choose the data set of each element, in order of first appearance.

    Without a folder electrons and cutoffs are those of the defaults, good for estimates.

    Raises
    ------
    InputError
        An element without a data set, or one that is damaged or for another functional.
    """
    found = []
    for symbol in dict.fromkeys(symbols):
        label = choose_label(symbol, settings)
        if folder is not None:
            found.append(_read_species(symbol, label, folder))
            continue
        known = _DEFAULTS.get(symbol, ("", 0.0, 0.0))
        if known[0] != label:
            raise InputError(_describe_missing_folder(f"the data set {label} of {symbol}"))
        found.append(Species(symbol, label, "", known[1], known[2], "PE"))
    return tuple(found)


def choose_label(symbol: str, settings: VaspSettings) -> str:
    """Name of the data set of an element.

    Raises
    ------
    InputError
        The study names none and there is no default.
    """
    named = (settings.potcar or {}).get(symbol)
    if named is None and symbol not in _DEFAULTS:
        raise InputError(
            f"no PAW data set is chosen for {symbol}; name one in the study: "
            f"engines: vasp: potcar: {{{symbol}: {symbol}}}"
        )
    return named or _DEFAULTS[symbol][0]


def require_folder(settings: VaspSettings) -> Path:
    """Folder of the data sets.

    Raises
    ------
    InputError
        There is none.
    """
    folder = find_potcar_folder(settings)
    if folder is None:
        raise InputError(_describe_missing_folder("VASP's PAW data sets (POTCAR)"))
    return folder


def join_potcars(species: Sequence[Species], folder: Path) -> str:
    """POTCAR of a job: the data sets of its elements, one after another.

    Raises
    ------
    InputError
        A data set is missing, or is another one than when the job was written.
    """
    texts = []
    for kind in species:
        text = _read_text(_find_file(kind.symbol, kind.label, folder))
        title = _TITLE.search(text)
        if title is None or title[1] != kind.titel:
            raise InputError(
                f"the data set {kind.label} of {kind.symbol} in {folder} is "
                f"{title[1] if title else 'without a title'!r} now, and was {kind.titel!r} when "
                "the job was written; energies of the two do not go together. Put the old one back"
            )
        texts.append(text if text.endswith("\n") else text + "\n")
    return "".join(texts)


def read_titles(path: Path) -> tuple[str, ...]:
    """Titles of the data sets in a POTCAR, in their order."""
    return _read_values(path, _TITLE)


def read_functionals(path: Path) -> tuple[str, ...]:
    """Functionals (``LEXCH``) that the data sets in a POTCAR were made with, in their order."""
    return tuple(value.upper() for value in _read_values(path, _LEXCH))


def check_contents(species: Sequence[Species], folder: Path) -> tuple[str, ...]:
    """Warnings about data sets that pymatgen's list of known ones does not have.

    Raises
    ------
    InputError
        A data set is missing or cannot be read.
    """
    from pymatgen.io.vasp.inputs import PotcarSingle

    said = []
    for kind in species:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                PotcarSingle(_read_text(_find_file(kind.symbol, kind.label, folder)), kind.label)
            except (ValueError, KeyError, IndexError, TypeError):
                caught.append(None)  # type: ignore[arg-type]
        if caught:
            said.append(kind.label)
    if not said:
        return ()
    return (
        f"pymatgen does not know the contents of the data sets {', '.join(said)}: newer than its "
        "list, or damaged",
    )


def _read_values(path: Path, pattern: re.Pattern[str]) -> tuple[str, ...]:
    with path.open(errors="replace") as stream:
        return tuple(match[1] for line in stream if (match := pattern.match(line.rstrip("\n"))))


def _read_species(symbol: str, label: str, folder: Path) -> Species:
    path = _find_file(symbol, label, folder)
    text = _read_text(path)
    found = [pattern.search(text) for pattern in (_TITLE, _ZVAL, _ENMAX, _LEXCH)]
    if _END not in text or not all(found):
        raise InputError(
            f"{path} is no whole PAW data set: it lacks TITEL, ZVAL, ENMAX, LEXCH or its end "
            f"({_END!r}); take a fresh copy from VASP's data base"
        )
    title, valence, cutoff, exchange = (match[1] for match in found if match)
    element = re.split(r"[_.]", title.split()[1] if len(title.split()) > 1 else title)[0]
    if element != symbol:
        raise InputError(f"{path} is the data set {title!r}, expected one of {symbol}")
    if exchange.upper() != "PE":
        raise InputError(
            f"{path} was made with the functional LEXCH = {exchange}, expected PE (PBE); set "
            f"{FOLDER_VARIABLE} or potcar_folder to the PAW-PBE data sets"
        )
    return Species(symbol, label, title, float(valence), float(cutoff), exchange.upper())


def _find_file(symbol: str, label: str, folder: Path) -> Path:
    names = [f"{label}/POTCAR", f"POTCAR.{label}"]
    tried = [folder / f"{name}{ending}" for name in names for ending in ("", ".gz")]
    found = next((path for path in tried if path.is_file()), None)
    if found is not None:
        return found
    there = sorted(
        {
            path.name.removeprefix("POTCAR.").removesuffix(".gz")
            for pattern in (f"{symbol}*", f"POTCAR.{symbol}*")
            for path in folder.glob(pattern)
            if re.split(r"[_.]", path.name.removeprefix("POTCAR."))[0] == symbol
        }
    )
    hint = (
        f"it has {', '.join(there)} for {symbol}: name one in the study, "
        f"engines: vasp: potcar: {{{symbol}: {there[0]}}}"
        if there
        else f"it has none for {symbol}"
    )
    raise InputError(
        f"no PAW data set {label!r} for {symbol} in {folder} "
        f"(looked for {names[0]} and {names[1]}); {hint}"
    )


def _read_text(path: Path) -> str:
    try:
        if path.suffix == ".gz":
            with gzip.open(path, "rt", errors="replace") as stream:
                return stream.read()
        return path.read_text(errors="replace")
    except (OSError, EOFError) as error:
        raise InputError(f"{path} cannot be read ({error}); take a fresh copy") from error


def _describe_missing_folder(what: str) -> str:
    return (
        f"{what} are not at hand: they are licensed and not part of qdcomp. Set {FOLDER_VARIABLE} "
        "to the folder that yours lie in (with POT_GGA_PAW_PBE or potpaw_PBE inside)"
    )
