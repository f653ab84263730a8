import pytest

from qdcomp.engines.cp2k.settings import Cp2kSettings, read_settings
from qdcomp.errors import InputError
from qdcomp.units import RYDBERG_EV


def test_defaults_are_the_papers() -> None:
    settings = read_settings({})
    assert settings.functional == "PBE"
    assert settings.cutoff_ry == 300.0
    assert settings.eps_scf == 1e-8
    assert settings.basis == "DZVP-MOLOPT-SR-GTH"
    assert settings.poisson_solver == "auto"


def test_a_unit_may_be_given() -> None:
    assert read_settings({"cutoff_ry": "300 Ry"}).cutoff_ry == 300.0
    assert read_settings({"cutoff_ry": "150 Ha"}).cutoff_ry == 300.0
    electronvolts = read_settings({"cutoff_ry": f"{300 * RYDBERG_EV} eV"})
    assert electronvolts.cutoff_ry == pytest.approx(300.0)
    assert read_settings({"vacuum_angstrom": "1.2 nm"}).vacuum_angstrom == pytest.approx(12.0)


def test_yaml_reads_1e_5_as_text_and_it_still_is_a_number() -> None:
    assert read_settings({"eps_scf": "1e-5"}).eps_scf == 1e-5


def test_choices_do_not_mind_case() -> None:
    assert read_settings({"functional": "pbesol"}).functional == "PBEsol"


@pytest.mark.parametrize(
    ("typo", "meant"),
    [("cutof_ry", "cutoff_ry"), ("cutoff", "cutoff_ry"), ("eps_sfc", "eps_scf")],
)
def test_a_typo_names_the_nearest_setting(typo: str, meant: str) -> None:
    with pytest.raises(InputError, match=f"did you mean '{meant}'"):
        read_settings({typo: 1})


@pytest.mark.parametrize(
    "given",
    [
        {"cutoff_ry": "300 fs"},
        {"cutoff_ry": -300},
        {"cutoff_ry": "three hundred"},
        {"cutoff_ry": True},
        {"grids": 2.5},
        {"eps_scf": "1e-5 eV"},
        {"functional": "B3LYP"},
        {"spin_polarized": "yes"},
        {"basis": 3},
        {"basis": ["SZV"]},
        {"potential": "GTH-PBE-q9"},
        {"restart_every": 0},
    ],
)
def test_a_wrong_value_is_refused_by_name(given: dict[str, object]) -> None:
    with pytest.raises(InputError, match=next(iter(given))):
        read_settings(given)


@pytest.mark.parametrize("text", ["SZV\n&END", "SZV &PRINT", "$HOME", "@INCLUDE", "a b", ""])
def test_a_name_is_one_plain_word(text: str) -> None:
    with pytest.raises(InputError, match="basis"):
        read_settings({"basis": text})
    with pytest.raises(InputError, match="basis"):
        read_settings({"basis": {"Cs": text}})


def test_settings_survive_the_job_file_unchanged() -> None:
    from dataclasses import asdict

    settings = Cp2kSettings(basis={"Cs": "SZV-MOLOPT-SR-GTH"}, cutoff_ry=150.0)
    kept = {key: value for key, value in asdict(settings).items() if value is not None}
    assert read_settings(kept) == settings
