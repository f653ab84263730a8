"""Engines: the codes that compute energies, forces and frontier orbitals."""

from qdcomp.engines.base import (
    CostEstimate,
    DynamicsSettings,
    Engine,
    EngineJob,
    EngineResult,
    FrontierOrbitals,
    RelaxationSettings,
)

__all__ = [
    "CostEstimate",
    "DynamicsSettings",
    "Engine",
    "EngineJob",
    "EngineResult",
    "FrontierOrbitals",
    "RelaxationSettings",
]
