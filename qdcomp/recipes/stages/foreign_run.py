"""A run that qdcomp did not make: a code's outputs into qdcomp's files, and their analysis."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms

from qdcomp.analysis import DotAnalysis
from qdcomp.engines.foreign import ForeignDynamics, read_foreign_dynamics
from qdcomp.errors import InputError
from qdcomp.recipes.runs.results import save_result
from qdcomp.recipes.runs.run_directory import ANALYSIS_NAME, TRAJECTORY_NAME
from qdcomp.recipes.stages.stages import analyse_stored_trajectory
from qdcomp.recipes.study_files.dot_schema import AnalysisSpec
from qdcomp.structures import Structure, adopt_structure, write_structure
from qdcomp.trajectory import Trajectory, TrajectoryWriter, open_trajectory


@dataclass(frozen=True)
class ForeignRun:
    """An analysed run that qdcomp did not make.

    Attributes
    ----------
    outputs
        What was found.
    structure
        Its first frame, layers found where it is a cubic dot.
    analysis
        Its observables.
    trajectory_path
        H5MD file that it was written to.
    warnings
        What was assumed, and what the user should know.
    """

    outputs: ForeignDynamics
    structure: Structure
    analysis: DotAnalysis
    trajectory_path: Path
    warnings: tuple[str, ...]


def analyse_foreign_run(
    directory: Path,
    out: Path,
    *,
    temperature_k: float | None = None,
    timestep_fs: float | None = None,
    charge: int | None = None,
    skip_fs: float = 0.0,
    spec: AnalysisSpec | None = None,
) -> ForeignRun:
    """Analyse outputs of CP2K or VASP; write structure, trajectory and analysis to `out`.

    Parameters
    ----------
    directory
        The code's files.
    out
        Folder for the results; made if it is not there.
    temperature_k
        Temperature of the run [K]; None takes that of the input file.
    timestep_fs
        Time between frames [fs]; None takes what the files say.
    charge
        Total charge [e]; None takes that of the files, or assumes 0 where they do not say, which
        enters no number and is said in the warnings.
    skip_fs
        Time at the beginning that is left out as equilibration [fs].
    spec
        What to compute.

    Raises
    ------
    InputError
        No temperature, time step or frontier orbitals, or nothing left after `skip_fs`.
    ParseError
        A damaged file, two runs in one, or files that do not belong together.
    """
    outputs = read_foreign_dynamics(directory, timestep_fs=timestep_fs)
    temperature = outputs.temperature_k if temperature_k is None else temperature_k
    if temperature is None:
        raise InputError(f"{directory} does not say its temperature; give it: --temperature 10")
    if not outputs.has_frontier_orbitals:
        raise InputError(f"{directory}: {outputs.warnings[-1]}")
    out.mkdir(parents=True, exist_ok=True)
    known = outputs.charge if charge is None else charge
    structure = _read_first_structure(outputs, known)
    path = _write_trajectory(outputs, out / TRAJECTORY_NAME, skip_fs)
    with open_trajectory(path) as trajectory:
        structure, held = _hold_what_stood_still(structure, trajectory)
        analysis = analyse_stored_trajectory(
            trajectory, structure, temperature, spec or AnalysisSpec()
        )
    write_structure(structure, out / "structure.extxyz")
    save_result(out / ANALYSIS_NAME, analysis)
    assumed = () if known is not None else ("the total charge is not known, 0 is written down",)
    warnings = (*outputs.warnings, *assumed, *held, *structure.warnings)
    return ForeignRun(outputs, structure, analysis, path, warnings)


def _read_first_structure(outputs: ForeignDynamics, charge: int | None) -> Structure:
    first = next(outputs.frames())
    atoms = Atoms(outputs.symbols, positions=first.positions)
    return adopt_structure(atoms, outputs.path, charge or 0)


def _hold_what_stood_still(
    structure: Structure, trajectory: Trajectory
) -> tuple[Structure, tuple[str, ...]]:
    """Mark atoms with the same coordinates in every frame as frozen, and say so.

    They fix the frame of reference: no rotation is taken out, and they are no degrees of freedom.
    """
    still = np.ptp(trajectory.positions(), axis=0).max(axis=1) == 0.0
    if not still.any() or still.all():
        return structure, ()
    return structure.with_frozen(still), (
        f"{int(still.sum())} of {len(still)} atoms stand at the same place in every frame and are "
        "taken as held fixed",
    )


def _write_trajectory(outputs: ForeignDynamics, path: Path, skip_fs: float) -> Path:
    if not 0.0 <= skip_fs < math.inf:
        raise InputError(
            f"a time of {skip_fs:g} fs cannot be left out at the beginning; "
            "expected 0 or a positive number of fs"
        )
    skipped = round(skip_fs / outputs.timestep_fs)
    if skipped >= outputs.n_frames:
        raise InputError(
            f"{skip_fs:g} fs are left out at the beginning, and the run is only "
            f"{outputs.n_frames * outputs.timestep_fs:g} fs long"
        )
    partial = path.with_suffix(".partial.h5")
    partial.unlink(missing_ok=True)
    with TrajectoryWriter(
        partial,
        outputs.symbols,
        outputs.masses,
        outputs.timestep_fs,
        metadata=outputs.metadata | {"skipped_fs": skipped * outputs.timestep_fs},
    ) as writer:
        for index, frame in enumerate(outputs.frames()):
            if index >= skipped:
                writer.append(frame)
    partial.replace(path)
    return path
