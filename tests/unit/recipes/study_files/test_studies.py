import dataclasses

import pytest

from qdcomp.analysis.power_spectrum import WINDOW_FWHM_BINS
from qdcomp.engines import ENGINES, DynamicsSettings
from qdcomp.errors import InputError, ParseError
from qdcomp.recipes.study_files.dot_schema import WINDOWS
from qdcomp.recipes.study_files.dot_sections import build_dot
from qdcomp.recipes.study_files.studies import read_study

GOOD = """\
name: test
recipe: dot_linewidth
engine: model
structure:
  kind: quantum_dot
  cells: 3
  composition: CsPbBr3
  lattice_constant: 5.87 angstrom
  box: 5.0 nm
relaxation: {max_force: 24 meV/angstrom}
equilibration:
  - {temperature: 300 K, duration: 1 ps, timestep: 5 fs, thermostat_time: 100 fs}
  - {duration: 3 ps, timestep: 10 fs, thermostat_time: 15 fs}
sampling:
  temperatures: [10 K, 300 K]
  duration: 10 ps
  timestep: 10 fs
  thermostat_time: none
  segments: 3
engines:
  cp2k: {cutoff_ry: 300, eps_scf: 1e-8, restart: yes, kinds: {Pb: [1, a]}}
"""


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "study.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def change(old, new):
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


def test_a_study_is_read_into_internal_units(write):
    study = read_study(write(GOOD))
    assert study.structure.lattice_constant_angstrom == 5.87
    assert study.structure.box_angstrom == 50.0
    assert study.structure.charge == "formal"
    assert study.relaxation.max_force_ev_per_angstrom == pytest.approx(0.024)
    assert study.relaxation.max_steps == 500
    assert study.sampling.temperatures_k == (10.0, 300.0)
    assert study.sampling.steps == 1000
    assert study.sampling.thermostat_time_fs is None
    assert study.analysis.emission_temperature_k == 300.0
    assert study.engine == "model"
    assert study.engine_settings == {}
    assert len(study.source_sha256) == 64


def test_the_command_line_chooses_the_engine_and_gets_its_settings(write):
    study = read_study(write(GOOD), engine="cp2k")
    assert study.engine == "cp2k"
    assert study.engine_settings == {
        "cutoff_ry": 300,
        "eps_scf": 1e-8,
        "restart": True,
        "kinds": {"Pb": [1, "a"]},
    }
    with pytest.raises(InputError, match="no engine 'siesta'; engines: model, cp2k, vasp"):
        read_study(write(GOOD), engine="siesta")


@pytest.mark.parametrize(
    ("written", "setting"),
    [
        ("cutoff_ry: 300 Ry", {"cutoff_ry": 300.0}),
        ("cutoff_ry: 150 Ha", {"cutoff_ry": 300.0}),
        ("cutoff: 1 Ry", {"cutoff": 13.605693122994}),
        ("vacuum_angstrom: 1.5 nm", {"vacuum_angstrom": 15.0}),
        ("basis: 6-31G", {"basis": "6-31G"}),
        ("title: '300 Ry'", {"title": "300 Ry"}),
        ("list: [1 ps, 2 fs]", {"list": [1000.0, 2.0]}),
    ],
)
def test_an_engine_gets_quantities_in_the_unit_of_its_setting(write, written, setting):
    study = read_study(write(change("cutoff_ry: 300", written)), engine="cp2k")
    (key, value), *_ = study.engine_settings.items()
    assert {key: value} == setting


def test_equilibration_runs_at_its_own_temperature_or_at_that_of_the_sampling(write):
    hot, final = read_study(write(GOOD)).equilibration
    assert [hot.dynamics(t).temperature_k for t in (10.0, 150.0)] == [300.0, 300.0]
    assert [final.dynamics(t).temperature_k for t in (10.0, 150.0)] == [10.0, 150.0]
    assert not final.dynamics(10.0).frontier_orbitals


def test_segments_join_without_a_seam(write):
    sampling = read_study(write(GOOD)).sampling
    segments = [sampling.dynamics(10.0, index) for index in range(3)]
    assert [segment.first_step for segment in segments] == [0, 334, 667]
    assert [segment.steps for segment in segments] == [334, 333, 333]
    assert segments[0] == DynamicsSettings(10.0, 10.0, 334, None, True, 0)


@pytest.mark.parametrize("engine", list(ENGINES))
def test_a_study_written_out_reads_back_the_same(write, engine, tmp_path):
    study = read_study(write(GOOD), engine=engine)
    written = tmp_path / "written.yaml"
    written.write_text(study.to_yaml())
    again = read_study(written)
    same = {"source": study.source, "source_sha256": study.source_sha256}
    assert dataclasses.replace(again, **same) == study
    assert again.study_hash == study.study_hash


def test_the_hash_follows_the_physics_not_the_words(write):
    study = read_study(write(GOOD))
    described = read_study(write(GOOD + "description: other words\n# a comment\n"))
    assert described.study_hash == study.study_hash
    assert described.source_sha256 != study.source_sha256
    for text in (change("max_force: 24", "max_force: 25"), GOOD + "seed: 2\n"):
        assert read_study(write(text)).study_hash != study.study_hash
    assert read_study(write(GOOD), engine="cp2k").study_hash != study.study_hash


def test_windows_are_those_of_the_analysis():
    assert set(WINDOWS) == set(WINDOW_FWHM_BINS)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("cells: 3", "cels: 3", r"line 6: structure.cels: unknown key; did you mean 'cells'\?"),
        ("cells: 3", "cells: 0", r"line 6: structure.cells: must be at least 1.*got 0"),
        ("cells: 3", "cells: -2", r"must be at least 1"),
        ("cells: 3", "cells: 2.5", r"whole number, got '2.5'"),
        ("cells: 3", "cells: 100000", r"at most 100"),
        ("cells: 3", "cells: 3\n  cells: 4", r"line 7: structure.cells: given twice .*line 6"),
        ("cells: 3", "cells: [3]", r"expected one value"),
        ("cells: 3", "cells:", r"line 6: structure.cells: empty; write it like cells: 3"),
        ("  cells: 3\n", "", r"line 5: structure.cells: missing; write it like cells: 3"),
        ("CsPbBr3", "CsXxBr3", r"unknown element 'Xx'"),
        ("CsPbBr3", "PbBr2", r"stoichiometry"),
        ("5.87 angstrom", "5.87", r"has no unit; write a length like 5.87 angstrom"),
        ("5.87 angstrom", "5.87 nm", r"lattice constant 58.7"),
        ("5.0 nm", "1.7 nm", r"line 9: structure.box: a box of 17 angstrom does not hold a dot"),
        ("5.0 nm", "5.0 K", r"'K' is a unit of temperature"),
        ("quantum_dot", "quantum_dots", r"did you mean 'quantum_dot'\?"),
        ("quantum_dot", "core_shell", r"structure.shell: missing; write it like shell: {comp"),
        ("24 meV/angstrom", "24 meV", r"'meV' is a unit of energy; write a force"),
        ("24 meV/angstrom", "-24 meV/angstrom", r"must be positive"),
        ("temperature: 300 K", "temperature: 0 K", r"line 12: equilibration\[1\].temperature"),
        ("temperature: 300 K", "temprature: 300 K", r"did you mean 'temperature'\?"),
        ("[10 K, 300 K]", "[10 K, -5 K]", r"must be positive and finite, got '-5 K'"),
        ("[10 K, 300 K]", "[]", r"empty list; write at least one, like \[10 K\]"),
        ("[10 K, 300 K]", "[10 K, 10 K]", r"the same temperature is there twice"),
        ("[10 K, 300 K]", "[10, 300 K]", r"'10' has no unit; write a temperature like 10 K"),
        ("duration: 10 ps", "duration: -1 ps", r"sampling.duration: a time must be positive"),
        ("duration: 10 ps", "duration: 10.004 ps", r"write 10000 fs or 10010 fs"),
        ("duration: 10 ps", "duration: 4 fs", r"not a whole number of steps of 10 fs; write 10 fs"),
        ("duration: 10 ps", "duration: 1e12 ns", r"steps are more than"),
        ("segments: 3", "segments: 0", r"must be at least 1"),
        ("segments: 3", "segments: 1001", r"at most 1000, got 1001"),
        ("duration: 10 ps", "duration: 20 fs", r"3 segments do not fit into 2 steps"),
        ("thermostat_time: none", "thermostat_time: never", r"'never' is not a time"),
        ("recipe: dot_linewidth", "recipe: dot_linewidht", r"did you mean 'dot_linewidth'\?"),
        ("engine: model", "engine: gaussian", r"'gaussian' is none of model, cp2k"),
        ("name: test", "name: ../test", r"names jobs and folders"),
        ("name: test\n", "", r"line 1: name: missing"),
        ("cp2k: {", "cp3k: {", r"did you mean 'cp2k'\?"),
        ("cutoff_ry: 300", "cutoff_ry: 300 Rz", r"cp2k.cutoff_ry: .*; did you mean 'Ry'\?"),
        ("cutoff_ry: 300", "cutoff_ry: 300 fs", r"'fs' is a unit of time; write an energy"),
        ("relaxation: {max_force: 24 meV/angstrom}", "relaxation: fast", r"expected 'key: value'"),
        ("name: test", "name: !!python/name:os.system x", r"tag .* is not used in studies"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(write, old, new, told):
    with pytest.raises(InputError, match=told):
        read_study(write(change(old, new)))


@pytest.mark.parametrize(
    ("cells", "extra", "told"),
    [
        (6, "shell: {composition: CsCaBr3, cells: 3}", r"leaves no core in a dot of 6 cells"),
        (6, "shell: {composition: CsCaBr3, cells: -1}", r"expected 0.5, 1, 1.5"),
        (6, "shell: {composition: CsCaBr3, cells: 0.7}", r"expected 0.5, 1, 1.5"),
        (6, "shell: {composition: CsPbBr3, cells: 1}", r"core and shell are both CsPbBr3"),
        (5, "frozen: {region: shell, shell_cells: 3}", r"the whole dot of 5 cells; at most 2.5"),
        (5, "frozen: {region: core, shell_cells: 0}", r"expected 0.5, 1, 1.5"),
        (5, "frozen: {region: middle, shell_cells: 1}", r"'middle' is none of shell, core"),
        (5, "charge: 1.5", r"a whole number of charges"),
        (5, "charge: neutrl", r"expected formal, neutral or a whole number"),
    ],
)
def test_impossible_structures_are_refused(write, cells, extra, told):
    kind = "core_shell" if extra.startswith("shell") else "quantum_dot"
    text = change("cells: 3", f"cells: {cells}\n  {extra}").replace("quantum_dot", kind)
    with pytest.raises(InputError, match=told):
        read_study(write(text))


def test_a_shell_belongs_to_a_core_shell_dot(write):
    text = change("cells: 3", "cells: 3\n  shell: {composition: CsCaBr3, cells: 1}")
    with pytest.raises(InputError, match="a quantum_dot has no shell; write kind: core_shell"):
        read_study(write(text))


def test_all_problems_are_told_at_once_in_the_order_of_the_file(write):
    text = GOOD.replace("cells: 3", "cells: 0").replace("10 ps", "10").replace("name", "nam")
    with pytest.raises(InputError) as caught:
        read_study(write(text))
    lines = str(caught.value).splitlines()
    assert lines[0] == "3 problems in this study:"
    assert "line 1: nam: unknown key; did you mean 'name'?" in lines[1]
    assert "line 6:" in lines[2] and "line 16:" in lines[3]


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("name: [a", 1, "not valid YAML"),
        ("name: a\n\tengine: model\n", 2, "not valid YAML"),
        ("- a\n- b\n", 1, "found none"),
        ("", 1, "found none"),
        ("a: &x [1]\nb: *x\n", 2, "aliases"),
        ("a: " + "[" * 5000, 1, "nested deeper"),
        (b"name: \xff\n", 1, "UTF-8"),
        (b"name: \x00\n", 1, "not valid YAML"),
        (b"a: 1\nname: \x07\n", 2, r"character U\+0007"),
        ("a: 1\n---\nb: 2\n", 2, "not valid YAML"),
        ("#" * 1_000_001, 1, "longer than"),
    ],
)
def test_files_that_are_not_plain_yaml_are_refused(write, text, line, told):
    with pytest.raises(ParseError, match=told) as caught:
        read_study(write(text))
    assert caught.value.line == line


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.yaml: No such file"):
        read_study(tmp_path / "nowhere.yaml")
    with pytest.raises(InputError, match="cannot read the study"):
        read_study(tmp_path)


def test_the_structure_of_a_study_is_built_with_its_frozen_atoms(write):
    text = change("cells: 3", "cells: 4\n  frozen: {region: core, shell_cells: 0.5}")
    structure = build_dot(read_study(write(text)))
    assert (structure.depth_cells[~structure.frozen] == 0.0).all()
    assert (structure.depth_cells[structure.frozen] >= 0.5).all()


@pytest.mark.parametrize("beside", [True, False], ids=["beside the study", "in this folder"])
def test_a_file_that_a_setting_names_is_found_from_any_folder(tmp_path, monkeypatch, beside):
    folder, elsewhere = tmp_path / "studies", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    fit = (folder if beside else elsewhere) / "fit.yaml"
    fit.touch()
    text = change("  cp2k: {cutoff_ry", "  model: {parameters: fit.yaml}\n  cp2k: {cutoff_ry")
    (folder / "study.yaml").write_text(text)
    assert read_study(folder / "study.yaml").engine_settings == {"parameters": str(fit)}


def test_a_file_that_is_not_there_is_left_to_the_engine_to_refuse(write):
    text = change("  cp2k: {cutoff_ry", "  model: {parameters: none.yaml}\n  cp2k: {cutoff_ry")
    assert read_study(write(text)).engine_settings == {"parameters": "none.yaml"}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("recipe: surface_enrgy", "line 2: recipe: 'surface_enrgy' is none of"),
        ("recipie: surface_energy", r"line 2: recipie: unknown key; did you mean 'recipe'\?"),
        ("description: none", "line 1: recipe: missing; write it like recipe: dot_linewidth or"),
    ],
)
def test_with_the_recipe_unknown_nothing_is_said_of_its_keys(write, line, told):
    with pytest.raises(InputError, match=told) as caught:
        read_study(write(change("recipe: dot_linewidth", line)))
    assert len(str(caught.value).splitlines()) == 1
