"""The Firetasks of every recipe. FireWorks stores their module path: treat it as schema.

A Firework carries the study it belongs to, the directory of the run and the name of its job; the
plan of the study says the rest. Every task may be run again: it goes on from what is on disk.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from fireworks import FireTaskBase, FWAction, explicit_serialize

from qdcomp.errors import WalltimeReached
from qdcomp.recipes.jobs.full_disk import explain_full_disk
from qdcomp.recipes.runs.pieces import make_next_piece
from qdcomp.recipes.runs.run_directory import open_run
from qdcomp.recipes.stages import stages
from qdcomp.recipes.stages.normal_modes import compute_mode_coupling_of_run
from qdcomp.recipes.stages.surface_results import combine_results, cut_molecules_of_run


def _names_a_full_disk(
    run_task: Callable[[Any, dict[str, Any]], FWAction],
) -> Callable[[Any, dict[str, Any]], FWAction]:
    @wraps(run_task)
    def run(self: Any, fw_spec: dict[str, Any]) -> FWAction:
        with explain_full_disk(Path(fw_spec["run_directory"])):
            return run_task(self, fw_spec)

    return run


@explicit_serialize
class BuildStructure(FireTaskBase):
    """Build the study's structures."""

    @_names_a_full_disk
    def run_task(self, fw_spec: dict[str, Any]) -> FWAction:
        """Run on the run and the job that `fw_spec` names."""
        structures = stages.build_structure_files(open_run(Path(fw_spec["run_directory"])))
        listing = [
            {"name": name, "atoms": len(structure.atoms), "charge": structure.charge}
            for name, structure in structures.items()
        ]
        return FWAction(stored_data={"structures": listing})


@explicit_serialize
class WriteInputs(FireTaskBase):
    """Write the engine's inputs, unless they are there."""

    @_names_a_full_disk
    def run_task(self, fw_spec: dict[str, Any]) -> FWAction:
        """Run on the run and the job that `fw_spec` names."""
        run = open_run(Path(fw_spec["run_directory"]))
        hashes = stages.write_job_inputs(run, run.find_job(fw_spec["job"]))
        listing = [{"file": name, "sha256": digest} for name, digest in hashes.items()]
        return FWAction(stored_data={"inputs": listing})  # no dots in keys: MongoDB reads paths


@explicit_serialize
class RunEngine(FireTaskBase):
    """Run the engine through custodian; go on where an earlier run was cut off.

    Where the batch job ends first, another Firework of the same name goes on in the same folder,
    before the children of this one.
    """

    @_names_a_full_disk
    def run_task(self, fw_spec: dict[str, Any]) -> FWAction:
        """Run on the run and the job that `fw_spec` names."""
        run = open_run(Path(fw_spec["run_directory"]))
        try:
            record = stages.run_engine(run, run.find_job(fw_spec["job"]))
        except WalltimeReached as reached:
            next_piece = make_next_piece([WriteInputs(), RunEngine()], fw_spec)
            return FWAction(stored_data={"walltime_reached": str(reached)}, detours=[next_piece])
        return FWAction(
            stored_data={"walltime_s": record.walltime_s, "corrections": record.corrections}
        )


@explicit_serialize
class ComputeNormalModes(FireTaskBase):
    """Compute the coupling without a trajectory, from normal modes."""

    @_names_a_full_disk
    def run_task(self, fw_spec: dict[str, Any]) -> FWAction:
        """Run on the run and the job that `fw_spec` names."""
        run = open_run(Path(fw_spec["run_directory"]))
        return FWAction(stored_data=compute_mode_coupling_of_run(run, run.find_job(fw_spec["job"])))


@explicit_serialize
class CollectTrajectory(FireTaskBase):
    """Join the segments of a trajectory into one H5MD file."""

    @_names_a_full_disk
    def run_task(self, fw_spec: dict[str, Any]) -> FWAction:
        """Run on the run and the job that `fw_spec` names."""
        run = open_run(Path(fw_spec["run_directory"]))
        frames = stages.collect_trajectory(run, run.find_job(fw_spec["job"]))
        return FWAction(stored_data={"frames": frames})


@explicit_serialize
class AnalyseTrajectory(FireTaskBase):
    """Compute the observables of one trajectory."""

    @_names_a_full_disk
    def run_task(self, fw_spec: dict[str, Any]) -> FWAction:
        """Run on the run and the job that `fw_spec` names."""
        run = open_run(Path(fw_spec["run_directory"]))
        summary = stages.analyse_trajectory(run, run.find_job(fw_spec["job"]))
        return FWAction(stored_data=summary)


@explicit_serialize
class SummariseTemperatures(FireTaskBase):
    """Put the linewidths of all sampling temperatures into one table."""

    @_names_a_full_disk
    def run_task(self, fw_spec: dict[str, Any]) -> FWAction:
        """Run on the run and the job that `fw_spec` names."""
        run = open_run(Path(fw_spec["run_directory"]))
        return FWAction(stored_data={"linewidths": stages.summarise_temperatures(run)})


@explicit_serialize
class CutMolecules(FireTaskBase):
    """Cut the molecules of a study of pairs out of its layer."""

    @_names_a_full_disk
    def run_task(self, fw_spec: dict[str, Any]) -> FWAction:
        """Run on the run and the job that `fw_spec` names."""
        run = open_run(Path(fw_spec["run_directory"]))
        return FWAction(stored_data={"molecules": cut_molecules_of_run(run)})


@explicit_serialize
class CombineResults(FireTaskBase):
    """Make the result of a study out of the energies of its jobs."""

    @_names_a_full_disk
    def run_task(self, fw_spec: dict[str, Any]) -> FWAction:
        """Run on the run and the job that `fw_spec` names."""
        run = open_run(Path(fw_spec["run_directory"]))
        return FWAction(stored_data=combine_results(run))
