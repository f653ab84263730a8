import math

import pytest

from qdcomp.compare import (
    check_reference,
    find_coupling_row,
    find_published,
    load_coupling_table,
    load_published,
)
from qdcomp.errors import InputError
from qdcomp.units import BOLTZMANN_EV_PER_K, FWHM_PER_SIGMA


def test_rows_are_those_of_the_paper():
    """Rainò 2022, SI, Supplementary Table 1."""
    rows = [
        (row.cells, row.core_shell, *row.huang_rhys_factors, row.fwhm_300k_mev)
        for row in load_coupling_table()
    ]
    assert rows == [
        (3, False, 29.9, 8.4, 1.2, 200),
        (4, False, 19.7, 6.6, 0.5, 164),
        (5, False, 11.0, 4.4, 0.8, 138),
        (6, False, 7.0, 1.9, 1.7, 126),
        (7, False, 7.5, 1.0, 1.8, 122),
        (6, True, 5.3, 1.3, 0.5, 89.9),
    ]


@pytest.mark.parametrize("row", load_coupling_table(), ids=lambda row: row.dot)
def test_published_linewidth_follows_from_the_published_coupling(row):
    """Γ = 2√(2 ln 2) √(2 Λ kT) at 300 K, within the last printed digit."""
    variance = 2 * row.reorganization_energy_ev * BOLTZMANN_EV_PER_K * 300
    assert 1e3 * FWHM_PER_SIGMA * math.sqrt(variance) == pytest.approx(row.fwhm_300k_mev, abs=1.0)


def test_row_is_found_by_size_and_shell():
    core_only, core_shell = find_coupling_row(6), find_coupling_row(6, core_shell=True)
    assert (core_only.fwhm_300k_mev, core_shell.fwhm_300k_mev) == (126, 89.9)
    assert core_shell.doi == "10.1038/s41467-022-30016-0"
    assert core_shell.where == "SI Table 1"
    assert find_coupling_row(8) is None
    assert find_coupling_row(3, core_shell=True) is None


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        ("raino2022.frozen_shell_2p9nm_300K.free_fwhm_mev", 230, "SI Fig. 7"),
        ("raino2022.frozen_shell_2p9nm_300K.frozen_two_cells_fwhm_mev", 50, "SI Fig. 7"),
        ("raino2022.surface_br_extra_mobility.value", 0.40, "SI Fig. 9"),
        ("raino2022.core_shell_orbitals.cbm_on_ca", 0.017, "SI Note 1"),
        ("raino2022.sideband_share_of_room_temperature_linewidth.value", 0.70, "SI Note 1"),
    ],
)
def test_other_values_come_with_their_place(path, value, where):
    found = find_published(path)
    assert (found.value, found.where) == (value, where)
    assert found.doi == "10.1038/s41467-022-30016-0"


def test_place_and_doi_are_none_where_not_recorded():
    assert find_published("mi2025.spot_radius_nm").doi is None
    assert find_published("damato2023.emitters").where is None


@pytest.mark.parametrize(
    ("path", "nearest"),
    [
        ("raino2021", "'raino2022'"),
        ("raino2022.frozen_shell.free_fwhm_mev", "'frozen_shell_2p9nm_300K'"),
        ("raino2022.core_shell_orbitals.cbm_on_Ca", "'cbm_on_ca'"),
        ("", "nearest: "),
    ],
)
def test_unknown_key_names_the_nearest(path, nearest):
    with pytest.raises(InputError, match="unknown key") as error:
        find_published(path)
    assert nearest in str(error.value)


def test_path_past_a_value_is_refused():
    with pytest.raises(InputError, match="stop there"):
        find_published("damato2023.emitters.number")


def test_references_to_numbers_that_there_are_pass():
    check_reference("raino2022", dot="3.6 nm core/shell CsPbBr3/CsCaBr3")
    check_reference("raino2022", entry="frozen_shell_2p9nm_300K")
    check_reference("raino2022")


@pytest.mark.parametrize(
    ("reference", "nearest"),
    [
        ({"paper": "raino2023"}, "'raino2022'"),
        ({"paper": "raino2022", "dot": "1.9 nm"}, "'1.8 nm'"),
        ({"paper": "raino2022", "entry": "frozen_shell"}, "'frozen_shell_2p9nm_300K'"),
        ({"paper": "mi2025", "dot": "1.8 nm"}, "coupling_table"),
    ],
)
def test_a_reference_to_numbers_that_there_are_not_names_the_nearest(reference, nearest):
    with pytest.raises(InputError) as error:
        check_reference(**reference)
    assert nearest in str(error.value)


def test_loaded_numbers_are_a_copy():
    load_published()["raino2022"].clear()
    assert find_coupling_row(3) is not None


def test_shipped_numbers_are_the_collected_ones(shared_data):
    import yaml

    collected = shared_data.parent / "reference/published.yaml"
    # the collection has two places whose comma makes a key of what follows it
    text = collected.read_text(encoding="utf-8")
    for place in ("Fig. 2, 5", "SI Figs 18, 31"):
        text = text.replace(f"where: {place}}}", f'where: "{place}"}}')
    assert load_published() == yaml.safe_load(text)
