import dataclasses
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms, units

from qdcomp.engines.base import DynamicsSettings, EngineJob, RelaxationSettings
from qdcomp.engines.cp2k.inputs import prepare_job, render_input, write_input
from qdcomp.engines.cp2k.job_file import JobFile, Restart, read_job_file
from qdcomp.errors import InputError, ParseError
from qdcomp.structures import build_quantum_dot
from qdcomp.units import BOHR_ANGSTROM, HARTREE_EV

DYNAMICS = DynamicsSettings(temperature_k=10.0, timestep_fs=10.0, steps=20)


def make_job(task: str = "energy", **changes: object) -> EngineJob:
    dot = build_quantum_dot(cells=1, charge="neutral", lattice_constant=5.87)
    job = EngineJob(
        task=task,  # type: ignore[arg-type]
        atoms=dot.atoms,
        charge=0,
        frozen=np.zeros(11, dtype=bool),
        dynamics=DYNAMICS if task == "dynamics" else None,
        relaxation=RelaxationSettings(),
    )
    return dataclasses.replace(job, **changes)


def prepare(task: str = "energy", **changes: object) -> JobFile:
    return prepare_job(make_job(task, **changes), None)


def read_sections(text: str) -> dict[str, list[str]]:
    """Keyword lines of an input by section path; fails where sections are not nested."""
    found: dict[str, list[str]] = {}
    path: list[str] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("&END"):
            name = path.pop()
            assert line.split()[1:] in ([], [name])
        elif line.startswith("&"):
            path.append(line[1:].split()[0])
            found.setdefault("/".join(path), []).extend(line.split()[1:])
        else:
            found["/".join(path)].append(line)
    assert path == []
    return found


def test_the_defaults_are_the_papers_settings() -> None:
    sections = read_sections(render_input(prepare("dynamics")))
    assert sections["GLOBAL"][1] == "RUN_TYPE MD"
    assert sections["FORCE_EVAL/DFT/XC/XC_FUNCTIONAL"] == ["PBE"]
    assert "CUTOFF [Ry] 300" in sections["FORCE_EVAL/DFT/MGRID"]
    assert "EPS_SCF 1e-08" in sections["FORCE_EVAL/DFT/SCF"]
    assert sections["FORCE_EVAL/DFT/POISSON"] == ["PERIODIC NONE", "PSOLVER WAVELET"]
    assert sections["MOTION/MD"][:4] == [
        "ENSEMBLE NVT",
        "STEPS 20",
        "TIMESTEP 10",
        "TEMPERATURE 10",
    ]
    assert sections["MOTION/MD/THERMOSTAT/CSVR"] == ["TIMECON 1000"]


def test_relaxation_stops_at_24_mev_per_angstrom_on_the_largest_force_alone() -> None:
    lines = read_sections(render_input(prepare("relax")))["MOTION/GEO_OPT"]
    values = dict(line.split() for line in lines)
    limit_ev = float(values["MAX_FORCE"]) * HARTREE_EV / BOHR_ANGSTROM
    assert limit_ev == pytest.approx(0.024, rel=1e-9)
    assert values["RMS_FORCE"] == values["MAX_FORCE"]
    assert float(values["MAX_DR"]) > 1


def test_dynamics_prints_everything_at_every_step() -> None:
    sections = read_sections(render_input(prepare("dynamics")))
    for name in ("TRAJECTORY", "VELOCITIES", "FORCES"):
        assert sections[f"MOTION/PRINT/{name}/EACH"] == ["MD 1"]
    cubes = sections["FORCE_EVAL/DFT/PRINT/MO_CUBES"]
    assert cubes == ["WRITE_CUBE F", "NHOMO 1", "NLUMO 1"]
    assert sections["FORCE_EVAL/DFT/PRINT/MO_CUBES/EACH"] == ["MD 1"]


def test_no_orbitals_while_equilibrating() -> None:
    quiet = dataclasses.replace(DYNAMICS, frontier_orbitals=False)
    assert "MO_CUBES" not in render_input(prepare("dynamics", dynamics=quiet))


def test_no_thermostat_is_nve() -> None:
    free = dataclasses.replace(DYNAMICS, thermostat_time_fs=None)
    text = render_input(prepare("dynamics", dynamics=free))
    assert "ENSEMBLE NVE" in text
    assert "THERMOSTAT" not in text


def test_a_segment_counts_on_from_its_first_step() -> None:
    later = dataclasses.replace(DYNAMICS, first_step=40)
    lines = read_sections(render_input(prepare("dynamics", dynamics=later)))["MOTION/MD"]
    assert "STEP_START_VAL 40" in lines
    assert "TIME_START_VAL 400" in lines


def test_the_dot_is_centred_and_the_shift_is_kept() -> None:
    job = prepare(box_angstrom=20.0)
    positions = make_job().atoms.get_positions()
    middle = (job.positions.max(axis=0) + job.positions.min(axis=0)) / 2
    np.testing.assert_allclose(middle, 10.0, atol=1e-12)
    np.testing.assert_allclose(job.positions - np.array(job.origin), positions, atol=1e-12)


def test_coordinates_reach_the_input_to_the_last_bit() -> None:
    job = prepare(box_angstrom=20.0)
    lines = read_sections(render_input(job))["FORCE_EVAL/SUBSYS/COORD"]
    written = np.array([[float(word) for word in line.split()[1:]] for line in lines])
    np.testing.assert_array_equal(written, job.positions)


def test_velocities_arrive_in_atomic_units() -> None:
    job = make_job("dynamics")
    job.atoms.set_velocities(np.full((11, 3), 0.001) / units.fs)  # 0.001 Å/fs
    lines = read_sections(render_input(prepare_job(job, None)))["FORCE_EVAL/SUBSYS/VELOCITY"]
    # 1 bohr per atomic unit of time is 21.8769 Å/fs (2.18769e6 m/s)
    assert float(lines[0].split()[0]) == pytest.approx(0.001 / 21.8769126, rel=1e-7)


def test_a_structure_at_rest_leaves_the_velocities_to_cp2k() -> None:
    text = render_input(prepare("dynamics"))
    assert "&VELOCITY" not in text
    assert "ANGVEL_ZERO T" in text


def test_frozen_atoms_are_numbered_from_one() -> None:
    frozen = np.zeros(11, dtype=bool)
    frozen[[0, 10]] = True
    job = prepare("dynamics", frozen=frozen)
    section = read_sections(render_input(job))["MOTION/CONSTRAINT/FIXED_ATOMS"]
    assert section == ["COMPONENTS_TO_FIX XYZ", "LIST 1 11"]


def test_a_charge_reaches_the_input_and_closes_the_shell() -> None:
    dot = build_quantum_dot(cells=3, charge="formal", lattice_constant=5.87)
    job = EngineJob("energy", dot.atoms, dot.charge, np.zeros(len(dot.atoms), bool))
    prepared = prepare_job(job, None)
    lines = read_sections(render_input(prepared))["FORCE_EVAL/DFT"]
    assert "CHARGE 2" in lines
    assert "MULTIPLICITY 1" in lines
    assert "UKS F" in lines


def test_an_odd_electron_is_a_doublet_with_spin_polarized_orbitals() -> None:
    lines = read_sections(render_input(prepare(charge=1)))["FORCE_EVAL/DFT"]
    assert "MULTIPLICITY 2" in lines
    assert "UKS T" in lines


@pytest.mark.parametrize(
    ("charge", "settings"),
    [(0, {"multiplicity": 2}), (1, {"multiplicity": 1}), (1, {"spin_polarized": False})],
)
def test_a_spin_that_does_not_fit_is_refused(charge: int, settings: dict[str, object]) -> None:
    with pytest.raises(InputError, match="electrons"):
        prepare(charge=charge, settings=settings)


def test_more_charge_than_electrons_is_refused() -> None:
    with pytest.raises(InputError, match="electrons"):
        prepare(charge=83)


def test_a_box_smaller_than_the_dot_is_refused_with_a_better_one() -> None:
    with pytest.raises(InputError, match=r"5 Å is too small for a structure of 5\.87 Å.*take 22 Å"):
        prepare(box_angstrom=5.0)


def test_a_tight_box_is_refused_or_warned_about() -> None:
    with pytest.raises(InputError, match="too small"):
        prepare(box_angstrom=10.0)
    assert "wall" in prepare(box_angstrom=11.5).warnings[0]
    assert prepare(box_angstrom=14.0).warnings == ()


def test_martyna_tuckerman_needs_twice_the_dot() -> None:
    with pytest.raises(InputError, match="twice"):
        prepare(box_angstrom=11.5, settings={"poisson_solver": "mt"})


def test_a_box_of_qdcomps_choice_is_round_and_leaves_the_vacuum() -> None:
    box = prepare(settings={"vacuum_angstrom": 8.0}).cell[0][0]
    assert box == pytest.approx(22.0)
    moved = make_job()
    moved.atoms.positions[0] += 0.05
    assert prepare_job(moved, None).cell[0][0] == pytest.approx(22.0)


@pytest.mark.parametrize("name", ["PBEsol", "BLYP", "LDA"])
def test_other_functionals_take_their_own_pseudopotentials(name: str) -> None:
    job = prepare(settings={"functional": name})
    expected = {"PBEsol": "GTH-PBE-q9", "BLYP": "GTH-BLYP-q9", "LDA": "GTH-PADE-q9"}[name]
    assert {kind.symbol: kind.potential for kind in job.species}["Cs"] == expected
    assert ("PBESOL" in render_input(job)) == (name == "PBEsol")


def test_dispersion_with_becke_johnson_damping() -> None:
    section = read_sections(render_input(prepare(settings={"dispersion": "d3bj"})))
    assert "TYPE DFTD3(BJ)" in section["FORCE_EVAL/DFT/XC/VDW_POTENTIAL/PAIR_POTENTIAL"]


def test_diagonalisation_has_empty_orbitals_and_no_ot() -> None:
    sections = read_sections(render_input(prepare(settings={"scf_solver": "diagonalization"})))
    assert "FORCE_EVAL/DFT/SCF/OT" not in sections
    assert "ADDED_MOS 4" in sections["FORCE_EVAL/DFT/SCF"]


def test_an_element_without_pseudopotential_is_named() -> None:
    atoms = Atoms("XeF2", positions=[[0, 0, 0], [0, 0, 2], [0, 0, -2]])
    job = EngineJob("energy", atoms, 0, np.zeros(3, bool))
    with pytest.raises(InputError, match="Xe"):
        prepare_job(job, None)


def test_a_basis_set_that_the_data_files_lack_is_named(tmp_path: Path) -> None:
    (tmp_path / "BASIS_MOLOPT").write_text("Cs OTHER\n")
    (tmp_path / "GTH_POTENTIALS").write_text("")
    with pytest.raises(InputError, match=r"DZVP-MOLOPT-SR-GTH.*for Cs"):
        prepare_job(make_job(), tmp_path)


def test_nothing_rendered_can_open_a_section() -> None:
    job = prepare()
    evil = dataclasses.replace(
        job, species=(dataclasses.replace(job.species[0], basis="SZV\n&END"), *job.species[1:])
    )
    with pytest.raises(InputError, match="plain word"):
        render_input(evil)


def test_coordinates_that_are_no_numbers_are_refused() -> None:
    job = make_job()
    job.atoms.positions[3, 1] = np.nan
    with pytest.raises(InputError, match="not numbers"):
        prepare_job(job, None)


def test_a_restart_takes_over_thermostat_and_velocities() -> None:
    job = prepare("dynamics")
    assert "EXT_RESTART" not in render_input(job)
    restarted = dataclasses.replace(job, restart=Restart(counters=True, steps=7), wavefunction=True)
    sections = read_sections(render_input(restarted))
    assert "STEPS 7" in sections["MOTION/MD"]
    assert {"RESTART_VEL T", "RESTART_THERMOSTAT T", "RESTART_COUNTERS T"} <= set(
        sections["EXT_RESTART"]
    )
    assert "SCF_GUESS RESTART" in sections["FORCE_EVAL/DFT/SCF"]


def test_the_job_file_gives_back_the_job(tmp_path: Path) -> None:
    frozen = np.arange(11) < 3
    settings = {"basis": {"Cs": "A", "Pb": "B", "Br": "C"}, "eps_scf": 1e-6}
    job = prepare("dynamics", frozen=frozen, settings=settings, charge=1)
    write_input(tmp_path, job)
    again = read_job_file(tmp_path)
    assert render_input(again) == render_input(job) == (tmp_path / "cp2k.inp").read_text()


def test_a_directory_without_job_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(ParseError, match="write the job's inputs first"):
        read_job_file(tmp_path)
    (tmp_path / "cp2k_job.json").write_text("{}")
    with pytest.raises(ParseError, match="write the inputs again"):
        read_job_file(tmp_path)
