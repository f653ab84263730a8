"""Settings of the engine `vasp`: the defaults of Mi et al., each overridable from the study.

Defaults are those of Mi et al., SI Note 2 (VASP 5.4): PAW-PBE with D3(BJ), 400 eV, ``EDIFF`` 1e-6
eV, RMM-DIIS (``IBRION`` 1). Where the paper is silent VASP's own default stays, but for:

- ``ISMEAR`` 0 with ``SIGMA`` 0.05 eV: VASP's own ``ISMEAR`` 1 is for metals;
- ``NELM`` 200: a slab in vacuum takes more than the 60 steps that VASP allows;
- ``LCHARG`` off: the density follows from the wavefunction, which is kept (``LWAVE``).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from qdcomp.engines.vasp.incar_overrides import check_overrides
from qdcomp.errors import InputError
from qdcomp.units import BOHR_ANGSTROM, HARTREE_EV, RYDBERG_EV

FUNCTIONALS = {"PBE": "PE", "PBEsol": "PS", "RPBE": "RP", "revPBE": "RE"}
"""Functionals a study may name, and their ``GGA``; all are used with PAW-PBE data sets."""

DISPERSIONS: Mapping[str, int | None] = {"none": None, "D3": 11, "D3BJ": 12}
"""Dispersion corrections and their ``IVDW``."""

OPTIMIZERS = {"RMM-DIIS": 1, "CG": 2, "damped": 3}
"""Relaxation algorithms and their ``IBRION``."""

THERMOSTATS = ("csvr", "nose", "langevin", "andersen")

_CHOICES = {
    "functional": tuple(FUNCTIONALS),
    "dispersion": tuple(DISPERSIONS),
    "prec": ("Normal", "Accurate", "Single", "Low"),
    "algo": ("Normal", "Fast", "VeryFast", "All", "Damped"),
    "optimizer": tuple(OPTIMIZERS),
    "thermostat": THERMOSTATS,
    "kpoint_scheme": ("monkhorst-pack", "gamma"),
}

_UNITS = {
    "ev": {"eV": 1.0, "meV": 1e-3, "Ry": RYDBERG_EV, "Ha": HARTREE_EV},
    "angstrom": {"angstrom": 1.0, "nm": 10.0, "bohr": BOHR_ANGSTROM},
}
"""Units that a value may carry, by the suffix of the setting's name."""

_RANGES: dict[str, tuple[float, float]] = {
    "encut_ev": (50.0, 5000.0),
    "ediff_ev": (1e-12, 1e-2),
    "nelm": (1, 10000),
    "nelmin": (1, 100),
    "ismear": (-5, 10),
    "sigma_ev": (1e-5, 2.0),
    "potim": (1e-3, 10.0),
    "displacement_angstrom": (1e-3, 0.1),
    "multiplicity": (1, 100),
    "nbands": (1, 1000000),
    "vacuum_angstrom": (2.0, 100.0),
    "ncore": (1, 100000),
    "kpar": (1, 100000),
}

_QUANTITY = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([A-Za-z]*)")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+\-]*")
_VERSION = re.compile(r"\d+(\.\d+){0,2}")


@dataclass(frozen=True)
class VaspSettings:
    """What a study may set under ``engines: vasp:``.

    Attributes
    ----------
    functional
        ``PBE``, ``PBEsol``, ``RPBE`` or ``revPBE``.
    dispersion
        ``none``, ``D3`` (zero damping) or ``D3BJ``.
    potcar
        Data set per element (``{Pb: Pb_d}``); an element not named takes its default.
    potcar_folder
        Folder of ``PMG_VASP_PSP_DIR`` that they are in; None takes the first that is there.
    encut_ev
        Plane-wave cutoff [eV].
    prec
        ``PREC``.
    ediff_ev
        Convergence of the self-consistent field [eV].
    algo, nelm, nelmin
        Minimiser of the self-consistent field, and its most and fewest steps.
    ismear, sigma_ev
        Smearing: 0 is Gaussian, with this width [eV].
    lreal
        Projection in real space: ``false``, or ``auto`` for large cells, which changes energies
        by some meV.
    nbands
        Number of bands; None leaves it to VASP.
    symmetry
        False switches symmetry off (``ISYM`` 0); None leaves it to VASP. Off in dynamics.
    optimizer, potim
        Relaxation algorithm, and its step scale.
    displacement_angstrom
        Displacement of the atoms for vibrations [Å].
    kpoint_scheme
        ``monkhorst-pack`` or ``gamma`` (centred on the zone centre).
    vacuum_angstrom
        Vacuum on each side of a dot or molecule where the study gives no box [Å].
    multiplicity, spin_polarized
        Spin multiplicity and whether spins have orbitals of their own; None: closed shell for an
        even number of electrons, a doublet with spin-polarised orbitals for an odd one.
    monopole_correction
        Whether the energy of a charged dot or molecule is corrected for the interaction of its
        charge with its images (``LMONO``).
    thermostat
        ``csvr``, ``nose`` (Nosé–Hoover), ``langevin`` or ``andersen``.
    version
        Version of VASP that will run, as far as it decides what is there to choose from.
    lwave, lcharg
        Whether wavefunction and density are written.
    ncore, kpar
        Cores that share a band, and groups of cores that share k-points; None leaves it to VASP.
    incar
        Further INCAR tags; those that follow from the job or from a setting are refused.
    """

    functional: str = "PBE"
    dispersion: str = "D3BJ"
    potcar: Mapping[str, str] | None = None
    potcar_folder: str | None = None
    encut_ev: float = 400.0
    prec: str = "Normal"
    ediff_ev: float = 1e-6
    algo: str = "Normal"
    nelm: int = 200
    nelmin: int = 4
    ismear: int = 0
    sigma_ev: float = 0.05
    lreal: bool | str = False
    nbands: int | None = None
    symmetry: bool | None = None
    optimizer: str = "RMM-DIIS"
    potim: float = 0.5
    displacement_angstrom: float = 0.015
    kpoint_scheme: str = "monkhorst-pack"
    vacuum_angstrom: float = 8.0
    multiplicity: int | None = None
    spin_polarized: bool | None = None
    monopole_correction: bool = True
    thermostat: str = "csvr"
    version: str = "5.4"
    lwave: bool = True
    lcharg: bool = False
    ncore: int | None = None
    kpar: int | None = None
    incar: Mapping[str, Any] = field(default_factory=dict)

    @property
    def version_numbers(self) -> tuple[int, ...]:
        """Version as numbers, three of them."""
        given = [int(part) for part in self.version.split(".")]
        return tuple([*given, 0, 0][:3])


def read_settings(given: Mapping[str, Any]) -> VaspSettings:
    """Check the settings of a study and fill in the defaults.

    A number may be given as such or with its unit, ``400``, ``400 eV`` or ``29.4 Ry``.

    Raises
    ------
    InputError
        Unknown setting (the nearest one is named), wrong type, unit or range, or an INCAR tag
        that contradicts the job.
    """
    defaults = VaspSettings()
    known = {entry.name: getattr(defaults, entry.name) for entry in fields(VaspSettings)}
    for name in given:
        if name not in known:
            raise InputError(_describe_unknown(str(name), list(known)))
    return VaspSettings(**{name: _check(name, given[name], known[name]) for name in given})


def _describe_unknown(name: str, known: list[str]) -> str:
    stems = {candidate.rsplit("_", 1)[0]: candidate for candidate in known}
    close = difflib.get_close_matches(name.lower(), [*known, *stems], n=1, cutoff=0.5)
    hint = f"; did you mean {stems.get(close[0], close[0])!r}?" if close else ""
    return f"vasp has no setting {name!r}{hint} Settings: {', '.join(sorted(known))}"


def _check(name: str, value: Any, default: Any) -> Any:
    if name == "incar":
        return check_overrides(value)
    if name == "potcar":
        return _check_labels(value)
    if name == "lreal":
        return _check_lreal(value)
    if name == "version":
        return _check_version(value)
    if value is None and default is None:
        return None
    if isinstance(default, bool) or name in {"symmetry", "spin_polarized"}:
        if not isinstance(value, bool):
            raise InputError(f"vasp setting {name!r}: got {value!r}, expected true or false")
        return value
    if name in _CHOICES:
        return _check_choice(name, value)
    if name == "potcar_folder":
        return _check_name(name, value)
    return _check_number(name, value, whole=default is None or isinstance(default, int))


def _check_choice(name: str, value: Any) -> str:
    found = {choice.lower(): choice for choice in _CHOICES[name]}.get(str(value).lower())
    if found is None:
        raise InputError(
            f"vasp setting {name!r}: got {value!r}, expected one of {', '.join(_CHOICES[name])}"
        )
    return found


def _check_lreal(value: Any) -> bool | str:
    if value is False:
        return False
    if isinstance(value, str) and value.lower() in {"auto", "a"}:
        return "Auto"
    raise InputError(f"vasp setting 'lreal': got {value!r}, expected false or auto")


def _check_version(value: Any) -> str:
    text = str(value)
    if isinstance(value, bool) or not _VERSION.fullmatch(text):
        raise InputError(f"vasp setting 'version': got {value!r}, expected like 5.4 or '6.4.3'")
    return text


def _check_name(name: str, value: Any) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise InputError(
            f"vasp setting {name!r}: got {value!r}, expected one name of letters, digits and -_.+"
        )
    return value


def _check_labels(value: Any) -> Mapping[str, str] | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise InputError(
            f"vasp setting 'potcar': got {value!r}, expected a data set for each element, "
            "like {Pb: Pb_d}"
        )
    labels = {_check_name("potcar", key): _check_name("potcar", value[key]) for key in value}
    for symbol, label in labels.items():
        if re.split(r"[_.]", label)[0] != symbol:
            raise InputError(
                f"vasp setting 'potcar': {label!r} is no data set of {symbol}; one of its own is "
                f"expected, like {symbol} or {symbol}_sv"
            )
    return labels


def _check_number(name: str, value: Any, *, whole: bool) -> float | int:
    units = _UNITS.get(name.rsplit("_", 1)[-1], {})
    shape = "a whole number" if whole else "a number"
    if units:
        shape += f" [{next(iter(units))}] or a number with one of the units {', '.join(units)}"
    match = None if isinstance(value, bool) else _QUANTITY.fullmatch(str(value).strip())
    if match is None or (match[2] and match[2] not in units):
        raise InputError(f"vasp setting {name!r}: got {value!r}, expected {shape}")
    number = float(match[1]) * units.get(match[2], 1.0)
    lowest, highest = _RANGES[name]
    if not lowest <= number <= highest or (whole and number != int(number)):
        raise InputError(
            f"vasp setting {name!r}: got {value!r}, expected {shape} from {lowest:g} to {highest:g}"
        )
    return int(number) if whole else number
