"""Whether the frequencies that a run printed can be trusted.

CP2K computes the displaced geometries in replicas, whose self-consistent fields are reported in
outputs of their own.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from qdcomp.engines.cp2k.job_file import REPLICA_OUTPUTS, JobFile
from qdcomp.engines.cp2k.outputs import Cp2kOutput
from qdcomp.errors import ConvergenceError, EngineError

_UNCONVERGED = "SCF run NOT converged"

_RELAXED_FORCE = 0.05
"""Force component [eV/Å] above which a structure is no minimum: at a stiffness of 1 eV/Å², soft for
a molecule, an atom is then 0.05 Å away from where it belongs."""


def refuse_unusable(directory: Path, output: Cp2kOutput) -> None:
    """Refuse a run without frequencies, or with forces that are not converged.

    Raises
    ------
    EngineError
        No frequencies.
    ConvergenceError
        The self-consistent field of a displaced geometry did not converge.
    """
    for path in sorted(directory.glob(REPLICA_OUTPUTS)):
        with path.open(errors="replace") as stream:
            failed = sum(_UNCONVERGED in line for line in stream)
        if failed:
            raise ConvergenceError(
                f"the self-consistent field of {failed} displaced geometries did not converge "
                f"({path.name}), so that their frequencies mean nothing; allow more "
                "outer_scf_steps, or check charge and structure",
                directory,
            )
    if output.frequencies_per_cm is None:
        raise EngineError(
            "no vibrational frequencies in the output; the run was stopped before its end: start "
            "it again, CP2K computes all displacements anew",
            directory,
        )


def judge_structure(job: JobFile, output: Cp2kOutput) -> tuple[str, ...]:
    """Say where the structure of which the frequencies are was not relaxed.

    CP2K prints the forces on the atoms that it displaces, the free ones.
    """
    forces = output.forces_ev_per_angstrom
    if forces is None:
        return ()
    largest = float(np.abs(forces).max(initial=0.0))
    if largest < _RELAXED_FORCE:
        return ()
    return (
        f"the structure is not relaxed, a force of {largest:.2f} eV/Å is left: its frequencies are "
        "not those of a minimum",
    )
