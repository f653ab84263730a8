"""The parser against real public files, values as in their MANIFEST."""

from pathlib import Path

import numpy as np
import pytest

from qdcomp.engines.cp2k.outputs import read_output, refuse_aborted
from qdcomp.errors import EngineError, ParseError
from qdcomp.units import BOHR_ANGSTROM, HARTREE_EV

FORCE_AU = HARTREE_EV / BOHR_ANGSTROM


@pytest.fixture
def cp2k_files(shared_data: Path) -> Path:
    return shared_data / "cp2k"


@pytest.mark.parametrize(
    ("name", "version", "energies", "scf_steps", "gap"),
    [
        ("GEO_OPT_v2024.3.out", "2024.3",
         (-13.725689111701852, -13.726193434833586), [7, 11, 11, 9, 9], 5.770362),
        ("GEO_OPT_v9.1.out", "9.1",
         (-13.725689111701854, -13.726193434833574), [7, 11, 11, 9, 9], 5.770362),
        ("OT_v9.1.out", "9.1", (-26352.215747926547920,) * 2, [11], 0.009679),
    ],
)  # fmt: skip
def test_real_ot_outputs(
    cp2k_files: Path,
    name: str,
    version: str,
    energies: tuple[float, float],
    scf_steps: list[int],
    gap: float,
) -> None:
    output = read_output(cp2k_files / "aiida-cp2k" / name)
    assert output.version == version
    found = [step.energy_ev / HARTREE_EV for step in output.steps if step.energy_ev is not None]
    assert (found[0], found[-1]) == pytest.approx(energies, rel=1e-14)
    assert [step.scf_steps for step in output.steps] == scf_steps
    assert all(step.scf_converged for step in output.steps)
    assert [channel.gap_ev for channel in output.frontier] == pytest.approx([gap], abs=2e-6)
    assert output.ended
    assert output.warnings == ()


@pytest.mark.parametrize("name", ["GEO_OPT_v9.1.out", "GEO_OPT_v2024.3.out"])
def test_a_relaxation_in_the_old_and_the_new_form(cp2k_files: Path, name: str) -> None:
    output = read_output(cp2k_files / "aiida-cp2k" / name)
    assert output.n_atoms == 6
    assert output.geometry_converged is True
    assert [step.number for step in output.steps] == [0, 1, 2, 3, 3]
    forces = [step.max_force_ev_per_angstrom for step in output.steps[1:4]]
    expected = np.array([0.0015528294, 0.0003036618, 0.0000728782]) * FORCE_AU
    np.testing.assert_allclose(forces, expected, rtol=3e-6)


@pytest.mark.parametrize(
    ("name", "energy", "homo", "gap"),
    [
        ("2_1_2", -7.845971852192693, -0.46806892, 4.14210955),
        ("2_1_4", -22.850469248921446, -0.22039498, 3.65372339),
        ("2_2_4a", -22.83885230584232, -0.28287590, 6.56579708),
        ("2_2_4b", -22.82584061476100, -0.27067758, 6.11092615),
        ("2_2_4c", -21.95856086201276, -0.20568139, 5.95477323),
    ],
)
def test_mo_lists_of_2023_1(
    cp2k_files: Path, name: str, energy: float, homo: float, gap: float
) -> None:
    output = read_output(cp2k_files / "libra_ch2o_2023.1" / f"{name}.md.log")
    assert output.version == "2023.1"
    assert output.energy_ev == pytest.approx(energy * HARTREE_EV, rel=1e-13)
    (channel,) = output.frontier
    assert channel.homo_ev == pytest.approx(homo * HARTREE_EV, abs=1e-6)
    assert channel.gap_ev == pytest.approx(gap, abs=2e-6)


@pytest.mark.parametrize("name", ["2_1_1", "2_1_5", "2_1_6a", "2_1_6b", "2_1_6c", "2_1_6d"])
def test_the_last_two_occupied_orbitals_are_no_gap(cp2k_files: Path, name: str) -> None:
    output = read_output(cp2k_files / "libra_ch2o_2023.1" / f"{name}.md.log")
    assert output.frontier == ()
    assert "only occupied orbitals" in output.warnings[0]


def test_with_smearing_the_fermi_energy_is_not_the_homo(cp2k_files: Path) -> None:
    output = read_output(cp2k_files / "libra_ch2o_2023.1" / "2_1_3.md.log")
    (channel,) = output.frontier
    assert channel.homo_ev == pytest.approx(-0.46806588 * HARTREE_EV, abs=1e-6)
    assert channel.lumo_ev == pytest.approx(-0.31583121 * HARTREE_EV, abs=1e-6)
    assert "smearing" in output.warnings[0]


@pytest.mark.parametrize(
    ("name", "ground", "excited"),
    [
        ("2_2_1", -7.84597185219269, -8.006881776985015),
        ("2_2_2", -22.85046924892146, -22.706182703958284),
        ("2_2_3", -22.85046924892146, -23.004784834589003),
    ],
)
def test_tddfpt_energies_are_those_of_the_ground_state(
    cp2k_files: Path, name: str, ground: float, excited: float
) -> None:
    output = read_output(cp2k_files / "libra_ch2o_2023.1" / f"{name}.md.log")
    assert output.energy_ev == pytest.approx(ground * HARTREE_EV, rel=1e-13)
    assert output.steps[-1].excited_energy_ev == pytest.approx(excited * HARTREE_EV, rel=1e-13)
    assert any("excited state" in text for text in output.warnings)


def test_5_1_outputs(cp2k_files: Path) -> None:
    single = read_output(cp2k_files / "qmflows/cp2k_job/cp2k_job.out")
    assert single.version == "5.1"
    assert single.energy_ev == pytest.approx(-13.720422414152788 * HARTREE_EV, rel=1e-14)
    relaxation = read_output(cp2k_files / "qmflows/cp2k_opt/cp2k_opt.out")
    assert [step.scf_steps for step in relaxation.steps] == [22, 8, 8, 7, 6]
    assert relaxation.energy_ev == pytest.approx(-13.722099915486062 * HARTREE_EV, rel=1e-14)


def test_8_1_forces(cp2k_files: Path) -> None:
    output = read_output(cp2k_files / "cp2k-output-tools/BANDS_output_v8.1.out")
    assert output.forces_ev_per_angstrom is not None
    assert output.forces_ev_per_angstrom.shape == (2, 3)
    assert np.abs(output.forces_ev_per_angstrom.sum(axis=0)).max() < 1e-5


def test_snippets_without_a_head_are_read(cp2k_files: Path) -> None:
    output = read_output(cp2k_files / "cp2k-output-tools/cell_opt_snippet.out")
    assert output.version == "unknown"
    assert [step.scf_steps for step in output.steps] == [10, 9, 5, 4, 1]
    assert output.energy_ev == pytest.approx(-65.987107704050743 * HARTREE_EV, rel=1e-14)


@pytest.mark.parametrize("name", ["overlap_condition_snippet.out", "warning-snippet.out"])
def test_what_is_no_output_is_refused(cp2k_files: Path, name: str) -> None:
    with pytest.raises(ParseError, match="not an output of CP2K"):
        read_output(cp2k_files / "cp2k-output-tools" / name)


@pytest.mark.parametrize(
    ("name", "text"),
    [("hybrid", "not been linked against the required library libint"), ("cholesky", "Cholesky")],
)
def test_an_abort_is_told_in_cp2ks_words(
    cp2k_files: Path, tmp_path: Path, name: str, text: str
) -> None:
    output = read_output(cp2k_files / "failed_custodian" / f"cp2k.out.{name}")
    assert not output.ended
    with pytest.raises(EngineError, match=text):
        refuse_aborted(output, tmp_path)


def test_an_unconverged_scf_is_named(cp2k_files: Path) -> None:
    output = read_output(cp2k_files / "failed_custodian/cp2k.out.unconverged")
    assert output.unconverged_steps == (0,)
    assert output.energy_ev == pytest.approx(-7.096336535944440 * HARTREE_EV, rel=1e-14)
    assert any("did not converge in step 0" in text for text in output.warnings)
