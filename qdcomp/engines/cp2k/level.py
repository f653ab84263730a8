"""Level of theory of a job: what has to be the same where two energies are subtracted."""

from __future__ import annotations

from collections.abc import Mapping

from qdcomp.engines.cp2k.job_file import JobFile
from qdcomp.engines.cp2k.settings import FUNCTIONALS


def describe_level(job: JobFile) -> dict[str, str]:
    """Level of theory of a job, by name, the same for a slab and a molecule of one study.

    Basis sets and pseudopotentials are named as the study does, not per element, since a slab and
    a molecule have different ones. The grid of k-points is among them; whether the system is
    periodic is not.
    """
    settings = job.settings
    family = f"GTH-{FUNCTIONALS[settings.functional]}"
    own = _name_each(settings.potential) if settings.potential else ""
    files = "" if settings.basis_file == "auto" else f" ({settings.basis_file})"
    basis = settings.basis if isinstance(settings.basis, str) else _name_each(settings.basis)
    return {
        "functional": settings.functional,
        "dispersion": settings.dispersion,
        "basis": f"{basis}{files}",
        "potentials": f"{family}, {own}" if own else family,
        "cutoff": f"{settings.cutoff_ry:g} Ry",
        "rel_cutoff": f"{settings.rel_cutoff_ry:g} Ry",
        "kpoints": "×".join(map(str, job.kpoints)),
        "dipole correction": "along z" if job.dipole_correction else "none",
    }


def _name_each(names: Mapping[str, str]) -> str:
    return ", ".join(f"{symbol} {names[symbol]}" for symbol in sorted(names))
