from typing import Any

import numpy as np
import pytest
from ase import Atoms

from qdcomp.engines.model import frontier
from qdcomp.engines.model.frontier import (
    ShiftedHamiltonian,
    apply_hamiltonian,
    count_levels,
    find_frontier,
    find_frontier_by_diagonalisation,
    find_frontier_by_lanczos,
)
from qdcomp.engines.model.parameters import read_parameters
from qdcomp.engines.model.tight_binding import (
    Hamiltonian,
    build_dense_matrix,
    build_hamiltonian,
    build_layout,
)
from qdcomp.errors import QdcompError
from qdcomp.structures import build_core_shell_dot, build_quantum_dot


def hamiltonian_of(atoms: Atoms, charge: int) -> Hamiltonian:
    layout = build_layout(atoms.get_chemical_symbols(), charge, read_parameters())
    return build_hamiltonian(layout, atoms.get_positions())


def dot_hamiltonian(cells: int, rattle: float, extra_charge: int = 0) -> Hamiltonian:
    dot = build_quantum_dot(cells=cells, charge="formal")
    atoms = dot.atoms.copy()
    if rattle:
        atoms.rattle(rattle, seed=5)
    return hamiltonian_of(atoms, dot.charge + extra_charge)


@pytest.fixture(scope="module")
def thermal() -> Hamiltonian:
    return dot_hamiltonian(2, 0.1)


def test_product_with_a_vector_is_that_of_the_matrix(thermal: Hamiltonian) -> None:
    vector = np.random.default_rng(1).standard_normal(thermal.layout.n_orbitals)
    expected = build_dense_matrix(thermal) @ vector
    assert apply_hamiltonian(thermal, vector) == pytest.approx(expected, abs=1e-11)


def test_inertia_counts_the_levels_of_the_matrix_at_any_shift(thermal: Hamiltonian) -> None:
    energies = np.linalg.eigvalsh(build_dense_matrix(thermal))
    # 0.0 and −13.0 eV are on-site energies of Br, where the Schur complement does not exist.
    for shift in (-15.0, -13.0, -4.1, -0.3, 0.0, 1e-7, 1.0, 3.0, 5.2, 9.0):
        shifted = ShiftedHamiltonian(thermal, shift)
        assert shifted.n_below == np.count_nonzero(energies < shifted.shift_ev)
    assert count_levels(thermal, 4.0, 6.0) == np.count_nonzero((energies > 4) & (energies < 6))


def test_shifted_solve_inverts_the_matrix(thermal: Hamiltonian) -> None:
    right = np.random.default_rng(2).standard_normal(thermal.layout.n_orbitals)
    matrix = build_dense_matrix(thermal) - 3.1 * np.eye(len(right))
    expected = np.linalg.solve(matrix, right)
    assert ShiftedHamiltonian(thermal, 3.1).solve(right) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("rattle", [0.0, 0.01, 0.2])
def test_lanczos_agrees_with_the_whole_spectrum(rattle: float) -> None:
    hamiltonian = dot_hamiltonian(3, rattle)
    energies = np.linalg.eigvalsh(build_dense_matrix(hamiltonian))
    levels = find_frontier_by_lanczos(hamiltonian)
    assert levels is not None
    n_occupied = hamiltonian.layout.n_occupied
    assert levels.homo_ev == pytest.approx(energies[n_occupied - 1], abs=1e-9)
    assert levels.lumo_ev == pytest.approx(energies[n_occupied], abs=1e-9)


def test_degenerate_band_edge_does_not_confuse_it() -> None:
    hamiltonian = dot_hamiltonian(3, 0.0)
    levels = find_frontier(hamiltonian)
    assert levels.method == "lanczos"
    assert count_levels(hamiltonian, levels.lumo_ev - 1e-6, levels.lumo_ev + 1e-6) == 3
    residual = apply_hamiltonian(hamiltonian, levels.lumo_vector)
    assert residual == pytest.approx(levels.lumo_ev * levels.lumo_vector, abs=1e-8)


@pytest.mark.parametrize("extra_charge", [-10, -2, 2, 40])
def test_electrons_are_counted_and_not_the_widest_gap_sought(extra_charge: int) -> None:
    hamiltonian = dot_hamiltonian(3, 0.05, extra_charge)
    energies = np.linalg.eigvalsh(build_dense_matrix(hamiltonian))
    n_occupied = hamiltonian.layout.n_occupied
    assert n_occupied == 27 + 4 * 108 - extra_charge // 2
    levels = find_frontier(hamiltonian)
    assert levels.homo_ev == pytest.approx(energies[n_occupied - 1], abs=1e-8)
    assert levels.lumo_ev == pytest.approx(energies[n_occupied], abs=1e-8)


@pytest.mark.parametrize("guess", [(2.0, 5.0), (-20.0, -18.0), (30.0, 31.0), (np.nan, 1.0)])
def test_a_wrong_guess_costs_time_only(guess: tuple[float, float]) -> None:
    hamiltonian = dot_hamiltonian(3, 0.05)
    here, there = find_frontier(hamiltonian), find_frontier(hamiltonian, guess)
    assert there.homo_ev == pytest.approx(here.homo_ev, abs=1e-10)
    assert there.lumo_ev == pytest.approx(here.lumo_ev, abs=1e-10)


@pytest.mark.parametrize("fault", ["missed level", "bad vector", "not converged"])
def test_no_wrong_eigenpair_is_returned(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hamiltonian = dot_hamiltonian(3, 0.05)
    energies, vectors = np.linalg.eigh(build_dense_matrix(hamiltonian))
    n_occupied = hamiltonian.layout.n_occupied

    def faulty(*_: Any, **__: Any) -> tuple[Any, Any]:
        if fault == "not converged":
            raise frontier.ArpackError(3)
        picked = [n_occupied - 1, n_occupied + (fault == "missed level")]
        found = vectors[:, picked].copy()
        if fault == "bad vector":
            found[:, 1] = found[:, 1] + 1e-3 * vectors[:, 0]
        return energies[picked], found

    monkeypatch.setattr(frontier, "eigsh", faulty)
    assert find_frontier_by_lanczos(hamiltonian) is None
    levels = find_frontier(hamiltonian)
    assert levels.method == "dense"
    assert levels.lumo_ev == pytest.approx(energies[n_occupied], abs=1e-9)


def test_small_systems_are_diagonalised() -> None:
    hamiltonian = hamiltonian_of(
        Atoms("PbBr6", np.vstack([np.zeros(3), 3 * np.eye(3), -3 * np.eye(3)])), -4
    )
    assert find_frontier(hamiltonian).method == "dense"


def test_closed_gap_is_found_as_such() -> None:
    # Two electrons in a threefold level: HOMO and LUMO are partners of it.
    octahedron = Atoms("PbBr6", np.vstack([np.zeros(3), 3 * np.eye(3), -3 * np.eye(3)]))
    hamiltonian = hamiltonian_of(octahedron, -6)
    assert find_frontier_by_lanczos(hamiltonian) is None
    levels = find_frontier_by_diagonalisation(hamiltonian)
    assert levels.lumo_ev - levels.homo_ev == pytest.approx(0.0, abs=1e-10)


def test_positions_that_are_not_numbers_are_refused() -> None:
    dot = build_quantum_dot(cells=2, charge="formal")
    atoms = dot.atoms.copy()
    lead = atoms.get_chemical_symbols().index("Pb")
    atoms.positions[lead] = atoms.positions[atoms.get_chemical_symbols().index("Br")]
    with pytest.raises(QdcompError, match="not finite numbers"):
        find_frontier(hamiltonian_of(atoms, dot.charge))


def test_core_shell_dot_confines_the_electron_to_the_core() -> None:
    dot = build_core_shell_dot(cells=4, shell_cells=1)
    hamiltonian = hamiltonian_of(dot.atoms, dot.charge)
    levels = find_frontier(hamiltonian)
    symbols = np.array(dot.atoms.get_chemical_symbols())
    cations = symbols[hamiltonian.layout.cations]
    shares = (levels.lumo_vector[: 4 * len(cations)] ** 2).reshape(-1, 4).sum(axis=1)
    assert shares[cations == "Pb"].sum() > 0.5
    assert shares[cations == "Ca"].sum() < 0.1


def test_what_cannot_be_proved_nor_diagonalised_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(frontier, "LARGEST_DENSE_ORBITALS", 300)
    with pytest.raises(QdcompError, match="could not be proved"):
        find_frontier(dot_hamiltonian(3, 0.0, -2))  # two electrons in the threefold LUMO
