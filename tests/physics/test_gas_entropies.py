"""Entropies of gases against standard tables, and of the paper's ligands against the paper.

Geometries, fundamentals and entropies at 298.15 K and 1 bar: NIST CCCBDB, Standard Reference
Database 101, release 22 (entropies: CODATA for N2, CO2 and H2O, TRC for benzene; fundamentals:
Shimanouchi, and Huber and Herzberg for N2).
"""

import math

import ase.io
import numpy as np
import pytest

from qdcomp.analysis import ideal_gas_entropy
from qdcomp.structures import load_ligand

BAR_PA = 1e5
J_PER_MOL = 96485.33212
"""eV in J/mol."""
GAS_CONSTANT = 8.314462618


def make_ring(radius, count=6):
    angles = 2 * np.pi * np.arange(count) / count
    return radius * np.stack([np.cos(angles), np.sin(angles), np.zeros(count)], axis=1)


HALF_ANGLE = math.radians(104.4776 / 2)
WATER = 0.9578 * np.array(
    [
        [0, 0, 0],
        [math.sin(HALF_ANGLE), math.cos(HALF_ANGLE), 0],
        [-math.sin(HALF_ANGLE), math.cos(HALF_ANGLE), 0],
    ]
)
BENZENE_SINGLE = [3062, 992, 1326, 673, 3068, 1010, 995, 703, 1310, 1150]
BENZENE_DOUBLE = [849, 3063, 1486, 1038, 3047, 1596, 1178, 606, 975, 410]
GASES = {
    "N2": (["N", "N"], [[0, 0, 0], [0, 0, 1.0977]], 2, [2330.0], 191.609),
    "CO2": (
        ["O", "C", "O"],
        [[0, 0, -1.162], [0, 0, 0], [0, 0, 1.162]],
        2,
        [1333.0, 667.0, 667.0, 2349.0],
        213.79,
    ),
    "H2O": (["O", "H", "H"], WATER, 2, [3657.0, 1595.0, 3756.0], 188.84),
    "benzene": (
        ["C"] * 6 + ["H"] * 6,
        np.concatenate([make_ring(1.397), make_ring(1.397 + 1.084)]),
        12,
        [*BENZENE_SINGLE, *BENZENE_DOUBLE, *BENZENE_DOUBLE],
        269.30,
    ),
}


@pytest.mark.parametrize("name", GASES)
def test_entropy_of_a_gas_agrees_with_the_tables(name):
    elements, positions, symmetry, frequencies, table = GASES[name]
    gas = ideal_gas_entropy(
        elements,
        positions,
        298.15,
        BAR_PA,
        method="rrho",
        symmetry_number=symmetry,
        frequencies_per_cm=frequencies,
    )
    # The issue asks for 1 %; with experimental input the model itself is this good.
    assert gas.total * J_PER_MOL == pytest.approx(table, rel=2e-3)
    assert gas.warnings == ()


@pytest.mark.parametrize("name", GASES)
def test_one_atmosphere_lies_below_one_bar_by_the_logarithm(name):
    elements, positions, symmetry, frequencies, _ = GASES[name]
    options = {
        "method": "rrho",
        "symmetry_number": symmetry,
        "frequencies_per_cm": frequencies,
    }
    bar = ideal_gas_entropy(elements, positions, 298.15, BAR_PA, **options)
    atmosphere = ideal_gas_entropy(elements, positions, **options)
    difference = (bar.total - atmosphere.total) * J_PER_MOL
    assert difference == pytest.approx(GAS_CONSTANT * math.log(1.01325), rel=1e-6)


@pytest.mark.parametrize(
    ("name", "heat_kj_per_mol"), [("CO2", 9.36), ("H2O", 9.90), ("benzene", 14.33)]
)
def test_heat_from_zero_kelvin_agrees_with_the_tables(name, heat_kj_per_mol):
    elements, positions, symmetry, frequencies, _ = GASES[name]
    gas = ideal_gas_entropy(
        elements,
        positions,
        method="rrho",
        symmetry_number=symmetry,
        frequencies_per_cm=frequencies,
    )
    assert gas.enthalpy_ev * J_PER_MOL / 1000 == pytest.approx(heat_kj_per_mol, rel=0.01)


def test_zero_point_of_water_is_half_the_sum_of_its_fundamentals():
    elements, positions, symmetry, frequencies, _ = GASES["H2O"]
    gas = ideal_gas_entropy(
        elements,
        positions,
        method="rrho",
        symmetry_number=symmetry,
        frequencies_per_cm=frequencies,
    )
    # CCCBDB: 4504.0 1/cm.
    assert gas.zero_point_ev == pytest.approx(4504.0 * 1.239841984e-4, rel=1e-9)
    assert gas.free_energy_ev == pytest.approx(gas.zero_point_ev + gas.enthalpy_ev - gas.ts_ev)


@pytest.mark.parametrize(("mass", "table"), [(4.002602, 126.153), (39.948, 154.846)])
def test_noble_gases_are_translation_alone(mass, table):
    # CODATA, He and Ar at 298.15 K and 1 bar.
    gas = ideal_gas_entropy([mass], [[0, 0, 0]], 298.15, BAR_PA, method="rrho")
    assert gas.total * J_PER_MOL == pytest.approx(table, abs=0.01)
    assert (gas.rotation, gas.vibration, gas.linear) == (0.0, 0.0, False)


def test_an_unpaired_electron_doubles_the_states_of_bromine():
    # Br, 2P3/2: four states; CODATA 175.018 J/(mol K).
    gas = ideal_gas_entropy(["Br"], [[0, 0, 0]], 298.15, BAR_PA, spin_multiplicity=4)
    assert gas.total * J_PER_MOL == pytest.approx(175.018, abs=0.02)


@pytest.mark.parametrize(("name", "paper_ev"), [("PEA", 0.95), ("DDA", 1.05)])
def test_ts_of_the_ligands_of_mi_et_al(shared_data, name, paper_ev):
    atoms = ase.io.read(shared_data / "structures/ligands_generated_rdkit" / f"{name}.xyz")
    gas = ideal_gas_entropy(atoms.get_chemical_symbols(), atoms.positions, 298.15, 101325.0)
    assert gas.ts_ev == pytest.approx(paper_ev, abs=0.08)
    assert gas.method == "rigid"


def make_extended_dda():
    """All-trans didodecyldimethylammonium with ideal angles: C12–N–C12 along z, methyls on N."""
    elements, positions = [], []
    half = math.radians(54.75)
    for i in range(25):
        out = (-1) ** i
        foot = np.array([0.42 * out, 0.0, 1.27 * i])
        elements.append("N" if i == 12 else "C")
        positions.append(foot)
        for turn in (half, -half):
            arm = np.array([out * math.cos(turn), math.sin(turn), 0.0])
            elements.append("C" if i == 12 else "H")
            positions.append(foot + (1.50 if i == 12 else 1.09) * arm)
            if i == 12:
                across = np.array([-arm[1], arm[0], 0.0])
                for angle in np.radians([0, 120, 240]):
                    side = math.cos(angle) * across + math.sin(angle) * np.array([0, 0, 1.0])
                    elements.append("H")
                    positions.append(foot + (1.50 + 0.36) * arm + 1.03 * side)
        if i in (0, 24):
            elements.append("H")
            end = np.array([-0.82 * out, 0.0, -0.57 if i == 0 else 0.57])
            positions.append(foot + 1.09 * end)
    return elements, np.array(positions)


def test_ts_of_an_extended_dda_is_the_papers():
    elements, positions = make_extended_dda()
    assert (len(elements), elements.count("C"), elements.count("H")) == (83, 26, 56)
    gas = ideal_gas_entropy(elements, positions, 298.15, 101325.0)
    assert gas.ts_ev == pytest.approx(1.05, abs=0.08)
    assert not gas.linear


@pytest.mark.parametrize(
    ("name", "conformer", "paper_ev"), [("PEA", "lowest", 0.95), ("DDA", "extended", 1.05)]
)
def test_ts_of_the_librarys_own_conformers_is_the_papers(name, conformer, paper_ev):
    ligand = load_ligand(name, conformer=conformer)
    elements, positions = ligand.atoms.get_chemical_symbols(), ligand.atoms.positions
    for symmetry in (1, ligand.symmetry_number):
        gas = ideal_gas_entropy(elements, positions, 298.15, 101325.0, symmetry_number=symmetry)
        assert gas.ts_ev == pytest.approx(paper_ev, abs=0.08)


def test_an_extended_dda_of_the_library_is_the_ideal_chain():
    """T S of the all-trans C2v cation, its symmetry aside; bent at N it has 0.02 eV more."""
    atoms = load_ligand("DDA", conformer="extended").atoms
    found, ideal = (
        ideal_gas_entropy(elements, positions, 298.15, 101325.0)
        for elements, positions in (
            (atoms.get_chemical_symbols(), atoms.positions),
            make_extended_dda(),
        )
    )
    assert found.ts_ev == pytest.approx(ideal.ts_ev, abs=0.01)
