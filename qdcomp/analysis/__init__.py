"""Calculated observables: arrays and numbers in, frozen dataclasses out."""

from qdcomp.analysis.alignment import AlignedTrajectory
from qdcomp.analysis.dephasing import Dephasing
from qdcomp.analysis.dot import DotAnalysis
from qdcomp.analysis.fluctuations import GapHistogram, LayerFluctuation, PositionFluctuations
from qdcomp.analysis.huang_rhys import HuangRhysBand, HuangRhysSpectrum
from qdcomp.analysis.lineshape import Lineshape
from qdcomp.analysis.linewidth import LinewidthTable
from qdcomp.analysis.normal_modes import ModeCoupling, NormalModes
from qdcomp.analysis.orbitals import OrbitalLocalization, OrbitalPopulation
from qdcomp.analysis.phonon_dos import PhononDos

__all__ = [
    "AlignedTrajectory",
    "Dephasing",
    "DotAnalysis",
    "GapHistogram",
    "HuangRhysBand",
    "HuangRhysSpectrum",
    "LayerFluctuation",
    "Lineshape",
    "LinewidthTable",
    "ModeCoupling",
    "NormalModes",
    "OrbitalLocalization",
    "OrbitalPopulation",
    "PhononDos",
    "PositionFluctuations",
]
