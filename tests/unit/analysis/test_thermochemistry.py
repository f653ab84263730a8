import math

import numpy as np
import pytest

from qdcomp.analysis import compute_chemical_potential, ideal_gas_entropy
from qdcomp.errors import InputError
from qdcomp.units import BOLTZMANN_EV_PER_K

WATER = (["O", "H", "H"], [[0, 0, 0.1173], [0, 0.7572, -0.4692], [0, -0.7572, -0.4692]])
FREQUENCIES = [1595.0, 3657.0, 3756.0]
K = BOLTZMANN_EV_PER_K


def with_mode(frequency, method, temperature=298.15):
    """Entropy of the vibration of a heavy diatomic molecule."""
    return ideal_gas_entropy(
        [100.0, 100.0],
        [[0, 0, 0], [0, 0, 2.0]],
        temperature,
        method=method,
        frequencies_per_cm=[frequency],
    ).vibration


def test_translation_follows_mass_temperature_and_pressure():
    def translate(mass, temperature, pressure):
        return ideal_gas_entropy([mass], [[0, 0, 0]], temperature, pressure).translation

    base = translate(10.0, 300.0, 1e5)
    assert translate(20.0, 300.0, 1e5) - base == pytest.approx(1.5 * K * math.log(2))
    assert translate(10.0, 600.0, 1e5) - base == pytest.approx(2.5 * K * math.log(2))
    assert translate(10.0, 300.0, 2e5) - base == pytest.approx(-K * math.log(2))


def test_symmetry_number_and_degeneracy_are_logarithms():
    plain = ideal_gas_entropy(*WATER)
    symmetric = ideal_gas_entropy(*WATER, symmetry_number=2)
    triplet = ideal_gas_entropy(*WATER, spin_multiplicity=3)
    assert plain.rotation - symmetric.rotation == pytest.approx(K * math.log(2))
    assert triplet.total - plain.total == pytest.approx(K * math.log(3))
    assert triplet.electronic == pytest.approx(K * math.log(3))


def test_entropy_does_not_depend_on_place_or_orientation():
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
    moved = np.asarray(WATER[1]) @ turn.T + np.array([5.0, -3.0, 8.0])
    assert ideal_gas_entropy(WATER[0], moved).total == pytest.approx(
        ideal_gas_entropy(*WATER).total, rel=1e-12
    )


def test_free_energy_and_entropy_belong_together():
    # S = −dG/dT at constant pressure.
    def compute(temperature):
        return ideal_gas_entropy(*WATER, temperature, method="rrho", frequencies_per_cm=FREQUENCIES)

    step = 0.01
    slope = (compute(400 + step).free_energy_ev - compute(400 - step).free_energy_ev) / (2 * step)
    assert -slope == pytest.approx(compute(400).total, rel=1e-6)


def test_a_soft_vibration_is_classical_and_a_stiff_one_frozen():
    energy = 1.239841984e-4
    assert with_mode(1.0, "rrho") == pytest.approx(
        K * (1 - math.log(energy / (K * 298.15))), rel=1e-4
    )
    assert with_mode(5000.0, "rrho") < 1e-8 * K
    assert with_mode(5000.0, "rrho", temperature=1.0) == 0.0


def test_a_free_rotor_replaces_a_soft_vibration_only():
    # Grimme 2012, Fig. 2: S_r crosses S_v near 100 1/cm and stays finite towards zero.
    assert with_mode(1000.0, "quasi-rrho") == pytest.approx(with_mode(1000.0, "rrho"), rel=2e-3)
    assert with_mode(1.0, "quasi-rrho") < 0.6 * with_mode(1.0, "rrho")
    # Towards zero the moment of inertia is B_av, while the vibration's entropy has no bound.
    assert with_mode(1e-4, "quasi-rrho") == pytest.approx(with_mode(1e-6, "quasi-rrho"), rel=1e-3)


def test_the_free_rotor_is_grimmes():
    # By hand in SI units at 50 1/cm and 298.15 K.
    h, k, light = 6.62607015e-34, 1.380649e-23, 2.99792458e10
    frequency = 50.0 * light
    moment = h / (8 * math.pi**2 * frequency)
    reduced = moment * 1e-44 / (moment + 1e-44)
    rotor = 0.5 + math.log(math.sqrt(8 * math.pi**3 * reduced * k * 298.15 / h**2))
    share = 1 / (1 + (100.0 / 50.0) ** 4)
    x = h * frequency / (k * 298.15)
    vibration = x / math.expm1(x) - math.log(-math.expm1(-x))
    expected = share * vibration + (1 - share) * rotor
    assert with_mode(50.0, "quasi-rrho") / K == pytest.approx(expected, rel=1e-6)


def test_a_chain_of_atoms_is_linear_and_a_bent_one_is_not():
    straight = [[0, 0, -1.16], [0, 0, 0], [0, 0, 1.16]]
    assert ideal_gas_entropy(["O", "C", "O"], straight).linear
    noisy = np.asarray(straight) + 0.003 * np.random.default_rng(1).normal(size=(3, 3))
    noise = ideal_gas_entropy(["O", "C", "O"], noisy)
    assert noise.linear
    assert noise.total == pytest.approx(
        ideal_gas_entropy(["O", "C", "O"], straight).total, rel=1e-3
    )
    assert not ideal_gas_entropy(*WATER).linear
    zigzag = [[0.42 * (-1) ** i, 0, 1.27 * i] for i in range(30)]
    assert not ideal_gas_entropy(["C"] * 30, zigzag).linear


def test_translations_and_rotations_among_the_frequencies_are_left_out_and_told():
    with_rigid = [-8.0, 0.1, -0.2, 0.0, 12.0, 30.0, *FREQUENCIES]
    clean = ideal_gas_entropy(*WATER, method="rrho", frequencies_per_cm=FREQUENCIES)
    gas = ideal_gas_entropy(*WATER, method="rrho", frequencies_per_cm=with_rigid)
    assert gas.vibration == pytest.approx(clean.vibration)
    assert any("-8.0, 0.1" in warning for warning in gas.warnings)


def test_the_chemical_potential_of_the_paper_has_the_entropy_alone():
    gas = ideal_gas_entropy(*WATER, method="rrho", frequencies_per_cm=FREQUENCIES)
    assert compute_chemical_potential(-10.0, gas) == pytest.approx(-10.0 - gas.ts_ev)
    whole = compute_chemical_potential(-10.0, gas, entropy_only=False)
    assert whole == pytest.approx(-10.0 + gas.zero_point_ev + gas.enthalpy_ev - gas.ts_ev)
    denser = ideal_gas_entropy(
        *WATER, pressure_pa=10 * 101325.0, method="rrho", frequencies_per_cm=FREQUENCIES
    )
    assert compute_chemical_potential(-10.0, denser) - compute_chemical_potential(
        -10.0, gas
    ) == pytest.approx(K * 298.15 * math.log(10))


def test_what_the_user_should_know_is_told():
    hydrogen = ideal_gas_entropy(["H", "H"], [[0, 0, 0], [0, 0, 0.7414]])
    assert any("classical rotor" in warning for warning in hydrogen.warnings)
    ignored = ideal_gas_entropy(*WATER, frequencies_per_cm=FREQUENCIES)
    assert any("leaves them out" in warning for warning in ignored.warnings)
    assert ignored.zero_point_ev is None
    soft = ideal_gas_entropy(*WATER, method="rrho", frequencies_per_cm=[40.0, 3657, 3756])
    assert any("quasi-rrho" in warning for warning in soft.warnings)
    assert "298.15 K" in ignored.assumptions[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": "exact"}, "rigid, rrho, quasi-rrho"),
        ({"method": "rrho"}, "needs the 3 frequencies"),
        ({"method": "rrho", "frequencies_per_cm": [1595.0, 3657.0]}, "2 frequencies"),
        ({"method": "rrho", "frequencies_per_cm": [-212.5, 3657.0, 3756.0]}, r"-212\.5"),
        ({"method": "rrho", "frequencies_per_cm": [math.nan, 3657.0, 3756.0]}, "finite"),
        ({"temperature_k": 0.0}, "temperature"),
        ({"pressure_pa": -1.0}, "pressure"),
        ({"symmetry_number": 0}, "symmetry number"),
        ({"spin_multiplicity": 1.5}, "multiplicity"),
        ({"positions": np.zeros((3, 3))}, "one place"),
        ({"positions": np.zeros((2, 3))}, "expected"),
        ({"elements_or_masses": ["O", "H", "Q"]}, "Q is no element"),
    ],
)
def test_what_has_no_entropy_is_refused(change, message):
    given = {"elements_or_masses": WATER[0], "positions": WATER[1]} | change
    with pytest.raises(InputError, match=message):
        ideal_gas_entropy(**given)
