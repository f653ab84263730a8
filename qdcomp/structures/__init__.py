"""What is built: dots, slabs and ligands, with their charge, layers and frozen regions."""

from qdcomp.structures.bulk import build_bulk, parse_composition
from qdcomp.structures.contacts import Contact, smallest_contact
from qdcomp.structures.core_shell import build_core_shell_dot
from qdcomp.structures.coverage import (
    Configuration,
    CoverageScheme,
    choose_configurations,
    count_configurations,
    draw_scheme,
    enumerate_configurations,
)
from qdcomp.structures.dot_ligands import attach_ligands_to_dot, draw_shell
from qdcomp.structures.files import adopt_structure, read_structure, write_structure
from qdcomp.structures.ion_pairs import (
    build_counterion,
    build_ion_pair,
    build_molecule,
    cut_tails,
    remove_proton,
)
from qdcomp.structures.layers import layer_groups, layer_labels, select_frozen_atoms
from qdcomp.structures.ligands import Ligand, LigandEntry, list_ligands, load_ligand
from qdcomp.structures.placement import attach_ligands
from qdcomp.structures.quantum_dot import build_quantum_dot
from qdcomp.structures.recognition import RecognisedDot, recognise_dot
from qdcomp.structures.slab import Slab, build_slab, vacuum_for
from qdcomp.structures.structure import NO_LIGAND, Structure, structure_hash
from qdcomp.structures.surface_sites import SurfaceSite
from qdcomp.structures.upright_conformers import measure_upright_length

__all__ = [
    "NO_LIGAND",
    "Configuration",
    "Contact",
    "CoverageScheme",
    "Ligand",
    "LigandEntry",
    "RecognisedDot",
    "Slab",
    "Structure",
    "SurfaceSite",
    "adopt_structure",
    "attach_ligands",
    "attach_ligands_to_dot",
    "build_bulk",
    "build_core_shell_dot",
    "build_counterion",
    "build_ion_pair",
    "build_molecule",
    "build_quantum_dot",
    "build_slab",
    "choose_configurations",
    "count_configurations",
    "cut_tails",
    "draw_scheme",
    "draw_shell",
    "enumerate_configurations",
    "layer_groups",
    "layer_labels",
    "list_ligands",
    "load_ligand",
    "measure_upright_length",
    "parse_composition",
    "read_structure",
    "recognise_dot",
    "remove_proton",
    "select_frozen_atoms",
    "smallest_contact",
    "structure_hash",
    "vacuum_for",
    "write_structure",
]
