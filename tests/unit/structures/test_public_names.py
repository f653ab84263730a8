import qdcomp.structures


def test_public_names():
    """Names that users import: improve one before its first release, not after."""
    assert qdcomp.structures.__all__ == [
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
    for name in qdcomp.structures.__all__:
        thing = getattr(qdcomp.structures, name)
        assert isinstance(thing, int) or thing.__doc__
