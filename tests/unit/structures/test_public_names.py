import qdcomp.structures


def test_public_names():
    """Names that users import: improve one before its first release, not after."""
    assert qdcomp.structures.__all__ == [
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
    for name in qdcomp.structures.__all__:
        assert getattr(qdcomp.structures, name).__doc__
