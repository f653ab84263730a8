"""EIGENVAL, PROCAR and XDATCAR by themselves, whole and damaged."""

from pathlib import Path

import numpy as np
import pytest
from builders.vasp_jobs import make_mixed_slab, make_slab_job
from builders.vasp_runs import run_stand_in

from qdcomp.engines.base import RelaxationSettings
from qdcomp.engines.vasp.eigenvalues import Bands, find_frontier, read_eigenval
from qdcomp.engines.vasp.outcar_blocks import read_frequency
from qdcomp.engines.vasp.projections import read_populations
from qdcomp.engines.vasp.vasprun import VasprunReader
from qdcomp.engines.vasp.xdatcar import iterate_xdatcar
from qdcomp.errors import ParseError


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A relaxation that was run to its end."""
    relaxation = RelaxationSettings(max_force_ev_per_angstrom=0.5)
    job = make_slab_job("relax", atoms=make_mixed_slab(), relaxation=relaxation)
    return run_stand_in(tmp_path_factory.mktemp("files") / "job", job)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("   1 f  =   88.856 THz   558.302 2PiTHz 2963.920 cm-1   367.481 meV", 2963.920),
        ("  48 f/i=    0.313 THz     1.966 2PiTHz   10.437 cm-1     1.294 meV", -10.437),
        (" some other line", None),
    ],
)
def test_lines_of_modes(line: str, value: float | None) -> None:
    assert read_frequency(line, (Path("OUTCAR"), 1)) == value


def test_levels_that_overlap_over_the_kpoints_have_no_gap() -> None:
    energies = np.array([[[-1.0, 0.5, 1.0], [-1.0, 0.8, 2.0], [-1.0, -0.2, 0.1]]])
    filling = np.array([[[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [1.0, 1.0, 0.0]]])
    (level,), said = find_frontier(Bands(energies, filling))
    assert (level.orbitals.homo_ev, level.orbitals.lumo_ev) == (0.8, 0.1)
    assert (level.homo, level.lumo) == ((1, 1), (2, 2))
    assert "overlap by 0.700 eV" in said[0]
    full = Bands(energies[:, :, :2], filling[:, :, :2])
    assert find_frontier(full) == ((), (find_frontier(full)[1][0],))
    assert "more bands" in find_frontier(full)[1][0]


def test_an_eigenval_cut_off_or_without_occupations_is_named(
    finished: Path, tmp_path: Path
) -> None:
    path = tmp_path / "EIGENVAL"
    text = (finished / "EIGENVAL").read_text()
    path.write_text(text[: len(text) // 2].rpartition("\n")[0] + "\n")
    with pytest.raises(ParseError, match="ends before all k-points") as caught:
        read_eigenval(path)
    assert caught.value.line is not None
    lines = text.splitlines()
    lines[8] = " ".join(lines[8].split()[:2])
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(ParseError, match="expected 3 numbers") as caught:
        read_eigenval(path)
    assert caught.value.line == 9


def test_a_damaged_procar_is_named(finished: Path, tmp_path: Path) -> None:
    path = tmp_path / "PROCAR"
    text = (finished / "PROCAR").read_text()
    shares = read_populations(finished / "PROCAR", [(0, 0, 0), (0, 3, 29), (0, 99, 0)])
    assert sorted(shares) == [(0, 0, 0), (0, 3, 29)]
    path.write_text(text.replace("0.108", "*****").replace("0.076", "*****"))
    with pytest.raises(ParseError, match="expected the share of atom") as caught:
        read_populations(path, [(0, 0, 0)])
    assert caught.value.line is not None
    path.write_text("nothing\n")
    with pytest.raises(ParseError, match="no PROCAR"):
        read_populations(path, [(0, 0, 0)])


def test_an_xdatcar_that_is_damaged_in_the_middle_is_named(finished: Path, tmp_path: Path) -> None:
    path = tmp_path / "XDATCAR"
    lines = (finished / "XDATCAR").read_text().splitlines(keepends=True)
    assert len(list(iterate_xdatcar(finished / "XDATCAR"))) == (len(lines) - 7) // 8
    path.write_text("".join([*lines[:12], "   0.1  rubbish\n", *lines[13:]]))
    with pytest.raises(ParseError, match="expected 3 numbers") as caught:
        list(iterate_xdatcar(path))
    assert caught.value.line == 13
    path.write_text("".join([*lines[:12], *lines[13:]]))
    with pytest.raises(ParseError, match="expected"):
        list(iterate_xdatcar(path))
    path.write_text("".join(lines[:12]))
    assert list(iterate_xdatcar(path)) == []
    path.write_text("")
    with pytest.raises(ParseError, match="is empty"):
        list(iterate_xdatcar(path))


@pytest.mark.parametrize("padding", ["", "<!--" + "x" * 5000 + "-->"])
def test_a_vasprun_that_defines_entities_is_not_read(tmp_path: Path, padding: str) -> None:
    path = tmp_path / "vasprun.xml"
    path.write_text(
        f'<?xml version="1.0"?>{padding}<!DOCTYPE modeling [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>'
        "<modeling><generator>&b;</generator></modeling>"
    )
    with pytest.raises(ParseError, match="begins with <modeling>"):
        list(VasprunReader(path).iterate())
