"""Outputs that qdcomp did not make, on small files in CP2K's formats."""

import numpy as np
import pytest

from qdcomp.recipes.stages.foreign_run import analyse_foreign_run
from qdcomp.structures import read_structure

SYMBOLS = ("Cs", "Pb", "Br", "Br", "Br", "Br")
STEPS = 60


@pytest.fixture
def outputs(tmp_path):
    """Write a dynamics of six atoms, the first ones held fixed, with a gap that fluctuates."""

    def write(n_held):
        folder = tmp_path / f"held_{n_held}"
        folder.mkdir()
        generator = np.random.default_rng(1)
        start = 3.0 * generator.normal(size=(6, 3))
        swing, phase = 0.05 * generator.normal(size=(2, 6, 3))
        swing[:n_held] = 0.0
        frames, steps = [], []
        for step in range(STEPS):
            rows = start + swing * np.sin(0.4 * step + 40.0 * phase)
            atoms = "".join(
                f"{symbol:>3} {x:19.10f} {y:19.10f} {z:19.10f}\n"
                for symbol, (x, y, z) in zip(SYMBOLS, rows, strict=True)
            )
            frames.append(f"  6\n i = {step:8d}, time = {10.0 * step:12.3f}, E = -10.0\n{atoms}")
            steps.append(
                "  *** SCF run converged in     6 steps ***\n"
                "  Eigenvalues of the occupied subspace spin            1\n ------\n"
                f"      -0.50000000     -0.20000000\n Fermi Energy [eV] :   -5.0\n\n"
                "  Lowest Eigenvalues of the unoccupied subspace spin            1\n ------\n"
                f"      {-0.1 + 0.002 * np.sin(0.4 * step):.8f}\n\n"
                " ENERGY| Total FORCE_EVAL ( QS ) energy [a.u.]:    -10.0\n"
                f" MD| Step number                                   {step}\n"
            )
        (folder / "dot-pos-1.xyz").write_text("".join(frames))
        (folder / "cp2k.out").write_text(
            "  **** **** ******  **  PROGRAM STARTED AT               2026-01-01 10:00:00.000\n"
            " CP2K| version string:                     CP2K version 2023.1\n"
            " GLOBAL| Run type                                        MD\n"
            + "".join(steps)
            + "  **** **** ******  **  PROGRAM ENDED AT                 2026-01-01 10:01:00.000\n"
        )
        return folder

    return write


def test_atoms_that_stand_still_are_held_fixed(outputs, tmp_path):
    run = analyse_foreign_run(outputs(2), tmp_path / "out", temperature_k=10.0)
    assert run.structure.frozen.tolist() == [True, True, False, False, False, False]
    assert run.analysis.phonon_dos.n_degrees_of_freedom == 12
    assert not run.analysis.rigid_body_motion_removed
    assert any("2 of 6 atoms stand at the same place" in text for text in run.warnings)
    written = read_structure(tmp_path / "out" / "structure.extxyz")
    assert written.frozen.sum() == 2


def test_a_dot_whose_atoms_all_move_is_free(outputs, tmp_path):
    run = analyse_foreign_run(outputs(0), tmp_path / "out", temperature_k=10.0)
    assert not run.structure.frozen.any()
    assert run.analysis.phonon_dos.n_degrees_of_freedom == 12  # 3 × 6 − 6
    assert run.analysis.rigid_body_motion_removed
    assert not any("same place" in text for text in run.warnings)
