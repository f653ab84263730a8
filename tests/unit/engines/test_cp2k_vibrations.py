"""Vibrational frequencies: the input, the main output, and what is not to be trusted in them."""

import os
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from qdcomp.engines.base import EngineJob
from qdcomp.engines.cp2k import Cp2kEngine, read_output
from qdcomp.engines.cp2k.handlers import Stalled, StuckScf, UnconvergedScf
from qdcomp.engines.cp2k.inputs import prepare_job, render_input, write_input
from qdcomp.engines.cp2k.job_file import read_job_file
from qdcomp.errors import ConvergenceError, EngineError, InputError, ParseError
from qdcomp.units import BOHR_ANGSTROM, HARTREE_EV

HEAD = (
    "  **** **** ******  **  PROGRAM STARTED AT               2026-01-01 10:00:00.000\n"
    " CP2K| version string:                     CP2K version 2023.1\n"
    " GLOBAL| Run type                                      VIBRATIONAL_ANALYSIS\n"
)
END = "  **** **** ******  **  PROGRAM ENDED AT                 2026-01-01 10:01:00.000\n"
DISPLACED = """
 VIB| REPLICA Nr.    1- Energy and Forces for particle:    2  coordinate: Z - DZ
 VIB|                                     Total energy:         -19.895276565592
 VIB|    ATOM                            X                Y                Z
 VIB|      N                       0.000000000     -0.000000001     -0.113464504
 VIB|      N                       0.000000000     -0.000000003      0.114126887
 VIB|
"""
MINIMUM = """\
  Minimum Structure - Energy and Forces:
 VIB|                                     Total energy:         -19.895345146690
 VIB|    ATOM                            X                Y                Z
 VIB|      N                      -0.000000001      0.000000001      {force}
 VIB|      N                       0.000000001     -0.000000001     -0.000000438
 VIB| Hessian in cartesian coordinates

                    1            2            3
     1  N        2.140119     0.000003    -0.000006
 VIB| Cartesian Low frequencies ---  2.1175      2.1175      2.1627      2.1627
 VIB| Frequencies after removal of the rotations and translations
 VIB| Internal  Low frequencies ---  116.77

 VIB|                        NORMAL MODES - CARTESIAN DISPLACEMENTS
 VIB|
 VIB|                         1                    2                    3
 VIB|Frequency (cm^-1)   -45.123400           812.500000          2371.619619
 VIB|Red.Masses (a.u.)    14.006700            14.006700            14.006700
  ATOM  EL             X     Y     Z        X     Y     Z        X     Y     Z
     1  N             0.00  0.00  0.71
 VIB|                         4
 VIB|Frequency (cm^-1)  3000.000000
"""
WHOLE = HEAD + DISPLACED + MINIMUM.format(force="0.000000438") + END


def make_job(task: str = "vibrations", **changes: object) -> EngineJob:
    atoms = Atoms("N2", positions=[[0, 0, 0], [0, 0, 1.1]])
    fields = {"charge": 0, "frozen": np.zeros(2, bool)} | changes
    return EngineJob(task, atoms, **fields)  # type: ignore[arg-type]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    write_input(tmp_path, prepare_job(make_job(), None))
    (tmp_path / "cp2k.out").write_text(WHOLE)
    return tmp_path


def test_the_input_displaces_the_free_atoms() -> None:
    job = make_job(frozen=np.array([True, False]), settings={"displacement_angstrom": "0.001 nm"})
    lines = [line.strip() for line in render_input(prepare_job(job, None)).splitlines()]
    assert "RUN_TYPE VIBRATIONAL_ANALYSIS" in lines
    assert "DX [angstrom] 0.01" in lines
    assert "FULLY_PERIODIC F" in lines
    assert "LIST 1" in lines
    assert "&MO_CUBES" not in lines


def test_all_modes_of_a_slab_are_kept() -> None:
    slab = Atoms("N2", positions=[[0, 0, 9], [0, 0, 10.1]], cell=[6, 6, 20], pbc=(1, 1, 0))
    job = EngineJob("vibrations", slab, 0, np.zeros(2, bool))
    assert "FULLY_PERIODIC T" in render_input(prepare_job(job, None))


def test_nothing_free_is_nothing_to_displace() -> None:
    with pytest.raises(InputError, match="every atom is frozen"):
        prepare_job(make_job(frozen=np.ones(2, bool)), None)


def test_frequencies_with_imaginary_ones_negative(directory: Path) -> None:
    engine = Cp2kEngine()
    result = engine.parse(directory)
    assert result.frequencies_per_cm is not None
    assert result.frequencies_per_cm.tolist() == [-45.1234, 812.5, 2371.619619, 3000.0]
    assert result.energy_ev == pytest.approx(-19.895345146690 * HARTREE_EV)
    expected = 4.38e-7 * HARTREE_EV / BOHR_ANGSTROM
    assert result.forces_ev_per_angstrom is not None
    assert result.forces_ev_per_angstrom[:, 2] == pytest.approx([expected, -expected])
    assert result.warnings == ()
    assert engine.is_complete(directory)


def test_the_frequencies_of_the_last_run_count(directory: Path) -> None:
    with (directory / "cp2k.out").open("a") as stream:
        stream.write(WHOLE.replace("-45.123400", " 45.000000"))
    frequencies = read_output(directory / "cp2k.out").frequencies_per_cm
    assert frequencies is not None
    assert frequencies.tolist() == [45.0, 812.5, 2371.619619, 3000.0]


def test_a_structure_that_is_no_minimum_is_said(directory: Path) -> None:
    (directory / "cp2k.out").write_text(HEAD + MINIMUM.format(force="0.002000000") + END)
    (text,) = Cp2kEngine().parse(directory).warnings
    assert "a force of 0.10 eV/Å" in text


def test_forces_of_the_free_atoms_alone_are_not_those_of_the_structure(tmp_path: Path) -> None:
    write_input(tmp_path, prepare_job(make_job(frozen=np.array([False, True])), None))
    second = " VIB|      N                       0.000000001     -0.000000001     -0.000000438\n"
    minimum = MINIMUM.format(force="0.002000000")
    assert second in minimum
    (tmp_path / "cp2k.out").write_text(HEAD + minimum.replace(second, "") + END)
    result = Cp2kEngine().parse(tmp_path)
    assert result.forces_ev_per_angstrom is None
    assert "a force of 0.10 eV/Å" in result.warnings[0]


def test_a_run_that_was_stopped_has_none_and_begins_again(directory: Path) -> None:
    engine = Cp2kEngine()
    (directory / "cp2k.out").write_text(HEAD + DISPLACED)
    (directory / "qdcomp-r-0.out").write_text("*** SCF run converged in 8 steps ***\n")
    assert not engine.is_complete(directory)
    with pytest.raises(EngineError, match="start it again"):
        engine.parse(directory)
    engine.restart_from(directory, directory)
    assert not (directory / "qdcomp-r-0.out").exists()
    assert read_job_file(directory).restart is None


def test_a_displacement_without_scf_spoils_the_frequencies(directory: Path) -> None:
    (directory / "qdcomp-r-0.out").write_text(
        " *** WARNING in qs_scf.F:598 :: SCF run NOT converged ***\n"
    )
    with pytest.raises(ConvergenceError, match="1 displaced geometries"):
        Cp2kEngine().parse(directory)


def test_a_frequency_that_is_no_number_is_named(directory: Path) -> None:
    (directory / "cp2k.out").write_text(WHOLE.replace("812.500000", "**********"))
    line = WHOLE[: WHOLE.index("812.5")].count("\n") + 1
    with pytest.raises(ParseError, match=rf"cp2k\.out, line {line}.*\*\*\*"):
        read_output(directory / "cp2k.out")


def test_handlers_watch_the_outputs_of_the_displacements(directory: Path) -> None:
    (directory / "cp2k.out").write_text(HEAD)
    name = str(directory)
    unconverged, stuck = UnconvergedScf(name), StuckScf(name)
    assert not unconverged.check(name)
    replica = directory / "qdcomp-r-0.out"
    replica.write_text(
        "   240 OT DIIS     0.15E+00\n" * 5 + " *** WARNING :: SCF run NOT converged ***\n"
    )
    assert stuck.check(name)
    assert unconverged.check(name)
    assert unconverged.correct(name)["actions"]
    assert read_job_file(directory).settings.minimizer == "CG"
    assert not replica.exists()


def test_displacements_that_go_on_are_no_stall(directory: Path) -> None:
    (directory / "cp2k.out").write_text(HEAD)
    os.utime(directory / "cp2k.out", (1.0, 1.0))
    assert Stalled(str(directory)).check(str(directory))
    (directory / "qdcomp-r-0.out").write_text("     1 OT DIIS     0.15E+00\n")
    assert not Stalled(str(directory)).check(str(directory))


def test_vibrations_cost_six_energies_an_atom() -> None:
    engine = Cp2kEngine()
    energy = engine.estimate_cost(make_job("energy")).core_hours
    vibrations = engine.estimate_cost(make_job()).core_hours
    half = engine.estimate_cost(make_job(frozen=np.array([True, False]))).core_hours
    assert vibrations - energy == pytest.approx(2 * (half - energy))
    assert half > 2 * energy
