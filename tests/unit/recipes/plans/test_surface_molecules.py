"""Molecules cut out of a layer: who is nearest, and how far two of them may be moved."""

import numpy as np
import pytest

from qdcomp.errors import InputError
from qdcomp.recipes.plans.plan import build_structures
from qdcomp.recipes.plans.surface_molecules import measure_scan
from qdcomp.recipes.study_files.studies import read_study

TEXT = """\
name: test
recipe: ligand_pair
engine: cp2k
slab: {{repeat: [2, 2], crystal: cubic}}
ligand: {{name: {ligand}}}
pair: {pair}
"""


@pytest.fixture
def read(tmp_path):
    def read(pair, ligand="MA"):
        path = tmp_path / "study.yaml"
        path.write_text(TEXT.format(ligand=ligand, pair=pair))
        return read_study(path)

    return read


def test_the_nearest_chains_of_a_ligand_with_two_are_those_of_other_ligands(read):
    built = build_structures(read("{neighbours: 3}", ligand="DDA_C2"))
    chains = [built[f"molecule_{number}"].atoms for number in range(4)]
    assert {chain.get_chemical_formula() for chain in chains} == {"C2H6"}
    contacts = [
        np.linalg.norm(chains[0].positions[:, None] - chain.positions[None], axis=2).min()
        for chain in chains[1:]
    ]
    assert contacts == sorted(contacts)
    assert contacts[0] > 1.5  # another molecule, not the other chain of the same ligand


def test_a_scan_goes_along_the_line_between_the_centres(read):
    moves = [-0.5, 0.0, 1.0, 3.0]
    written = ", ".join(f"{move} angstrom" for move in moves)
    study = read(f"{{displacements: [{written}]}}")
    layer = build_structures(study)["layer"]
    distances = measure_scan(study, layer, layer)
    assert np.diff(distances) == pytest.approx(np.diff(moves))


@pytest.mark.parametrize(
    ("move", "told"),
    [("-9", "-9 angstrom moves a molecule through its neighbour"), ("-5", "into its neighbour")],
)
def test_a_scan_does_not_go_through_the_neighbour(read, move, told):
    study = read(f"{{displacements: [{move} angstrom]}}")
    with pytest.raises(InputError, match=f"pair.displacements: .*{told}"):
        build_structures(study)
