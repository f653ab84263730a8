"""Nearest-neighbour sp³ tight binding of cations (Pb) and anions (Br).

Slater–Koster two-centre form (J. C. Slater, G. F. Koster, Phys. Rev. 94, 1498 (1954), Table I)
with d the unit vector from cation to anion:

    ⟨s|H|p_j⟩ = V_sp d_j,   ⟨p_i|H|s⟩ = −V_ps d_i,
    ⟨p_i|H|p_j⟩ = V_π δ_ij + (V_σ − V_π) d_i d_j.

Every V scales as (r₀/r)^m (W. A. Harrison's scaling has m = 2; the parameter file says) and is
switched off smoothly. Only cations and anions hop, so that H = [[E_c, T], [Tᵀ, E_a]] with
diagonal E_c, E_a. A site's orbitals are ordered s, p_x, p_y, p_z.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdcomp.engines.model.kernels import compile_kernel
from qdcomp.engines.model.parameters import ModelParameters, check_elements
from qdcomp.errors import InputError

N_INTEGRALS = 8
"""Columns of `OrbitalLayout.integrals`: the fields of `HoppingParameters`, in their order."""


@dataclass(frozen=True)
class OrbitalLayout:
    """Orbitals of one list of atoms; nothing here depends on positions.

    Attributes
    ----------
    cations, anions
        Indices of the atoms with orbitals, shape ``(n_cations,)``, ``(n_anions,)``.
    cation_energies, anion_energies
        On-site energies [eV], shape ``(4 n_cations,)``, ``(4 n_anions,)``.
    cation_kinds, anion_kinds
        Rows and columns of `integrals` for each site.
    integrals
        Hopping parameters, shape ``(n_cation_kinds, n_anion_kinds, 8)``.
    n_occupied
        Doubly occupied orbitals.
    n_atoms
        Atoms, those without orbitals included.
    """

    cations: NDArray[np.int64]
    anions: NDArray[np.int64]
    cation_energies: NDArray[np.float64]
    anion_energies: NDArray[np.float64]
    cation_kinds: NDArray[np.int64]
    anion_kinds: NDArray[np.int64]
    integrals: NDArray[np.float64]
    n_occupied: int
    n_atoms: int

    @property
    def n_orbitals(self) -> int:
        """Number of orbitals."""
        return 4 * (len(self.cations) + len(self.anions))


@dataclass(frozen=True)
class Hamiltonian:
    """Hamiltonian at one geometry.

    Attributes
    ----------
    layout
        The orbitals.
    first_bond
        Bonds of anion x are ``first_bond[x] … first_bond[x + 1] − 1``, shape ``(n_anions + 1,)``.
    bond_cations
        Cation (counted among the cations) of each bond, shape ``(n_bonds,)``.
    bond_vectors
        Vector from cation to anion [Å], shape ``(n_bonds, 3)``.
    blocks
        Hopping of each bond [eV], cation orbital × anion orbital, shape ``(n_bonds, 4, 4)``.
    """

    layout: OrbitalLayout
    first_bond: NDArray[np.int64]
    bond_cations: NDArray[np.int64]
    bond_vectors: NDArray[np.float64]
    blocks: NDArray[np.float64]


def count_occupied_orbitals(
    symbols: Sequence[str], charge: int, parameters: ModelParameters
) -> int:
    """Doubly occupied orbitals: half of the valence electrons of all atoms less the charge.

    Elements without orbitals (Cs) give their valence electrons away, so that with formal charge
    an A⁺B²⁺X⁻ dot has exactly its anion s and p and the Pb s orbitals filled.

    Raises
    ------
    InputError
        If an element has no parameters, the number of electrons is odd, or they fill none or
        more than all of the orbitals.
    """
    check_elements(parameters, symbols)
    electrons = sum(parameters.elements[s].valence_electrons for s in symbols) - charge
    if electrons % 2:
        raise InputError(
            f"{len(symbols)} atoms with total charge {charge:+d} have {electrons} valence "
            "electrons, an odd number; the engine 'model' fills orbitals in pairs. Use the charge "
            "policy 'formal' or 'neutral', or a charge that differs by one"
        )
    orbitals = 4 * sum(parameters.elements[s].role is not None for s in symbols)
    if not 0 < electrons // 2 < orbitals:
        raise InputError(
            f"{electrons} valence electrons do not leave both filled and empty orbitals among "
            f"{orbitals}; check the composition and the total charge {charge:+d}"
        )
    return electrons // 2


def build_layout(symbols: Sequence[str], charge: int, parameters: ModelParameters) -> OrbitalLayout:
    """Orbitals of the atoms with these chemical symbols and this total charge [e].

    Raises
    ------
    InputError
        As `count_occupied_orbitals`.
    """
    n_occupied = count_occupied_orbitals(symbols, charge, parameters)
    sites: dict[str, list[int]] = {"cation": [], "anion": []}
    for index, symbol in enumerate(symbols):
        role = parameters.elements[symbol].role
        if role is not None:
            sites[role].append(index)
    cation_names = sorted({symbols[i] for i in sites["cation"]})
    anion_names = sorted({symbols[i] for i in sites["anion"]})
    integrals = np.zeros((len(cation_names), len(anion_names), N_INTEGRALS))
    for row, cation in enumerate(cation_names):
        for column, anion in enumerate(anion_names):
            hopping = parameters.hoppings[cation, anion]
            names = hopping.__dataclass_fields__
            integrals[row, column] = [getattr(hopping, name) for name in names]

    def energies(indices: list[int]) -> NDArray[np.float64]:
        elements = [parameters.elements[symbols[i]] for i in indices]
        return np.array([[e.onsite_s_ev] + 3 * [e.onsite_p_ev] for e in elements]).ravel()

    return OrbitalLayout(
        cations=np.array(sites["cation"], dtype=np.int64),
        anions=np.array(sites["anion"], dtype=np.int64),
        cation_energies=energies(sites["cation"]),
        anion_energies=energies(sites["anion"]),
        cation_kinds=np.array([cation_names.index(symbols[i]) for i in sites["cation"]], np.int64),
        anion_kinds=np.array([anion_names.index(symbols[i]) for i in sites["anion"]], np.int64),
        integrals=integrals,
        n_occupied=n_occupied,
        n_atoms=len(symbols),
    )


@compile_kernel()
def _find_bonds(  # type: ignore[no-untyped-def]
    cations, anions, cation_kinds, anion_kinds, integrals
):  # pragma: no cover - compiled
    first_bond = np.zeros(len(anions) + 1, dtype=np.int64)
    found_cations = []
    found_vectors = []
    for x in range(len(anions)):
        for b in range(len(cations)):
            dx = anions[x, 0] - cations[b, 0]
            dy = anions[x, 1] - cations[b, 1]
            dz = anions[x, 2] - cations[b, 2]
            reach = integrals[cation_kinds[b], anion_kinds[x], 7]
            if dx * dx + dy * dy + dz * dz < reach * reach:
                found_cations.append(b)
                found_vectors.append((dx, dy, dz))
        first_bond[x + 1] = len(found_cations)
    n_bonds = len(found_cations)
    bond_cations = np.empty(n_bonds, dtype=np.int64)
    vectors = np.empty((n_bonds, 3))
    for bond in range(n_bonds):
        bond_cations[bond] = found_cations[bond]
        for a in range(3):
            vectors[bond, a] = found_vectors[bond][a]
    return first_bond, bond_cations, vectors


@compile_kernel()
def _radial(r, reference, exponent, start, end):  # type: ignore[no-untyped-def] # pragma: no cover
    """Scaling of the integrals at distance r, and its derivative [1/Å]."""
    scale = (reference / r) ** exponent
    slope = -exponent * scale / r
    if r > start:
        u = (r - start) / (end - start)
        switch = 1.0 - u * u * u * (10.0 - 15.0 * u + 6.0 * u * u)
        fall = -30.0 * u * u * (1.0 - u) ** 2 / (end - start)
        slope = slope * switch + scale * fall
        scale = scale * switch
    return scale, slope


@compile_kernel()
def _fill_blocks(  # type: ignore[no-untyped-def]
    first_bond, bond_cations, vectors, cation_kinds, anion_kinds, integrals, blocks
):  # pragma: no cover - compiled
    for x in range(len(first_bond) - 1):
        for bond in range(first_bond[x], first_bond[x + 1]):
            v = integrals[cation_kinds[bond_cations[bond]], anion_kinds[x]]
            r = np.sqrt(np.sum(vectors[bond] ** 2))
            d = vectors[bond] / r
            scale, _ = _radial(r, v[4], v[5], v[6], v[7])
            blocks[bond, 0, 0] = 0.0
            for i in range(3):
                blocks[bond, 0, 1 + i] = v[0] * scale * d[i]
                blocks[bond, 1 + i, 0] = -v[3] * scale * d[i]
                for j in range(3):
                    blocks[bond, 1 + i, 1 + j] = (v[1] - v[2]) * scale * d[i] * d[j]
                blocks[bond, 1 + i, 1 + i] += v[2] * scale


@compile_kernel()
def _expectation_gradient(  # type: ignore[no-untyped-def]
    first_bond,
    bond_cations,
    vectors,
    cation_kinds,
    anion_kinds,
    integrals,
    at_cations,
    at_anions,
    cations,
    anions,
    gradient,
):  # pragma: no cover - compiled
    for x in range(len(first_bond) - 1):
        cx = at_anions[4 * x : 4 * x + 4]
        for bond in range(first_bond[x], first_bond[x + 1]):
            b = bond_cations[bond]
            cb = at_cations[4 * b : 4 * b + 4]
            v = integrals[cation_kinds[b], anion_kinds[x]]
            r = np.sqrt(np.sum(vectors[bond] ** 2))
            d = vectors[bond] / r
            scale, slope = _radial(r, v[4], v[5], v[6], v[7])
            # 2 cᵀ T c along the bond is a form in d; its derivative has a radial and an
            # angular part.
            pb = 0.0
            px = 0.0
            pp = 0.0
            for i in range(3):
                pb += cb[1 + i] * d[i]
                px += cx[1 + i] * d[i]
                pp += cb[1 + i] * cx[1 + i]
            form = v[0] * cb[0] * px - v[3] * pb * cx[0] + v[2] * pp + (v[1] - v[2]) * pb * px
            for a in range(3):
                turn = (
                    v[0] * cb[0] * (cx[1 + a] - px * d[a])
                    - v[3] * cx[0] * (cb[1 + a] - pb * d[a])
                    + (v[1] - v[2]) * ((cb[1 + a] - pb * d[a]) * px + (cx[1 + a] - px * d[a]) * pb)
                )
                change = 2.0 * (slope * form * d[a] + scale * turn / r)
                gradient[anions[x], a] += change
                gradient[cations[b], a] -= change


def build_hamiltonian(layout: OrbitalLayout, positions: NDArray[np.float64]) -> Hamiltonian:
    """Hamiltonian at `positions` [Å], shape ``(n_atoms, 3)``."""
    first_bond, bond_cations, vectors = _find_bonds(
        positions[layout.cations],
        positions[layout.anions],
        layout.cation_kinds,
        layout.anion_kinds,
        layout.integrals,
    )
    blocks = np.empty((len(bond_cations), 4, 4))
    _fill_blocks(
        first_bond, bond_cations, vectors, layout.cation_kinds, layout.anion_kinds,
        layout.integrals, blocks,
    )  # fmt: skip
    return Hamiltonian(layout, first_bond, bond_cations, vectors, blocks)


def build_dense_matrix(hamiltonian: Hamiltonian) -> NDArray[np.float64]:
    """Hamiltonian as a dense matrix [eV], orbitals of all cations before those of all anions."""
    layout = hamiltonian.layout
    matrix = np.diag(np.concatenate([layout.cation_energies, layout.anion_energies]))
    offset = len(layout.cation_energies)
    anion_of_bond = np.repeat(np.arange(len(layout.anions)), np.diff(hamiltonian.first_bond))
    for block, b, x in zip(
        hamiltonian.blocks, hamiltonian.bond_cations, anion_of_bond, strict=True
    ):
        rows, columns = slice(4 * b, 4 * b + 4), slice(offset + 4 * x, offset + 4 * x + 4)
        matrix[rows, columns] += block
        matrix[columns, rows] += block.T
    return matrix


def compute_atom_populations(
    layout: OrbitalLayout, vector: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Share of each atom in a normalised orbital, shape ``(n_atoms,)``, summing to one."""
    shares = (vector**2).reshape(-1, 4).sum(axis=1)
    populations = np.zeros(layout.n_atoms)
    populations[np.concatenate([layout.cations, layout.anions])] = shares
    return populations


def compute_level_gradient(
    hamiltonian: Hamiltonian, vector: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Compute the derivative of an orbital energy ⟨c|∂H/∂r|c⟩ [eV/Å], shape ``(n_atoms, 3)``.

    Hellmann–Feynman theorem; valid where the level is not degenerate.
    """
    layout = hamiltonian.layout
    offset = len(layout.cation_energies)
    gradient = np.zeros((layout.n_atoms, 3))
    _expectation_gradient(
        hamiltonian.first_bond, hamiltonian.bond_cations, hamiltonian.bond_vectors,
        layout.cation_kinds, layout.anion_kinds, layout.integrals,
        np.ascontiguousarray(vector[:offset]), np.ascontiguousarray(vector[offset:]),
        layout.cations, layout.anions, gradient,
    )  # fmt: skip
    return gradient
