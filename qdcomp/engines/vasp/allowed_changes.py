"""What a correction may change without changing the physics, and why the rest is refused.

A correction comes from custodian as a list of changes to INCAR, KPOINTS, POSCAR and files. Allowed
is what decides how the ground state or the minimum is looked for; refused is what decides which it
is, and with it every energy difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from qdcomp.engines.vasp.incar import choose_tags
from qdcomp.engines.vasp.job_file import JobFile

FREE_TAGS = frozenset(
    {
        "ALGO", "ISEARCH", "TIME", "NELMIN", "NELMDL",
        "AMIX", "BMIX", "AMIX_MAG", "BMIX_MAG", "AMIN", "IMIX", "MAXMIX",
        "ISTART", "ICHARG",
        "NCORE", "NPAR", "KPAR", "NSIM", "LPLANE",
        "ISYM", "SYMPREC",
        "NELM", "NBANDS",
        "IBRION", "POTIM", "SMASS",
    }
)  # fmt: skip
"""Tags that may change, some of them within limits (`judge_tag`)."""

REASONS: Mapping[str, str] = {
    "ENCUT": "the cutoff decides every energy",
    "PREC": "the grids of density and projectors shift energies by some meV",
    "NGX": "the grid of the density follows from PREC and shifts energies by some meV",
    "NGY": "the grid of the density follows from PREC and shifts energies by some meV",
    "NGZ": "the grid of the density follows from PREC and shifts energies by some meV",
    "LREAL": "projection in real space shifts energies by some meV, so all jobs need the same",
    "ISMEAR": "the smearing decides the occupations",
    "SIGMA": "the smearing decides the occupations",
    "EDIFF": "the convergence of the energy is the study's",
    "EDIFFG": "the convergence of the geometry is the study's",
    "ISPIN": "the spin decides the energy",
    "LPEAD": "other derivatives along k change the results",
    "KSPACING": "the k-points decide every energy",
    "KGAMMA": "the k-points decide every energy",
    "POTIM": "it is the time step of dynamics, or the displacement of vibrations",
    "SMASS": "it is the mass of the thermostat",
    "IBRION": "it decides the task",
    "KPOINTS": "the k-points decide every energy",
    "POSCAR": "the cell and the atoms are those of the study",
}
"""Why a change is refused, by tag or file."""

_OTHER_REASON = "it is not among the tags that only decide how the solution is looked for"
_SCF_ALGORITHMS = {"n", "f", "v", "a", "c", "d", "s", "e"}
_NO_SCF = {"eigenval", "none", "nothing", "evgw", "evgw0", "chi"}
GUESSES = ("WAVECAR", "CHGCAR")
"""Files with a wavefunction and a density to start from."""


@dataclass(frozen=True)
class Verdict:
    """What of a proposed correction may be done.

    Attributes
    ----------
    changes
        INCAR tags to set; None drops one.
    keep_structure
        Whether to go on from the last structure.
    drop_guess
        Whether to start without the wavefunction and density that are there.
    refused
        What may not be done, each with its reason.
    """

    changes: dict[str, Any] = field(default_factory=dict)
    keep_structure: bool = False
    drop_guess: bool = False
    refused: tuple[str, ...] = ()

    @property
    def mends(self) -> bool:
        """Whether what is left of a correction that was cut may still help."""
        sets = any(value is not None for value in self.changes.values())
        if self.refused:
            return sets or self.drop_guess
        return bool(self.changes) or self.drop_guess or self.keep_structure


def judge_actions(
    actions: Iterable[Mapping[str, Any]], job: JobFile, *, has_guess: bool = True
) -> Verdict:
    """Sort what custodian proposes into what may be done and what is refused.

    What would change nothing is left out: a tag that has the value already, a wavefunction to
    delete where there is none (`has_guess`).

    Raises
    ------
    InputError
        A template of the job names a value that nobody knows.
    """
    changes: dict[str, Any] = {}
    refused: list[str] = []
    keep_structure = drop_guess = False
    current = choose_tags(job) | dict(job.changes)
    for entry in actions:
        target, action = entry.get("dict") or entry.get("file"), entry["action"]
        if target == "INCAR":
            for tag, value in _flatten(action):
                if current.get(tag) == value:
                    continue
                reason = judge_tag(tag, value, current, job)
                if reason:
                    refused.append(f"{_describe(tag, value)} ({reason})")
                else:
                    changes[tag] = value
        elif target == "CONTCAR" and action.get("_file_copy", {}).get("dest") == "POSCAR":
            keep_structure = True
        elif target in GUESSES and "_file_delete" in action:
            drop_guess = has_guess
        else:
            reason = REASONS.get(str(target), _OTHER_REASON)
            refused.append(f"{target}: {_shorten(action)} ({reason})")
    return Verdict(changes, keep_structure, drop_guess, tuple(refused))


def judge_tag(tag: str, value: Any, current: Mapping[str, Any], job: JobFile) -> str | None:
    """Reason why a tag may not take a value (None: be dropped); None where it may."""
    reason = REASONS.get(tag, _OTHER_REASON)
    if tag not in FREE_TAGS:
        return reason
    if tag == "ALGO":
        looks = value is None or (
            str(value)[:1].lower() in _SCF_ALGORITHMS and str(value).lower() not in _NO_SCF
        )
        return None if looks else "it would no longer solve for the ground state"
    if tag == "ICHARG" and value is not None and int(value) >= 10:
        return "it would keep the density fixed"
    if tag in {"NELM", "NBANDS"}:
        before = current.get(tag)
        fewer = value is None or (before is not None and value < before)
        return "it may only be raised" if fewer else None
    if tag in {"IBRION", "POTIM", "SMASS"}:
        return None if _is_relaxation_step(tag, value, job) else reason
    return None


def describe_changes(verdict: Verdict) -> str:
    """Say what is done, in one line."""
    said = [_describe(tag, value) for tag, value in verdict.changes.items()]
    if verdict.keep_structure:
        said.append("on from the last structure")
    if verdict.drop_guess:
        said.append("from no wavefunction")
    return ", ".join(said) or "started again"


def _is_relaxation_step(tag: str, value: Any, job: JobFile) -> bool:
    """Whether a change only concerns how the minimum of a relaxation is walked to."""
    if job.task != "relax" or value is None:
        return False
    return value in (1, 2, 3) if tag == "IBRION" else value > 0


def _flatten(action: Mapping[str, Any]) -> list[tuple[str, Any]]:
    found = [(str(tag).upper(), value) for tag, value in action.get("_set", {}).items()]
    found += [(str(tag).upper(), None) for tag in action.get("_unset", {})]
    return found


def _describe(tag: str, value: Any) -> str:
    return f"no {tag}" if value is None else f"{tag} = {value}"


def _shorten(action: Mapping[str, Any]) -> str:
    if "structure" in action.get("_set", {}):
        return "another cell"
    return ", ".join(f"{key} = {value}" for key, value in action.get("_set", action).items())
