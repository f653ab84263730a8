"""What is built: cubic dots and core/shell dots, their charge, layers and frozen regions."""

from qdcomp.structures.bulk import build_bulk, parse_composition
from qdcomp.structures.core_shell import build_core_shell_dot
from qdcomp.structures.files import adopt_structure, read_structure, write_structure
from qdcomp.structures.layers import layer_groups, layer_labels, select_frozen_atoms
from qdcomp.structures.quantum_dot import build_quantum_dot
from qdcomp.structures.recognition import RecognisedDot, recognise_dot
from qdcomp.structures.structure import Structure, structure_hash

__all__ = [
    "RecognisedDot",
    "Structure",
    "adopt_structure",
    "build_bulk",
    "build_core_shell_dot",
    "build_quantum_dot",
    "layer_groups",
    "layer_labels",
    "parse_composition",
    "read_structure",
    "recognise_dot",
    "select_frozen_atoms",
    "structure_hash",
    "write_structure",
]
