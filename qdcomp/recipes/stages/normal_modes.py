"""The coupling without a trajectory: normal modes of the relaxed dot and the response of its gap.

Where the levels at the gap are not degenerate, the gradient of the gap gives S_k mode by mode. A
cubic dot that keeps its symmetry has a threefold LUMO; its gap then has no gradient, and the
spectrum is that of the exact harmonic motion, drawn many times from the canonical ensemble.
"""

from __future__ import annotations

import numpy as np

from qdcomp.analysis import (
    HuangRhysSpectrum,
    compute_huang_rhys_spectrum,
    compute_mode_coupling,
    compute_normal_modes,
    pool_spectra,
)
from qdcomp.engines import HarmonicEngine, HarmonicResponse
from qdcomp.errors import InputError
from qdcomp.recipes.jobs.planned_job import PlannedJob
from qdcomp.recipes.runs.results import save_result
from qdcomp.recipes.runs.run_directory import HARMONIC_NAME, MODES_NAME, RunDirectory
from qdcomp.structures import layer_groups

HARMONIC_DRAWS = 24
"""Independent harmonic trajectories, each as long as the one that is sampled by dynamics."""


def compute_mode_coupling_of_run(run: RunDirectory, job: PlannedJob) -> dict[str, float]:
    """Compute the coupling of a run's relaxed dot, write it, and return Λ and its error [eV].

    Raises
    ------
    InputError
        The engine does not offer this route.
    """
    if not isinstance(run.engine, HarmonicEngine):
        raise InputError(f"the engine {run.study.engine} does not compute normal modes")
    relaxation = run.job_directory(run.select_jobs("relax")[0])
    response = run.engine.compute_harmonic_response(relaxation)
    run.modes_directory.mkdir(parents=True, exist_ok=True)
    gradient = response.smooth_gap_gradient
    if gradient is None:
        spectrum = sample_harmonic_spectrum(run, response, job.seed)
        save_result(run.modes_directory / HARMONIC_NAME, spectrum)
        return {
            "reorganization_energy_ev": spectrum.reorganization_energy_ev,
            "reorganization_energy_error_ev": spectrum.reorganization_energy_error_ev,
        }
    structure = run.read_relaxed()
    modes = compute_normal_modes(
        response.hessian,
        response.atoms.get_masses(),
        positions=response.atoms.get_positions(),
        frozen=response.frozen,
    )
    symbols = np.array(structure.atoms.get_chemical_symbols())
    elements = {f"element {name}": symbols == name for name in dict.fromkeys(symbols.tolist())}
    layers = {f"layer {label}": mask for label, mask in layer_groups(structure).items()}
    coupling = compute_mode_coupling(modes, gradient, groups=elements | layers)
    save_result(run.modes_directory / MODES_NAME, coupling)
    return {"reorganization_energy_ev": coupling.reorganization_energy_ev}


def sample_harmonic_spectrum(
    run: RunDirectory, response: HarmonicResponse, seed: int
) -> HuangRhysSpectrum:
    """Sample the spectrum of the harmonic dot at the coldest temperature of the study."""
    sampling = run.dot_study.sampling
    temperature = min(sampling.temperatures_k)
    return pool_spectra(
        [
            compute_huang_rhys_spectrum(
                response.sample_gap(temperature, sampling.timestep_fs, sampling.steps, seed + draw),
                sampling.timestep_fs,
                temperature,
                window=run.dot_study.analysis.window,
            )
            for draw in range(HARMONIC_DRAWS)
        ]
    )
