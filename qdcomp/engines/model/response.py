"""What the trajectory-free route needs of a relaxed dot, from its job directory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from qdcomp.engines.model.calculator import (
    GapGradient,
    ModelCalculator,
    compute_gap_gradient,
    compute_model_hessian,
)
from qdcomp.engines.model.couplings import FrontierCouplings, compute_frontier_couplings
from qdcomp.engines.model.jobs import FINAL_NAME, PARAMETERS_NAME, read_job, read_structure
from qdcomp.engines.model.parameters import read_parameters


@dataclass(frozen=True)
class HarmonicResponse:
    """Stiffness of a relaxed dot and response of its gap.

    Attributes
    ----------
    atoms
        The relaxed structure.
    frozen
        Atoms held fixed, shape ``(n_atoms,)``.
    hessian
        Second derivatives [eV/Å²], shape ``(3 n_atoms, 3 n_atoms)``; rows and columns of frozen
        atoms are zero.
    gap_gradient
        Derivative of the gap. Where it warns of a degenerate edge, use `couplings` instead.
    couplings
        Response of all levels at either edge, for `synthesise_harmonic_gap`.
    """

    atoms: Atoms
    frozen: NDArray[np.bool_]
    hessian: NDArray[np.float64]
    gap_gradient: GapGradient
    couplings: FrontierCouplings


def compute_harmonic_response(directory: Path) -> HarmonicResponse:
    """Compute Hessian and gap response at the structure that the job in `directory` ended with.

    Raises
    ------
    ParseError
        If the job has not ended.
    QdcompError
        If not all levels at an edge were found.
    """
    job = read_job(directory)
    parameters = read_parameters(str(directory / PARAMETERS_NAME))
    atoms = read_structure(directory / FINAL_NAME)
    atoms.calc = None
    calculator = ModelCalculator(job.charge, parameters)
    hessian = compute_model_hessian(atoms, parameters)
    held = np.repeat(job.frozen, 3)
    hessian[held, :] = 0.0
    hessian[:, held] = 0.0
    return HarmonicResponse(
        atoms=atoms,
        frozen=job.frozen,
        hessian=hessian,
        gap_gradient=compute_gap_gradient(atoms, calculator),
        couplings=compute_frontier_couplings(atoms, calculator),
    )
