import pytest

from qdcomp.engines.vasp.settings import VaspSettings, read_settings
from qdcomp.errors import InputError


def test_defaults_are_the_papers() -> None:
    settings = read_settings({})
    assert (settings.functional, settings.dispersion) == ("PBE", "D3BJ")
    assert settings.encut_ev == 400.0
    assert settings.ediff_ev == 1e-6
    assert settings.optimizer == "RMM-DIIS"
    assert settings.kpoint_scheme == "monkhorst-pack"


def test_a_unit_may_be_given() -> None:
    assert read_settings({"encut_ev": "400 eV"}).encut_ev == 400.0
    assert read_settings({"encut_ev": "30 Ry"}).encut_ev == pytest.approx(408.17, abs=0.01)
    assert read_settings({"sigma_ev": "50 meV"}).sigma_ev == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("typo", "meant"), [("encut", "encut_ev"), ("ediff", "ediff_ev"), ("kpoint_sheme", "kpoint")]
)
def test_a_typo_names_the_nearest_setting(typo: str, meant: str) -> None:
    with pytest.raises(InputError, match=f"did you mean '{meant}"):
        read_settings({typo: 1})


@pytest.mark.parametrize(
    "given",
    [
        {"encut_ev": -400},
        {"encut_ev": "400 Ha/bohr"},
        {"functional": "HSE06"},
        {"lreal": True},
        {"version": "six"},
        {"potcar": "Pb_d"},
        {"potcar": {"Pb": "P_h"}},
        {"potcar_folder": "../elsewhere"},
        {"lwave": "yes"},
        {"nelm": 2.5},
    ],
)
def test_a_wrong_value_is_refused_by_name(given: dict[str, object]) -> None:
    with pytest.raises(InputError, match=next(iter(given))):
        read_settings(given)


@pytest.mark.parametrize(
    ("tag", "remedy"),
    [
        ("EDIFFG", "sign decides its meaning"),
        ("NSW", "max_steps"),
        ("IBRION", "optimizer"),
        ("NELECT", "charge"),
        ("ISIF", "cell"),
        ("POTIM", "timestep_fs"),
        ("METAGGA", "functional"),
        ("ENCUT", "encut_ev"),
        ("KSPACING", "k-points"),
    ],
)
def test_a_tag_that_follows_from_the_job_is_refused_and_its_place_named(
    tag: str, remedy: str
) -> None:
    for written in (tag, tag.lower()):
        with pytest.raises(InputError, match=rf"{tag} = -1 would contradict the job: .*{remedy}"):
            read_settings({"incar": {written: -1}})


def test_other_tags_pass_unless_they_could_open_another_line() -> None:
    assert read_settings({"incar": {"lasph": True, "AMIN": 0.01}}).incar == {
        "LASPH": True,
        "AMIN": 0.01,
    }
    for value in ("1 ; NSW = 5", "1\nNSW = 5", "1 # NSW", {"a": 1}, None):
        with pytest.raises(InputError, match="LASPH"):
            read_settings({"incar": {"LASPH": value}})


def test_versions_compare_as_numbers() -> None:
    assert (
        VaspSettings(version="6.10").version_numbers > VaspSettings(version="6.4.3").version_numbers
    )
