"""Parameters of the engine ``model``, read from one YAML file with the source of each number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from qdcomp.errors import InputError, ParseError
from qdcomp.plain_yaml import load_plain_yaml
from qdcomp.resources import find_template, is_file

DEFAULT_PARAMETERS = "cspbbr3_prototype"
"""Parameter set used where a study names none."""


@dataclass(frozen=True)
class ElementParameters:
    """One element.

    Attributes
    ----------
    charge
        Charge of the rigid ion [e].
    valence_electrons
        Electrons of the neutral atom that the tight binding counts.
    role
        ``cation`` or ``anion`` where the element carries s and p orbitals, else None.
    onsite_s_ev, onsite_p_ev
        Orbital energies [eV]; zero without orbitals.
    """

    charge: float
    valence_electrons: int
    role: Literal["cation", "anion"] | None = None
    onsite_s_ev: float = 0.0
    onsite_p_ev: float = 0.0


@dataclass(frozen=True)
class PairParameters:
    """Buckingham term A exp(−r/ρ) − C/r⁶: A [eV], ρ [Å], C [eV Å⁶]."""

    a_ev: float
    rho: float
    c6: float


@dataclass(frozen=True)
class HoppingParameters:
    """Slater–Koster integrals between a cation and an anion.

    Attributes
    ----------
    cation_s_anion_p_sigma, pp_sigma, pp_pi, anion_s_cation_p_sigma
        Integrals at `r_reference` [eV].
    r_reference
        Distance at which the integrals are given [Å].
    exponent
        Power of r_reference/r that scales them.
    taper_start, taper_end
        Distances between which they are switched off [Å].
    """

    cation_s_anion_p_sigma: float
    pp_sigma: float
    pp_pi: float
    anion_s_cation_p_sigma: float
    r_reference: float
    exponent: float
    taper_start: float
    taper_end: float


@dataclass(frozen=True)
class ModelParameters:
    """A complete parameter set.

    Attributes
    ----------
    name, source
        What it is called and where it comes from.
    elements
        By chemical symbol.
    pairs
        By alphabetically ordered pair of symbols; a pair that is absent has no Buckingham term.
    hoppings
        By (cation, anion).
    """

    name: str
    source: str
    elements: Mapping[str, ElementParameters]
    pairs: Mapping[tuple[str, str], PairParameters]
    hoppings: Mapping[tuple[str, str], HoppingParameters]


def find_parameter_file(name: str) -> Path:
    """Path of a parameter set: a file as given, or a shipped set by its name.

    Raises
    ------
    InputError
        If it is neither.
    """
    given = Path(name)
    if given.suffix in {".yaml", ".yml"}:
        if is_file(given):
            return given
        raise InputError(f"the setting 'parameters' names the file {name!r}, which does not exist")
    shipped = find_template(f"model/{DEFAULT_PARAMETERS}.yaml").parent
    path = shipped / f"{name}.yaml"
    if not is_file(path):
        known = ", ".join(sorted(file.stem for file in shipped.glob("*.yaml")))
        raise InputError(
            f"there is no parameter set {name!r} for the engine 'model'; shipped sets: {known}; "
            "your own is named by its path, ending in .yaml"
        )
    return path


def _number(entry: Mapping[str, Any], key: str, place: str) -> float:
    value = entry.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{place}: {key!r} must be a number, got {value!r}")
    return float(value)


def _require_mapping(entry: object, place: str) -> Mapping[str, Any]:
    if not isinstance(entry, Mapping):
        raise InputError(f"{place}: expected 'key: value' lines, got {str(entry)[:100]!r}")
    return entry


def _list_entries(content: Mapping[str, Any], key: str, place: str) -> list[Mapping[str, Any]]:
    if not isinstance(content[key], list):
        raise InputError(f"{place}, {key}: expected a list of entries")
    return [_require_mapping(entry, f"{place}, {key}") for entry in content[key]]


def _read_element(symbol: str, entry: Mapping[str, Any], place: str) -> ElementParameters:
    place = f"{place}, element {symbol}"
    _require_mapping(entry, place)
    role = entry.get("role")
    if role not in (None, "cation", "anion"):
        raise InputError(f"{place}: 'role' must be cation, anion or absent, got {role!r}")
    return ElementParameters(
        charge=_number(entry, "charge", place),
        valence_electrons=int(_number(entry, "valence_electrons", place)),
        role=role,
        onsite_s_ev=_number(entry, "onsite_s", place) if role else 0.0,
        onsite_p_ev=_number(entry, "onsite_p", place) if role else 0.0,
    )


def _read_pair(entry: Mapping[str, Any], place: str) -> PairParameters:
    place = f"{place}, pair {entry.get('elements')}"
    pair = PairParameters(*(_number(entry, key, place) for key in ("A", "rho", "C")))
    if pair.rho <= 0:
        raise InputError(f"{place}: 'rho' must be positive, got {pair.rho}")
    return pair


def _read_hopping(entry: Mapping[str, Any], place: str) -> HoppingParameters:
    place = f"{place}, hopping {entry.get('elements')}"
    names = HoppingParameters.__dataclass_fields__
    hopping = HoppingParameters(**{name: _number(entry, name, place) for name in names})
    if not 0 < hopping.taper_start < hopping.taper_end:
        raise InputError(
            f"{place}: taper_start must lie below taper_end, "
            f"got {hopping.taper_start} and {hopping.taper_end}"
        )
    return hopping


def _pair_of(entry: Mapping[str, Any], place: str) -> tuple[str, str]:
    elements = entry.get("elements")
    if not isinstance(elements, list) or len(elements) != 2:
        raise InputError(f"{place}: 'elements' must name two elements, got {elements!r}")
    return str(elements[0]), str(elements[1])


def read_parameters(name: str = DEFAULT_PARAMETERS) -> ModelParameters:
    """Read a parameter set by name or path.

    Raises
    ------
    InputError
        If there is no such set, or the file lacks something or holds something impossible.
    """
    path = find_parameter_file(name)
    try:
        content = load_plain_yaml(path)
    except ParseError as error:
        raise InputError(f"cannot read the parameter file {error}") from error
    place = path.name
    if not isinstance(content, dict) or not {"elements", "pairs", "hoppings"} <= set(content):
        raise InputError(f"{place}: expected the keys elements, pairs and hoppings")
    return ModelParameters(
        name=str(content.get("name", path.stem)),
        source=str(content.get("source", "")),
        elements={
            str(symbol): _read_element(str(symbol), entry, place)
            for symbol, entry in _require_mapping(content["elements"], place).items()
        },
        pairs={
            ordered_pair(*_pair_of(entry, place)): _read_pair(entry, place)
            for entry in _list_entries(content, "pairs", place)
        },
        hoppings={
            _pair_of(entry, place): _read_hopping(entry, place)
            for entry in _list_entries(content, "hoppings", place)
        },
    )


def ordered_pair(first: str, second: str) -> tuple[str, str]:
    """Key of an unordered pair of elements."""
    return (first, second) if first <= second else (second, first)


def check_elements(parameters: ModelParameters, symbols: Iterable[str]) -> None:
    """Refuse elements that have no parameters.

    Raises
    ------
    InputError
        Naming the elements without parameters and those with.
    """
    missing = sorted(set(symbols) - set(parameters.elements))
    if missing:
        raise InputError(
            f"the parameter set {parameters.name!r} of the engine 'model' has no parameters for "
            f"{', '.join(missing)}; it has them for {', '.join(sorted(parameters.elements))}. "
            "Use these elements, a parameter file that has the others, or the engine 'cp2k'"
        )
    present = set(symbols)
    cations = [s for s in sorted(present) if parameters.elements[s].role == "cation"]
    anions = [s for s in sorted(present) if parameters.elements[s].role == "anion"]
    for pair in ((cation, anion) for cation in cations for anion in anions):
        if pair not in parameters.hoppings or ordered_pair(*pair) not in parameters.pairs:
            raise InputError(
                f"the parameter set {parameters.name!r} has no Buckingham term or no hopping for "
                f"the pair {pair[0]}–{pair[1]}"
            )
