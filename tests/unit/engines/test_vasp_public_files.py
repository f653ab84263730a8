"""The parsers against every real public file, values as in their MANIFEST."""

from __future__ import annotations

import gzip
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase.formula import Formula
from builders.vasp_jobs import make_slab_job

from qdcomp.engines.base import DynamicsSettings
from qdcomp.engines.vasp.continuation import count_part_steps
from qdcomp.engines.vasp.eigenvalues import find_frontier, read_eigenval
from qdcomp.engines.vasp.inputs import prepare_job
from qdcomp.engines.vasp.ionic_steps import RunOutput
from qdcomp.engines.vasp.outcar import iterate_outcar, read_outcar
from qdcomp.engines.vasp.poscar import read_written_structure
from qdcomp.engines.vasp.vasprun import read_vasprun
from qdcomp.engines.vasp.xdatcar import iterate_xdatcar
from qdcomp.errors import ParseError

# geometries, energy(sigma->0), F, largest force, convergence of the last self-consistent field
RUNS = {
    "relax_feo_custodian/OUTCAR": (28, -28.21851457, -28.21851457, 0.010745, True),
    "relax_feo_custodian/vasprun.xml": (28, -28.21851457, -28.21851457, 0.010745, True),
    "slab_pymatgen/OUTCAR.relax1.gz": (1, -40.027885, -40.038276, 0.032132, True),
    "static_cluster_AlN_nomad/OUTCAR": (1, -1048.73893371, -1048.73893371, 6.386173, True),
    "static_cluster_AlN_nomad/vasprun.xml": (1, -1048.73893371, -1048.73893371, 6.386173, True),
    "static_full_set_custodian/OUTCAR": (1, -27.11090125, -27.11090125, 2e-6, True),
    "static_full_set_custodian/vasprun.xml": (1, -27.11090125, -27.11090125, 2e-6, True),
    "md_pymatgen/vasprun.md.xml.gz": (10, -327.73014059, -327.76427636, 2.862203, True),
    "md_pymatgen/vasprun.ml_md.xml.gz": (20, -522.64962657, -522.64962657, 6.742887, True),
    "failed/unconverged/vasprun.xml.electronic.gz": (
        5, -134.33107279, -134.33107279, 3.262921, False),
    "failed/unconverged/vasprun.xml.ionic.gz": (2, -11.15700617, -11.15700617, 0.872403, True),
    "failed/unconverged/vasprun.xml.unconverged_unfixable.gz": (
        1, -86.29128496, -86.29128496, 0.0, False),
}  # fmt: skip

# version, atoms, walltime, whether it ended, whether the geometry converged
ENDS = {
    "relax_feo_custodian/OUTCAR": ("5.3.5", 4, 82.845, True, True),
    "slab_pymatgen/OUTCAR.relax1.gz": ("5.2.12", 9, 521.262, True, False),
    "static_cluster_AlN_nomad/OUTCAR": (
        "5.4.4.18Apr17-6-g9f103f2a35", 175, 48884.727, True, False),
    "static_full_set_custodian/OUTCAR": ("5.4.4.18Apr17-6-g9f103f2a35", 8, 93.923, True, False),
    "failed/large_cell_real_optlay/OUTCAR": ("5.3.5", 118, None, False, False),
}  # fmt: skip

# gap of each spin, its middle
GAPS = {
    "relax_feo_custodian/OUTCAR": [(2.0746, 3.8708), (1.8155, 5.0588)],
    "relax_feo_custodian/vasprun.xml": [(2.0746, 3.8708), (1.8155, 5.0588)],
    "static_full_set_custodian/OUTCAR": [(-0.8953, 4.1026)],
    "static_full_set_custodian/vasprun.xml": [(-0.8953, 4.1026)],
    "static_full_set_custodian/EIGENVAL": [(-0.895289, 4.102599)],
    "static_cluster_AlN_nomad/EIGENVAL": [(-4.944391, -4.944391)],
    "failed/unconverged/vasprun.xml.electronic.gz": [(0.5779, 4.339), (0.5779, 4.339)],
}

# geometries that are counted by their energies
ENERGIES = {
    "failed/large_cell_real_optlay/OSZICAR": 0,
    "failed/nonconv/OSZICAR": 4,
    "failed/positive_energy/OSZICAR": 1,
    "failed/potim/OSZICAR": 3,
    "failed/zpotrf/OSZICAR.empty": 0,
    "failed/zpotrf/OSZICAR.one_step": 1,
    "static_cluster_AlN_nomad/OSZICAR": 1,
    "relax_feo_custodian/OSZICAR": 28,
    "static_full_set_custodian/OSZICAR": 1,
}

# frames, atoms of each element, length of the cell vectors, first atom in the first and last frame
FRAMES = {
    "md_pymatgen/XDATCAR.MD": (
        5, {"O": 48, "Fe": 32}, [9.39] * 3,
        [0.8573, 0.44608, 0.39191], [0.85763, 0.44446, 0.38701]),
    "md_pymatgen/XDATCAR.bad_fmt.gz": (
        3, {"Li": 1, "Co": 2, "O": 4}, [11.2488, 11.2628, 14.9101],
        [-0.39387, 0.00957, -0.39151], [0.76724, -0.32384, 0.14431]),
    "md_pymatgen/XDATCAR_4": (4, {"Li": 2, "O": 1}, [3.2598] * 3, [0.25] * 3, [0.25] * 3),
    "md_pymatgen/XDATCAR_5": (4, {"Li": 2, "O": 1}, [3.2598] * 3, [0.25] * 3, [0.25] * 3),
    "md_pymatgen/XDATCAR_6": (
        4, {"Fe": 2, "O": 4, "Ti": 1}, [2.9628, 5.1317, 5.1317],
        [0.4375, 0.875, 0.1875], [0.42791, 0.85583, 0.22193]),
    "md_pymatgen/XDATCAR_monatomic.gz": (
        10, {"Ne": 4}, [4.6] * 3, [-0.00318, -0.00051, -0.00305], [-0.0317, -0.0051, -0.03046]),
    "md_pymatgen/XDATCAR_traj": (
        100, {"Li": 38, "Si": 38}, [10.8058] * 3,
        [0.49238, 0.42471, 0.08337], [0.48942, 0.41645, 0.02225]),
    "static_cluster_AlN_nomad/XDATCAR": (
        1, {"Al": 15, "H": 59, "C": 71, "N": 15, "O": 15}, [27.1567] * 3,
        [0.5555, 0.26323, 0.57172], [0.5555, 0.26323, 0.57172]),
    "static_full_set_custodian/XDATCAR": (
        1, {"Na": 4, "Cl": 4}, [5.6946] * 3, [0.5, 0.0, 0.5], [0.5, 0.0, 0.5]),
}  # fmt: skip

# atoms of each element, length of the cell vectors, whether there are velocities
STRUCTURES = {
    "failed/aliasing/POSCAR": ("Na2FeNiO4", [2.8161, 4.8776, 4.9587], False),
    "failed/large_cell_real_optlay/POSCAR": ("Ca24Al28O66", [12.0788, 12.0788, 11.9702], False),
    "failed/lrf_comm/POSCAR": ("Na12Gd12S24", [12.1046, 8.0749, 14.0618], False),
    "failed/nonconv/CONTCAR": ("Si2", [4.1518] * 3, False),
    "failed/nonconv/POSCAR": ("Si2", [8.3144] * 3, False),
    "failed/poscar_error/CONTCAR": ("Na2FeNiO4", [2.8161, 4.8776, 4.9587], False),
    "failed/poscar_error/POSCAR": ("Na2FeNiO4", [2.8161, 4.8776, 4.9587], False),
    "failed/positive_energy/POSCAR": ("Na2FeNiO4", [2.8161, 4.8776, 4.9587], False),
    "failed/potim/POSCAR": ("Fe16S32", [5.4302, 5.4302, 32.5809], False),
    "failed/too_few_bands/POSCAR": ("Eu4In32Rh8", [4.3644, 13.817, 16.118], False),
    "failed/unconverged/CONTCAR": ("Na2FeNiO4", [2.8161, 4.8776, 4.9587], False),
    "failed/unconverged/POSCAR": ("Na2FeNiO4", [2.8161, 4.8776, 4.9587], False),
    "failed/zpotrf/POSCAR": ("Na2FeNiO4", [2.8161, 4.8776, 4.9587], False),
    "md_pymatgen/CONTCAR.MD": ("Li20Ge2P4S24", [8.825, 8.6838, 12.7604], True),
    "md_pymatgen/CONTCAR.MD.npt": ("Si8", [5.6043, 5.3747, 5.4693], True),
    "relax_feo_custodian/CONTCAR": ("Fe2O2", [2.3135, 3.2734, 6.2473], False),
    "relax_feo_custodian/POSCAR": ("Fe2O2", [3.0682, 3.0923, 5.3357], False),
    "slab_pymatgen/CONTCAR.relax1.gz": ("Dy9", [3.5738, 3.5738, 51.3494], False),
    "static_cluster_AlN_nomad/CONTCAR": ("Al15H59C71N15O15", [27.1567] * 3, False),
    "static_cluster_AlN_nomad/POSCAR": ("Al15H59C71N15O15", [27.1567] * 3, False),
    "static_full_set_custodian/CONTCAR": ("Na4Cl4", [5.6946] * 3, False),
    "static_full_set_custodian/POSCAR": ("Na4Cl4", [5.6946] * 3, False),
}

# line that the error names, text in it
DAMAGED = {
    "failed/large_cell_real_optlay/vasprun.xml": (442, "cut off"),
}

# geometries before the damage, line that is named
CUT_OFF = {
    "failed/bad_vasprun/vasprun.xml.gz": (5, 48155),
    "failed/vasprun.xml.broken": (1, 22874),
}


@pytest.fixture
def vasp_files(shared_data: Path) -> Path:
    return shared_data / "vasp"


def read(path: Path) -> RunOutput:
    return read_outcar(path) if path.name.startswith("OUTCAR") else read_vasprun(path)


def is_covered(name: str) -> bool:
    tables = (RUNS, ENDS, GAPS, ENERGIES, FRAMES, STRUCTURES, DAMAGED, CUT_OFF)
    return any(name in table for table in tables)


def test_no_output_is_left_out(vasp_files: Path) -> None:
    kinds = (
        "OUTCAR", "OSZICAR", "XDATCAR", "vasprun", "EIGENVAL", "PROCAR", "POSCAR", "CONTCAR",
    )  # fmt: skip
    found = [
        path.relative_to(vasp_files).as_posix()
        for path in vasp_files.rglob("*")
        if path.is_file() and path.name.startswith(kinds)
    ]
    assert len(found) == 58
    assert [name for name in found if not is_covered(name)] == []


@pytest.mark.parametrize("name", RUNS)
def test_energies_and_forces(vasp_files: Path, name: str) -> None:
    geometries, energy, free_energy, force, converged = RUNS[name]
    run = read(vasp_files / name)
    assert len(run.steps) == geometries
    assert run.damage == ""
    last = run.last
    assert last is not None and last.forces is not None and last.positions is not None
    assert last.energy_ev == pytest.approx(energy, abs=1e-8)
    assert last.free_energy_ev == pytest.approx(free_energy, abs=1e-8)
    assert np.linalg.norm(last.forces, axis=1).max() == pytest.approx(force, abs=1e-6)
    assert last.scf_converged is converged
    assert last.positions.shape == (len(run.header.symbols), 3)


@pytest.mark.parametrize("name", ENDS)
def test_how_a_run_ended(vasp_files: Path, name: str) -> None:
    version, atoms, walltime, ended, converged = ENDS[name]
    run = read_outcar(vasp_files / name)
    assert run.header.version == version
    assert len(run.header.symbols) == atoms
    assert run.walltime_s == walltime
    assert (run.ended, run.geometry_converged) == (ended, converged)


@pytest.mark.parametrize("name", GAPS)
def test_frontier_orbitals(vasp_files: Path, name: str) -> None:
    path = vasp_files / name
    if path.name == "EIGENVAL":
        bands = read_eigenval(path)
    else:
        last = read(path).last
        assert last is not None and last.bands is not None
        bands = last.bands
    levels, warnings = find_frontier(bands)
    found = [(level.orbitals.homo_ev, level.orbitals.lumo_ev) for level in levels]
    np.testing.assert_allclose(found, GAPS[name], atol=3.5e-6)
    # 553 electrons without spin: the highest level is half full, and there is no gap
    assert bool(warnings) is ("AlN" in name)


@pytest.mark.parametrize("name", ENERGIES)
def test_steps_are_counted_by_their_energies(vasp_files: Path, tmp_path: Path, name: str) -> None:
    shutil.copyfile(vasp_files / name, tmp_path / "OSZICAR")
    job = prepare_job(make_slab_job("relax"), None)
    assert count_part_steps(tmp_path, job) == ENERGIES[name]


@pytest.mark.parametrize("name", FRAMES)
def test_positions(vasp_files: Path, name: str) -> None:
    count, elements, edges, first, last = FRAMES[name]
    frames = list(iterate_xdatcar(vasp_files / name))
    assert len(frames) == count
    symbols = frames[0].symbols
    assert {symbol: symbols.count(symbol) for symbol in set(symbols)} == elements
    np.testing.assert_allclose(np.linalg.norm(frames[0].cell, axis=1), edges, atol=5.1e-5)
    np.testing.assert_allclose(frames[0].fractions[0], first, atol=5.1e-6)
    np.testing.assert_allclose(frames[-1].fractions[0], last, atol=5.1e-6)


@pytest.mark.parametrize("name", STRUCTURES)
def test_structures_to_go_on_from(vasp_files: Path, tmp_path: Path, name: str) -> None:
    formula, edges, moving = STRUCTURES[name]
    path = vasp_files / name
    if path.suffix == ".gz":
        path = tmp_path / "CONTCAR"
        path.write_bytes(gzip.decompress((vasp_files / name).read_bytes()))
    lines = path.read_text().splitlines()
    cell = np.loadtxt(lines[2:5]) * float(lines[1])
    np.testing.assert_allclose(np.linalg.norm(cell, axis=1), edges, atol=5.1e-5)
    counts = zip(lines[5].split(), map(int, lines[6].split()), strict=True)
    symbols = tuple(symbol for symbol, count in counts for _ in range(count))
    wanted = Formula(formula).count()
    assert {symbol: symbols.count(symbol) for symbol in set(symbols)} == wanted
    dynamics = DynamicsSettings(300.0, 1.0, 10, thermostat_time_fs=None)
    described = make_slab_job("dynamics", dynamics=dynamics) if moving else make_slab_job("relax")
    plain = prepare_job(described, None)
    order = tuple(range(len(symbols)))
    job = replace(plain, symbols=symbols, order=order, cell=cell)
    found = read_written_structure(path, job)
    assert found is not None and found.positions.shape == (len(symbols), 3)
    assert (found.velocities is not None) is moving
    assert read_written_structure(path, replace(job, cell=1.01 * cell)) is None


@pytest.mark.parametrize("name", DAMAGED)
def test_what_cannot_be_read_is_named_with_its_line(vasp_files: Path, name: str) -> None:
    line, text = DAMAGED[name]
    path = vasp_files / name
    with pytest.raises(ParseError, match=text) as caught:
        read_vasprun(path)
    assert (caught.value.path, caught.value.line) == (path, line)


@pytest.mark.parametrize("name", CUT_OFF)
def test_what_is_before_the_damage_is_kept(vasp_files: Path, name: str) -> None:
    geometries, line = CUT_OFF[name]
    path = vasp_files / name
    run = read_vasprun(path)
    assert (len(run.steps), run.ended) == (geometries, False)
    assert f"{path}, line {line}" in run.damage


def test_an_output_that_stops_before_the_first_geometry_has_none(vasp_files: Path) -> None:
    run = read_outcar(vasp_files / "failed/large_cell_real_optlay/OUTCAR")
    assert (run.steps, run.last) == ((), None)


def test_all_geometries_of_both_files_agree(vasp_files: Path) -> None:
    folder = vasp_files / "relax_feo_custodian"
    text, xml = read_outcar(folder / "OUTCAR"), read_vasprun(folder / "vasprun.xml")
    assert [step.scf_steps for step in text.steps] == [step.scf_steps for step in xml.steps]
    for one, other in zip(text.steps, xml.steps, strict=True):
        assert one.energy_ev == pytest.approx(other.energy_ev, abs=1e-8)
    assert text.steps[0].free_energy_ev == pytest.approx(-20.663237, abs=1e-6)
    assert text.last is not None and xml.last is not None
    assert text.last.positions is not None and xml.last.positions is not None
    cell = xml.last.cell
    assert cell is not None
    apart = np.linalg.solve(cell.T, (text.last.positions - xml.last.positions).T).T
    np.testing.assert_allclose(apart, np.round(apart), atol=1e-5)
    assert text.last.cell == pytest.approx(cell, abs=1e-7)


def test_dynamics_has_kinetic_and_conserved_energy(vasp_files: Path) -> None:
    steps = read_vasprun(vasp_files / "md_pymatgen/vasprun.md.xml.gz").steps
    first = steps[0]
    assert first.kinetic_energy_ev == pytest.approx(16.286874)
    assert first.conserved_energy_ev == pytest.approx(-322.02935698)
    assert [step.number for step in steps] == list(range(1, 11))


def test_geometries_of_a_learned_force_field_are_counted_apart(vasp_files: Path) -> None:
    run = read_vasprun(vasp_files / "md_pymatgen/vasprun.ml_md.xml.gz")
    assert (len(run.steps), run.learned_steps) == (20, 80)


def test_two_runs_in_one_file_are_refused(vasp_files: Path, tmp_path: Path) -> None:
    text = (vasp_files / "relax_feo_custodian/OUTCAR").read_text()
    (tmp_path / "OUTCAR").write_text(text + text)
    with pytest.raises(ParseError, match="holds two runs") as caught:
        read_outcar(tmp_path / "OUTCAR")
    assert caught.value.line is not None and caught.value.line > text.count("\n")


def test_the_charge_follows_from_electrons_and_data_sets(vasp_files: Path) -> None:
    run = read_outcar(vasp_files / "static_cluster_AlN_nomad/OUTCAR")
    assert run.parameters["NELECT"] == 553
    assert run.header.charge == 0
    xml = read_vasprun(vasp_files / "static_cluster_AlN_nomad/vasprun.xml")
    assert (xml.parameters["NELECT"], xml.header.charge) == (553, 0)


def test_a_file_of_another_kind_is_refused(vasp_files: Path, tmp_path: Path) -> None:
    with pytest.raises(ParseError, match="no OUTCAR"):
        list(iterate_outcar(vasp_files / "relax_feo_custodian/OSZICAR"))
    xml = tmp_path / "vasprun.xml"
    xml.write_text("<html><body>not found</body></html>")
    with pytest.raises(ParseError, match=r"no vasprun\.xml"):
        read_vasprun(xml)
