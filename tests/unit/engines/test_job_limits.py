"""What VASP and CP2K refuse alike, before any job starts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from builders.vasp_jobs import make_molecule_job, make_slab_job

from qdcomp.engines.base import DynamicsSettings, EngineJob, RelaxationSettings
from qdcomp.engines.cp2k import inputs as cp2k_inputs
from qdcomp.engines.cp2k.settings import FUNCTIONALS, WITHOUT_D3, read_settings
from qdcomp.engines.vasp import inputs as vasp_inputs
from qdcomp.errors import InputError

Prepare = Callable[[EngineJob, Path | None], Any]


@pytest.fixture(params=["vasp", "cp2k"])
def prepare(request: pytest.FixtureRequest) -> Prepare:
    found: Prepare = {"vasp": vasp_inputs, "cp2k": cp2k_inputs}[request.param].prepare_job
    return found


def dynamics(**changes: Any) -> EngineJob:
    fields: dict[str, Any] = {"temperature_k": 300.0, "timestep_fs": 1.0, "steps": 10} | changes
    settings = DynamicsSettings(**fields)
    return make_molecule_job("dynamics", dynamics=settings)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"thermostat_time_fs": 0.0}, "time of the thermostat has to be positive, got 0"),
        ({"thermostat_time_fs": -100.0}, "time of the thermostat"),
        ({"thermostat_time_fs": float("nan")}, "time of the thermostat"),
        ({"thermostat_time_fs": float("inf")}, "time of the thermostat"),
        ({"temperature_k": 0.0}, "positive temperature"),
        ({"temperature_k": -1.0}, "positive temperature"),
        ({"timestep_fs": 0.0}, "positive time step"),
        ({"timestep_fs": float("nan")}, "positive time step"),
        ({"steps": 0}, "at least one step"),
    ],
)
def test_dynamics_that_makes_no_sense(prepare: Prepare, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        prepare(dynamics(**changes), None)


@pytest.mark.parametrize("time", [None, 15.0, 1000.0])
def test_a_thermostat_is_taken_as_it_is(time: float | None) -> None:
    assert cp2k_inputs.prepare_job(dynamics(thermostat_time_fs=time), None).dynamics is not None


@pytest.mark.parametrize(
    ("relaxation", "said"),
    [
        (RelaxationSettings(0.0), "a force .* has to be positive"),
        (RelaxationSettings(-0.02), "a force .* has to be positive"),
        (RelaxationSettings(float("nan")), "a force .* has to be positive"),
        (RelaxationSettings(0.02, max_steps=0), "at least one step"),
    ],
)
def test_relaxations_that_cannot_end(
    prepare: Prepare, relaxation: RelaxationSettings, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        prepare(make_molecule_job("relax", relaxation=relaxation), None)


def slab_with_ligand(height: float) -> Atoms:
    """A slab of 6 Å with a molecule that stands 4 Å above it."""
    positions = [[0, 0, 10.0], [3, 0, 10], [3, 3, 16], [0, 0, 20]]
    return Atoms(
        ["Cs", "Br", "Pb", "Br"], positions, cell=[6.0, 6.0, height], pbc=[True, True, False]
    )


@pytest.mark.parametrize(
    ("height", "dipole", "said"),
    [
        (14.0, False, "only 4.00 Å of vacuum between the slab and its image"),
        (18.0, True, "only 8.00 Å of vacuum for the dipole correction"),
    ],
)
def test_the_vacuum_is_measured_from_the_ligand(
    prepare: Prepare, height: float, dipole: bool, said: str
) -> None:
    job = make_slab_job("energy", atoms=slab_with_ligand(height), dipole_correction=dipole)
    with pytest.raises(InputError, match=said):
        prepare(job, None)


def test_little_vacuum_is_said(prepare: Prepare) -> None:
    for height, expected in ((18.0, True), (25.0, False)):
        prepared = prepare(make_slab_job("energy", atoms=slab_with_ligand(height)), None)
        assert any("Å of vacuum" in text for text in prepared.warnings) is expected


def test_a_crystal_has_no_vacuum_to_check() -> None:
    atoms = slab_with_ligand(12.0)
    atoms.pbc = True
    job = make_slab_job("energy", atoms=atoms, frozen=np.zeros(4, bool))
    assert vasp_inputs.prepare_job(job, None).cell[2, 2] == 12.0


@pytest.mark.parametrize("dispersion", ["D3", "D3BJ"])
def test_cp2k_has_no_d3_for_lda(dispersion: str) -> None:
    with pytest.raises(InputError, match="no parameters for LDA"):
        read_settings({"functional": "lda", "dispersion": dispersion})
    for functional in set(FUNCTIONALS) - WITHOUT_D3:
        assert read_settings({"functional": functional, "dispersion": dispersion})
