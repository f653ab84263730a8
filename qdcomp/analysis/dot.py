"""Everything about one trajectory of a dot at one temperature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qdcomp.analysis.alignment import remove_rigid_body_motion
from qdcomp.analysis.dephasing import Dephasing, compute_dephasing
from qdcomp.analysis.fluctuations import (
    GapHistogram,
    PositionFluctuations,
    compute_position_fluctuations,
    fit_gap_histogram,
)
from qdcomp.analysis.huang_rhys import (
    DEFAULT_BANDS,
    BandDefinition,
    HuangRhysSpectrum,
    compute_huang_rhys_spectrum,
)
from qdcomp.analysis.lineshape import (
    DEFAULT_BROADENING_EV,
    Lineshape,
    compute_emission_lineshape,
)
from qdcomp.analysis.linewidth import LinewidthTable, compute_linewidth_table
from qdcomp.analysis.orbitals import OrbitalLocalization, compute_orbital_localization
from qdcomp.analysis.phonon_dos import PhononDos, compute_phonon_dos, differentiate_positions
from qdcomp.analysis.sampling import block_bootstrap_error
from qdcomp.analysis.validity import (
    MINIMUM_FRAMES,
    list_layers,
    require_depths,
    require_mask,
    require_masses,
    require_positive,
    require_series,
    require_vectors,
)
from qdcomp.errors import InputError

DEFAULT_TEMPERATURES_K = (10.0, 50.0, 100.0, 150.0, 200.0, 250.0, 300.0)
"""Temperatures of the linewidth table [K], those of Rainò et al. 2022 and between."""

OFF_LATTICE = "off lattice"
"""Name of the layer of atoms whose depth is unknown, where that of others is known."""

INCONSISTENT_ERRORS = 2.0
"""Errors of Γ by which Γ of the spectrum and 2.3548 σ may differ before the user is told: of 300
synthetic stationary 10 ps trajectories none differed by as much."""


@dataclass(frozen=True)
class DotAnalysis:
    """The observables of one trajectory.

    Attributes
    ----------
    temperature_k
        Temperature that the trajectory was meant to have [K].
    mean_temperature_k
        Temperature that it had, from the velocities over the free degrees of freedom [K].
    timestep_fs
        Time between frames [fs].
    n_frames, n_atoms, n_free_atoms
        Frames, atoms, and atoms that were not frozen.
    times_fs
        Time of each frame from the first one [fs], shape ``(n_frames,)``.
    gap_ev, homo_ev, lumo_ev
        Gap and frontier orbital energies of each frame [eV], shape ``(n_frames,)``; the last two
        are None where not given.
    mean_gap_ev, mean_gap_error_ev
        Mean of the gap and its standard error (block bootstrap) [eV].
    phonon_dos
        Phonon density of states; partial ones are named ``"element Br"``, ``"layer 0.5"``,
        ``"layer off lattice"``.
    spectrum
        Huang–Rhys spectrum, at ``temperature_k``.
    dephasing
        Pure dephasing at ``emission_temperature_k``.
    lineshape
        Emission at ``emission_temperature_k``.
    gap_histogram
        Distribution of the gap at ``temperature_k``.
    fluctuations
        Position fluctuations.
    orbitals
        HOMO and LUMO populations; None where not given.
    linewidths
        Γ(T).
    emission_temperature_k
        Temperature of ``dephasing`` and ``lineshape`` [K].
    huang_rhys_per_free_atom
        Σ S over the number of free atoms.
    velocities_from_positions
        True if velocities are central differences of the positions.
    rigid_body_motion_removed
        True for a free dot, False where atoms are frozen.
    warnings
        All warnings of the parts, and those of the whole.
    """

    temperature_k: float
    mean_temperature_k: float
    timestep_fs: float
    n_frames: int
    n_atoms: int
    n_free_atoms: int
    times_fs: NDArray[np.float64]
    gap_ev: NDArray[np.float64]
    homo_ev: NDArray[np.float64] | None
    lumo_ev: NDArray[np.float64] | None
    mean_gap_ev: float
    mean_gap_error_ev: float
    phonon_dos: PhononDos
    spectrum: HuangRhysSpectrum
    dephasing: Dephasing
    lineshape: Lineshape
    gap_histogram: GapHistogram
    fluctuations: PositionFluctuations
    orbitals: OrbitalLocalization | None
    linewidths: LinewidthTable
    emission_temperature_k: float
    huang_rhys_per_free_atom: float
    velocities_from_positions: bool
    rigid_body_motion_removed: bool
    warnings: tuple[str, ...]


def analyse_dot(
    *,
    positions: ArrayLike,
    gap_ev: ArrayLike,
    masses: ArrayLike,
    symbols: Sequence[str],
    timestep_fs: float,
    temperature_k: float,
    velocities: ArrayLike | None = None,
    homo_ev: ArrayLike | None = None,
    lumo_ev: ArrayLike | None = None,
    homo_populations: ArrayLike | None = None,
    lumo_populations: ArrayLike | None = None,
    depth_cells: ArrayLike | None = None,
    frozen: NDArray[np.bool_] | None = None,
    linewidth_temperatures_k: Sequence[float] = DEFAULT_TEMPERATURES_K,
    emission_temperature_k: float = 300.0,
    broadening_ev: float = DEFAULT_BROADENING_EV,
    bands: Sequence[BandDefinition] = DEFAULT_BANDS,
    window: str = "hann",
) -> DotAnalysis:
    """Analyse one production trajectory of a dot.

    Parameters
    ----------
    positions
        Cartesian coordinates [Å], shape ``(n_frames, n_atoms, 3)``.
    gap_ev
        Gap in each frame [eV], shape ``(n_frames,)``.
    masses
        Masses [amu], shape ``(n_atoms,)``.
    symbols
        Chemical symbols, one per atom.
    timestep_fs
        Time between frames [fs].
    temperature_k
        Temperature that the trajectory was meant to have [K].
    velocities
        Velocities [Å/fs], shape ``(n_frames, n_atoms, 3)``; central differences of the positions
        stand in for them, corrected for their response.
    homo_ev, lumo_ev
        Frontier orbital energies [eV], shape ``(n_frames,)``; kept for the report.
    homo_populations, lumo_populations
        Share of each atom in the orbital, shape ``(n_frames, n_atoms)``.
    depth_cells
        Depth of each atom below the surface [unit cells], shape ``(n_atoms,)``; nan where it is
        unknown, as of an atom on no site of the dot.
    frozen
        True where an atom was held, shape ``(n_atoms,)``.
    linewidth_temperatures_k
        Temperatures of the linewidth table [K].
    emission_temperature_k
        Temperature of the dephasing and of the emission lineshape [K].
    broadening_ev
        Gaussian broadening of the lineshape, full width at half maximum [eV].
    bands
        Bands of the Huang–Rhys spectrum.
    window
        ``"hann"`` or ``"rectangular"``.

    Raises
    ------
    InputError
        If lengths or shapes do not match, a value is not finite (the first such frame is named),
        or a number is missing or not positive.
    """
    step = require_positive("time step", timestep_fs, "fs")
    coordinates = require_vectors("positions", positions)
    n_frames, n_atoms, _ = coordinates.shape
    gap = require_series("gap", gap_ev, n_frames=n_frames, minimum=MINIMUM_FRAMES)
    mass = require_masses(masses, n_atoms)
    held = require_mask("frozen", frozen, n_atoms)
    coordinates, moving = _take_out_rigid_motion(coordinates, velocities, mass, held, step)
    spectrum = compute_huang_rhys_spectrum(gap, step, temperature_k, window=window, bands=bands)
    dos = compute_phonon_dos(
        moving,
        mass,
        step,
        temperature_k,
        groups=_group_atoms(symbols, depth_cells, n_atoms),
        frozen=held,
        window=window,
        central_differences=velocities is None,
    )
    dephasing = compute_dephasing(
        gap,
        step,
        simulation_temperature_k=temperature_k,
        temperature_k=emission_temperature_k,
    )
    lineshape = compute_emission_lineshape(
        spectrum,
        emission_temperature_k,
        vertical_energy_ev=float(gap.mean()),
        broadening_ev=broadening_ev,
    )
    orbitals = None
    if homo_populations is not None or lumo_populations is not None:
        orbitals = compute_orbital_localization(
            symbols,
            homo_populations=_one_per_frame("HOMO populations", homo_populations, n_frames),
            lumo_populations=_one_per_frame("LUMO populations", lumo_populations, n_frames),
            depth_cells=depth_cells,
        )
    linewidths = compute_linewidth_table(spectrum, list(linewidth_temperatures_k))
    n_free = n_atoms - int(held.sum())
    return DotAnalysis(
        temperature_k=float(temperature_k),
        mean_temperature_k=dos.kinetic_temperature_k,
        timestep_fs=step,
        n_frames=n_frames,
        n_atoms=n_atoms,
        n_free_atoms=n_free,
        times_fs=step * np.arange(n_frames, dtype=np.float64),
        gap_ev=gap,
        homo_ev=_optional("HOMO energy", homo_ev, n_frames),
        lumo_ev=_optional("LUMO energy", lumo_ev, n_frames),
        mean_gap_ev=float(gap.mean()),
        mean_gap_error_ev=block_bootstrap_error(gap),
        phonon_dos=dos,
        spectrum=spectrum,
        dephasing=dephasing,
        lineshape=lineshape,
        gap_histogram=fit_gap_histogram(gap),
        fluctuations=compute_position_fluctuations(
            coordinates, symbols, depth_cells=depth_cells, frozen=held
        ),
        orbitals=orbitals,
        linewidths=linewidths,
        emission_temperature_k=emission_temperature_k,
        huang_rhys_per_free_atom=spectrum.huang_rhys_factor / n_free,
        velocities_from_positions=velocities is None,
        rigid_body_motion_removed=not held.any(),
        warnings=(
            *spectrum.warnings,
            *dos.warnings,
            *dephasing.warnings,
            *lineshape.warnings,
            *_warn_about_inconsistency(linewidths),
        ),
    )


def _warn_about_inconsistency(table: LinewidthTable) -> tuple[str, ...]:
    """Check Γ(T) = 2.3548 σ √(T/T_sim), which needs no spectrum, on this run."""
    error = float(np.max(table.classical_error_ev / table.classical_ev))
    if table.consistency <= INCONSISTENT_ERRORS * error:
        return ()
    return (
        "Γ from the spectrum and Γ from the variance of the gap differ by "
        f"{table.consistency:.0%}, and the error of Γ is {error:.0%}: the gap fluctuates otherwise "
        "at the ends of the trajectory than in its middle; equilibrate longer",
    )


def _take_out_rigid_motion(
    coordinates: NDArray[np.float64],
    velocities: ArrayLike | None,
    mass: NDArray[np.float64],
    held: NDArray[np.bool_],
    step: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Positions and velocities in the frame of the dot; frozen atoms are that frame themselves.

    Velocities that were not written are central differences of the aligned positions: turned with
    the frame, they hold no rigid-body motion beyond second order in the angle of one step.
    """
    if velocities is not None:
        given = require_vectors("velocities", velocities, shape=coordinates.shape)
        if held.any():
            return coordinates, given
        aligned = remove_rigid_body_motion(coordinates, mass, given)
        internal = given if aligned.velocities is None else aligned.velocities
        return aligned.positions, internal
    if not held.any():
        coordinates = remove_rigid_body_motion(coordinates, mass).positions
    return coordinates, differentiate_positions(coordinates, step)


def _one_per_frame(
    name: str, values: ArrayLike | None, n_frames: int
) -> NDArray[np.float64] | None:
    if values is None:
        return None
    series = np.asarray(values, dtype=np.float64)
    if len(series) != n_frames:
        raise InputError(
            f"the {name} have {len(series)} frames, the trajectory {n_frames}; "
            "both must be of one run and of one length"
        )
    return series


def _optional(name: str, values: ArrayLike | None, n_frames: int) -> NDArray[np.float64] | None:
    return None if values is None else require_series(name, values, n_frames=n_frames)


def _group_atoms(
    symbols: Sequence[str], depth_cells: ArrayLike | None, n_atoms: int
) -> dict[str, NDArray[np.bool_]]:
    """Masks of the elements and of the layers; either add up to all atoms."""
    if len(symbols) != n_atoms:
        raise InputError(f"{len(symbols)} symbols for {n_atoms} atoms; expected one per atom")
    elements = np.asarray(symbols)
    groups = {f"element {name}": elements == name for name in sorted(set(symbols))}
    if depth_cells is not None:
        depths = require_depths(depth_cells, n_atoms)
        layers = {f"layer {depth:g}": depths == depth for depth in list_layers(depths)}
        unknown = np.isnan(depths)
        if layers and unknown.any():
            layers[f"layer {OFF_LATTICE}"] = unknown
        groups |= layers
    return groups
