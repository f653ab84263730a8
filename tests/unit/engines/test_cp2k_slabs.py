"""Inputs of slabs: their cell, k-points, dipole, solver and ghosts; what is refused and said."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from qdcomp.engines.base import DynamicsSettings, EngineJob, RelaxationSettings
from qdcomp.engines.cp2k import Cp2kEngine
from qdcomp.engines.cp2k.inputs import prepare_job, render_input, write_input
from qdcomp.engines.cp2k.job_file import JobFile, read_job_file
from qdcomp.engines.cp2k.level import describe_level
from qdcomp.errors import InputError

A = 5.87
HEIGHT = 24.0


def make_slab(repeat: int = 1, height: float = HEIGHT) -> Atoms:
    """CsBr/PbBr2/CsBr in the middle of its cell."""
    h = A / 2
    positions = [[0, 0, h], [0, 0, -h], [h, h, 0], [0, h, 0], [h, 0, 0], [h, h, h], [h, h, -h]]
    atoms = Atoms("Cs2PbBr4", positions=positions, cell=[A, A, height], pbc=(True, True, False))
    atoms.positions[:, 2] += height / 2
    return atoms.repeat((repeat, repeat, 1))


def make_job(task: str = "energy", **changes: object) -> EngineJob:
    atoms = changes.pop("atoms", None) or make_slab()
    assert isinstance(atoms, Atoms)
    job = EngineJob(task, atoms, 0, np.zeros(len(atoms), bool))  # type: ignore[arg-type]
    return dataclasses.replace(job, **changes)  # type: ignore[arg-type]


def prepare(task: str = "energy", **changes: object) -> JobFile:
    return prepare_job(make_job(task, **changes), None)


def lines_of(job: JobFile) -> list[str]:
    return [line.strip() for line in render_input(job).splitlines()]


def test_a_slab_keeps_its_cell_and_its_coordinates() -> None:
    job = make_job()
    job.atoms.set_cell([[A, 0.1, 0], [-0.2, A, 0], [0, 0, HEIGHT]])
    prepared = prepare_job(job, None)
    np.testing.assert_array_equal(prepared.cell, job.atoms.cell.array)
    np.testing.assert_array_equal(prepared.positions, job.atoms.positions)
    lines = lines_of(prepared)
    vectors = [
        [float(word) for word in line.split()[2:]]
        for line in lines
        if line.startswith(("A [", "B [", "C ["))
    ]
    np.testing.assert_array_equal(vectors, job.atoms.cell.array)
    assert lines.count("PERIODIC XYZ") == 2
    assert "PSOLVER PERIODIC" in lines


def test_the_result_has_the_cell_and_says_the_level(tmp_path: Path) -> None:
    write_input(tmp_path, prepare(settings={"dispersion": "D3BJ"}, kpoints=(2, 2, 1)))
    (tmp_path / "cp2k.out").write_text(
        "  **** PROGRAM STARTED AT               2026-01-01 10:00:00.000\n"
        " CP2K| version string:                     CP2K version 2023.1\n"
        " GLOBAL| Run type                              ENERGY_FORCE\n"
        " ENERGY| Total FORCE_EVAL ( QS ) energy [a.u.]:  -1.0\n"
        "  **** PROGRAM ENDED AT                 2026-01-01 10:00:09.000\n"
    )
    result = Cp2kEngine().parse(tmp_path)
    np.testing.assert_array_equal(result.atoms.cell.array, make_slab().cell.array)
    assert result.atoms.pbc.tolist() == [True, True, False]
    assert result.level == {
        "functional": "PBE",
        "dispersion": "D3BJ",
        "basis": "DZVP-MOLOPT-SR-GTH",
        "potentials": "GTH-PBE",
        "cutoff": "300 Ry",
        "rel_cutoff": "40 Ry",
        "kpoints": "2×2×1",
        "dipole correction": "none",
    }
    assert result.frequencies_per_cm is None


def test_a_molecule_of_the_same_study_has_the_same_level_but_for_the_kpoints(
    tmp_path: Path,
) -> None:
    settings = {"basis": {"Cs": "A", "Pb": "B", "Br": "C", "H": "D"}, "potential": {"H": "X-q1"}}
    molecule = Atoms("HBr", positions=[[0, 0, 0], [0, 0, 1.4]])
    slab = describe_level(prepare(settings=settings, kpoints=(2, 2, 1)))
    gas = describe_level(prepare(atoms=molecule, settings=settings))
    assert slab.pop("kpoints") != gas.pop("kpoints")
    assert slab == gas
    assert "H X-q1" in gas["potentials"]


@pytest.mark.parametrize(
    ("atoms", "text"),
    [
        (make_slab(height=10.0), r"only 4\.13 Å of vacuum"),
        (Atoms("Cs", cell=[A, A, HEIGHT], pbc=True), "neither a slab"),
        (Atoms("Cs", pbc=(True, True, False)), "no volume"),
        (Atoms("Cs", cell=[A, A, -HEIGHT], pbc=(True, True, False)), "right-handed"),
        (
            Atoms("Cs", cell=[[A, 0, 0], [0, A, 0], [1, 0, HEIGHT]], pbc=(True, True, False)),
            "tilted",
        ),
    ],
)
def test_a_cell_that_is_no_slabs_is_refused(atoms: Atoms, text: str) -> None:
    with pytest.raises(InputError, match=text):
        prepare(atoms=atoms)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"box_angstrom": 20.0}, "leave the box out"),
        ({"kpoints": (2, 2, 2)}, "expected 2×2×1"),
        ({"kpoints": (0, 1, 1)}, "expected 1×1×1"),
        ({"kpoints": (2, 2, 1), "settings": {"scf_solver": "ot"}}, "leave scf_solver out"),
        ({"kpoints": (2, 2, 1), "settings": {"extrapolation": "ASPC"}}, "USE_PREV_P"),
        ({"settings": {"poisson_solver": "analytic"}}, "take mt"),
        ({"settings": {"poisson_solver": "wavelet"}}, "take mt"),
        ({"settings": {"poisson_solver": "mt"}, "dipole_correction": True}, "one of the two"),
        ({"atoms": make_slab(height=11.0), "settings": {"poisson_solver": "mt"}}, "twice"),
        ({"atoms": make_slab(height=14.0), "dipole_correction": True}, "dipole correction"),
        ({"ghost": np.ones(7, bool)}, "every atom is a ghost"),
        ({"ghost": np.ones(3, bool)}, "3 entries for 7"),
    ],
)
def test_what_a_slab_cannot_have_is_refused(changes: dict[str, object], text: str) -> None:
    with pytest.raises(InputError, match=text):
        prepare(**changes)


@pytest.mark.parametrize(
    ("changes", "text"),
    [({"kpoints": (2, 1, 1)}, "does not repeat"), ({"dipole_correction": True}, "for slabs")],
)
def test_a_molecule_has_neither_kpoints_nor_a_surface(
    changes: dict[str, object], text: str
) -> None:
    with pytest.raises(InputError, match=text):
        prepare(atoms=Atoms("N2", positions=[[0, 0, 0], [0, 0, 1.1]]), **changes)


def test_kpoints_take_diagonalisation_and_say_so() -> None:
    job = prepare(kpoints=(4, 3, 1))
    assert job.settings.scf_solver == "diagonalization"
    assert any("diagonalization" in text for text in job.warnings)
    lines = lines_of(job)
    assert "SCHEME MONKHORST-PACK 4 3 1" in lines
    assert "EXTRAPOLATION USE_PREV_P" in lines
    assert "WFN_RESTART_FILE_NAME qdcomp-RESTART.kp" in lines
    assert "&MO" in lines
    assert "&MO_CUBES" not in lines
    assert not {"&OT", "&SMEAR"} & set(lines)


@pytest.mark.parametrize(("repeat", "kpoints", "warns"), [
    (2, (1, 1, 1), True), (4, (1, 1, 1), False), (2, (4, 4, 1), False),
])  # fmt: skip
def test_a_small_cell_at_the_zone_centre_is_said(
    repeat: int, kpoints: tuple[int, int, int], warns: bool
) -> None:
    said = prepare(atoms=make_slab(repeat), kpoints=kpoints).warnings
    assert any("(Γ) alone" in text for text in said) == warns


def test_little_vacuum_and_a_charge_are_said() -> None:
    said = " ".join(prepare(atoms=make_slab(height=14.0), charge=2).warnings)
    assert "8.1 Å of vacuum" in said
    assert "charge of +2 e" in said


def test_the_dipole_of_a_surface_is_corrected_along_its_normal() -> None:
    plain, corrected = prepare(), prepare(dipole_correction=True)
    assert "SURFACE_DIPOLE_CORRECTION T" not in lines_of(plain)
    lines = lines_of(corrected)
    assert {"SURFACE_DIPOLE_CORRECTION T", "SURF_DIP_DIR Z"} <= set(lines)
    assert corrected.settings.preconditioner == "FULL_SINGLE_INVERSE"
    assert plain.settings.preconditioner == "FULL_ALL"
    chosen = prepare(dipole_correction=True, settings={"preconditioner": "FULL_KINETIC"})
    assert chosen.settings.preconditioner == "FULL_KINETIC"


def test_a_solver_without_images_has_the_slab_in_the_middle() -> None:
    job = make_job(settings={"poisson_solver": "mt"})
    job.atoms.positions[:, 2] -= 9.0
    prepared = prepare_job(job, None)
    heights = prepared.positions[:, 2]
    assert heights.max() + heights.min() == pytest.approx(HEIGHT)
    np.testing.assert_allclose(prepared.positions - prepared.origin, job.atoms.positions)
    assert lines_of(prepared).count("PERIODIC XY") == 2
    assert "PSOLVER MT" in lines_of(prepared)


def test_ghosts_have_kinds_of_their_own_and_no_electrons() -> None:
    ghost = np.array([True, False, False, False, False, True, False])
    job = prepare(ghost=ghost)
    lines = lines_of(job)
    for symbol in ("Cs", "Br"):
        start = lines.index(f"&KIND {symbol}_ghost")
        assert lines[start : start + 5] == [
            f"&KIND {symbol}_ghost",
            f"ELEMENT {symbol}",
            "BASIS_SET DZVP-MOLOPT-SR-GTH",
            "GHOST T",
            "&END KIND",
        ]
    assert sum(line.startswith("Cs_ghost ") for line in lines) == 1
    assert sum(line.startswith("Br ") for line in lines) == 3
    full = Cp2kEngine().estimate_cost(make_job())
    without = Cp2kEngine().estimate_cost(make_job(ghost=ghost))
    assert full.electrons - without.electrons == 9 + 7


def test_an_odd_number_of_ghost_electrons_does_not_open_the_shell() -> None:
    pair = Atoms("HHe", positions=[[0, 0, 0], [0, 0, 5.0]]) + Atoms("Br", [[0, 0, 1.4]])
    del pair[1]
    assert prepare(atoms=pair).multiplicity == 1
    assert prepare(atoms=pair, ghost=np.array([True, False])).multiplicity == 2


@pytest.mark.parametrize("task", ["relax", "dynamics", "vibrations"])
def test_ghosts_do_not_move(task: str) -> None:
    dynamics = DynamicsSettings(10.0, 1.0, 2) if task == "dynamics" else None
    with pytest.raises(InputError, match="ghost atoms in a job"):
        prepare(task, ghost=np.arange(7) == 0, dynamics=dynamics)


def test_an_energy_criterion_is_refused_with_the_way_out() -> None:
    criterion = RelaxationSettings(0.02, 50, max_energy_change_ev=1e-3)
    with pytest.raises(InputError, match=r"0\.001 eV.*max_force.*vasp"):
        prepare("relax", relaxation=criterion)
    # what a relaxation is told does not matter to an energy
    assert prepare("energy", relaxation=criterion).task == "energy"


def test_dispersion_is_summed_as_far_as_vasp_does() -> None:
    assert "R_CUTOFF [angstrom] 25.1" in lines_of(prepare(settings={"dispersion": "D3BJ"}))


def test_a_slabs_job_file_gives_back_the_job(tmp_path: Path) -> None:
    ghost = np.arange(7) == 5
    job = prepare(kpoints=(3, 3, 1), dipole_correction=True, ghost=ghost)
    write_input(tmp_path, job)
    assert render_input(read_job_file(tmp_path)) == render_input(job)


def test_a_job_file_that_holds_the_edge_of_a_box_is_read(tmp_path: Path) -> None:
    molecule = prepare(atoms=Atoms("N2", positions=[[0, 0, 0], [0, 0, 1.1]]))
    write_input(tmp_path, molecule)
    path = tmp_path / "cp2k_job.json"
    content = json.loads(path.read_text())
    for name in ("cell", "is_slab", "kpoints", "dipole_correction", "ghosts"):
        del content[name]
    for species in content["species"]:
        del species["basis_file"], species["ghost"]
    content["box_angstrom"] = 17.5
    content["settings"] |= {"basis_file": "BASIS_MOLOPT"}
    path.write_text(json.dumps(content))
    job = read_job_file(tmp_path)
    assert job.cell == ((17.5, 0.0, 0.0), (0.0, 17.5, 0.0), (0.0, 0.0, 17.5))
    assert render_input(job) == render_input(molecule)


def test_a_slab_costs_more_with_kpoints_atoms_and_vacuum() -> None:
    def hours(**changes: object) -> float:
        return Cp2kEngine().estimate_cost(make_job("relax", **changes)).core_hours

    once = hours()
    assert hours(kpoints=(4, 4, 1)) > once
    assert hours(kpoints=(6, 6, 1)) > hours(kpoints=(4, 4, 1))
    assert hours(atoms=make_slab(2)) > 3 * once
    assert hours(atoms=make_slab(height=2 * HEIGHT)) > 1.8 * once


@pytest.mark.parametrize(("symbols", "cutoff", "warns"), [
    ("HBr", 120, True), ("HBr", 200, False), ("CsBr", 120, False),
])  # fmt: skip
def test_a_grid_too_coarse_for_light_elements_is_said(
    symbols: str, cutoff: float, warns: bool
) -> None:
    molecule = Atoms(symbols, positions=[[0, 0, 0], [0, 0, 2.0]])
    said = prepare(atoms=molecule, settings={"cutoff_ry": cutoff}).warnings
    assert any(f"a cutoff of {cutoff:g} Ry is too low for H" in text for text in said) == warns


def test_no_lumo_is_asked_for_where_the_basis_has_none(tmp_path: Path) -> None:
    entry = " 1\n 1 0 1 1 1 1\n  1.0 1.0 1.0\n"
    (tmp_path / "BASIS_MOLOPT").write_text(f"Br DZVP-MOLOPT-SR-GTH\n{entry}")
    (tmp_path / "GTH_POTENTIALS").write_text("Br GTH-PBE-q7\n")
    bromide = EngineJob("energy", Atoms("Br"), -1, np.zeros(1, bool))
    job = prepare_job(bromide, tmp_path)
    assert "&MO_CUBES" not in lines_of(job)
    assert any("no LUMO" in text for text in job.warnings)
    atom = prepare_job(dataclasses.replace(bromide, charge=1), tmp_path)
    assert "&MO_CUBES" in lines_of(atom)
