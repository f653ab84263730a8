import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms, units
from builders.vasp_jobs import make_mixed_slab, make_molecule_job, make_slab_job
from builders.vasp_potcars import write_potcars
from pymatgen.io.vasp.inputs import Incar, Kpoints, Poscar

from qdcomp.engines.base import DynamicsSettings, EngineJob, RelaxationSettings
from qdcomp.engines.vasp.cost import count_bands, count_waves, estimate_cost
from qdcomp.engines.vasp.inputs import describe_level, prepare_job, write_inputs
from qdcomp.engines.vasp.job_file import JOB_NAME, JobFile, read_job_file
from qdcomp.engines.vasp.potcar import read_titles
from qdcomp.engines.vasp.thermostats import compute_nose_mass
from qdcomp.errors import InputError, ParseError
from qdcomp.units import AMU_ANGSTROM2_PER_FS2_EV, BOLTZMANN_EV_PER_K

DYNAMICS = DynamicsSettings(300.0, 1.0, 20, thermostat_time_fs=100.0)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = write_potcars(tmp_path / "sets")
    monkeypatch.setenv("PMG_VASP_PSP_DIR", str(root))
    return root / "POT_GGA_PAW_PBE"


def write(directory: Path, job: EngineJob, folder: Path) -> tuple[JobFile, Incar]:
    directory.mkdir(exist_ok=True)
    write_inputs(directory, prepare_job(job, folder))
    return read_job_file(directory), Incar.from_file(directory / "INCAR")


def test_a_relaxation_has_the_papers_settings(tmp_path: Path, folder: Path) -> None:
    _, incar = write(tmp_path / "job", make_slab_job("relax"), folder)
    expected = {
        "GGA": "Pe", "IVDW": 12, "ENCUT": 400.0, "EDIFF": 1e-6, "EDIFFG": 1e-3, "IBRION": 1,
        "ISIF": 2, "ISMEAR": 0, "SIGMA": 0.05, "ISPIN": 1, "NSW": 500, "LREAL": False,
        "LWAVE": True, "LCHARG": False,
    }  # fmt: skip
    assert {tag: incar[tag] for tag in expected} == expected
    assert "NELECT" not in incar and "LDIPOL" not in incar
    kpoints = Kpoints.from_file(tmp_path / "job" / "KPOINTS")
    assert (kpoints.style.name, tuple(kpoints.kpts[0])) == ("Monkhorst", (4, 4, 1))


def test_atoms_come_back_from_poscar_in_the_order_of_the_job(tmp_path: Path, folder: Path) -> None:
    job, _ = write(tmp_path / "job", make_slab_job(), folder)
    poscar = Poscar.from_file(tmp_path / "job" / "POSCAR", check_for_potcar=False)
    assert poscar.site_symbols == ["Cs", "Br", "Pb"]
    assert read_titles(tmp_path / "job" / "POTCAR") == tuple(kind.titel for kind in job.species)
    assert [kind.symbol for kind in job.species] == poscar.site_symbols
    positions = job.restore_order(np.array(poscar.structure.cart_coords))
    assert positions == pytest.approx(make_mixed_slab().get_positions())
    symbols = [job.symbols[atom] for atom in job.order]
    assert symbols == [site.specie.symbol for site in poscar.structure]


def test_the_job_file_keeps_everything(tmp_path: Path, folder: Path) -> None:
    settings = {"potcar": {"Pb": "Pb"}, "incar": {"LASPH": True}, "symmetry": False}
    prepared = prepare_job(make_slab_job("relax", settings=settings), folder)
    write_inputs(tmp_path, prepared)
    found = read_job_file(tmp_path)
    for entry in dataclasses.fields(JobFile):
        ours, theirs = getattr(prepared, entry.name), getattr(found, entry.name)
        assert np.array_equal(ours, theirs) if isinstance(ours, np.ndarray) else ours == theirs
    (tmp_path / JOB_NAME).write_text("{")
    with pytest.raises(ParseError, match="not a job description"):
        read_job_file(tmp_path)


def test_frozen_atoms_are_held(tmp_path: Path, folder: Path) -> None:
    frozen = np.array([True, False, True, False, False, False, False])
    job, _ = write(tmp_path / "job", make_slab_job(frozen=frozen), folder)
    poscar = Poscar.from_file(tmp_path / "job" / "POSCAR", check_for_potcar=False)
    flags = np.array(poscar.selective_dynamics, dtype=float)
    assert (job.restore_order(flags)[:, 0] == 0).tolist() == frozen.tolist()


@pytest.mark.parametrize(
    ("relaxation", "ediffg"),
    [
        (RelaxationSettings(max_energy_change_ev=1e-3), 1e-3),
        (RelaxationSettings(max_force_ev_per_angstrom=0.02), -0.02),
    ],
)
def test_the_sign_of_the_criterion_is_its_meaning(
    tmp_path: Path, folder: Path, relaxation: RelaxationSettings, ediffg: float
) -> None:
    _, incar = write(tmp_path / "job", make_slab_job(relaxation=relaxation), folder)
    assert incar["EDIFFG"] == ediffg


@pytest.mark.parametrize(
    ("relaxation", "said"),
    [
        (RelaxationSettings(max_energy_change_ev=-1e-3), "give max_force_ev_per_angstrom"),
        (RelaxationSettings(max_energy_change_ev=0.0), "has to be positive"),
        (RelaxationSettings(max_force_ev_per_angstrom=-0.02), "give max_energy_change_ev"),
        (RelaxationSettings(max_steps=0), "max_steps"),
    ],
)
def test_a_criterion_of_the_wrong_sign_is_refused(
    folder: Path, relaxation: RelaxationSettings, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        prepare_job(make_slab_job(relaxation=relaxation), folder)


def test_a_charge_sets_the_number_of_electrons(tmp_path: Path, folder: Path) -> None:
    valence = 2 * 9 + 14 + 4 * 7
    job, incar = write(tmp_path / "job", make_slab_job(charge=2), folder)
    assert incar["NELECT"] == job.electrons == valence - 2
    assert any("uniform background" in text for text in job.warnings)
    with pytest.raises(InputError, match=r"leaves -40 electrons"):
        prepare_job(make_slab_job(charge=100), folder)


def test_an_odd_electron_count_is_a_doublet_and_said(tmp_path: Path, folder: Path) -> None:
    job, incar = write(tmp_path / "job", make_slab_job(charge=1), folder)
    assert (incar["ISPIN"], incar["NUPDOWN"]) == (2, 1)
    assert any("odd number of electrons (59)" in text for text in job.warnings)
    for settings in ({"spin_polarized": False}, {"multiplicity": 3}):
        with pytest.raises(InputError, match="59 electrons"):
            prepare_job(make_slab_job(charge=1, settings=settings), folder)


def test_a_molecule_has_a_box_and_the_zone_centre(tmp_path: Path, folder: Path) -> None:
    job, _ = write(tmp_path / "job", make_molecule_job(), folder)
    assert np.diag(job.cell).tolist() == [17.5] * 3
    middle = (job.positions.max(axis=0) + job.positions.min(axis=0)) / 2
    assert middle == pytest.approx([8.75] * 3)
    assert job.positions - job.origin == pytest.approx(make_molecule_job().atoms.get_positions())
    kpoints = Kpoints.from_file(tmp_path / "job" / "KPOINTS")
    assert (kpoints.style.name, tuple(kpoints.kpts[0])) == ("Gamma", (1, 1, 1))
    with pytest.raises(InputError, match="too small"):
        prepare_job(make_molecule_job(box_angstrom=5.0), folder)
    with pytest.raises(InputError, match="1 where the structure does not repeat"):
        prepare_job(make_molecule_job(kpoints=(2, 1, 1)), folder)


def test_a_charged_molecule_is_corrected_for_its_images(tmp_path: Path, folder: Path) -> None:
    job, incar = write(tmp_path / "job", make_molecule_job(charge=-2), folder)
    assert (incar["LMONO"], incar["IDIPOL"], incar["NELECT"]) == (True, 4, 10)
    assert any("first-order correction on" in text for text in job.warnings)
    off = make_molecule_job(charge=-2, settings={"monopole_correction": False})
    assert "LMONO" not in write(tmp_path / "off", off, folder)[1]


def test_the_dipole_of_a_slab_is_taken_at_its_middle(tmp_path: Path, folder: Path) -> None:
    _, incar = write(tmp_path / "job", make_slab_job(dipole_correction=True), folder)
    assert (incar["LDIPOL"], incar["IDIPOL"]) == (True, 3)
    assert incar["DIPOL"] == pytest.approx([0.5, 0.5, 13.0 / 25.0])
    slanted = make_mixed_slab()
    slanted.set_cell([[6, 0, 0], [0, 6, 0], [1, 0, 25]])
    with pytest.raises(InputError, match="along z"):
        prepare_job(make_slab_job(atoms=slanted, dipole_correction=True), folder)


def test_cells_that_vasp_cannot_use_are_refused(folder: Path) -> None:
    mirrored = make_mixed_slab()
    mirrored.set_cell([[6, 0, 0], [0, 6, 0], [0, 0, -25]])
    with pytest.raises(InputError, match="right-handed"):
        prepare_job(make_slab_job(atoms=mirrored), folder)
    wire = make_mixed_slab()
    wire.set_pbc([True, False, False])
    with pytest.raises(InputError, match="repeats along x and y"):
        prepare_job(make_slab_job(atoms=wire, kpoints=(1, 1, 1)), folder)


def test_ghost_atoms_are_refused(folder: Path) -> None:
    ghost = np.arange(7) == 0
    with pytest.raises(InputError, match="plane waves"):
        prepare_job(make_slab_job(ghost=ghost), folder)


def test_a_cutoff_below_what_data_sets_ask_for_is_said(folder: Path) -> None:
    job = prepare_job(make_slab_job(settings={"encut_ev": 220}), folder)
    said = next(text for text in job.warnings if "ENMAX" in text)
    assert "Pb_d 237.8" in said and "Br" not in said.split("ENMAX")[1]
    assert not any("ENMAX" in text for text in prepare_job(make_slab_job(), folder).warnings)


def test_a_slab_at_the_zone_centre_is_said(folder: Path) -> None:
    job = prepare_job(make_slab_job(kpoints=(1, 1, 1)), folder)
    assert any("zone centre only" in text for text in job.warnings)


def test_vibrations_displace_the_free_atoms(tmp_path: Path, folder: Path) -> None:
    frozen = np.arange(7) < 5
    _, incar = write(tmp_path / "job", make_slab_job("vibrations", frozen=frozen), folder)
    assert (incar["IBRION"], incar["NFREE"], incar["POTIM"]) == (5, 2, 0.015)
    assert "EDIFFG" not in incar
    with pytest.raises(InputError, match="nothing to move"):
        prepare_job(make_slab_job("vibrations", frozen=np.ones(7, bool)), folder)


def dynamics_job(thermostat: str, **changes: Any) -> EngineJob:
    settings = {"thermostat": thermostat, "version": changes.pop("version", "5.4")}
    dynamics = dataclasses.replace(DYNAMICS, **changes)
    return make_slab_job("dynamics", settings=settings, dynamics=dynamics)


@pytest.mark.parametrize(
    ("thermostat", "version", "tags"),
    [
        ("csvr", "6.4.3", {"MDALGO": 5, "CSVR_PERIOD": 100.0}),
        ("langevin", "5.4", {"MDALGO": 3, "LANGEVIN_GAMMA": [10.0, 10.0, 10.0]}),
        ("andersen", "5.4", {"MDALGO": 1, "ANDERSEN_PROB": 0.01}),
    ],
)
def test_a_thermostat_gets_the_time_of_the_job(
    tmp_path: Path, folder: Path, thermostat: str, version: str, tags: dict[str, Any]
) -> None:
    _, incar = write(tmp_path / "job", dynamics_job(thermostat, version=version), folder)
    assert {tag: incar[tag] for tag in tags} == tags
    assert (incar["IBRION"], incar["NSW"], incar["ISYM"], incar["ISIF"]) == (0, 20, 0, 2)
    assert (incar["TEBEG"], incar["TEEND"], incar["POTIM"]) == (300.0, 300.0, 1.0)
    assert incar["RANDOM_SEED"] == [1, 0, 0]


def test_the_csvr_thermostat_is_refused_where_vasp_has_none(folder: Path) -> None:
    for version in ("5.4", "5.4.4", "6.4.2"):
        with pytest.raises(InputError, match=r"no CSVR thermostat.*thermostat: nose"):
            prepare_job(dynamics_job("csvr", version=version), folder)
    said = prepare_job(dynamics_job("csvr", version="6.5", timestep_fs=5.0), folder).warnings
    assert any("CSVR_PERIOD is written in fs" in text for text in said)


def test_another_thermostat_than_the_one_asked_for_is_said(folder: Path) -> None:
    for name in ("nose", "langevin", "andersen"):
        said = prepare_job(dynamics_job(name), folder).warnings
        assert any("in place of CSVR" in text for text in said)


def test_without_a_thermostat_nothing_collides(tmp_path: Path, folder: Path) -> None:
    _, incar = write(tmp_path / "job", dynamics_job("csvr", thermostat_time_fs=None), folder)
    assert (incar["MDALGO"], incar["ANDERSEN_PROB"]) == (1, 0.0)
    assert "SMASS" not in incar and "CSVR_PERIOD" not in incar


def test_the_nose_mass_is_that_of_its_period(folder: Path) -> None:
    job = prepare_job(dynamics_job("nose"), folder)
    mass = compute_nose_mass(job, period_fs=100.0, temperature_k=300.0)
    edge, freedom = 6.0, 3 * 7 - 3
    inertia = mass * edge**2 * AMU_ANGSTROM2_PER_FS2_EV  # [eV fs²]
    frequency = np.sqrt(2 * freedom * BOLTZMANN_EV_PER_K * 300.0 / inertia)
    assert 2 * np.pi / frequency == pytest.approx(100.0)


def test_velocities_are_the_jobs_own_or_drawn_with_its_seed(tmp_path: Path, folder: Path) -> None:
    drawn = [
        prepare_job(dataclasses.replace(dynamics_job("nose"), seed=seed), folder).velocities
        for seed in (1, 1, 2)
    ]
    assert np.array_equal(drawn[0], drawn[1]) and not np.array_equal(drawn[0], drawn[2])
    own = dynamics_job("nose")
    own.atoms.set_velocities(np.full((7, 3), 0.01) / units.fs)
    job, _ = write(tmp_path / "job", own, folder)
    assert job.velocities == pytest.approx(np.full((7, 3), 0.01))
    poscar = Poscar.from_file(tmp_path / "job" / "POSCAR", check_for_potcar=False)
    assert np.array(poscar.velocities) == pytest.approx(np.full((7, 3), 0.01))


def test_drawn_velocities_have_the_temperature_and_no_drift(folder: Path) -> None:
    atoms = Atoms(
        "Cs2PbBr4" * 60,
        positions=np.random.default_rng(0).uniform(0, 20, (420, 3)),
        cell=[20, 20, 20],
        pbc=True,
    )
    job = make_slab_job("dynamics", atoms=atoms, settings={"thermostat": "nose"}, dynamics=DYNAMICS)
    velocities = prepare_job(job, folder).velocities
    assert velocities is not None
    masses = atoms.get_masses()[:, None]
    assert np.abs((masses * velocities).sum(axis=0)).max() < 1e-9
    kinetic = 0.5 * AMU_ANGSTROM2_PER_FS2_EV * float((masses * velocities**2).sum())
    freedom = 3 * 420 - 3
    temperature = 2 * kinetic / freedom / BOLTZMANN_EV_PER_K
    assert temperature == pytest.approx(300.0, abs=4 * 300.0 * np.sqrt(2 / freedom))


def test_the_level_names_what_energies_depend_on(folder: Path) -> None:
    level = describe_level(prepare_job(make_slab_job(), folder))
    assert level["functional"] == "PBE" and level["dispersion"] == "D3BJ"
    assert level["cutoff"] == "400 eV" and level["kpoints"] == "4 4 1 Monkhorst-Pack"
    assert level["POTCAR Cs"] == "PAW_PBE Cs_sv 01Jan2000"
    molecule = describe_level(prepare_job(make_molecule_job(), folder))
    assert {key: molecule[key] for key in molecule if level.get(key) != molecule[key]} == {
        "kpoints": "1 1 1 Gamma",
        "POTCAR H": "PAW_PBE H 01Jan2000",
    }


def test_waves_and_bands_are_vasps(folder: Path) -> None:
    """Al15N15O15C71H59 of the NOMAD set: 508620 plane waves at 500 eV in a box of 27.157 Å."""
    job = prepare_job(make_molecule_job(box_angstrom=27.1567, settings={"encut_ev": 500}), folder)
    assert count_waves(job) == pytest.approx(508620, rel=2e-3)
    assert count_bands(prepare_job(make_slab_job(), folder)) == 31 + 3


def test_estimates_follow_size_and_steps(folder: Path) -> None:
    energy = estimate_cost(prepare_job(make_slab_job("energy"), folder))
    relaxation = estimate_cost(prepare_job(make_slab_job("relax"), folder))
    assert energy.electrons == 60 and "factor of five" in energy.basis
    assert relaxation.core_hours > 10 * energy.core_hours > 0
