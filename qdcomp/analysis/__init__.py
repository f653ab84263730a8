"""Calculated observables: arrays and numbers in, frozen dataclasses out."""

from qdcomp.analysis.alignment import AlignedTrajectory, remove_rigid_body_motion
from qdcomp.analysis.binding import BindingEnergy, FragmentEnergy, compute_binding_energy
from qdcomp.analysis.correlation import compute_autocorrelation
from qdcomp.analysis.dephasing import Dephasing, compute_dephasing
from qdcomp.analysis.dot import DEFAULT_TEMPERATURES_K, DotAnalysis, analyse_dot
from qdcomp.analysis.fluctuations import (
    GapHistogram,
    LayerFluctuation,
    PositionFluctuations,
    compute_position_fluctuations,
    fit_gap_histogram,
)
from qdcomp.analysis.hessian import compute_hessian, convert_force_constants, convert_phonopy
from qdcomp.analysis.huang_rhys import (
    DEFAULT_BANDS,
    BandDefinition,
    HuangRhysBand,
    HuangRhysSpectrum,
    compute_huang_rhys_spectrum,
)
from qdcomp.analysis.interaction import (
    InteractionScan,
    PairInteraction,
    compute_interaction_energy,
    fit_interaction_scan,
)
from qdcomp.analysis.level_of_theory import check_same_level
from qdcomp.analysis.ligand_chains import ChainPair, LigandChain
from qdcomp.analysis.lineshape import (
    Lineshape,
    compute_emission_lineshape,
    compute_mode_lineshape,
)
from qdcomp.analysis.linewidth import (
    LinewidthTable,
    compute_linewidth,
    compute_linewidth_table,
    compute_quantum_linewidth,
)
from qdcomp.analysis.normal_modes import (
    ModeCoupling,
    NormalModes,
    compute_mode_coupling,
    compute_normal_modes,
)
from qdcomp.analysis.orbitals import (
    OrbitalLocalization,
    OrbitalPopulation,
    compute_orbital_localization,
)
from qdcomp.analysis.packing import LigandContact, Packing, compute_packing
from qdcomp.analysis.phonon_dos import PhononDos, compute_phonon_dos, differentiate_positions
from qdcomp.analysis.pooling import pool_spectra
from qdcomp.analysis.ring_stacking import AromaticRing, RingPair, classify_stacking
from qdcomp.analysis.stable_coverage import StableCoverage, compute_stable_coverage
from qdcomp.analysis.surface_energy import SurfaceEnergyCurve, compute_surface_energy
from qdcomp.analysis.surface_energy_points import ConfigurationEnergy
from qdcomp.analysis.thermochemistry import (
    IdealGasEntropy,
    compute_chemical_potential,
    ideal_gas_entropy,
)

__all__ = [
    "DEFAULT_BANDS",
    "DEFAULT_TEMPERATURES_K",
    "AlignedTrajectory",
    "AromaticRing",
    "BandDefinition",
    "BindingEnergy",
    "ChainPair",
    "ConfigurationEnergy",
    "Dephasing",
    "DotAnalysis",
    "FragmentEnergy",
    "GapHistogram",
    "HuangRhysBand",
    "HuangRhysSpectrum",
    "IdealGasEntropy",
    "InteractionScan",
    "LayerFluctuation",
    "LigandChain",
    "LigandContact",
    "Lineshape",
    "LinewidthTable",
    "ModeCoupling",
    "NormalModes",
    "OrbitalLocalization",
    "OrbitalPopulation",
    "Packing",
    "PairInteraction",
    "PhononDos",
    "PositionFluctuations",
    "RingPair",
    "StableCoverage",
    "SurfaceEnergyCurve",
    "analyse_dot",
    "check_same_level",
    "classify_stacking",
    "compute_autocorrelation",
    "compute_binding_energy",
    "compute_chemical_potential",
    "compute_dephasing",
    "compute_emission_lineshape",
    "compute_hessian",
    "compute_huang_rhys_spectrum",
    "compute_interaction_energy",
    "compute_linewidth",
    "compute_linewidth_table",
    "compute_mode_coupling",
    "compute_mode_lineshape",
    "compute_normal_modes",
    "compute_orbital_localization",
    "compute_packing",
    "compute_phonon_dos",
    "compute_position_fluctuations",
    "compute_quantum_linewidth",
    "compute_stable_coverage",
    "compute_surface_energy",
    "convert_force_constants",
    "convert_phonopy",
    "differentiate_positions",
    "fit_gap_histogram",
    "fit_interaction_scan",
    "ideal_gas_entropy",
    "pool_spectra",
    "remove_rigid_body_motion",
]
