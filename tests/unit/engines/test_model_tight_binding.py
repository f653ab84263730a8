import numpy as np
import pytest
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from qdcomp.engines.model.parameters import read_parameters
from qdcomp.engines.model.tight_binding import (
    build_dense_matrix,
    build_hamiltonian,
    build_layout,
    compute_atom_populations,
    compute_level_gradient,
    count_occupied_orbitals,
)
from qdcomp.errors import InputError
from qdcomp.structures import build_quantum_dot

R0 = 2.97


def levels(symbols: list[str], positions: NDArray[np.float64], charge: int) -> NDArray[np.float64]:
    layout = build_layout(symbols, charge, read_parameters())
    return np.linalg.eigvalsh(build_dense_matrix(build_hamiltonian(layout, positions)))


def contains(spectrum: NDArray[np.float64], energies: NDArray[np.float64]) -> bool:
    return all(np.min(np.abs(spectrum - energy)) < 1e-10 for energy in energies)


def rotated(positions: NDArray[np.float64]) -> NDArray[np.float64]:
    return positions @ Rotation.from_euler("xyz", [0.3, -1.1, 2.0]).as_matrix().T


def test_one_bond_has_the_textbook_levels_in_any_direction() -> None:
    # Along the bond: s and p of either atom; across it: two pairs of p with V_π only.
    matrix = np.array(
        [
            [-4.0, 0.0, 0.0, 1.15],
            [0.0, 4.2, -1.0, 2.0],
            [0.0, -1.0, -13.0, 0.0],
            [1.15, 2.0, 0.0, 0.0],
        ]
    )
    sigma = np.linalg.eigvalsh(matrix)
    across = np.linalg.eigvalsh([[4.2, -0.45], [-0.45, 0.0]])
    expected = np.sort(np.concatenate([sigma, across, across]))
    bond = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, R0]])
    for positions in (bond, rotated(bond)):
        assert levels(["Pb", "Br"], positions, 1) == pytest.approx(expected, abs=1e-12)


def test_hopping_falls_with_the_third_power_and_ends_smoothly() -> None:
    layout = build_layout(["Pb", "Br"], 1, read_parameters())

    def pi_hopping(r: float) -> float:
        positions = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, r]])
        blocks = build_hamiltonian(layout, positions).blocks
        return float(blocks[0, 1, 1]) if len(blocks) else 0.0

    assert pi_hopping(3.5) == pytest.approx(-0.45 * (R0 / 3.5) ** 3, rel=1e-12)
    assert pi_hopping(5.0) == 0.0
    distances = np.linspace(4.1, 5.1, 2001)
    curve = np.array([pi_hopping(r) for r in distances])
    assert np.all(np.diff(curve) >= 0)
    assert np.max(np.abs(np.diff(curve, 2))) < 1e-5  # a kink of the slope would show as 1e-4


def test_octahedron_has_its_symmetry_adapted_levels() -> None:
    # A1g: Pb s with the six inward Br p (√6 V_sp). T1u: Pb p with the axial Br s (√2 V_ps), the
    # axial p (√2 V_σ) and the p across of the four others (2 V_π).
    positions = np.vstack([np.zeros(3), R0 * np.eye(3), -R0 * np.eye(3)])
    spectrum = levels(["Pb"] + 6 * ["Br"], rotated(positions), -4)
    a1g = np.linalg.eigvalsh([[-4.0, np.sqrt(6) * 1.15], [np.sqrt(6) * 1.15, 0.0]])
    t1u = np.diag([4.2, -13.0, 0.0, 0.0])
    t1u[0, 1:] = t1u[1:, 0] = [np.sqrt(2) * 1.0, np.sqrt(2) * 2.0, 2 * 0.45]
    t1u_levels = np.linalg.eigvalsh(t1u)
    assert contains(spectrum, a1g)
    for level in t1u_levels[[0, 1, 3]]:
        assert np.count_nonzero(np.abs(spectrum - level) < 1e-10) == 3
    # 25 electron pairs: the HOMO is the antibonding A1g, the LUMO the antibonding T1u.
    n_occupied = count_occupied_orbitals(["Pb"] + 6 * ["Br"], -4, read_parameters())
    assert n_occupied == 25
    assert spectrum[n_occupied - 1] == pytest.approx(a1g[1], abs=1e-10)
    assert spectrum[n_occupied] == pytest.approx(t1u_levels[3], abs=1e-10)


@pytest.mark.parametrize("cells", [2, 3, 4])
@pytest.mark.parametrize("policy", ["formal", "neutral"])
def test_formal_charge_fills_anions_and_lead_s(cells: int, policy: str) -> None:
    dot = build_quantum_dot(cells=cells, charge=policy)
    symbols = dot.atoms.get_chemical_symbols()
    occupied = count_occupied_orbitals(symbols, dot.charge, read_parameters())
    assert occupied == symbols.count("Pb") + 4 * symbols.count("Br")


def test_odd_number_of_electrons_is_refused() -> None:
    dot = build_quantum_dot(cells=3, charge="formal")
    with pytest.raises(InputError, match=r"\+3 .* an odd number"):
        build_layout(dot.atoms.get_chemical_symbols(), dot.charge + 1, read_parameters())


def test_charge_that_leaves_no_electron_is_refused() -> None:
    with pytest.raises(InputError, match="filled and empty"):
        count_occupied_orbitals(["Pb", "Br"], 11, read_parameters())


@pytest.fixture(scope="module")
def rattled() -> Atoms:
    dot = build_quantum_dot(cells=2, charge="formal")
    atoms = dot.atoms.copy()
    atoms.rattle(0.1, seed=3)
    atoms.info["charge"] = dot.charge
    return atoms


def test_level_gradient_is_the_derivative_of_the_level(rattled: Atoms) -> None:
    layout = build_layout(rattled.get_chemical_symbols(), rattled.info["charge"], read_parameters())
    positions = rattled.get_positions()

    def level(at: NDArray[np.float64], index: int) -> float:
        return float(np.linalg.eigvalsh(build_dense_matrix(build_hamiltonian(layout, at)))[index])

    hamiltonian = build_hamiltonian(layout, positions)
    _, vectors = np.linalg.eigh(build_dense_matrix(hamiltonian))
    step = 1e-4
    for index in (layout.n_occupied - 1, layout.n_occupied):
        gradient = compute_level_gradient(hamiltonian, vectors[:, index])
        assert gradient.sum(axis=0) == pytest.approx(np.zeros(3), abs=1e-12)
        strongest = np.argsort(-np.abs(gradient).ravel())[:6]
        for flat in strongest:
            ahead, behind = positions.copy(), positions.copy()
            ahead.ravel()[flat] += step
            behind.ravel()[flat] -= step
            numeric = (level(ahead, index) - level(behind, index)) / (2 * step)
            assert gradient.ravel()[flat] == pytest.approx(numeric, abs=2e-6)


def test_gradient_holds_within_the_taper() -> None:
    layout = build_layout(["Pb", "Br"], 1, read_parameters())

    def top(r: float) -> tuple[float, NDArray[np.float64]]:
        hamiltonian = build_hamiltonian(layout, np.array([[0.0, 0, 0], [0.6 * r, 0.0, 0.8 * r]]))
        energies, vectors = np.linalg.eigh(build_dense_matrix(hamiltonian))
        return float(energies[-1]), compute_level_gradient(hamiltonian, vectors[:, -1])

    numeric = (top(4.6001)[0] - top(4.5999)[0]) / 2e-4
    assert top(4.6)[1][1] == pytest.approx(numeric * np.array([0.6, 0.0, 0.8]), abs=1e-8)


def test_gap_does_not_change_under_rotation_and_translation(rattled: Atoms) -> None:
    symbols, charge = rattled.get_chemical_symbols(), rattled.info["charge"]
    here = levels(symbols, rattled.get_positions(), charge)
    there = levels(symbols, rotated(rattled.get_positions()) + np.array([3.0, -1.0, 7.0]), charge)
    assert there == pytest.approx(here, abs=1e-11)


def test_populations_share_out_one_electron_among_atoms_with_orbitals(rattled: Atoms) -> None:
    layout = build_layout(rattled.get_chemical_symbols(), rattled.info["charge"], read_parameters())
    matrix = build_dense_matrix(build_hamiltonian(layout, rattled.get_positions()))
    _, vectors = np.linalg.eigh(matrix)
    lumo = compute_atom_populations(layout, vectors[:, layout.n_occupied])
    symbols = np.array(rattled.get_chemical_symbols())
    assert lumo.sum() == pytest.approx(1.0, abs=1e-12)
    assert np.all(lumo[symbols == "Cs"] == 0.0)
    assert lumo[symbols == "Pb"].sum() > 0.5
