"""INCAR tags that a study may add by itself, and those that it may not contradict.

A tag that follows from the job (task, structure, charge, relaxation, dynamics) or from a setting
of its own has one place where it is chosen; a second one could only contradict it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from qdcomp.errors import InputError

OWNED_TAGS: Mapping[str, str] = {
    "NSW": "it follows from the task: max_steps of the relaxation, or the steps of the dynamics",
    "IBRION": "it follows from the task; choose the relaxation algorithm with 'optimizer'",
    "EDIFFG": (
        "its sign decides its meaning (positive: energy [eV], negative: force [eV/Å]), so it "
        "follows from max_energy_change_ev or max_force_ev_per_angstrom of the relaxation"
    ),
    "ISIF": "the cell is that of the study and stays",
    "NELECT": "it follows from the charge and the data sets",
    "NUPDOWN": "choose the spin with 'multiplicity'",
    "ISPIN": "choose it with 'spin_polarized' or 'multiplicity'",
    "POTIM": "it is 'potim' of a relaxation, timestep_fs of dynamics, or 'displacement_angstrom'",
    "TEBEG": "it follows from the temperature of the dynamics",
    "TEEND": "it follows from the temperature of the dynamics",
    "MDALGO": "choose the thermostat with 'thermostat'",
    "SMASS": "it follows from the thermostat and its time",
    "CSVR_PERIOD": "it follows from the thermostat and its time",
    "LANGEVIN_GAMMA": "it follows from the thermostat and its time",
    "ANDERSEN_PROB": "it follows from the thermostat and its time",
    "RANDOM_SEED": "it follows from the seed of the job",
    "NFREE": "it follows from the task",
    "LDIPOL": "it follows from the dipole correction of the job",
    "IDIPOL": "it follows from the dipole correction of the job",
    "DIPOL": "it follows from the dipole correction of the job",
    "LMONO": "choose it with 'monopole_correction'",
    "GGA": "choose it with 'functional'",
    "METAGGA": "the engine knows the functionals of 'functional' only",
    "LHFCALC": "the engine knows the functionals of 'functional' only",
    "LSORBIT": "the engine has no spinors",
    "LNONCOLLINEAR": "the engine has no spinors",
    "IVDW": "choose it with 'dispersion'",
    "LUSE_VDW": "choose it with 'dispersion'",
    "ENCUT": "choose it with 'encut_ev'",
    "PREC": "choose it with 'prec'",
    "EDIFF": "choose it with 'ediff_ev'",
    "ALGO": "choose it with 'algo'",
    "IALGO": "choose it with 'algo'",
    "NELM": "choose it with 'nelm'",
    "NELMIN": "choose it with 'nelmin'",
    "ISMEAR": "choose it with 'ismear'",
    "SIGMA": "choose it with 'sigma_ev'",
    "LREAL": "choose it with 'lreal'",
    "NBANDS": "choose it with 'nbands'",
    "ISYM": "choose it with 'symmetry'",
    "LWAVE": "choose it with 'lwave'",
    "LCHARG": "choose it with 'lcharg'",
    "NCORE": "choose it with 'ncore'",
    "NPAR": "choose the number of cores that share a band with 'ncore'",
    "KPAR": "choose it with 'kpar'",
    "KSPACING": "the k-points are those of the study",
    "KGAMMA": "the k-points are those of the study",
    "ISTART": "a run starts from a wavefunction where there is one",
    "ICHARG": "a run starts from a wavefunction where there is one",
    "SYSTEM": "it names the job",
}
"""Tags that a study may not set, and where they are chosen instead."""

_SAFE = re.compile(r"[\w.+\-*/ ]+")
_TAG = re.compile(r"[A-Z][A-Z0-9_]*")


def check_overrides(given: Any) -> Mapping[str, Any]:
    """Check further INCAR tags of a study.

    Raises
    ------
    InputError
        A tag that contradicts the job or a setting, or a value that is no plain one.
    """
    if not isinstance(given, Mapping):
        raise InputError(f"vasp setting 'incar': got {given!r}, expected a value for each tag")
    checked = {}
    for name, value in given.items():
        tag = str(name).upper()
        if not _TAG.fullmatch(tag):
            raise InputError(f"vasp setting 'incar': {name!r} is no INCAR tag")
        if tag in OWNED_TAGS:
            raise InputError(
                f"vasp setting 'incar': {tag} = {value} would contradict the job: {OWNED_TAGS[tag]}"
            )
        checked[tag] = _check_value(tag, value)
    return checked


def _check_value(tag: str, value: Any) -> Any:
    if isinstance(value, list | tuple) and value:
        return [_check_value(tag, entry) for entry in value]
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, str) and _SAFE.fullmatch(value):
        return value
    raise InputError(
        f"vasp setting 'incar': {tag} = {value!r}, expected a number, true, false, one line of "
        "plain words, or a list of them"
    )
