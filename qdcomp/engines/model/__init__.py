"""The engine ``model``: rigid-ion force field and sp³ tight binding, a surrogate for DFT.

Its numbers stand in for DFT's and reports say so. All parameters are in one file with the source
of each (``templates/model/``); a new fit is a new file.
"""

from __future__ import annotations

from qdcomp.engines.model.calculator import (
    GapGradient,
    ModelCalculator,
    compute_gap_gradient,
    compute_model_hessian,
)
from qdcomp.engines.model.couplings import (
    FrontierCouplings,
    compute_frontier_couplings,
    synthesise_harmonic_gap,
)
from qdcomp.engines.model.engine import ModelEngine
from qdcomp.engines.model.parameters import ModelParameters, read_parameters
from qdcomp.engines.model.response import HarmonicResponse, compute_harmonic_response

__all__ = [
    "FrontierCouplings",
    "GapGradient",
    "HarmonicResponse",
    "ModelCalculator",
    "ModelEngine",
    "ModelParameters",
    "compute_frontier_couplings",
    "compute_gap_gradient",
    "compute_harmonic_response",
    "compute_model_hessian",
    "read_parameters",
    "synthesise_harmonic_gap",
]
