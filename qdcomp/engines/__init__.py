"""Engines: the codes that compute energies, forces and frontier orbitals.

To add one, write a folder with a class that has what `Engine` asks for, and name it in `ENGINES`.
"""

from __future__ import annotations

from importlib import import_module

from qdcomp.engines.base import (
    CostEstimate,
    DynamicsSettings,
    Engine,
    EngineJob,
    EngineResult,
    FrontierOrbitals,
    HarmonicEngine,
    HarmonicResponse,
    RelaxationSettings,
    Task,
)
from qdcomp.errors import InputError

ENGINES = {
    "model": ("qdcomp.engines.model", "ModelEngine"),
    "cp2k": ("qdcomp.engines.cp2k", "Cp2kEngine"),
    "vasp": ("qdcomp.engines.vasp", "VaspEngine"),
}
"""Module and class of each engine; imported when asked for."""


HARMONIC_ENGINES = ("model",)
"""Engines that also compute the coupling from normal modes (`HarmonicEngine`)."""


def load_engine(name: str) -> Engine:
    """Engine of that name.

    Raises
    ------
    InputError
        If there is none.
    """
    if name not in ENGINES:
        raise InputError(f"there is no engine {name!r}; engines: {', '.join(ENGINES)}")
    module, class_name = ENGINES[name]
    engine: Engine = getattr(import_module(module), class_name)()
    return engine


__all__ = [
    "ENGINES",
    "HARMONIC_ENGINES",
    "CostEstimate",
    "DynamicsSettings",
    "Engine",
    "EngineJob",
    "EngineResult",
    "FrontierOrbitals",
    "HarmonicEngine",
    "HarmonicResponse",
    "RelaxationSettings",
    "Task",
    "load_engine",
]
