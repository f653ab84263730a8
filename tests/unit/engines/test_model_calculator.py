import numpy as np
import pytest
from ase import Atoms

from qdcomp.engines.model import (
    ModelCalculator,
    compute_frontier_couplings,
    compute_gap_gradient,
    compute_model_hessian,
    synthesise_harmonic_gap,
)
from qdcomp.structures import build_quantum_dot
from qdcomp.units import BOLTZMANN_EV_PER_K


def dot_atoms(cells: int, rattle: float) -> Atoms:
    dot = build_quantum_dot(cells=cells, charge="formal")
    atoms = dot.atoms.copy()
    if rattle:
        atoms.rattle(rattle, seed=2)
    atoms.calc = ModelCalculator(dot.charge)
    return atoms


@pytest.fixture(scope="module")
def rattled() -> Atoms:
    return dot_atoms(2, 0.15)


def test_gap_gradient_is_the_derivative_of_the_gap(rattled: Atoms) -> None:
    gradient = compute_gap_gradient(rattled, rattled.calc)
    assert gradient.warnings == ()
    assert np.array_equal(gradient.gradient, rattled.calc.gap_gradient(rattled))
    direction = np.random.default_rng(1).standard_normal((len(rattled), 3))
    gaps = []
    for step in (1e-5, -1e-5):
        moved = rattled.copy()
        moved.positions += step * direction
        gaps.append(rattled.calc.frontier_orbitals(moved).gap_ev)
    numeric = (gaps[0] - gaps[1]) / 2e-5
    assert np.sum(gradient.gradient * direction) == pytest.approx(numeric, abs=1e-5)


def test_gradient_at_cubic_symmetry_is_called_ill_defined() -> None:
    atoms = dot_atoms(3, 0.0)
    gradient = compute_gap_gradient(atoms, atoms.calc)
    assert (gradient.homo_degeneracy, gradient.lumo_degeneracy) == (1, 3)
    assert any("3 orbitals" in text and "LUMO" in text for text in gradient.warnings)


def test_populations_are_shares(rattled: Atoms) -> None:
    frontier = rattled.calc.frontier_orbitals(rattled)
    for population in (frontier.homo_population, frontier.lumo_population):
        assert population is not None
        assert population.sum() == pytest.approx(1.0, abs=1e-10)
        assert np.all(population >= 0)


def test_calculator_follows_a_change_of_atoms(rattled: Atoms) -> None:
    calculator = ModelCalculator(-1)
    energies = [
        atoms.get_potential_energy()
        for atoms in (rattled.copy(), rattled[:40])
        if setattr(atoms, "calc", calculator) is None
    ]
    fresh = rattled[:40]
    fresh.calc = ModelCalculator(-1)
    assert energies[1] == pytest.approx(fresh.get_potential_energy(), rel=1e-14)
    assert energies[0] != pytest.approx(energies[1], rel=1e-3)


def test_couplings_without_degeneracy_are_the_gradient(rattled: Atoms) -> None:
    couplings = compute_frontier_couplings(rattled, rattled.calc, window_ev=1e-4)
    assert couplings.homo.shape[:2] == couplings.lumo.shape[:2] == (1, 1)
    gradient = couplings.lumo[0, 0] - couplings.homo[0, 0]
    assert gradient == pytest.approx(rattled.calc.gap_gradient(rattled), abs=1e-7)


def test_first_order_gap_of_a_degenerate_edge_is_right_to_second_order() -> None:
    atoms = dot_atoms(3, 0.0)
    couplings = compute_frontier_couplings(atoms, atoms.calc)
    assert len(couplings.lumo_energies_ev) == 3
    direction = np.random.default_rng(3).standard_normal((len(atoms), 3))
    errors = []
    for size in (2e-3, 1e-3):
        moved = atoms.copy()
        moved.positions += size * direction
        gap = atoms.calc.frontier_orbitals(moved).gap_ev
        errors.append(abs(gap - couplings.gap(size * direction[None])[0]))
    rise = abs(couplings.gap(1e-3 * direction[None])[0] - couplings.gap(0 * direction[None])[0])
    assert errors[1] < 0.1 * rise
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.2)


def test_harmonic_gap_has_the_variance_of_the_reorganization_energy() -> None:
    # Λ = ½ ∇Uᵀ H⁻¹ ∇U and σ² = 2 Λ kT; a mode's energy differs from seed to seed.
    rng = np.random.default_rng(5)
    atoms = dot_atoms(1, 0.0)
    basis = np.linalg.qr(rng.standard_normal((3 * len(atoms), 3 * len(atoms))))[0]
    stiffness = rng.uniform(0.5, 4.0, 3 * len(atoms))
    hessian = (basis * stiffness) @ basis.T
    atoms.rattle(0.1, seed=1)
    couplings = compute_frontier_couplings(atoms, atoms.calc, window_ev=1e-5)
    gradient = (couplings.lumo[0, 0] - couplings.homo[0, 0]).ravel()
    reorganization = 0.5 * gradient @ np.linalg.solve(hessian, gradient)
    at_rest = couplings.lumo_energies_ev[0] - couplings.homo_energies_ev[0]
    squares = []
    for seed in range(300):
        gap = synthesise_harmonic_gap(couplings, hessian, atoms.get_masses(), 10.0, 731.0, 50, seed)
        squares.append(np.mean((gap - at_rest) ** 2))
    expected = 2.0 * reorganization * BOLTZMANN_EV_PER_K * 10.0
    error = np.std(squares) / np.sqrt(len(squares))
    assert abs(np.mean(squares) - expected) < 3.0 * error
    assert error < 0.08 * expected


def test_hessian_of_an_isolated_dot_has_no_stiffness_against_translation(rattled: Atoms) -> None:
    hessian = compute_model_hessian(rattled)
    shift = np.tile(np.eye(3), (len(rattled), 1))
    assert hessian @ shift == pytest.approx(np.zeros((3 * len(rattled), 3)), abs=1e-11)
