"""The parser on small texts in CP2K's formats, for what no public file shows."""

from pathlib import Path

import pytest

from qdcomp.engines.cp2k.outputs import iterate_steps, read_output
from qdcomp.errors import ParseError
from qdcomp.units import BOHR_ANGSTROM, HARTREE_EV

FORCE_AU = HARTREE_EV / BOHR_ANGSTROM


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "cp2k.out"
    path.write_text(text)
    return path


def header(version: str, run_type: str) -> str:
    return (
        "  **** **** ******  **  PROGRAM STARTED AT               2026-01-01 10:00:00.000\n"
        f" CP2K| version string:                     CP2K version {version}\n"
        f" GLOBAL| Run type                                        {run_type}\n"
    )


FOOTER = "  **** **** ******  **  PROGRAM ENDED AT                 2026-01-01 10:01:30.500\n"

GAP = """
  Eigenvalues of the occupied subspace spin            {spin}
 ---------------------------------------------
      -0.94600639     -0.94596562     -0.94596400     -0.94595978
      {homo}
 Fermi Energy [eV] :   -4.618749

  Lowest Eigenvalues of the unoccupied subspace spin            {spin}
 -----------------------------------------------------
 OT| Eigensolver reached convergence in 123 iterations
      {lumo}

 HOMO - LUMO gap [eV] :    3.769046
"""
SCF = "\n SCF WAVEFUNCTION OPTIMIZATION\n\n  *** SCF run converged in     6 steps ***\n"


def test_a_missing_output_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ParseError, match="not there"):
        read_output(tmp_path / "cp2k.out")


def test_forces_of_2025(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        header("2025.1", "ENERGY_FORCE")
        + SCF
        + " ENERGY| Total FORCE_EVAL ( QS ) energy [hartree]             -7.364190264587725\n\n"
        " FORCES| Atomic forces [hartree/bohr]\n"
        " FORCES|   Atom     x               y               z               |f|\n"
        " FORCES|      1 -2.08241778E-06  1.00000000E-02 -2.08293559E-06   1.00000000E-02\n"
        " FORCES|      2  2.08241778E-06 -1.00000000E-02  2.08293559E-06   1.00000000E-02\n"
        " FORCES| Sum     0.00000000E+00  0.00000000E+00  0.00000000E+00\n"
        " FORCES| Total atomic force              0.00000000E+00\n" + FOOTER,
    )
    output = read_output(path)
    assert output.energy_ev == pytest.approx(-7.364190264587725 * HARTREE_EV, rel=1e-14)
    assert output.forces_ev_per_angstrom is not None
    assert output.forces_ev_per_angstrom.shape == (2, 3)
    assert output.forces_ev_per_angstrom[0, 1] == pytest.approx(0.01 * FORCE_AU)
    assert output.walltime_s == pytest.approx(90.5)


OLD_MD_STEP = """
 ENERGY| Total FORCE_EVAL ( QS ) energy (a.u.):            -{energy}

 *******************************************************************************
 ENSEMBLE TYPE                =                                              NVE
 STEP NUMBER                  =                                                {step}
 TIME [fs]                    =                                         0.500000
 CONSERVED QUANTITY [hartree] =                              -0.110278082352E+04

                                              INSTANTANEOUS             AVERAGES
 CPU TIME [s]                 =                       45.00                45.00
 ENERGY DRIFT PER ATOM [K]    =          0.534744069806E+01   0.514644830721E+01
 POTENTIAL ENERGY[hartree]    =         -0.110277877151E+04  -0.110277877151E+04
 KINETIC ENERGY [hartree]     =          0.300000000000E+00   0.300000000000E+00
 TEMPERATURE [K]              =                     333.219              350.000
 *******************************************************************************
"""


def test_dynamics_of_7_1(tmp_path: Path) -> None:
    text = (
        header("7.1", "MD")
        + " MD| Temperature [K]                                                       300.00\n"
        + SCF
        + " ENERGY| Total FORCE_EVAL ( QS ) energy (a.u.):            -1102.700000\n"
        + " INITIAL POTENTIAL ENERGY[hartree]    =                -0.110270000000E+04\n"
        + SCF
        + OLD_MD_STEP.format(energy="1102.778771505259556", step=1)
        + FOOTER
    )
    first, second = read_output(write(tmp_path, text)).steps
    assert (first.number, second.number) == (0, 1)
    assert first.temperature_k is None
    assert second.temperature_k == 333.219
    assert second.energy_ev == pytest.approx(-1102.778771505259556 * HARTREE_EV)
    assert second.kinetic_energy_ev == pytest.approx(0.3 * HARTREE_EV)
    assert second.time_fs == 0.5


def new_md_step(number: int, energy: float, *, converged: bool = True, gap: str = "") -> str:
    verdict = (
        "  *** SCF run converged in     6 steps ***\n"
        if converged
        else " *** WARNING in qs_scf.F:598 :: SCF run NOT converged ***\n"
    )
    return (
        "\n SCF WAVEFUNCTION OPTIMIZATION\n" + verdict + gap + " ENERGY| Total FORCE_EVAL ( QS ) "
        f"energy [a.u.]:    {energy:.12f}\n\n"
        f" MD| Step number                                   {number}\n"
        f" MD| Time [fs]                                     {10.0 * number:.6f}\n"
        f" MD| Temperature [K]                               {100.0 + number:.6f}    100.0\n"
    )


def test_unconverged_steps_of_a_dynamics_are_named_and_kept(tmp_path: Path) -> None:
    text = header("2023.1", "MD") + "".join(
        new_md_step(number, -1.0, converged=number not in {3, 5}) for number in range(1, 7)
    )
    output = read_output(write(tmp_path, text + FOOTER))
    assert output.unconverged_steps == (3, 5)
    assert len(output.steps) == 6
    assert any("steps 3, 5" in warning and "policy" in warning for warning in output.warnings)


def test_orbitals_belong_to_the_step_that_follows_them(tmp_path: Path) -> None:
    gaps = {n: GAP.format(spin=1, homo=-0.2 - 0.001 * n, lumo=-0.03) for n in (1, 2)}
    text = header("2023.1", "MD") + "".join(new_md_step(n, -1.0, gap=gaps[n]) for n in (1, 2))
    steps = list(iterate_steps(write(tmp_path, text)))
    homos = [step.frontier[0].homo_ev / HARTREE_EV for step in steps]
    assert homos == pytest.approx([-0.201, -0.202])
    assert [step.temperature_k for step in steps] == [101.0, 102.0]


def test_a_step_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    whole = header("2023.1", "MD") + new_md_step(1, -1.0)
    cut = new_md_step(2, -2.0).split(" MD|")[0]
    assert [step.number for step in read_output(write(tmp_path, whole + cut)).steps] == [1]


def test_a_restarted_run_appended_to_the_first(tmp_path: Path) -> None:
    initial = SCF + " ENERGY| Total FORCE_EVAL ( QS ) energy [a.u.]:  -2.5\n MD_INI| Potential\n"
    text = (
        header("2023.1", "MD")
        + new_md_step(1, -1.0)
        + new_md_step(2, -2.0)
        + header("2023.1", "MD")
        + initial
        + new_md_step(2, -2.5)
        + FOOTER
    )
    output = read_output(write(tmp_path, text))
    assert output.runs == 2
    assert [(step.run, step.number) for step in output.steps] == [(1, 1), (1, 2), (2, 1), (2, 2)]


def test_a_step_that_converged_when_computed_again_is_not_named(tmp_path: Path) -> None:
    text = (
        header("2023.1", "MD")
        + new_md_step(1, -1.0, converged=False)
        + new_md_step(2, -2.0, converged=False)
        + header("2023.1", "MD")
        + new_md_step(2, -2.5)
        + FOOTER
    )
    assert read_output(write(tmp_path, text)).unconverged_steps == (1,)


def test_two_spins_give_two_gaps(tmp_path: Path) -> None:
    text = (
        header("6.0", "ENERGY")
        + SCF
        + GAP.format(spin=1, homo=-0.20, lumo=-0.10)
        + GAP.format(spin=2, homo=-0.25, lumo=-0.08)
        + " ENERGY| Total FORCE_EVAL ( QS ) energy (a.u.):  -2.5\n"
        + FOOTER
    )
    gaps = [channel.gap_ev / HARTREE_EV for channel in read_output(write(tmp_path, text)).frontier]
    assert gaps == pytest.approx([0.10, 0.17])


def test_one_spin_without_a_lumo_gives_no_gap_at_all(tmp_path: Path) -> None:
    text = (
        header("2023.1", "ENERGY")
        + SCF
        + GAP.format(spin=1, homo=-0.20, lumo=-0.10)
        + GAP.format(spin=2, homo=-0.25, lumo=-0.08).split("  Lowest")[0]
        + " ENERGY| Total FORCE_EVAL ( QS ) energy [a.u.]:  -2.5\n"
        + FOOTER
    )
    output = read_output(write(tmp_path, text))
    assert output.frontier == ()
    assert any("one spin has no LUMO" in warning for warning in output.warnings)


def test_the_mo_list_before_8_2(tmp_path: Path) -> None:
    text = (
        header("7.1", "ENERGY") + SCF + " MO EIGENVALUES AND MO OCCUPATION NUMBERS\n\n"
        "# MO index          MO eigenvalue [a.u.]            MO occupation\n"
        "         1                     -0.750000                2.000000\n"
        "         2                     -0.250000                2.000000\n"
        "         3                     -0.050000                0.000000\n"
        "# Sum                                                   4.000000\n\n"
        "  Fermi energy:                                         -0.250000\n"
        "  HOMO-LUMO gap:                                         0.200000 =   5.44 eV\n"
        " ENERGY| Total FORCE_EVAL ( QS ) energy (a.u.):  -2.5\n" + FOOTER
    )
    (channel,) = read_output(write(tmp_path, text)).frontier
    assert channel.homo_ev == pytest.approx(-0.25 * HARTREE_EV)
    assert channel.gap_ev == pytest.approx(0.2 * HARTREE_EV)


@pytest.mark.parametrize(
    ("version", "trusted"), [("8.1", True), ("8.2", False), ("2024.1", False), ("2024.2", True)]
)
def test_empty_orbitals_of_mo_with_ot_are_not_trusted_before_2024_2(
    tmp_path: Path, version: str, trusted: bool
) -> None:
    text = (
        header(version, "ENERGY") + "  Minimizer      : DIIS\n" + SCF + " MO| EIGENVALUES AND"
        " OCCUPATION NUMBERS\n MO|\n"
        " MO|  Index      Eigenvalue [a.u.]        Eigenvalue [eV]             Occupation\n"
        " MO|      4            -0.30000000            -8.16341587             2.00000000\n"
        " MO|      5            -0.28934000            -7.87334250             0.00000000\n"
        " MO| Sum:                                                             8.00000000\n"
        " ENERGY| Total FORCE_EVAL ( QS ) energy [a.u.]:  -17.2\n" + FOOTER
    )
    output = read_output(write(tmp_path, text))
    assert bool(output.frontier) == trusted
    assert any("3217" in warning for warning in output.warnings) != trusted


def test_a_density_on_the_walls_counts_at_convergence_only(tmp_path: Path) -> None:
    complaint = (
        " *** WARNING in pw/ps_wavelet_methods.F:241 :: Density non-zero on the ***\n"
        " *** edges of the unit cell: wrong results in WAVELET solver           ***\n\n"
    )
    iteration = "     {} OT DIIS     0.15E+00    0.9     0.00000474      -164.8775645435 -1.0E-07\n"
    rows = iteration.format(1) + iteration.format(2) + iteration.format(3) + iteration.format(4)
    end = "\n  *** SCF run converged in     6 steps ***\n"
    energy = " ENERGY| Total FORCE_EVAL ( QS ) energy [a.u.]:  -17.2\n"
    start = header("2023.1", "ENERGY") + "\n SCF WAVEFUNCTION OPTIMIZATION\n"
    early = start + complaint + rows + end + energy
    late = start + rows + complaint + iteration.format(5) + end + energy
    assert read_output(write(tmp_path, early)).warnings == ()
    assert any("walls" in text for text in read_output(write(tmp_path, late)).warnings)


@pytest.mark.parametrize("number", ["******", "NaN"])
def test_a_number_that_is_none_names_the_line(tmp_path: Path, number: str) -> None:
    line = f" ENERGY| Total FORCE_EVAL ( QS ) energy [a.u.]:  {number}\n"
    text = header("2023.1", "ENERGY") + line
    with pytest.raises(ParseError, match=r"line 4.*expected a number"):
        read_output(write(tmp_path, text))


def test_an_abort_in_the_middle_of_the_orbitals_is_seen(tmp_path: Path) -> None:
    start = header("2023.1", "ENERGY") + "\n SCF WAVEFUNCTION OPTIMIZATION\n"
    text = (
        start
        + "  Eigenvalues of the occupied subspace spin            1\n"
        + " ---------------------------------------------\n      -0.24513256      0.15796817\n"
        + " Fermi Energy [eV] :    4.298532\n\n"
        + "  Lowest Eigenvalues of the unoccupied subspace spin            1\n"
        + " -----------------------------------------------------\n\n"
        + " " + 79 * "*" + "\n *   ___" + 71 * " " + "*\n"
        + " * [ABORT]" + 69 * " " + "*\n"
        + " *  \\___/         Cholesky decomposition failed. Matrix ill conditioned ?      *\n"
        + " " + 79 * "*" + "\n"
    )  # fmt: skip
    output = read_output(write(tmp_path, text))
    assert "Cholesky decomposition failed" in output.abort
    assert not output.ended
