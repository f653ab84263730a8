"""Basis sets are found per element, in the file and the range that CP2K has them in."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from qdcomp.engines.base import EngineJob
from qdcomp.engines.cp2k.inputs import prepare_job, render_input
from qdcomp.engines.cp2k.settings import Cp2kSettings
from qdcomp.engines.cp2k.species import choose_species
from qdcomp.errors import InputError
from qdcomp.settings import read_machine_settings

ONE_S = " 1\n 1 0 0 1 1\n  1.0 1.0\n"
TWO_S = " 1\n 1 0 0 1 2\n  1.0 1.0 1.0\n"


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    (tmp_path / "BASIS_MOLOPT").write_text(
        f" C TZVP-MOLOPT-GTH TZVP-MOLOPT-GTH-q4\n{ONE_S}"
        f" C DZVP-MOLOPT-SR-GTH\n{ONE_S} Pb DZVP-MOLOPT-SR-GTH\n{ONE_S}"
    )
    (tmp_path / "BASIS_MOLOPT_UCL").write_text(
        f"Pb TZVP-MOLOPT-SR-GTH\n{TWO_S}Pb DZVP-MOLOPT-SR-GTH\n{TWO_S}"
    )
    (tmp_path / "GTH_POTENTIALS").write_text("C GTH-PBE-q4\nPb GTH-PBE-q4 GTH-PBE\n")
    return tmp_path


def choose(data_dir: Path, *symbols: str, **settings: object):  # type: ignore[no-untyped-def]
    chosen = dataclasses.replace(Cp2kSettings(), **settings)  # type: ignore[arg-type]
    return choose_species([(symbol, False) for symbol in symbols], chosen, data_dir)


def test_a_triple_zeta_set_comes_from_the_file_that_has_it(data_dir: Path) -> None:
    (lead, carbon), said = choose(data_dir, "Pb", "C", basis="TZVP-MOLOPT-SR-GTH")
    assert (lead.basis, lead.basis_file) == ("TZVP-MOLOPT-SR-GTH", "BASIS_MOLOPT_UCL")
    assert (carbon.basis, carbon.basis_file) == ("TZVP-MOLOPT-GTH", "BASIS_MOLOPT")
    assert said == ("CP2K has no TZVP-MOLOPT-SR-GTH for C, which take TZVP-MOLOPT-GTH",)


def test_a_name_in_both_files_is_that_of_the_first(data_dir: Path) -> None:
    (lead,), said = choose(data_dir, "Pb")
    assert (lead.basis_file, lead.basis_functions, said) == ("BASIS_MOLOPT", 1, ())


def test_the_input_names_the_files_that_are_needed(data_dir: Path) -> None:
    atoms = Atoms("PbC", positions=[[0, 0, 0], [0, 0, 2]])
    job = EngineJob("energy", atoms, 0, np.zeros(2, bool), settings={"basis": "TZVP-MOLOPT-SR-GTH"})
    text = render_input(prepare_job(job, data_dir))
    assert text.count("BASIS_SET_FILE_NAME") == 2
    plain = render_input(prepare_job(dataclasses.replace(job, settings={}), data_dir))
    assert plain.count("BASIS_SET_FILE_NAME BASIS_MOLOPT\n") == 1
    assert "UCL" not in plain


def test_a_named_file_is_the_only_one_and_its_names_are_taken_as_they_are(data_dir: Path) -> None:
    with pytest.raises(InputError, match=r"^BASIS_MOLOPT in .* 'TZVP-MOLOPT-SR-GTH' for C"):
        choose(data_dir, "C", basis="TZVP-MOLOPT-SR-GTH", basis_file="BASIS_MOLOPT")


def test_what_there_is_for_an_element_is_named(data_dir: Path) -> None:
    with pytest.raises(
        InputError, match=r"'QZV3P-GTH' for Pb.*there are: DZVP-MOLOPT-SR-GTH, TZVP-MOLOPT-SR-GTH$"
    ):
        choose(data_dir, "Pb", basis="QZV3P-GTH")


@pytest.mark.skipif(read_machine_settings().cp2k_data_dir is None, reason="no CP2K data files")
@pytest.mark.parametrize(
    ("basis", "replaced"), [("DZVP-MOLOPT-SR-GTH", 0), ("TZVP-MOLOPT-SR-GTH", 7)]
)
def test_cp2k_has_both_bases_for_perovskites_and_ligands(basis: str, replaced: int) -> None:
    data_dir = read_machine_settings().cp2k_data_dir
    assert data_dir is not None
    symbols = ["Cs", "Pb", "Br", "H", "C", "N", "O", "P", "S", "F"]
    species, said = choose(data_dir, *symbols, basis=basis)
    assert [kind.electrons for kind in species] == [9, 4, 7, 1, 4, 5, 6, 5, 6, 7]
    assert sum(kind.basis != basis for kind in species) == replaced
    assert len(said) == (1 if replaced else 0)
