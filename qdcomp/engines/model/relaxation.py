"""Relaxation with ASE's optimisers: FIRE while forces are large, then L-BFGS, then the Hessian."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms
from ase.optimize import FIRE, LBFGS
from numpy.typing import NDArray

from qdcomp.engines.base import EngineJob, RelaxationSettings
from qdcomp.engines.model.calculator import ModelCalculator
from qdcomp.engines.model.force_field import compute_hessian
from qdcomp.engines.model.jobs import (
    CHECKPOINT_NAME,
    STOP_NAME,
    StopRequested,
    format_structure,
    replace_file,
)
from qdcomp.engines.model.settings import ModelSettings
from qdcomp.engines.model.thermal import find_downhill_direction, predict_energy_left
from qdcomp.errors import ConvergenceError, EngineError

LARGE_FORCE = 0.5
"""Force above which FIRE, which copes with any start, comes before L-BFGS [eV/Å]."""

LONGEST_STEP = 0.1
"""Longest displacement of an atom in one L-BFGS step [Å]."""

DOWNHILL_STEP = 0.1
"""Displacement of the farthest atom when leaving a saddle point [Å]."""

SADDLE_ATTEMPTS = 5
"""Saddle points left before giving up."""

LARGEST_HESSIAN_ATOMS = 2500
"""Atoms up to which the Hessian is looked at: 0.5 GB, half a minute on one core."""

ENERGY_LEFT_EV = 1e-3
"""Energy above the minimum that is worth a warning [eV]: kT at 12 K."""

CHECKPOINT_STEPS = 50
"""Steps between checkpoints."""


@dataclass(frozen=True)
class Relaxed:
    """A relaxed structure.

    Attributes
    ----------
    atoms
        The structure, with its calculator.
    steps
        Steps done.
    warnings
        What the user should know.
    """

    atoms: Atoms
    steps: int
    warnings: tuple[str, ...]


def _largest_force(atoms: Atoms) -> float:
    return float(np.max(np.linalg.norm(atoms.get_forces(), axis=1)))


class _Relaxation:
    """Steps of one relaxation, over its changes of optimiser."""

    def __init__(
        self,
        atoms: Atoms,
        limits: RelaxationSettings,
        directory: Path,
        report: Callable[[str], None],
        steps: int,
    ) -> None:
        self.atoms = atoms
        self.limits = limits
        self.directory = directory
        self.report = report
        self.steps = steps

    def _observe(self) -> None:
        if not np.all(np.isfinite(self.atoms.get_forces())):
            raise EngineError(
                f"the forces are no longer finite numbers at step {self.steps} of the "
                "relaxation; atoms of the starting structure lie on top of each other",
                self.directory,
            )
        asked = (self.directory / STOP_NAME).exists()
        if asked or self.steps % CHECKPOINT_STEPS == 0:
            # a run that failed or was killed has all its steps again, one that was asked to end not
            text = format_structure(self.atoms, steps=self.steps if asked else None)
            replace_file(self.directory / CHECKPOINT_NAME, text)
            self._report_progress()
        if asked:
            raise StopRequested

    def _report_progress(self) -> None:
        self.report(
            f"step {self.steps}/{self.limits.max_steps} "
            f"largest force {_largest_force(self.atoms):.5f} eV/Å"
        )

    def _run(self, optimiser: FIRE | LBFGS, max_force: float) -> None:
        for _ in optimiser.irun(fmax=max_force, steps=self.limits.max_steps - self.steps):
            self._observe()
            self.steps += 1
        self.steps -= 1  # irun reports the starting geometry too

    def converge(self) -> None:
        """Run until the forces are small.

        Raises
        ------
        ConvergenceError
            If the step limit comes first.
        """
        wanted = self.limits.max_force_ev_per_angstrom
        if _largest_force(self.atoms) > max(LARGE_FORCE, wanted):
            self._run(FIRE(self.atoms, logfile=None), LARGE_FORCE)
        if self.steps < self.limits.max_steps:
            self._run(LBFGS(self.atoms, logfile=None, maxstep=LONGEST_STEP), wanted)
        self._report_progress()
        largest = _largest_force(self.atoms)
        if largest > wanted:
            raise ConvergenceError(
                f"the relaxation stopped after {self.steps} steps with a largest force of "
                f"{largest:.4f} eV/Å, above the {wanted} eV/Å asked for; allow more steps "
                "(max_steps) or accept larger forces",
                self.directory,
            )


def _look_at_minimum(
    atoms: Atoms, calculator: ModelCalculator, frozen: NDArray[np.bool_]
) -> tuple[NDArray[np.float64] | None, float | None]:
    """Downhill direction, if this is a saddle point, and the energy left above the minimum."""
    hessian = compute_hessian(calculator.force_field(atoms), atoms.get_positions())
    direction = find_downhill_direction(hessian, atoms.get_positions(), frozen)
    if direction is not None:
        return direction, None
    return None, predict_energy_left(hessian, atoms.get_forces(), atoms.get_positions(), frozen)


def relax_structure(
    start: Atoms,
    job: EngineJob,
    settings: ModelSettings,
    calculator: ModelCalculator,
    directory: Path,
    report: Callable[[str], None],
    steps: int = 0,
) -> Relaxed:
    """Relax the free atoms of `start` to a minimum.

    Parameters
    ----------
    start
        Geometry to start from, already rattled where wanted.
    job
        The job, with its relaxation settings and frozen atoms.
    settings
        The engine's settings.
    calculator
        Gives energies and forces.
    directory
        The job directory, for checkpoints.
    report
        Takes lines about the progress.
    steps
        Steps that led to `start`, of those that are allowed.

    Raises
    ------
    ConvergenceError
        If the step limit is reached first.
    EngineError
        If forces are not finite.
    StopRequested
        If it was asked to end; the geometry is stored.
    """
    atoms = start.copy()
    atoms.calc = calculator
    atoms.set_constraint(FixAtoms(mask=job.frozen) if np.any(job.frozen) else None)
    relaxation = _Relaxation(
        atoms, job.relaxation or RelaxationSettings(), directory, report, steps
    )
    relaxation.converge()
    warnings: list[str] = []
    if not settings.check_minimum or np.count_nonzero(~job.frozen) < 2:
        return Relaxed(atoms, relaxation.steps, ())
    if len(atoms) > LARGEST_HESSIAN_ATOMS:
        warnings.append(
            f"{len(atoms)} atoms: whether the relaxed geometry is a minimum was not checked "
            f"(limit {LARGEST_HESSIAN_ATOMS})"
        )
        return Relaxed(atoms, relaxation.steps, tuple(warnings))
    direction, energy_left = _look_at_minimum(atoms, calculator, job.frozen)
    for _ in range(SADDLE_ATTEMPTS):
        if direction is None:
            break
        report(f"step {relaxation.steps}: saddle point, going on downhill")
        atoms.set_positions(atoms.get_positions() + DOWNHILL_STEP * direction)
        relaxation.converge()
        direction, energy_left = _look_at_minimum(atoms, calculator, job.frozen)
    if direction is not None:
        warnings.append(
            "the relaxed geometry is still a saddle point (negative curvature); normal modes at "
            "it have no meaning. Relax further with a smaller max_force"
        )
    elif energy_left is None or energy_left > ENERGY_LEFT_EV:
        left = "an unknown energy" if energy_left is None else f"{1e3 * energy_left:.1f} meV"
        warnings.append(
            f"the relaxed geometry lies {left} above the minimum (½ F H⁻¹ F), more than "
            "kT at 12 K; a smaller max_force costs little with this engine"
        )
    return Relaxed(atoms, relaxation.steps, tuple(warnings))
