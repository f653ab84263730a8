"""The names that users import; improve one before its first release, not after."""

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[2] / "README.md"

PROMISED = {
    "qdcomp.compare": [
        "Observable",
        "compare_observables",
        "compare_linewidths",
        "compare_lineshape",
        "compare_ligands",
        "compute_surface_shares",
        "list_published_linewidths",
        "load_published",
        "find_coupling_row",
        "state_verdict",
    ],
    "qdcomp.structures": ["build_quantum_dot", "build_core_shell_dot"],
    "qdcomp.trajectory": ["open_trajectory", "TrajectoryWriter", "read_xyz"],
    "qdcomp.analysis": [
        "compute_phonon_dos",
        "compute_huang_rhys_spectrum",
        "compute_linewidth",
        "compute_dephasing",
        "compute_emission_lineshape",
        "compute_normal_modes",
        "compute_mode_coupling",
        "analyse_dot",
        "ideal_gas_entropy",
        "compute_surface_energy",
        "compute_stable_coverage",
        "compute_binding_energy",
        "compute_interaction_energy",
        "compute_packing",
        "check_same_level",
    ],
    "qdcomp.experiment": [
        "read_photons",
        "open_photons",
        "compute_blinking_trace",
        "classify_blinking",
        "compute_mandel_q",
        "find_change_points",
        "fit_power_law",
        "fit_lifetime",
        "compute_flid",
        "fit_emission_spectrum",
        "simulate_photons",
    ],
    "qdcomp.engines": ["load_engine", "Engine", "EngineJob"],
    "qdcomp.report": ["draw_structure", "write_report"],
}


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module, names in PROMISED.items() for name in names]
)
def test_a_promised_name_is_there_and_documented(module, name):
    assert getattr(import_module(module), name).__doc__


def test_the_example_of_the_design_builds_the_dot_it_names():
    structures = import_module("qdcomp.structures")
    dot = structures.build_quantum_dot(
        cells=3, composition="CsPbBr3", lattice_constant=5.87, charge="formal"
    )
    assert len(dot.atoms) == 191
    assert dot.charge == 2
    assert dot.depth_cells.shape == (191,)


def test_the_readmes_examples_import_what_exists():
    examples = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    imported = [
        (node.module, alias.name)
        for example in examples
        for node in ast.walk(ast.parse(example))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
    assert len(imported) > 10
    for module, name in imported:
        assert hasattr(import_module(module), name), f"{module}.{name}"


def test_every_folder_the_readme_names_exists():
    folders = re.findall(r"^\| `(qdcomp/\w+|\w+/)` \|", README.read_text(), re.MULTILINE)
    assert len(folders) > 8
    for folder in folders:
        assert (README.parent / folder).is_dir(), folder
