"""Everything about one trajectory of a dot at one temperature."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdcomp.analysis.dephasing import Dephasing
from qdcomp.analysis.fluctuations import GapHistogram, PositionFluctuations
from qdcomp.analysis.huang_rhys import HuangRhysSpectrum
from qdcomp.analysis.lineshape import Lineshape
from qdcomp.analysis.linewidth import LinewidthTable
from qdcomp.analysis.orbitals import OrbitalLocalization
from qdcomp.analysis.phonon_dos import PhononDos


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
        Phonon density of states; partial ones are named ``"element Br"``, ``"layer 0.5"``.
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
