"""Surface free energies of models that can be solved, and their error bars."""

import math
from itertools import product

import ase.io
import numpy as np
import pytest

from qdcomp.analysis import (
    ConfigurationEnergy,
    compute_stable_coverage,
    compute_surface_energy,
    ideal_gas_entropy,
)
from qdcomp.units import BOLTZMANN_EV_PER_K

SITES = 8
PAIR_EV, TS_EV, AREA = -20.0, 0.95, 140.0


def compute(configurations, **options):
    given = {
        "n_sites": SITES,
        "ion_pair_energy_ev": PAIR_EV,
        "ts_ev": TS_EV,
        "area_angstrom2": AREA,
    }
    return compute_surface_energy(configurations, **given | options)


def make_ring_model(binding_ev, neighbour_ev):
    """Every occupation of eight sites in a ring, grouped by N and energy."""
    counts: dict[tuple[int, int], int] = {}
    for sites in product((0, 1), repeat=SITES):
        pairs = sum(sites[i] * sites[i - 1] for i in range(SITES))
        key = (sum(sites), pairs)
        counts[key] = counts.get(key, 0) + 1
    return [
        ConfigurationEnergy(
            f"N{bound}-{pairs}",
            bound,
            degeneracy,
            bound * (PAIR_EV - TS_EV - binding_ev) + pairs * neighbour_ev,
        )
        for (bound, pairs), degeneracy in counts.items()
    ]


def test_ligands_that_ignore_each_other_mix_ideally():
    curve = compute(make_ring_model(0.4, 0.0), temperature_k=300.0)
    mixing = [math.log(math.comb(SITES, n)) for n in range(SITES + 1)]
    bound = np.arange(SITES + 1)
    assert curve.free_energy_ev == pytest.approx(-0.4 * bound, abs=1e-9)
    assert curve.averaged_free_energy_ev == pytest.approx(
        -0.4 * bound - BOLTZMANN_EV_PER_K * 300.0 * np.array(mixing), abs=1e-9
    )
    assert curve.mean_energy_ev == pytest.approx(-0.4 * bound, abs=1e-9)


@pytest.mark.parametrize("neighbour_ev", [-0.08, 0.09])
def test_the_partition_function_of_a_ring_is_the_transfer_matrix(neighbour_ev):
    """Σ_N exp(−F(N)/kT) is the trace of the eighth power of the transfer matrix."""
    thermal = BOLTZMANN_EV_PER_K * 400.0
    curve = compute(make_ring_model(0.05, neighbour_ev), temperature_k=400.0)
    bond, site = math.exp(-neighbour_ev / thermal), math.exp(0.05 / thermal)
    transfer = np.array([[1.0, math.sqrt(site)], [math.sqrt(site), site * bond]])
    exact = np.trace(np.linalg.matrix_power(transfer, SITES))
    assert np.exp(-curve.averaged_free_energy_ev / thermal).sum() == pytest.approx(exact)


def test_average_temperature_derivative_is_the_configurational_entropy():
    """d(F/T)/d(1/T) = ⟨E⟩, with T S of the gas held."""
    series = make_ring_model(0.05, 0.09)
    step = 0.05
    warm, cold = (
        compute(series, temperature_k=temperature).averaged_free_energy_ev / temperature
        for temperature in (300.0 + step, 300.0 - step)
    )
    slope = (warm - cold) / (1 / (300.0 + step) - 1 / (300.0 - step))
    assert slope == pytest.approx(compute(series, temperature_k=300.0).mean_energy_ev, abs=1e-6)


def test_repulsion_stops_the_layer_before_it_is_full_and_attraction_fills_it():
    """The two shapes of Mi et al., Fig. 1c and d."""
    # On a ring the first four need no neighbour; of the later ones each has two.
    repulsive = compute(make_ring_model(0.15, 0.09))
    attractive = compute(make_ring_model(0.15, -0.08))
    assert repulsive.minimum_bound < SITES
    assert (repulsive.differential_ev[5:] > repulsive.differential_ev[4]).all()
    assert repulsive.differential_ev[-1] > 0
    assert attractive.minimum_bound == SITES
    assert (attractive.differential_ev[1:] < 0).all()


def test_richer_gas_fills_the_surface():
    curve = compute(make_ring_model(0.05, 0.09))
    stable = compute_stable_coverage(curve, np.linspace(-0.5, 0.5, 201))
    assert stable.bound[0] == 0
    assert stable.bound[-1] == SITES
    # Sites without neighbours fill at −0.05 eV, those between two at −0.05 + 0.18 eV.
    assert stable.corners.tolist() == [0, 4, 8]
    assert stable.transitions_ev == pytest.approx([-0.05, 0.13])


def test_warmer_gas_takes_ligands_from_the_surface(shared_data):
    atoms = ase.io.read(shared_data / "structures/ligands_generated_rdkit/PEA.xyz")
    minima = []
    for temperature in (200.0, 300.0, 400.0):
        gas = ideal_gas_entropy(atoms.get_chemical_symbols(), atoms.positions, temperature)
        series = [
            ConfigurationEnergy(f"N{n}", n, 1, n * PAIR_EV - 1.6 * n + 0.05 * n**2)
            for n in range(SITES + 1)
        ]
        minima.append(compute(series, ts_ev=gas.ts_ev, temperature_k=temperature).minimum_bound)
    assert minima == sorted(minima, reverse=True)
    assert minima[0] > minima[-1]


def test_error_bars_hold_the_truth_in_two_cases_of_three():
    """Noise on each total energy; 68 % of ΔG(N) and of differentials lie within one σ."""
    generator = np.random.default_rng(11)
    truth = np.array([0.0, -0.9, -1.6, -2.1, -2.4])
    sigmas, pair_sigma = np.array([0.02, 0.01, 0.03, 0.02, 0.01]), 0.015
    inside, inside_differential, chi = [], [], []
    for _ in range(1500):
        noise = generator.normal(size=5) * sigmas
        pair = PAIR_EV + pair_sigma * generator.normal()
        series = [
            ConfigurationEnergy(
                f"N{n}", n, 1, n * (PAIR_EV - TS_EV) + truth[n] + noise[n], sigmas[n]
            )
            for n in range(5)
        ]
        curve = compute(series, ion_pair_energy_ev=pair, ion_pair_error_ev=pair_sigma)
        deviation = np.abs(curve.free_energy_ev - truth)[1:] / curve.free_energy_error_ev[1:]
        step = np.abs(curve.differential_ev[1:] - np.diff(truth)) / curve.differential_error_ev[1:]
        inside.append(deviation < 1)
        inside_differential.append(step < 1)
        chi.append(step**2)
    # Standard error of a share of 0.683 in 1500 repeats: 0.012.
    assert np.mean(inside, axis=0) == pytest.approx([0.683] * 4, abs=0.04)
    assert np.mean(inside_differential, axis=0) == pytest.approx([0.683] * 4, abs=0.04)
    assert np.mean(chi, axis=0) == pytest.approx([1.0] * 4, abs=0.15)
