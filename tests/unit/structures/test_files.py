import dataclasses
import errno
import os
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.io import read, write

from qdcomp.errors import InputError, ParseError
from qdcomp.structures import (
    Structure,
    build_core_shell_dot,
    build_quantum_dot,
    layer_groups,
    read_structure,
    select_frozen_atoms,
    structure_hash,
    write_structure,
)


@pytest.mark.parametrize("charge", ["formal", "neutral", 0])
def test_round_trip_keeps_everything(tmp_path, charge):
    built = build_quantum_dot(2, charge=charge)
    built = built.with_positions(built.atoms.positions + np.pi * 1e-3)
    built = built.with_frozen(select_frozen_atoms(built))
    back = read_structure(write_structure(built, tmp_path / "dot.extxyz"))
    assert structure_hash(back) == structure_hash(built)
    np.testing.assert_array_equal(back.atoms.positions, built.atoms.positions)
    for field in dataclasses.fields(built):
        if field.name != "atoms":
            np.testing.assert_array_equal(
                getattr(back, field.name), getattr(built, field.name), err_msg=field.name
            )
            assert type(getattr(back, field.name)) is type(getattr(built, field.name))


def test_round_trip_of_core_shell_and_unknown_depth(tmp_path):
    built = build_core_shell_dot(3)
    depth = built.depth_cells.copy()
    depth[0] = np.nan
    text = r'a "quoted" = text, α \ [1, 2] {x} \"'
    built = dataclasses.replace(built, depth_cells=depth, description=text, warnings=(text, "b"))
    back = read_structure(write_structure(built, tmp_path / "dot.extxyz"))
    np.testing.assert_array_equal(back.depth_cells, depth)
    assert back.description == text
    assert back.warnings == (text, "b")
    assert back.composition == "CsPbBr3/CsCaBr3"


def make_slab_with_a_ligand():
    atoms = Atoms("CsBrCN", positions=np.eye(4, 3) + np.pi, cell=[5.87, 6.1, 23.0], pbc=(1, 1, 0))
    return Structure(
        atoms=atoms,
        charge=0,
        charge_policy="given",
        depth_cells=np.array([0.0, 0.0, np.nan, np.nan]),
        frozen=np.array([True, True, False, False]),
        edge_angstrom=0.0,
        cells=0,
        composition="CsPbBr3",
        description="a slab",
        kind="slab",
        ligand_index=np.array([-1, -1, 0, 1]),
        ligands=("methyl ammonium", "PEA"),
    )


def test_a_slab_keeps_its_cell_and_its_ligands(tmp_path):
    slab = make_slab_with_a_ligand()
    back = read_structure(write_structure(slab, tmp_path / "slab.extxyz"))
    assert structure_hash(back) == structure_hash(slab)
    assert (back.kind, back.ligands) == ("slab", ("methyl ammonium", "PEA"))
    np.testing.assert_array_equal(back.ligand_index, [-1, -1, 0, 1])
    np.testing.assert_array_equal(back.atoms.cell.array, np.diag([5.87, 6.1, 23.0]))
    np.testing.assert_array_equal(back.atoms.pbc, [True, True, False])


def test_the_hash_knows_cell_and_ligands():
    slab = make_slab_with_a_ligand()
    wider = slab.atoms.copy()
    wider.cell[2, 2] = 24.0
    others = [
        dataclasses.replace(slab, atoms=wider),
        dataclasses.replace(slab, ligands=("methyl ammonium", "DDA")),
        dataclasses.replace(slab, ligand_index=np.array([-1, -1, 1, 0])),
    ]
    assert len({structure_hash(structure) for structure in (slab, *others)}) == 4


def test_a_ligand_without_atoms_is_refused():
    slab = make_slab_with_a_ligand()
    with pytest.raises(InputError, match="2 ligands have a name"):
        dataclasses.replace(slab, ligand_index=np.array([-1, -1, 0, 0]))


def test_other_programs_read_the_file(tmp_path):
    dot = build_quantum_dot(2)
    atoms = read(write_structure(dot, tmp_path / "dot.extxyz"))
    assert atoms.info["charge"] == -1
    assert not atoms.pbc.any()
    np.testing.assert_allclose(atoms.positions, dot.atoms.positions)


@pytest.mark.parametrize(
    ("file_name", "atoms", "cells"),
    [("0.6nm_opt", 11, 1), ("1.2nm_opt", 64, 2), ("1.8nm_opt", 189, 3)],
)
def test_relaxed_public_dot_is_adopted_with_its_layers(shared_data, file_name, atoms, cells):
    dot = read_structure(shared_data / f"md/cspbbr3_infante/cspbbr3_{file_name}.xyz", charge=0)
    assert (len(dot.atoms), dot.cells, dot.charge_policy) == (atoms, cells, "given")
    assert dot.composition == "CsPbBr3"
    assert dot.warnings == ()
    assert 5.9 < dot.edge_angstrom / cells < 6.3  # PBE, and a surface that relaxes outwards
    assert select_frozen_atoms(dot, "shell", 0.5).any()


def test_ligands_of_a_public_dot_are_off_lattice(shared_data):
    path = shared_data / "md/cspbbr3_infante/cspbbr3_2.4nm_primary_opt.xyz"
    dot = read_structure(path, charge=0)
    symbols = np.array(dot.atoms.get_chemical_symbols())
    ligand = np.isin(symbols, ["C", "N", "H"])
    np.testing.assert_array_equal(layer_groups(dot)["off lattice"], ligand)
    assert f"{ligand.sum()} of 710 atoms are on no site" in dot.warnings[0]
    with pytest.raises(InputError, match="no known depth"):
        select_frozen_atoms(dot)


def test_molecule_is_adopted_without_layers(tmp_path):
    path = tmp_path / "water.xyz"
    path.write_text("3\nwater\nO 0 0 0\nH 0.96 0 0\nH -0.24 0.93 0\n")
    water = read_structure(path, charge=0)
    assert (water.cells, water.composition) == (0, "H2O")
    assert np.isnan(water.depth_cells).all()
    assert "not recognised as a cubic dot" in water.warnings[0]


def test_charge_of_a_plain_file_is_asked_for(tmp_path):
    path = tmp_path / "plain.xyz"
    write(path, build_quantum_dot(1).atoms, format="xyz")
    with pytest.raises(InputError, match="does not say its total charge"):
        read_structure(path)
    with pytest.raises(InputError, match="whole number of elementary charges"):
        read_structure(path, charge=0.5)


def test_contradicting_charge_is_refused(tmp_path):
    path = write_structure(build_quantum_dot(2), tmp_path / "dot.extxyz")
    assert read_structure(path, charge=-1).charge == -1
    with pytest.raises(InputError, match=r"charge = 3 was asked for.*charge -1"):
        read_structure(path, charge=3)


def test_charge_of_a_foreign_file_counts(tmp_path):
    path = tmp_path / "foreign.xyz"
    path.write_text("1\ncharge=2\nPb 0 0 0\n")
    assert read_structure(path).charge == 2
    with pytest.raises(InputError, match="holds a structure of charge 2"):
        read_structure(path, charge=0)


def test_dropped_cell_is_said(tmp_path):
    path = tmp_path / "boxed.xyz"
    boxed = build_quantum_dot(2).atoms
    boxed.set_cell([20, 20, 20])
    boxed.pbc = True
    write(path, boxed, format="extxyz")
    dot = read_structure(path, charge=-1)
    assert dot.cells == 2
    assert "periodic cell in boxed.xyz is left out" in dot.warnings[0]


def test_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"no structure file .*nowhere\.xyz"):
        read_structure(tmp_path / "nowhere.xyz", charge=0)
    with pytest.raises(InputError, match="no structure file"):
        read_structure(tmp_path, charge=0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no structure at all\n",
        "3\ncut\nO 0 0 0\nH 1 0 0\n",
        "1\nbad number\nO 0 zero 0\n",
        "1\nnot finite\nO 0 nan 0\n",
        "1\nno such element\nQq 0 0 0\n",
        "0\nempty\n",
    ],
)
def test_unreadable_file_is_a_parse_error(tmp_path, text):
    path = tmp_path / "broken.xyz"
    path.write_text(text)
    with pytest.raises(ParseError, match=r"broken\.xyz"):
        read_structure(path, charge=0)


def test_binary_file_is_a_parse_error(tmp_path):
    path = tmp_path / "broken.xyz"
    path.write_bytes(bytes(range(256)))
    with pytest.raises(ParseError, match="cannot be read as an xyz file"):
        read_structure(path, charge=0)


@pytest.mark.parametrize("lost", ["cells=2 ", "depth_cells:R:1:"])
def test_lost_field_is_named(tmp_path, lost):
    path = write_structure(build_quantum_dot(2), tmp_path / "dot.extxyz")
    text = path.read_text()
    assert lost in text
    if lost.startswith("depth"):
        text = text.replace("depth_cells", "other")
    path.write_text(text.replace(lost, ""))
    with pytest.raises(ParseError, match=lost.split("=")[0].split(":")[0]):
        read_structure(path)


@pytest.mark.parametrize("change", [("charge=-1", "charge=-1.5"), ("cells=2", "cells=two")])
def test_changed_field_is_a_parse_error(tmp_path, change):
    path = write_structure(build_quantum_dot(2), tmp_path / "dot.extxyz")
    path.write_text(path.read_text().replace(*change))
    with pytest.raises(ParseError, match=f"was changed: {change[0].split('=')[0]}"):
        read_structure(path)


def test_failed_write_keeps_the_earlier_file(tmp_path, monkeypatch):
    path = write_structure(build_quantum_dot(1), tmp_path / "dot.extxyz")
    before = path.read_text()

    def fill_disk(self, *_args, **_kwargs):
        self.touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", fill_disk)
    with pytest.raises(InputError, match="No space left on device"):
        write_structure(build_quantum_dot(2), path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["dot.extxyz"]
    assert path.read_text() == before


def test_unwritable_place_is_named(tmp_path):
    with pytest.raises(InputError, match="cannot write the structure to"):
        write_structure(build_quantum_dot(1), tmp_path / "no folder" / "dot.extxyz")


def test_what_is_no_file_is_left_as_it_is(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for target in (pipe, tmp_path):
        with pytest.raises(InputError, match="is no file; give the name of a file"):
            write_structure(build_quantum_dot(1), target)
    assert pipe.is_fifo()
    assert list(tmp_path.iterdir()) == [pipe]
