"""Settings of the engine `cp2k`: the defaults of Rainò et al., each overridable from the study.

Defaults are those of Rainò et al., Nat. Commun. 13, 2587 (2022), Methods: Quickstep with PBE, GTH
pseudopotentials, a MOLOPT basis, 300 Ry and ``EPS_SCF`` 1e-8, non-periodic cubic cells. What the
paper leaves open keeps CP2K's own default or, for the minimiser, what costs least at the same
energy (``benchmarks/cp2k_template.py``).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from qdcomp.errors import InputError
from qdcomp.units import BOHR_ANGSTROM, HARTREE_EV, RYDBERG_EV

FUNCTIONALS = {"PBE": "PBE", "PBEsol": "PBE", "BLYP": "BLYP", "LDA": "PADE"}
"""Functionals a study may name, and the GTH pseudopotentials made for them."""

WITHOUT_D3 = frozenset({"LDA"})
"""Functionals for which D3 was not fitted, with zero damping or BJ: CP2K 2023.1 stops with "No
DFT-D3 values available". It has values of both for PBE, PBEsol and BLYP."""

_CHOICES = {
    "functional": tuple(FUNCTIONALS),
    "dispersion": ("none", "D3", "D3BJ"),
    "scf_solver": ("auto", "ot", "diagonalization"),
    "minimizer": ("DIIS", "CG", "BROYDEN"),
    "preconditioner": (
        "auto",
        "FULL_ALL",
        "FULL_SINGLE_INVERSE",
        "FULL_SINGLE",
        "FULL_KINETIC",
        "FULL_S_INVERSE",
        "NONE",
    ),
    "extrapolation": ("auto", "ASPC", "PS", "LINEAR_PS", "USE_PREV_P", "USE_PREV_WF", "USE_GUESS"),
    "poisson_solver": ("auto", "wavelet", "mt", "analytic", "periodic"),
    "optimizer": ("BFGS", "LBFGS", "CG"),
}

_UNITS = {
    "ry": {"Ry": 1.0, "eV": 1.0 / RYDBERG_EV, "Ha": 2.0},
    "hartree": {"Ha": 1.0, "eV": 1.0 / HARTREE_EV, "Ry": 0.5},
    "angstrom": {"angstrom": 1.0, "nm": 10.0, "bohr": BOHR_ANGSTROM},
}
"""Units that a value may carry, by the suffix of the setting's name."""

_RANGES: dict[str, tuple[float, float]] = {
    "cutoff_ry": (20.0, 5000.0),
    "rel_cutoff_ry": (10.0, 1000.0),
    "grids": (1, 10),
    "eps_default": (1e-30, 1e-4),
    "eps_scf": (1e-14, 1e-2),
    "inner_scf_steps": (1, 2000),
    "outer_scf_steps": (1, 200),
    "energy_gap_hartree": (1e-6, 10.0),
    "added_orbitals": (1, 10000),
    "mixing_alpha": (1e-4, 1.0),
    "extrapolation_order": (0, 10),
    "vacuum_angstrom": (2.0, 100.0),
    "multiplicity": (1, 100),
    "restart_every": (1, 100000),
    "max_eigensolver_steps": (10, 100000),
    "eps_eigensolver": (1e-12, 1e-3),
    "displacement_angstrom": (1e-4, 0.1),
}

_QUANTITY = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([A-Za-z]*)")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+\-]*")


@dataclass(frozen=True)
class Cp2kSettings:
    """What a study may set under ``engines: cp2k:``.

    Attributes
    ----------
    functional
        ``PBE``, ``PBEsol``, ``BLYP`` or ``LDA``.
    dispersion
        ``none``, ``D3`` (zero damping) or ``D3BJ``.
    basis
        Basis set, one name for all elements or a name per element. One name may have a range
        (``SR``) that CP2K does not have for every element: an element that has it only in the
        other takes that, which is said.
    basis_file, potential_file
        Files of the CP2K data folder that they are in; ``auto`` looks for basis sets in
        ``BASIS_MOLOPT``, then in ``BASIS_MOLOPT_UCL``.
    potential
        Pseudopotential per element; an element not named takes the functional's GTH potential.
    cutoff_ry, rel_cutoff_ry, grids
        Plane-wave cutoff of the finest grid [Ry], cutoff a Gaussian is mapped with [Ry], number of
        grids.
    eps_default
        Precision of the Kohn–Sham matrix.
    eps_scf
        Convergence of the self-consistent field.
    scf_solver
        ``ot`` (orbital transformation, for systems with a gap) or ``diagonalization``, which is
        needed with k-points; ``auto`` takes the one that fits.
    minimizer, preconditioner, energy_gap_hartree
        Minimiser, preconditioner and assumed gap [Ha] of ``ot``. Left out, the preconditioner is
        ``FULL_ALL``, and ``FULL_SINGLE_INVERSE`` with a dipole correction; the gap is 0.001 Ha,
        and 0.1 Ha for a slab.
    added_orbitals, mixing_alpha
        Empty orbitals and Broyden mixing of ``diagonalization``.
    inner_scf_steps, outer_scf_steps
        SCF steps between two rebuilds of the preconditioner, and number of rebuilds.
    extrapolation, extrapolation_order
        Guess of the wavefunction from earlier steps; ``auto`` is ``ASPC``, and ``USE_PREV_P`` with
        k-points, for which CP2K has no other.
    poisson_solver
        ``auto`` takes ``wavelet`` for a dot or a molecule and ``periodic`` for a slab. For a dot
        also ``mt`` (Martyna–Tuckerman), ``analytic``, and ``periodic`` only to compare with older
        work; for a slab also ``mt``, without images along z: 0.3 meV from ``periodic`` with the
        dipole correction for methylammonium on one side of a 1×1 slab.
    vacuum_angstrom
        Vacuum on each side of the dot where the study gives no box [Å].
    multiplicity, spin_polarized
        Spin multiplicity and whether spins have orbitals of their own; None: closed shell for an
        even number of electrons, a doublet with spin-polarised orbitals for an odd one.
    optimizer
        ``BFGS``, ``LBFGS`` or ``CG``.
    restart_every
        Time steps between two restart files.
    eps_eigensolver, max_eigensolver_steps
        Convergence and length of the search for the LUMO with ``ot``.
    displacement_angstrom
        How far an atom is displaced for the vibrational frequencies [Å].
    """

    functional: str = "PBE"
    dispersion: str = "none"
    basis: str | Mapping[str, str] = "DZVP-MOLOPT-SR-GTH"
    basis_file: str = "auto"
    potential_file: str = "GTH_POTENTIALS"
    potential: Mapping[str, str] | None = None
    cutoff_ry: float = 300.0
    rel_cutoff_ry: float = 40.0
    grids: int = 4
    eps_default: float = 1e-14
    eps_scf: float = 1e-8
    scf_solver: str = "auto"
    minimizer: str = "DIIS"
    preconditioner: str = "auto"
    energy_gap_hartree: float | None = None
    added_orbitals: int = 4
    mixing_alpha: float = 0.4
    inner_scf_steps: int = 12
    outer_scf_steps: int = 20
    extrapolation: str = "auto"
    extrapolation_order: int = 3
    poisson_solver: str = "auto"
    vacuum_angstrom: float = 8.0
    multiplicity: int | None = None
    spin_polarized: bool | None = None
    optimizer: str = "BFGS"
    restart_every: int = 1
    eps_eigensolver: float = 1e-5
    max_eigensolver_steps: int = 1000
    displacement_angstrom: float = 0.005


def read_settings(given: Mapping[str, Any]) -> Cp2kSettings:
    """Check the settings of a study and fill in the defaults.

    A number may be given as such or with its unit, ``300``, ``300 Ry`` or ``4082 eV``.

    Raises
    ------
    InputError
        Unknown setting (the nearest one is named), wrong type, unit or range, or a dispersion
        correction that has no parameters for the functional.
    """
    defaults = Cp2kSettings()
    known = {field.name: getattr(defaults, field.name) for field in fields(Cp2kSettings)}
    for name in given:
        if name not in known:
            raise InputError(_describe_unknown(str(name), list(known)))
    settings = Cp2kSettings(**{name: _check(name, given[name], known[name]) for name in given})
    _check_dispersion(settings)
    return settings


def _check_dispersion(settings: Cp2kSettings) -> None:
    if settings.dispersion != "none" and settings.functional in WITHOUT_D3:
        others = ", ".join(name for name in FUNCTIONALS if name not in WITHOUT_D3)
        raise InputError(
            f"cp2k setting 'dispersion': {settings.dispersion} has no parameters for "
            f"{settings.functional}, and CP2K would stop; take dispersion: none, or one of the "
            f"functionals {others}"
        )


def _describe_unknown(name: str, known: list[str]) -> str:
    stems = {candidate.rsplit("_", 1)[0]: candidate for candidate in known}
    close = difflib.get_close_matches(name.lower(), [*known, *stems], n=1, cutoff=0.5)
    hint = f"; did you mean {stems.get(close[0], close[0])!r}?" if close else ""
    return f"cp2k has no setting {name!r}{hint} Settings: {', '.join(sorted(known))}"


def _check(name: str, value: Any, default: Any) -> Any:
    if name in {"basis", "potential"}:
        return _check_names(name, value)
    if name == "spin_polarized":
        if value is not None and not isinstance(value, bool):
            raise InputError(f"cp2k setting {name!r}: got {value!r}, expected true or false")
        return value
    if name in _CHOICES:
        return _check_choice(name, value)
    if isinstance(default, str):
        return _check_name(name, value)
    if name in {"multiplicity", "energy_gap_hartree"} and value is None:
        return None
    return _check_number(name, value, whole=name == "multiplicity" or isinstance(default, int))


def _check_choice(name: str, value: Any) -> str:
    found = {choice.lower(): choice for choice in _CHOICES[name]}.get(str(value).lower())
    if found is None:
        raise InputError(
            f"cp2k setting {name!r}: got {value!r}, expected one of {', '.join(_CHOICES[name])}"
        )
    return found


def _check_name(name: str, value: Any) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise InputError(
            f"cp2k setting {name!r}: got {value!r}, expected one name of letters, digits and -_.+"
        )
    return value


def _check_names(name: str, value: Any) -> str | Mapping[str, str] | None:
    if isinstance(value, str) and name == "basis":
        return _check_name(name, value)
    if value is None and name == "potential":
        return None
    if isinstance(value, Mapping):
        return {_check_name(name, element): _check_name(name, value[element]) for element in value}
    raise InputError(f"cp2k setting {name!r}: got {value!r}, expected a name for each element")


def _check_number(name: str, value: Any, *, whole: bool) -> float | int:
    units = _UNITS.get(name.rsplit("_", 1)[-1], {})
    shape = "a whole number" if whole else "a number"
    if units:
        shape += f" [{next(iter(units))}] or a number with one of the units {', '.join(units)}"
    match = None if isinstance(value, bool) else _QUANTITY.fullmatch(str(value).strip())
    if match is None or (match[2] and match[2] not in units):
        raise InputError(f"cp2k setting {name!r}: got {value!r}, expected {shape}")
    number = float(match[1]) * units.get(match[2], 1.0)
    lowest, highest = _RANGES[name]
    if not lowest <= number <= highest or (whole and number != int(number)):
        raise InputError(
            f"cp2k setting {name!r}: got {value!r}, expected {shape} from {lowest:g} to {highest:g}"
        )
    return int(number) if whole else number
