"""Results of job directories: whole, damaged in every way, and of the wrong run."""

import gzip
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders.vasp_jobs import make_mixed_slab, make_molecule_job, make_slab_job
from builders.vasp_runs import run_stand_in

from qdcomp.engines import Engine, EngineResult, load_engine
from qdcomp.engines.base import RelaxationSettings
from qdcomp.engines.vasp.eigenvalues import find_frontier
from qdcomp.engines.vasp.error_text import find_error_text
from qdcomp.engines.vasp.outcar import read_outcar
from qdcomp.engines.vasp.vasprun import read_vasprun
from qdcomp.errors import ConvergenceError, EngineError, ParseError

SHUFFLED = [4, 1, 6, 0, 3, 2, 5]


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A job of each kind, run to its end; the slab's atoms are not in the order of POSCAR."""
    root = tmp_path_factory.mktemp("jobs")
    slab = make_mixed_slab()[SHUFFLED]
    relaxation = RelaxationSettings(max_force_ev_per_angstrom=0.05)
    made = {
        "energy": make_slab_job("energy", atoms=slab),
        "relax": make_slab_job("relax", atoms=slab, relaxation=relaxation),
        "spin": make_molecule_job("energy", charge=1),
        "vibrations": make_molecule_job("vibrations"),
    }
    return {name: run_stand_in(root / name, job) for name, job in made.items()}


@pytest.fixture
def engine() -> Engine:
    return load_engine("vasp")


@pytest.fixture
def copy(jobs: dict[str, Path], tmp_path: Path) -> Any:
    """Copy a finished job, to be damaged."""
    return lambda name: Path(shutil.copytree(jobs[name], tmp_path / name))


def cut(path: Path, share: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])


def assert_same(result: EngineResult, expected: EngineResult, places: float = 1e-6) -> None:
    assert result.energy_ev == pytest.approx(expected.energy_ev, abs=1e-7)
    np.testing.assert_allclose(result.atoms.positions, expected.atoms.positions, atol=places)
    assert result.forces_ev_per_angstrom is not None
    assert expected.forces_ev_per_angstrom is not None
    np.testing.assert_allclose(
        result.forces_ev_per_angstrom, expected.forces_ev_per_angstrom, atol=1e-5
    )
    assert result.steps == expected.steps
    found = [(o.homo_ev, o.lumo_ev) for o in result.frontier]
    same = [(o.homo_ev, o.lumo_ev) for o in expected.frontier]
    np.testing.assert_allclose(found, same, atol=1e-4)


def test_atoms_keep_the_order_of_the_job(jobs: dict[str, Path], engine: Engine) -> None:
    result = engine.parse(jobs["energy"])
    slab = make_mixed_slab()[SHUFFLED]
    assert result.atoms.get_chemical_symbols() == slab.get_chemical_symbols()
    np.testing.assert_allclose(result.atoms.positions, slab.positions, atol=1e-9)
    assert result.atoms.pbc.tolist() == [True, True, False]
    np.testing.assert_allclose(result.atoms.cell.array, slab.cell.array)
    (orbitals,) = result.frontier
    assert orbitals.homo_population is not None and orbitals.lumo_population is not None
    assert orbitals.homo_population.sum() == pytest.approx(1.0)
    symbols = np.array(slab.get_chemical_symbols())
    assert set(symbols[orbitals.homo_population > 0.15]) == {"Br"}
    assert symbols[orbitals.lumo_population.argmax()] == "Pb"


def test_a_relaxation_says_what_was_done(jobs: dict[str, Path], engine: Engine) -> None:
    result = engine.parse(jobs["relax"])
    assert result.version == "5.4.4.stand-in" and result.engine == "vasp"
    assert result.steps == engine.count_steps(jobs["relax"]) > 5
    assert result.walltime_s is not None and result.walltime_s > 0
    assert result.level["functional"] == "PBE" and result.unconverged_steps == ()
    moved = np.abs(result.atoms.positions - make_mixed_slab()[SHUFFLED].positions)
    assert 0.1 < moved.max() < 6.0  # at the images that the job has


def test_each_spin_has_its_own_orbitals(jobs: dict[str, Path], engine: Engine) -> None:
    result = engine.parse(jobs["spin"])
    up, down = result.frontier
    assert down.homo_ev < up.homo_ev and result.charge == 1
    assert all(channel.homo_population is not None for channel in result.frontier)


def test_vibrations_are_of_the_structure_of_the_job(jobs: dict[str, Path], engine: Engine) -> None:
    result = engine.parse(jobs["vibrations"])
    assert result.frequencies_per_cm is not None
    assert np.all(np.diff(result.frequencies_per_cm) >= 0)
    job = make_molecule_job("vibrations")
    np.testing.assert_allclose(result.atoms.positions, job.atoms.positions, atol=1e-9)
    first = read_outcar(jobs["vibrations"] / "OUTCAR").first
    assert first is not None and result.energy_ev == first.energy_ev
    assert result.steps == 0 and len(result.frontier) == 1


def test_the_share_of_smearing_is_that_of_the_last_electronic_step(
    jobs: dict[str, Path],
) -> None:
    assert '"e_0_energy">       0.00000000' in (jobs["relax"] / "vasprun.xml").read_text()
    run = read_vasprun(jobs["relax"] / "vasprun.xml")
    assert all(step.energy_ev == step.free_energy_ev for step in run.steps)


FALLBACKS = [
    ("vasprun.xml", None, "vasprun.xml is missing; energies, forces and structure are from OUTCAR"),
    ("vasprun.xml", 0.9, "vasprun.xml is cut off or damaged"),
    ("vasprun.xml", 0.0, "vasprun.xml is cut off or damaged"),
    ("OUTCAR", None, "OUTCAR is missing; energies, forces and structure are from vasprun.xml"),
    ("OUTCAR", 0.0, "OUTCAR is cut off or damaged"),
]


@pytest.mark.parametrize(("name", "share", "said"), FALLBACKS)
def test_one_output_stands_in_for_the_other(
    copy: Any, jobs: dict[str, Path], engine: Engine, name: str, share: float | None, said: str
) -> None:
    expected = engine.parse(jobs["relax"])
    directory = copy("relax")
    if share is None:
        (directory / name).unlink()
    else:
        cut(directory / name, share)
    result = engine.parse(directory)
    assert_same(result, expected)
    assert any(text.startswith(said) for text in result.warnings)
    assert engine.is_complete(directory) is (name != "OUTCAR")


def test_without_vasprun_and_xdatcar_the_digits_of_outcar_are_left(
    copy: Any, jobs: dict[str, Path], engine: Engine
) -> None:
    directory = copy("relax")
    (directory / "vasprun.xml").unlink()
    (directory / "XDATCAR").unlink()
    assert_same(engine.parse(directory), engine.parse(jobs["relax"]), places=6e-6)


@pytest.mark.parametrize("share", np.linspace(0.02, 0.98, 13).tolist())
@pytest.mark.parametrize("name", ["OUTCAR", "vasprun.xml"])
def test_a_file_cut_off_anywhere_gives_whole_steps_or_a_named_error(
    jobs: dict[str, Path], tmp_path: Path, name: str, share: float
) -> None:
    path = tmp_path / name
    shutil.copyfile(jobs["relax"] / name, path)
    cut(path, share)
    whole = (read_outcar if name == "OUTCAR" else read_vasprun)(jobs["relax"] / name)
    try:
        run = (read_outcar if name == "OUTCAR" else read_vasprun)(path)
    except ParseError as error:
        assert error.path == path and name == "vasprun.xml" and error.line is not None
        return
    assert share > 0.9 or (not run.ended and len(run.steps) < len(whole.steps))
    for step, same in zip(run.steps, whole.steps, strict=False):
        assert (step.number, step.energy_ev) == (same.number, same.energy_ev)


def test_compressed_and_cut_off_is_named(jobs: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "OUTCAR.gz"
    path.write_bytes(gzip.compress((jobs["relax"] / "OUTCAR").read_bytes()))
    assert len(read_outcar(path).steps) > 5
    cut(path, 0.6)
    with pytest.raises(ParseError, match="cannot be read any further") as caught:
        read_outcar(path)
    assert caught.value.path == path and caught.value.line is not None
    (tmp_path / "vasprun.xml.gz").write_bytes(b"no gzip at all")
    with pytest.raises(ParseError, match="cannot be read to its end"):
        read_vasprun(tmp_path / "vasprun.xml.gz")


def test_bytes_that_are_no_text_do_no_harm(copy: Any, engine: Engine) -> None:
    directory = copy("relax")
    expected = engine.parse(directory).energy_ev
    path = directory / "OUTCAR"
    path.write_bytes(path.read_bytes().replace(b" SYSTEM = ", b" SYSTEM = \xff\xfe\x00 "))
    assert engine.parse(directory).energy_ev == expected


def test_stars_in_place_of_a_number_are_named(copy: Any) -> None:
    directory = copy("energy")
    path = directory / "OUTCAR"
    lines = path.read_text().splitlines(keepends=True)
    row = next(n for n, line in enumerate(lines) if line.startswith("  free  energy   TOTEN"))
    lines[row] = "  free  energy   TOTEN  = ******************* eV\n"
    path.write_text("".join(lines))
    with pytest.raises(ParseError, match="too large for its columns") as caught:
        read_outcar(path)
    assert caught.value.line == row + 1
    lines[row] = "  free  energy   TOTEN  =        -1.00000000 eV\n"
    band = next(n for n, line in enumerate(lines) if line.startswith("  band No.")) + 1
    lines[band] = "      1 *********** 1.00000\n"
    path.write_text("".join(lines))
    last = read_outcar(path).last
    assert last is not None and last.bands is not None
    assert np.isnan(last.bands.energies_ev[0, 0, 0]) and find_frontier(last.bands)[0]


def test_files_of_two_runs_are_not_mixed(copy: Any, jobs: dict[str, Path], engine: Engine) -> None:
    directory = copy("energy")
    text = (directory / "vasprun.xml").read_text()
    energy = engine.parse(directory).energy_ev
    assert energy is not None
    (directory / "vasprun.xml").write_text(text.replace(f"{energy:.8f}", f"{energy + 1:.8f}"))
    with pytest.raises(ParseError, match="not of the same run as OUTCAR") as caught:
        engine.parse(directory)
    assert caught.value.path == directory / "vasprun.xml"
    for name in ("OUTCAR", "vasprun.xml"):
        shutil.copyfile(jobs["spin"] / name, directory / name)
    with pytest.raises(ParseError, match=r"is of other atoms \(2, from H\) than the job's \(7"):
        engine.parse(directory)


def test_levels_of_another_geometry_are_not_taken(copy: Any, engine: Engine) -> None:
    directory = copy("energy")
    expected = engine.parse(directory).frontier[0]
    path = directory / "EIGENVAL"
    text = path.read_text()
    path.write_text(text.replace("  -1.", "  -2."))
    found = engine.parse(directory).frontier[0]
    assert found.homo_ev == pytest.approx(expected.homo_ev, abs=6e-5)
    assert found.homo_ev == round(found.homo_ev, 4)


def test_a_directory_without_outputs_says_what_is_missing(copy: Any, engine: Engine) -> None:
    directory = copy("energy")
    for name in ("OUTCAR", "vasprun.xml"):
        (directory / name).unlink()
    (directory / "vasp.out").write_text("")
    with pytest.raises(ParseError, match="has VASP run"):
        engine.parse(directory)
    assert not engine.is_complete(directory)


def test_an_error_of_vasp_is_told_in_its_words(
    copy: Any, engine: Engine, shared_data: Path
) -> None:
    directory = copy("energy")
    for name in ("OUTCAR", "vasprun.xml"):
        (directory / name).unlink()
    texts = shared_data / "vasp/failed/handler_texts"
    shutil.copyfile(texts / "vasp.ztrtri", directory / "vasp.out")
    with pytest.raises(EngineError, match="VASP stopped: Orbital orthonormalization failed"):
        engine.parse(directory)
    for name, said in [
        ("vasp.sgrcon", "VERY BAD NEWS! internal error in subroutine SGRCON"),
        ("vasp.brmix", "BRMIX: very serious problems"),
        ("vasp.zbrent", "ZBRENT: fatal error in bracketing"),
        ("vasp.edddav", "Error EDDDAV: Call to ZHEGV failed"),
        ("vasp.read_error", "Error reading item EFERMI from file INCAR"),
    ]:
        shutil.copyfile(texts / name, directory / "vasp.out")
        assert said in find_error_text(directory)


def test_a_field_that_did_not_converge_is_refused_for_a_single_point(
    copy: Any, engine: Engine
) -> None:
    directory = copy("energy")
    path = directory / "OUTCAR"
    reached = "aborting loop because EDIFF is reached"
    missed = "aborting loop EDIFF was not reached (unconverged)"
    path.write_text(path.read_text().replace(reached, missed))
    with pytest.raises(ConvergenceError, match="electronic steps of geometry 1"):
        engine.parse(directory)


def test_a_geometry_on_the_way_that_did_not_converge_is_named(copy: Any, engine: Engine) -> None:
    directory = copy("relax")
    path = directory / "OUTCAR"
    reached = "aborting loop because EDIFF is reached"
    text = path.read_text().replace(reached, "aborting loop EDIFF was not reached", 2)
    path.write_text(text)
    result = engine.parse(directory)
    assert result.unconverged_steps == (1, 2)
    assert any("did not converge in steps 1, 2" in said for said in result.warnings)


def test_vibrations_need_converged_forces_and_an_end(copy: Any, engine: Engine) -> None:
    directory = copy("vibrations")
    path = directory / "OUTCAR"
    text = path.read_text()
    reached = "aborting loop because EDIFF is reached"
    path.write_text(text.replace(reached, "aborting loop EDIFF was not reached", 1))
    with pytest.raises(ConvergenceError, match="1 displaced geometries"):
        engine.parse(directory)
    path.write_text(text[: text.index("Eigenvectors and eigenvalues")])
    assert not engine.is_complete(directory)
    with pytest.raises(EngineError, match="no vibrational frequencies"):
        engine.parse(directory)


def test_a_stopped_run_is_not_complete_and_says_so(copy: Any, engine: Engine) -> None:
    directory = copy("relax")
    path = directory / "OUTCAR"
    text = path.read_text().replace(" reached required accuracy", " soft stop encountered! ")
    path.write_text(text)
    assert not engine.is_complete(directory)
    result = engine.parse(directory)
    assert any("was asked to stop after" in said for said in result.warnings)


def test_a_job_of_another_charge_is_another_job(jobs: dict[str, Path]) -> None:
    assert read_outcar(jobs["spin"] / "OUTCAR").header.charge == 1
    assert read_vasprun(jobs["spin"] / "vasprun.xml").header.charge == 1
    assert read_outcar(jobs["energy"] / "OUTCAR").header.charge == 0
