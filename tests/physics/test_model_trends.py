"""The surrogate's linewidth falls with the size of the dot, and with the thickness held fixed."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from qdcomp.analysis import compute_linewidth
from qdcomp.engines.base import EngineJob, RelaxationSettings
from qdcomp.engines.model import ModelEngine
from qdcomp.engines.model.runner import run_job
from qdcomp.structures import Structure, build_quantum_dot, select_frozen_atoms
from qdcomp.units import BOLTZMANN_EV_PER_K

TEMPERATURE_K, TIMESTEP_FS, STEPS, DRAWS = 10.0, 10.0, 400, 6
ENGINE = ModelEngine()


def compute_harmonic_linewidth(dot: Structure, directory: Path) -> tuple[float, float]:
    """Γ(300 K) of a relaxed dot by the route without a trajectory, and its standard error [eV]."""
    job = EngineJob(
        "relax", dot.atoms, dot.charge, dot.frozen, relaxation=RelaxationSettings(1e-3, 2000)
    )
    directory.mkdir()
    ENGINE.write_inputs(directory, job)
    run_job(directory, lambda line: None)
    response = ENGINE.compute_harmonic_response(directory)
    variances = [
        np.var(response.sample_gap(TEMPERATURE_K, TIMESTEP_FS, STEPS, seed))
        for seed in range(DRAWS)
    ]
    energies = np.array(variances) / (2.0 * BOLTZMANN_EV_PER_K * TEMPERATURE_K)
    width = compute_linewidth(float(energies.mean()), 300.0)
    relative = energies.std(ddof=1) / np.sqrt(DRAWS) / energies.mean()
    return width, 0.5 * width * float(relative)


def assert_falling(widths: list[tuple[float, float]]) -> None:
    for (wide, wide_error), (narrow, narrow_error) in itertools.pairwise(widths):
        assert wide - narrow > 2.0 * np.hypot(wide_error, narrow_error)


@pytest.mark.slow
def test_the_linewidth_falls_with_size(tmp_path: Path) -> None:
    dots = [build_quantum_dot(cells=cells, charge="formal") for cells in (2, 3, 4)]
    assert_falling(
        [
            compute_harmonic_linewidth(dot, tmp_path / f"cells_{index}")
            for index, dot in enumerate(dots)
        ]
    )


@pytest.mark.slow
def test_the_linewidth_falls_with_the_thickness_of_a_frozen_shell(tmp_path: Path) -> None:
    dot = build_quantum_dot(cells=3, charge="formal")
    dots = [dot] + [
        dot.with_frozen(select_frozen_atoms(dot, "shell", thickness)) for thickness in (0.5, 1.0)
    ]
    assert_falling(
        [
            compute_harmonic_linewidth(each, tmp_path / f"shell_{index}")
            for index, each in enumerate(dots)
        ]
    )
