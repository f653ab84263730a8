"""Made-up data sets with the headings of real ones; nothing licensed is here."""

import gzip
from pathlib import Path

import pytest
from builders.vasp_potcars import CONTENTS, make_potcar, write_potcars

from qdcomp.engines.vasp.potcar import (
    choose_species,
    find_potcar_folder,
    join_potcars,
    read_titles,
    require_folder,
)
from qdcomp.engines.vasp.settings import VaspSettings, read_settings
from qdcomp.errors import InputError


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PMG_VASP_PSP_DIR", str(tmp_path / "sets"))
    return write_potcars(tmp_path / "sets")


def test_without_a_folder_it_is_said_which_variable_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PMG_VASP_PSP_DIR", raising=False)
    with pytest.raises(InputError, match=r"licensed and not part of qdcomp. Set PMG_VASP_PSP_DIR"):
        require_folder(VaspSettings())
    monkeypatch.setenv("PMG_VASP_PSP_DIR", "/nowhere/at/all")
    with pytest.raises(InputError, match=r"/nowhere/at/all: there is no such folder"):
        require_folder(VaspSettings())


@pytest.mark.parametrize("layout", ["POT_GGA_PAW_PBE", "potpaw_PBE", "potpaw_PBE.54", "."])
def test_the_usual_layouts_are_found(
    layout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PMG_VASP_PSP_DIR", str(write_potcars(tmp_path, folder=layout)))
    folder = require_folder(VaspSettings())
    assert [kind.label for kind in choose_species(["Cs", "Pb", "Br"], VaspSettings(), folder)] == [
        "Cs_sv",
        "Pb_d",
        "Br",
    ]


def test_pymatgens_own_names_and_gzipped_files_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "POT_GGA_PAW_PBE"
    folder.mkdir()
    with gzip.open(folder / "POTCAR.Br.gz", "wt") as stream:
        stream.write(make_potcar("Br", 7, 216.3))
    monkeypatch.setenv("PMG_VASP_PSP_DIR", str(tmp_path))
    (species,) = choose_species(["Br"], VaspSettings(), require_folder(VaspSettings()))
    assert (species.electrons, species.enmax_ev) == (7.0, 216.3)


def test_headings_are_read_and_the_study_chooses(root: Path) -> None:
    folder = require_folder(VaspSettings())
    settings = read_settings({"potcar": {"Pb": "Pb"}})
    cesium, lead = choose_species(["Cs", "Pb", "Cs"], settings, folder)
    assert (cesium.label, cesium.electrons, cesium.lexch) == ("Cs_sv", 9.0, "PE")
    assert (lead.label, lead.electrons, lead.titel) == ("Pb", 4.0, "PAW_PBE Pb 01Jan2000")
    joined = join_potcars([cesium, lead], folder)
    (root / "POTCAR").write_text(joined)
    assert read_titles(root / "POTCAR") == ("PAW_PBE Cs_sv 01Jan2000", "PAW_PBE Pb 01Jan2000")


def test_a_missing_data_set_names_those_that_are_there(root: Path) -> None:
    folder = require_folder(VaspSettings())
    (folder / "Pb_d" / "POTCAR").unlink()
    (folder / "Pb_d").rmdir()
    with pytest.raises(InputError, match=r"'Pb_d' for Pb .* it has Pb for Pb: .*potcar: {Pb: Pb}"):
        choose_species(["Pb"], VaspSettings(), folder)
    with pytest.raises(InputError, match="no PAW data set is chosen for U"):
        choose_species(["U"], VaspSettings(), folder)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (make_potcar("Br", 7, 216.3).partition(" End of Dataset")[0], "no whole PAW data set"),
        (make_potcar("Br", 7, 216.3).replace("ZVAL", "ZWAL"), "no whole PAW data set"),
        (make_potcar("Br", 7, 216.3, lexch="CA"), "LEXCH = CA, expected PE"),
        (make_potcar("Cl", 7, 262.5), "expected one of Br"),
        ("", "no whole PAW data set"),
    ],
)
def test_a_data_set_that_is_not_what_it_should_be_is_refused(
    root: Path, text: str, said: str
) -> None:
    folder = require_folder(VaspSettings())
    (folder / "Br" / "POTCAR").write_text(text)
    with pytest.raises(InputError, match=said):
        choose_species(["Br"], VaspSettings(), folder)


def test_a_data_set_that_changed_since_the_job_was_written_is_refused(root: Path) -> None:
    folder = require_folder(VaspSettings())
    species = choose_species(["Br"], VaspSettings(), folder)
    path = folder / "Br" / "POTCAR"
    path.write_text(path.read_text().replace("01Jan2000", "02Feb2020"))
    with pytest.raises(InputError, match="do not go together"):
        join_potcars(species, folder)


def test_estimates_need_no_data_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PMG_VASP_PSP_DIR", raising=False)
    assert find_potcar_folder(VaspSettings()) is None
    found = choose_species(["Cs", "Pb", "Br"], VaspSettings(), None)
    assert [kind.electrons for kind in found] == [CONTENTS[k][0] for k in ("Cs_sv", "Pb_d", "Br")]
    assert all(kind.enmax_ev <= 400.0 for kind in found)
    with pytest.raises(InputError, match="PMG_VASP_PSP_DIR"):
        choose_species(["Pb"], read_settings({"potcar": {"Pb": "Pb"}}), None)
