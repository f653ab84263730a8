"""Frontier orbitals over all k-points, and density matrices as first guesses."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from qdcomp.engines.base import EngineJob
from qdcomp.engines.cp2k import Cp2kEngine, read_output
from qdcomp.engines.cp2k.inputs import prepare_job, write_input
from qdcomp.engines.cp2k.job_file import read_job_file
from qdcomp.engines.cp2k.molog import read_molog, read_molog_frontier
from qdcomp.units import HARTREE_EV

HEAD = (
    "  **** **** ******  **  PROGRAM STARTED AT               2026-01-01 10:00:00.000\n"
    " CP2K| version string:                     CP2K version 2023.1\n"
    " GLOBAL| Run type                                      GEO_OPT\n"
)
RECORD = b"\x08\x00\x00\x00" + bytes(8) + b"\x08\x00\x00\x00"


def orbitals(kpoint: int, homo: float, lumo: float, spin: str = "") -> str:
    return f"""
 MO| {spin}EIGENVALUES AND OCCUPATION NUMBERS FOR K POINT {kpoint}
 MO|
 MO|  Index      Eigenvalue [a.u.]        Eigenvalue [eV]             Occupation
 MO|      1              -0.862661             -23.474203               2.000000
 MO|      2              {homo:9.6f}              -0.642361               2.000000
 MO|      3              {lumo:9.6f}               3.042965               0.000000
 MO| Sum:                                                               4.000000
 MO| E(Fermi):            0.034543 a.u.          0.939961 eV
 MO| Band gap:            0.135433 a.u.          3.685326 eV
"""


def geometry(number: int, *lists: str) -> str:
    return (
        "\n SCF WAVEFUNCTION OPTIMIZATION\n  *** SCF run converged in    18 steps ***\n"
        + "".join(lists)
        + " ENERGY| Total FORCE_EVAL ( QS ) energy [a.u.]:              -97.780411431484211\n"
        + f" --------  Informations at step =     {number} ------------\n"
    )


def test_the_gap_is_that_between_the_highest_and_the_lowest_over_all_kpoints(
    tmp_path: Path,
) -> None:
    path = tmp_path / "cp2k.out"
    path.write_text(
        HEAD
        + geometry(0, orbitals(1, -0.10, 0.02), orbitals(2, -0.05, 0.30))
        + geometry(1, orbitals(1, -0.20, 0.10), orbitals(2, -0.30, 0.08), orbitals(3, -0.25, 0.40))
    )
    first, second = (step.frontier[0] for step in read_output(path).steps)
    assert (first.homo_ev, first.lumo_ev) == pytest.approx((-0.05 * HARTREE_EV, 0.02 * HARTREE_EV))
    assert (second.homo_ev, second.lumo_ev) == pytest.approx(
        (-0.20 * HARTREE_EV, 0.08 * HARTREE_EV)
    )


def test_spins_have_their_own_frontier_over_the_kpoints(tmp_path: Path) -> None:
    lists = [
        orbitals(k, homo + shift, lumo, spin)
        for k, homo, lumo in ((1, -0.2, 0.1), (2, -0.3, 0.0))
        for spin, shift in (("ALPHA ", 0.0), ("BETA ", -0.05))
    ]
    path = tmp_path / "cp2k.out"
    path.write_text(HEAD + geometry(0, *lists))
    (step,) = read_output(path).steps
    homos = [channel.homo_ev / HARTREE_EV for channel in step.frontier]
    assert homos == pytest.approx([-0.2, -0.25])


def test_a_kpoint_without_empty_orbitals_gives_no_gap(tmp_path: Path) -> None:
    occupied = "\n".join(
        line for line in orbitals(2, -0.05, 0.3).splitlines() if " MO|      3" not in line
    )
    path = tmp_path / "cp2k.out"
    path.write_text(HEAD + geometry(0, orbitals(1, -0.1, 0.02), occupied + "\n"))
    output = read_output(path)
    assert output.frontier == ()
    assert any("only occupied" in text for text in output.warnings)


def test_kpoints_in_a_molog_file(tmp_path: Path) -> None:
    path = tmp_path / "slab-1_0.MOLog"
    path.write_text(
        "".join(
            f" MO| EIGENVALUES, OCCUPATION NUMBERS, AND SPHERICAL EIGENVECTORS FOR K POINT {k}\n"
            f" MO|\n MO|      1      2\n MO|   {homo}  {lumo}\n MO|   2.0  0.0\n"
            for k, homo, lumo in ((1, -0.2, 0.1), (2, -0.15, 0.2))
        )
    )
    assert [found.kpoint for found in read_molog(path)] == [1, 2]
    (channel,), _ = read_molog_frontier(path)
    assert (channel.homo_ev, channel.lumo_ev) == pytest.approx(
        (-0.15 * HARTREE_EV, 0.1 * HARTREE_EV)
    )


def make_run(directory: Path, kpoints: tuple[int, int, int], **changes: object) -> Path:
    directory.mkdir()
    slab = Atoms("CsBr", positions=[[0, 0, 10], [0, 0, 13]], cell=[6, 6, 24], pbc=(1, 1, 0))
    job = EngineJob("relax", slab, 0, np.zeros(2, bool), kpoints=kpoints)
    job = dataclasses.replace(job, **changes)  # type: ignore[arg-type]
    write_input(directory, prepare_job(job, None))
    return directory


def test_the_density_matrix_of_the_same_grid_is_the_first_guess(tmp_path: Path) -> None:
    engine = Cp2kEngine()
    previous = make_run(tmp_path / "previous", (2, 2, 1))
    (previous / "qdcomp-RESTART.kp").write_bytes(2 * RECORD)
    (previous / "qdcomp-RESTART.wfn").write_bytes(2 * RECORD)
    following = make_run(tmp_path / "following", (2, 2, 1))
    engine.restart_from(following, previous)
    assert (following / "qdcomp-RESTART.kp").is_file()
    assert read_job_file(following).wavefunction
    for name, kpoints, changes in (
        ("denser", (4, 4, 1), {}),
        ("centre", (1, 1, 1), {}),
        ("ghost", (2, 2, 1), {"ghost": np.array([True, False]), "task": "energy", "charge": -1}),
    ):
        other = make_run(tmp_path / name, kpoints, **changes)  # type: ignore[arg-type]
        engine.restart_from(other, previous)
        assert not read_job_file(other).wavefunction


def test_a_relaxation_cut_off_goes_on_from_its_density_matrix(tmp_path: Path) -> None:
    directory = make_run(tmp_path / "job", (2, 2, 1))
    (directory / "qdcomp-RESTART.kp").write_bytes(2 * RECORD[:-1])
    (directory / "qdcomp-RESTART.kp.bak-1").write_bytes(2 * RECORD)
    Cp2kEngine().restart_from(directory, directory)
    assert (directory / "qdcomp-RESTART.kp").stat().st_size == 2 * len(RECORD)
    text = (directory / "cp2k.inp").read_text()
    assert "SCF_GUESS RESTART" in text
