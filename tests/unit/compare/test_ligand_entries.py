"""Names of ligands: which of them are one ligand."""

import pytest

from qdcomp.compare.ligand_entries import find_base_name


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("DDA", "DDA"),
        ("DDA_C8", "DDA"),
        ("DDA_truncated", "DDA"),
        ("DDA_full", "DDA"),
        ("C8-phosphonate", "C8-phosphonate"),
        ("my_ligand", "my_ligand"),
        (" PEA ", "PEA"),
    ],
)
def test_base_names(name, base):
    assert find_base_name(name) == base
