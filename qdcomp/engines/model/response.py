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
from qdcomp.engines.model.couplings import (
    FrontierCouplings,
    compute_frontier_couplings,
    synthesise_harmonic_gap,
)
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

    @property
    def smooth_gap_gradient(self) -> NDArray[np.float64] | None:
        """∂U/∂r [eV/Å], shape ``(n_atoms, 3)``; None where a level at the gap is degenerate."""
        degenerate = max(self.gap_gradient.homo_degeneracy, self.gap_gradient.lumo_degeneracy) > 1
        return None if degenerate else self.gap_gradient.gradient

    @property
    def warnings(self) -> tuple[str, ...]:
        """Says where a level is degenerate."""
        return self.gap_gradient.warnings

    def sample_gap(
        self, temperature_k: float, timestep_fs: float, steps: int, seed: int
    ) -> NDArray[np.float64]:
        """Gap [eV] along the exact harmonic motion from a canonical draw, shape ``(steps,)``."""
        masses = self.atoms.get_masses()
        return synthesise_harmonic_gap(
            self.couplings, self.hessian, masses, temperature_k, timestep_fs, steps, seed
        )


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
