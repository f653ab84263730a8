import pytest

from qdcomp.analysis import check_same_level
from qdcomp.errors import InputError

SLAB = {"functional": "PBE", "dispersion": "D3(BJ)", "cutoff": "400 eV", "kpoints": "4 4 1"}
GAS = SLAB | {"kpoints": "1 1 1"}


def test_equal_levels_pass():
    check_same_level({})
    check_same_level({"N0": SLAB, "N1-a": dict(reversed(SLAB.items()))})
    check_same_level({"LBr": GAS, "N0": SLAB, "N1": SLAB, "Br-": GAS}, molecules=("LBr", "Br-"))


def test_the_setting_that_differs_is_named_with_both_energies():
    with pytest.raises(InputError) as refused:
        check_same_level({"N0": SLAB, "N1": SLAB, "N2-b": SLAB | {"cutoff": "520 eV"}})
    message = str(refused.value)
    assert "cutoff is 400 eV in N0 and 520 eV in N2-b" in message
    assert "N1" not in message
    assert "functional" not in message


def test_every_difference_is_named():
    other = SLAB | {"functional": "PBEsol", "dispersion": "none"}
    with pytest.raises(InputError, match=r"functional.*; dispersion"):
        check_same_level({"N0": SLAB, "N1": other})


def test_k_points_matter_between_slabs():
    with pytest.raises(InputError, match="kpoints is 4 4 1 in N0 and 1 1 1 in N1"):
        check_same_level({"N0": SLAB, "N1": GAS})


def test_what_one_level_does_not_say_is_a_difference():
    silent = {key: value for key, value in GAS.items() if key != "dispersion"}
    with pytest.raises(InputError, match=r"dispersion is D3\(BJ\) in N0 and not stated in LBr"):
        check_same_level({"N0": SLAB, "LBr": silent}, molecules=["LBr"])


def test_what_belongs_to_an_element_is_compared_where_both_have_it():
    slab = SLAB | {"basis Cs": "DZVP", "basis Br": "DZVP"}
    gas = GAS | {"basis Br": "DZVP", "basis C": "DZVP"}
    check_same_level({"N0": slab, "LBr": gas}, molecules=["LBr"])
    with pytest.raises(InputError, match="basis Br is DZVP in N0 and TZV2P in LBr"):
        check_same_level({"N0": slab, "LBr": gas | {"basis Br": "TZV2P"}}, molecules=["LBr"])


def test_elements_that_the_first_energy_lacks_are_compared_between_the_others():
    with_ligand = SLAB | {"POTCAR C": "PAW_PBE C 08Apr2002"}
    gas = GAS | {"POTCAR C": "PAW_PBE C_s 06Sep2000"}
    with pytest.raises(InputError, match=r"POTCAR C is PAW_PBE C 08Apr2002 in N1 and .* in LBr"):
        check_same_level({"N0": SLAB, "N1": with_ligand, "LBr": gas}, molecules=["LBr"])


def test_a_molecule_that_is_no_energy_is_refused():
    with pytest.raises(InputError, match="PEABr named as molecules"):
        check_same_level({"N0": SLAB}, molecules=["PEABr"])


def test_slabs_with_and_without_a_dipole_correction_do_not_mix():
    corrected = SLAB | {"dipole correction": "along z"}
    gas = GAS | {"dipole correction": "none"}
    check_same_level({"N0": corrected, "N1": corrected, "gas": gas}, molecules=["gas"])
    with pytest.raises(InputError, match="dipole correction is along z in N0 and none in N1"):
        check_same_level({"N0": corrected, "N1": SLAB | {"dipole correction": "none"}})
