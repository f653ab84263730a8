from pathlib import Path

import pytest

from qdcomp.engines.cp2k.molog import read_molog, read_molog_frontier
from qdcomp.errors import ParseError
from qdcomp.units import HARTREE_EV


def test_a_list_with_occupied_and_empty_orbitals(shared_data: Path) -> None:
    path = shared_data / "md" / "libra_cdse13" / "CdSe13-CdSe13-1_0.MOLog"
    (orbitals,) = read_molog(path)
    assert orbitals.indices.tolist() == list(range(1, 168))
    assert orbitals.energies_ev[0] == pytest.approx(-0.6336711721536047 * HARTREE_EV)
    assert orbitals.occupations.sum() == 2 * 117
    (channel,), warnings = read_molog_frontier(path)
    assert channel.gap_ev == pytest.approx(0.0218654984266540 * HARTREE_EV, rel=1e-9)
    assert channel.homo_ev == pytest.approx(-0.1585886027784532 * HARTREE_EV, rel=1e-12)
    assert warnings == ()


def test_a_list_of_empty_orbitals_takes_the_homo_from_the_printed_gap(shared_data: Path) -> None:
    path = shared_data / "cp2k" / "qmflows" / "cp2k_job" / "orbitals.out-1_0.MOLog"
    (channel,), _ = read_molog_frontier(path)
    assert channel.lumo_ev == pytest.approx(-0.0232947596756787 * HARTREE_EV, rel=1e-12)
    assert channel.homo_ev == pytest.approx(-0.2308776487405567 * HARTREE_EV, rel=1e-9)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("invalid_header", "no list of orbitals"),
        ("no_alpha", "for BETA and none for ALPHA"),
        ("no_beta", "for ALPHA and none for BETA"),
    ],
)
def test_damaged_files_are_refused(shared_data: Path, name: str, message: str) -> None:
    with pytest.raises(ParseError, match=message):
        read_molog(shared_data / "cp2k" / "qmflows" / f"{name}.MOLog")


def test_a_list_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.MOLog"
    path.write_text(
        " MO| EIGENVALUES, OCCUPATION NUMBERS, AND SPHERICAL EIGENVECTORS\n MO|\n"
        " MO|      1      2\n MO|   -0.2  -0.1\n"
    )
    with pytest.raises(ParseError, match="2 numbers, 2 energies, 0 occupations"):
        read_molog(path)
