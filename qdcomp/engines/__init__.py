"""Engines: the codes that compute energies, forces and frontier orbitals.

To add one, write a folder with a class that has what `Engine` asks for, and name it in `ENGINES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

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


def check_settings(name: str, settings: Mapping[str, Any]) -> None:
    """Ask an engine whether it knows settings, without a job: unknown names, types and ranges.

    Raises
    ------
    InputError
        There is no such engine, or it does not know them.
    """
    load_engine(name)
    import_module(f"{ENGINES[name][0]}.settings").read_settings(settings)


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
    "check_settings",
    "load_engine",
]
