"""Real CP2K on a 1×1 slab of CsPbBr3, on methylammonium bromide and on N2."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from qdcomp.engines import Engine, EngineJob, EngineResult, RelaxationSettings, load_engine
from qdcomp.settings import read_machine_settings

pytestmark = [
    pytest.mark.cp2k,
    pytest.mark.slow,
    pytest.mark.skipif(
        not read_machine_settings().cp2k_command,
        reason="cp2k.psmp is not installed (Debian: apt-get install cp2k cp2k-data)",
    ),
]

SETTINGS = {
    "basis": "SZV-MOLOPT-SR-GTH",
    "cutoff_ry": 200,
    "eps_scf": 1e-6,
    "eps_default": 1e-12,
    "dispersion": "D3BJ",
}
A = 5.87
HEIGHT = 18.0
PATIENCE_S = 300.0
COARSE = {"cutoff_ry": 120}
"""Enough for energies that are compared on the same grid."""

N_STRETCH_PER_CM = 2358.6
"""Harmonic frequency of N2: Huber and Herzberg, Constants of Diatomic Molecules (1979)."""


def make_slab() -> Atoms:
    """CsBr/PbBr2/CsBr, with the symmetry of a mirror in its middle."""
    h = A / 2
    positions = [[0, 0, -h], [h, h, 0], [0, h, 0], [h, 0, 0], [h, h, h], [h, h, -h], [0, 0, h]]
    atoms = Atoms("CsPbBr4Cs", positions=positions, cell=[A, A, HEIGHT], pbc=(True, True, False))
    atoms.positions[:, 2] += HEIGHT / 2
    return atoms


def make_cation() -> Atoms:
    """Methylammonium with its nitrogen in the origin and its axis along z."""
    turns = 2 * np.pi * np.arange(3) / 3
    circle = np.column_stack([np.cos(turns), np.sin(turns), np.zeros(3)])
    on_nitrogen = 0.97 * circle - [0, 0, 0.35]
    on_carbon = [0, 0, 1.88] - 1.03 * circle
    return Atoms("NCH6", positions=[[0, 0, 0], [0, 0, 1.51], *on_nitrogen, *on_carbon])


def make_covered_slab() -> Atoms:
    """The slab with methylammonium in place of the caesium on its upper side."""
    slab, cation = make_slab(), make_cation()
    cation.positions += slab.positions[-1] + [0, 0, 0.8]
    return slab[:-1] + cation


def make_job(task: str, atoms: Atoms, **changes: object) -> EngineJob:
    settings = SETTINGS | dict(changes.pop("settings", {}))  # type: ignore[call-overload]
    fields = {"charge": 0, "frozen": np.zeros(len(atoms), bool)} | changes
    return EngineJob(task, atoms, settings=settings, **fields)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def engine() -> Engine:
    return load_engine("cp2k")


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("slab")


def run(
    engine: Engine, directory: Path, job: EngineJob, previous: Path | None = None
) -> EngineResult:
    directory.mkdir()
    engine.write_inputs(directory, job)
    if previous is not None:
        engine.restart_from(directory, previous)
    with (directory / engine.output_name).open("wb") as output:
        code = subprocess.run(
            engine.command(directory),
            cwd=directory,
            stdout=output,
            env=os.environ | engine.environment(directory),
            timeout=PATIENCE_S,
            check=False,
        ).returncode
    result = engine.parse(directory)
    assert code == 0
    assert engine.is_complete(directory)
    return result


def energy_of(result: EngineResult) -> float:
    assert result.energy_ev is not None
    return result.energy_ev


@pytest.fixture(scope="module")
def covered(engine: Engine, workplace: Path) -> EngineResult:
    return run(engine, workplace / "covered", make_job("energy", make_covered_slab()))


@pytest.fixture(scope="module")
def symmetric(engine: Engine, workplace: Path) -> EngineResult:
    return run(engine, workplace / "symmetric", make_job("energy", make_slab(), settings=COARSE))


def test_a_slab_relaxes_around_its_frozen_atoms(
    engine: Engine, workplace: Path, covered: EngineResult
) -> None:
    atoms = make_covered_slab()
    frozen = np.isin(atoms.get_chemical_symbols(), ["Cs", "Pb", "Br"])
    relaxation = RelaxationSettings(max_force_ev_per_angstrom=1.0, max_steps=10)
    job = make_job("relax", atoms, frozen=frozen, relaxation=relaxation)
    relaxed = run(engine, workplace / "relaxed", job, previous=workplace / "covered")
    assert 1 <= relaxed.steps <= 10
    assert energy_of(relaxed) < energy_of(covered) - 0.05
    moved = np.abs(relaxed.atoms.positions - atoms.positions).max(axis=1)
    assert moved[frozen].max() < 1e-6
    assert moved[~frozen].max() > 0.01
    assert relaxed.forces_ev_per_angstrom is not None
    assert np.abs(relaxed.forces_ev_per_angstrom[~frozen]).max() < 1.0
    np.testing.assert_allclose(relaxed.atoms.cell.array, atoms.cell.array)
    assert relaxed.frontier[0].gap_ev > 1.0
    assert any("(Γ) alone" in text for text in relaxed.warnings)


def test_three_kpoints_are_a_cell_three_times_as_long(
    engine: Engine, workplace: Path, symmetric: EngineResult
) -> None:
    slab = make_slab()
    jobs = {
        "sampled": make_job("energy", slab, kpoints=(3, 1, 1), settings=COARSE),
        "long": make_job("energy", slab.repeat((3, 1, 1)), settings=COARSE),
    }
    sampled, long = (run(engine, workplace / name, job) for name, job in jobs.items())
    assert energy_of(sampled) == pytest.approx(energy_of(long) / 3, abs=1e-4)
    assert abs(energy_of(sampled) - energy_of(symmetric)) > 0.1
    one, other = sampled.frontier[0], long.frontier[0]
    assert one.homo_ev == pytest.approx(other.homo_ev, abs=1e-3)
    assert one.lumo_ev == pytest.approx(other.lumo_ev, abs=1e-3)
    assert sampled.forces_ev_per_angstrom is not None
    assert long.forces_ev_per_angstrom is not None
    np.testing.assert_allclose(
        sampled.forces_ev_per_angstrom, long.forces_ev_per_angstrom[: len(slab)], atol=1e-3
    )


def test_the_functions_of_a_ghost_lower_the_energy_a_little(
    engine: Engine, workplace: Path
) -> None:
    atoms = make_covered_slab()
    ghost = np.arange(len(atoms)) >= 6
    ghost[4] = True  # the bromide above goes with the cation
    alone = run(engine, workplace / "alone", make_job("energy", atoms[~ghost], settings=COARSE))
    among = run(
        engine, workplace / "among", make_job("energy", atoms, ghost=ghost, settings=COARSE)
    )
    assert 1e-4 < energy_of(alone) - energy_of(among) < 0.1


def test_the_dipole_correction_leaves_a_symmetric_slab_as_it_is(
    engine: Engine, workplace: Path, symmetric: EngineResult
) -> None:
    job = make_job("energy", make_slab(), dipole_correction=True, settings=COARSE)
    corrected = run(engine, workplace / "corrected", job)
    assert energy_of(corrected) == pytest.approx(energy_of(symmetric), abs=1e-6)
    assert corrected.frontier[0].gap_ev == pytest.approx(symmetric.frontier[0].gap_ev, abs=0.005)


def test_the_dipole_of_one_side_costs_energy_that_images_gave(
    engine: Engine, workplace: Path, covered: EngineResult
) -> None:
    job = make_job("energy", make_covered_slab(), dipole_correction=True)
    corrected = run(engine, workplace / "one side", job)
    # parallel dipoles on top of one another attract: without them the energy is higher
    assert 0.05 < energy_of(corrected) - energy_of(covered) < 0.5


def test_an_ion_pair_is_bound(engine: Engine, workplace: Path) -> None:
    settings = COARSE | {"vacuum_angstrom": 3.5}
    cation, anion = make_cation(), Atoms("Br", positions=[[0, 0, -2.9]])
    jobs = {
        "pair": make_job("energy", cation + anion, settings=settings),
        "cation": make_job("energy", cation, charge=1, settings=settings),
        "anion": make_job("energy", anion, charge=-1, settings=settings),
    }
    results = {name: run(engine, workplace / name, job) for name, job in jobs.items()}
    pair, plus, minus = map(energy_of, results.values())
    # bromide has no empty orbital in a minimal basis
    assert [len(result.frontier) for result in results.values()] == [1, 1, 0]
    coulomb = 14.39964 / 3.6  # the charge sits around the middle of the molecule
    assert plus + minus - pair == pytest.approx(coulomb, rel=0.25)


def test_n2_vibrates_as_it_should(engine: Engine, workplace: Path) -> None:
    settings = {"basis": "DZVP-MOLOPT-SR-GTH", "cutoff_ry": 200, "eps_scf": 1e-7}
    atoms = Atoms("N2", positions=[[0, 0, 0], [0, 0, 1.113]])
    relaxation = RelaxationSettings(0.01, 20)
    shape = {"settings": settings, "box_angstrom": 6.3}
    relaxed = run(
        engine, workplace / "n2", make_job("relax", atoms, relaxation=relaxation, **shape)
    )
    result = run(
        engine,
        workplace / "n2 vibrations",
        make_job("vibrations", relaxed.atoms, **shape),
        previous=workplace / "n2",
    )
    assert result.frequencies_per_cm is not None
    (stretch,) = result.frequencies_per_cm
    assert stretch == pytest.approx(N_STRETCH_PER_CM, rel=0.02)
    assert energy_of(result) == pytest.approx(energy_of(relaxed), abs=1e-4)
    assert not any("not relaxed" in text for text in result.warnings)
