import numpy as np
import pytest

from qdcomp.errors import InputError
from qdcomp.structures import build_slab, vacuum_for


@pytest.mark.parametrize("crystal", ["cubic", "orthorhombic"])
def test_the_papers_slab_is_neutral_with_eight_a_sites(crystal):
    slab = build_slab((2, 2), 1, crystal=crystal)
    atoms = slab.structure.atoms
    assert atoms.get_chemical_formula(mode="reduce") == "Cs8Pb4Br16"
    assert (slab.structure.charge, slab.structure.kind) == (0, "slab")
    assert [site.name for site in slab.sites] == ["A1", "A2", "A3", "A4", "B1", "B2", "B3", "B4"]
    assert slab.structure.frozen.all()
    assert atoms.pbc.tolist() == [True, True, False]
    assert atoms.positions[:, 2].mean() == pytest.approx(atoms.cell[2, 2] / 2)


@pytest.mark.parametrize(("n", "m", "layers"), [(1, 1, 1), (3, 2, 4), (2, 1, 2)])
def test_stoichiometry_of_a_slab_that_ends_in_csbr(n, m, layers):
    symbols = build_slab((n, m), layers).structure.atoms.symbols
    counts = [int((symbols == element).sum()) for element in ("Cs", "Pb", "Br")]
    assert counts == [(layers + 1) * n * m, layers * n * m, (3 * layers + 1) * n * m]


def test_bonds_of_the_orthorhombic_slab_are_the_crystals():
    """Stoumpos 2013: Pb-Br 2.9576 along c, 2.9638 and 2.9641 Å in the plane, each twice."""
    atoms = build_slab(crystal="orthorhombic").structure.atoms
    distances = atoms.get_all_distances(mic=True)
    lead, bromine = (np.flatnonzero(atoms.symbols == element) for element in ("Pb", "Br"))
    shortest = np.sort(distances[np.ix_(lead, bromine)], axis=1)[:, :6]
    wanted = [2.9576, 2.9576, 2.9638, 2.9638, 2.9641, 2.9641]
    np.testing.assert_allclose(shortest, np.tile(wanted, (4, 1)), atol=1e-3)


@pytest.mark.parametrize(
    ("facet", "termination", "formula", "charge"),
    [
        ("110", "Br2", "Cs2Pb2Br8", -2),
        ("110", "CsPbBr", "Cs2Pb2Br4", 2),
        ("111", "CsBr3", "Cs3Pb2Br9", -2),
        ("111", "Pb", "CsPb2Br3", 2),
    ],
)
def test_polar_facets_say_their_charge(facet, termination, formula, charge):
    slab = build_slab((1, 1), 2, facet=facet, termination=termination)
    symbols = slab.structure.atoms.symbols
    counts = {element: int((symbols == element).sum()) for element in ("Cs", "Pb", "Br")}
    text = "".join(f"{name}{count if count > 1 else ''}" for name, count in counts.items())
    assert (text, slab.structure.charge) == (formula, charge)
    assert any(f"{charge:+d} e" in warning for warning in slab.structure.warnings)


@pytest.mark.parametrize("facet", ["100", "110", "111"])
def test_atoms_of_a_slab_are_those_of_the_crystal(facet):
    """Every nearest A-X, B-X distance of the cubic crystal: a/√2 and a/2, none shorter."""
    slab = build_slab(
        (2, 2), 3, facet=facet, termination={"110": "Br2", "111": "Pb"}.get(facet, "CsBr")
    )
    atoms = slab.structure.atoms
    distances = atoms.get_all_distances(mic=True)
    lead, bromine = (np.flatnonzero(atoms.symbols == element) for element in ("Pb", "Br"))
    assert distances[np.ix_(lead, bromine)].min() == pytest.approx(5.87 / 2)
    assert distances[distances > 0].min() == pytest.approx(5.87 / 2)


def test_depths_count_planes_from_the_nearer_side():
    slab = build_slab((1, 1), 2)
    symbols = np.array(slab.structure.atoms.get_chemical_symbols())
    assert sorted(slab.structure.depth_cells[symbols == "Cs"]) == [0.0, 0.0, 1.0]
    assert sorted(slab.structure.depth_cells[symbols == "Pb"]) == [0.5, 0.5]


def test_every_site_has_an_anion_of_its_own_near_it():
    for slab in (build_slab(), build_slab(crystal="orthorhombic"), build_slab((3, 3), 2)):
        atoms = slab.structure.atoms
        anions = [site.anion for site in slab.sites]
        assert len(set(anions)) == len(anions)
        for site in slab.sites:
            assert atoms[site.cation].symbol == "Cs"
            assert atoms[site.anion].symbol == "Br"
            assert atoms.get_distance(site.cation, site.anion, mic=True) < 5.0
            assert site.normal[2] == (1.0 if site.side == "top" else -1.0)


@pytest.mark.parametrize("crystal", ["cubic", "orthorhombic"])
def test_the_anion_that_leaves_is_a_terminal_one(crystal):
    """In the tilted crystal the Br of the PbBr2 plane are nearer to Cs, and stay."""
    slab = build_slab(crystal=crystal)
    atoms = slab.structure.atoms
    lead = np.flatnonzero(atoms.symbols == "Pb")
    for site in slab.sites:
        assert slab.structure.depth_cells[site.anion] == 0.0
        below = atoms.get_distances(site.anion, lead, mic=True, vector=True)
        assert np.abs(below[:, 2]).min() > 2.5


def test_one_side_has_the_upper_sites_alone():
    slab = build_slab(sides="one")
    assert {site.side for site in slab.sites} == {"top"}
    assert len(slab.sites) == 4


def test_vacuum_is_between_the_outermost_atoms():
    atoms = build_slab(vacuum_angstrom=22.5).structure.atoms
    assert atoms.cell[2, 2] - np.ptp(atoms.positions[:, 2]) == pytest.approx(22.5)
    assert vacuum_for(8.0, "both") == 28.0
    assert vacuum_for(8.0, "one") == 20.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"termination": "CsCl"}, "terminations: CsBr, PbBr2"),
        ({"facet": "210"}, "facets: 100, 110, 111"),
        ({"facet": "110", "crystal": "orthorhombic"}, "the cubic crystal has more"),
        ({"repeat": (1, 1), "crystal": "orthorhombic"}, "use even numbers"),
        ({"crystal": "orthorhombic", "composition": "CsPbI3"}, "that of CsPbBr3, not of CsPbI3"),
        ({"crystal": "orthorhombic", "lattice_constant": 5.9}, "Leave lattice_constant out"),
        ({"crystal": "hexagonal"}, "expected cubic or orthorhombic"),
        ({"layers": 0}, "at least 1"),
        ({"repeat": (2,)}, "two whole numbers"),
        ({"vacuum_angstrom": -3.0}, "positive height"),
    ],
)
def test_what_cannot_be_built_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        build_slab(**arguments)


@pytest.mark.parametrize(("repeat", "layers"), [((1000, 2), 1), ((2, 2), 1000), ((True, 2), 1)])
def test_a_slab_that_would_fill_the_memory_is_refused(repeat, layers):
    with pytest.raises(InputError, match=r"too large|whole numbers"):
        build_slab(repeat, layers)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_a_buried_a_site_is_none_of_the_surface(layers):
    assert build_slab((2, 2), layers, termination="PbBr2").sites == ()
    assert len(build_slab((2, 2), layers, termination="CsBr").sites) == 8
