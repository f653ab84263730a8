"""The stand-in: pymatgen reads what it writes, and it refuses what VASP refuses."""

import dataclasses
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders.vasp_jobs import make_molecule_job, make_slab_job
from builders.vasp_potcars import write_potcars
from builders.vasp_stand_in import install_stand_in
from pymatgen.io.vasp.inputs import Poscar
from pymatgen.io.vasp.outputs import Eigenval, Oszicar, Outcar, Procar, Vasprun, Xdatcar

from qdcomp.engines import Engine, load_engine
from qdcomp.engines.base import DynamicsSettings, RelaxationSettings

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture(scope="module")
def binaries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install_stand_in(tmp_path_factory.mktemp("bin"))


@pytest.fixture
def engine(tmp_path: Path, binaries: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setenv("QDCOMP_VASP", str(binaries))
    monkeypatch.delenv("QDCOMP_VASP_GAMMA", raising=False)
    monkeypatch.setenv("PMG_VASP_PSP_DIR", str(write_potcars(tmp_path / "sets")))
    return load_engine("vasp")


def write(engine: Engine, directory: Path, job: Any) -> Path:
    directory.mkdir()
    engine.write_inputs(directory, job)
    return directory


def run(engine: Engine, directory: Path) -> str:
    done = subprocess.run(
        engine.command(directory), cwd=directory, capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    return done.stdout


def relax(**changes: Any) -> Any:
    relaxation = RelaxationSettings(max_force_ev_per_angstrom=0.02)
    return make_slab_job("relax", relaxation=relaxation, **changes)


def test_it_says_what_it_is(engine: Engine, tmp_path: Path) -> None:
    directory = write(engine, tmp_path / "job", make_slab_job("energy"))
    first = run(engine, directory).splitlines()[0]
    assert "NOT VASP" in first
    assert "not VASP" in (directory / "OUTCAR").read_text().splitlines()[0]
    assert "not VASP" in (directory / "vasprun.xml").read_text()


def test_pymatgen_reads_what_it_writes(engine: Engine, tmp_path: Path) -> None:
    directory = write(engine, tmp_path / "job", relax())
    run(engine, directory)
    result = engine.parse(directory)
    vasprun = Vasprun(directory / "vasprun.xml", parse_potcar_file=False)
    outcar = Outcar(directory / "OUTCAR")
    assert vasprun.converged and vasprun.vasp_version == "5.4.4.stand-in"
    assert vasprun.final_energy == pytest.approx(result.energy_ev, abs=1e-7)
    assert outcar.final_energy == pytest.approx(result.energy_ev, abs=1e-7)
    assert outcar.nelect == 60
    gap, lumo, homo, _ = Eigenval(directory / "EIGENVAL").eigenvalue_band_properties
    (frontier,) = result.frontier
    assert (frontier.homo_ev, frontier.lumo_ev) == pytest.approx((homo, lumo), abs=1e-6)
    assert frontier.gap_ev == pytest.approx(gap, abs=1e-6)
    assert len(Oszicar(directory / "OSZICAR").ionic_steps) == result.steps
    assert len(Xdatcar(directory / "XDATCAR").structures) == result.steps
    assert Procar(directory / "PROCAR").nions == 7
    contcar = Poscar.from_file(directory / "CONTCAR", check_for_potcar=False)
    found, expected = contcar.structure.cart_coords, vasprun.final_structure.cart_coords
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("optimizer", ["RMM-DIIS", "CG", "damped"])
def test_relaxations_end_in_the_same_minimum(
    engine: Engine, tmp_path: Path, optimizer: str
) -> None:
    frozen = np.array([True, False, False, False, False, False, True])
    job = relax(settings={"optimizer": optimizer}, frozen=frozen)
    directory = write(engine, tmp_path / "job", job)
    run(engine, directory)
    result = engine.parse(directory)
    assert engine.is_complete(directory)
    forces = result.forces_ev_per_angstrom
    assert forces is not None
    assert np.linalg.norm(forces[~frozen], axis=1).max() < 0.02
    moved = np.abs(result.atoms.positions - job.atoms.positions).max(axis=1)
    assert moved[frozen].max() < 1e-6 < 0.1 < moved[~frozen].max()
    assert result.atoms.get_chemical_symbols() == job.atoms.get_chemical_symbols()


def test_forces_are_derivatives_of_the_energy(engine: Engine, tmp_path: Path) -> None:
    energies = []
    for shift in (0.0, 0.01, -0.01):
        job = make_slab_job("energy")
        job.atoms.positions[2, 0] += shift
        directory = write(engine, tmp_path / f"job{shift}", job)
        run(engine, directory)
        energies.append(engine.parse(directory))
    forces = energies[0].forces_ev_per_angstrom
    assert forces is not None
    up, down = energies[1].energy_ev, energies[2].energy_ev
    assert up is not None and down is not None
    assert forces[2, 0] == pytest.approx(-(up - down) / 0.02, abs=2e-3)


@pytest.mark.parametrize("thermostat", [None, "nose", "csvr", "langevin", "andersen"])
def test_dynamics_conserves_its_energy(
    engine: Engine, tmp_path: Path, thermostat: str | None
) -> None:
    settings = {"thermostat": thermostat or "nose", "version": "6.4.3"}
    time = None if thermostat is None else 50.0
    dynamics = DynamicsSettings(300.0, 0.5, 60, thermostat_time_fs=time)
    job = make_slab_job("dynamics", settings=settings, dynamics=dynamics)
    directory = write(engine, tmp_path / "job", job)
    run(engine, directory)
    frames = list(engine.read_frames(directory))
    conserved = np.array([frame.conserved_energy_ev for frame in frames])
    potential = np.array([frame.potential_energy_ev for frame in frames])
    assert np.ptp(potential) > 0.1
    assert np.ptp(conserved) < 0.03 * np.ptp(potential)


def test_vibrations_of_a_molecule(engine: Engine, tmp_path: Path) -> None:
    relaxed = write(engine, tmp_path / "relax", make_molecule_job("relax",
        relaxation=RelaxationSettings(max_force_ev_per_angstrom=1e-4)))  # fmt: skip
    run(engine, relaxed)
    atoms = engine.parse(relaxed).atoms
    job = dataclasses.replace(make_molecule_job("vibrations"), atoms=atoms)
    directory = write(engine, tmp_path / "job", job)
    run(engine, directory)
    result = engine.parse(directory)
    found = result.frequencies_per_cm
    assert found is not None and found.shape == (6,)
    assert np.abs(found[:5]).max() < 15 and found[5] > 1000
    assert result.energy_ev == pytest.approx(engine.parse(relaxed).energy_ev, abs=1e-6)


EDITS = [
    ("POSCAR", "Cs Br Pb", "Cs Pb Br", "POTCAR are incompatible"),
    ("POSCAR", "2 4 1", "2 4 2", "not as many positions"),
    ("INCAR", "EDIFFG = 0.001", "EDIFFG = tight", "Error reading item EDIFFG from file INCAR"),
    ("INCAR", "IBRION = 1", "IBRION = 17", "IBRION = 17 is not known"),
    ("INCAR", "NSW = 500", "NSW = -3", "NSW = -3 is negative"),
    ("KPOINTS", "4 4 1", "4 0 1", "Error reading KPOINTS"),
    ("KPOINTS", "Monkhorst", "Wrong", "Error reading KPOINTS"),
    ("POTCAR", "TITEL", "TITLE", "POTCAR is corrupt"),
]


@pytest.mark.parametrize(("name", "old", "new", "said"), EDITS)
def test_wrong_inputs_are_refused(
    engine: Engine, tmp_path: Path, binaries: Path, name: str, old: str, new: str, said: str
) -> None:
    directory = write(engine, tmp_path / "job", make_slab_job("relax"))
    lines = [" ".join(line.split()) for line in (directory / name).read_text().splitlines()]
    assert any(old in line for line in lines)
    ends = [" " * line.startswith("End of Dataset") + line for line in lines]
    (directory / name).write_text("\n".join(ends).replace(old, new) + "\n")
    done = subprocess.run([binaries], cwd=directory, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and said in " ".join(done.stdout.split())
    assert not (directory / "CONTCAR").exists()


@pytest.mark.parametrize("name", ["INCAR", "KPOINTS", "POSCAR", "POTCAR"])
def test_a_missing_input_is_named(
    engine: Engine, tmp_path: Path, binaries: Path, name: str
) -> None:
    directory = write(engine, tmp_path / "job", make_slab_job("relax"))
    (directory / name).unlink()
    done = subprocess.run([binaries], cwd=directory, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and f"no {name} found" in done.stdout


@pytest.mark.parametrize("count", [1, 4])
def test_a_potcar_with_another_number_of_data_sets_is_refused(
    engine: Engine, tmp_path: Path, binaries: Path, count: int
) -> None:
    directory = write(engine, tmp_path / "job", make_slab_job("relax"))
    sets = (directory / "POTCAR").read_text().split(" End of Dataset\n")[:3]
    sets = (sets * 2)[:count]
    (directory / "POTCAR").write_text("".join(f"{text} End of Dataset\n" for text in sets))
    done = subprocess.run([binaries], cwd=directory, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "number of data sets on file POTCAR" in done.stdout


def test_an_odd_number_of_electrons_without_spin_is_warned_of(
    engine: Engine, tmp_path: Path, binaries: Path
) -> None:
    directory = write(engine, tmp_path / "job", make_slab_job("energy"))
    with (directory / "INCAR").open("a") as stream:
        stream.write("NELECT = 61\n")
    done = subprocess.run([binaries], cwd=directory, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "odd number of electrons" in done.stdout


@pytest.mark.parametrize(("tag", "left"), [("LSTOP", "soft"), ("LABORT", "hard")])
def test_it_ends_when_asked_to(engine: Engine, tmp_path: Path, tag: str, left: str) -> None:
    directory = write(engine, tmp_path / "job", relax())
    (directory / "STOPCAR").write_text(f"{tag} = .TRUE.\n")
    assert f"{left} stop encountered" in run(engine, directory)
    assert engine.count_steps(directory) == (1 if left == "soft" else 0)
    assert not engine.is_complete(directory)


def test_it_replays_what_it_is_given(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = write(engine, tmp_path / "first", relax())
    run(engine, first)
    second = write(engine, tmp_path / "second", relax())
    monkeypatch.setenv("VASP_STAND_IN", f'{{"replay": "{first}"}}')
    run(engine, second)
    assert (second / "OUTCAR").read_bytes() == (first / "OUTCAR").read_bytes()
    assert engine.parse(second).energy_ev == engine.parse(first).energy_ev


def test_settings_of_the_level_shift_the_energy(engine: Engine, tmp_path: Path) -> None:
    energies = []
    for number, settings in enumerate(
        ({}, {"dispersion": "none"}, {"encut_ev": 300}, {"functional": "RPBE"})
    ):
        job = make_slab_job("energy", settings=settings)
        directory = write(engine, tmp_path / f"job{number}", job)
        run(engine, directory)
        energies.append(engine.parse(directory).energy_ev)
    assert len({round(energy or 0.0, 4) for energy in energies}) == 4
