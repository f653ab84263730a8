"""What a study may set for the engine ``model``."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from qdcomp.engines.model.parameters import DEFAULT_PARAMETERS
from qdcomp.errors import InputError

ThermalStart = Literal["canonical", "velocities"]


@dataclass(frozen=True)
class ModelSettings:
    """Settings of the engine.

    Attributes
    ----------
    parameters
        Shipped parameter set by name, or the path of a file ending in .yaml.
    thermal_start
        How dynamics starts from a structure without velocities: ``canonical`` from a thermal
        state of every mode (see `qdcomp.engines.model.thermal_start`), ``velocities`` from
        Maxwell–Boltzmann velocities at the geometry given.
    rattle_angstrom
        Standard deviation of the seeded random displacement before a relaxation [Å], with which
        it leaves symmetric saddle points.
    check_minimum
        Whether a relaxation ends with a look at the Hessian, and goes on downhill from a saddle.
    """

    parameters: str = DEFAULT_PARAMETERS
    thermal_start: ThermalStart = "canonical"
    rattle_angstrom: float = 0.02
    check_minimum: bool = True


def read_settings(given: Mapping[str, Any]) -> ModelSettings:
    """Check the engine's settings and fill in what is not given.

    Raises
    ------
    InputError
        Unknown key (with the nearest known one) or impossible value.
    """
    known = [field.name for field in fields(ModelSettings)]
    for key in given:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            raise InputError(
                f"the engine 'model' has no setting {key!r}{meant} (settings: {', '.join(known)})"
            )
    settings = ModelSettings(**given)
    if not isinstance(settings.parameters, str):
        raise InputError(f"'parameters' must be a name or a path, got {settings.parameters!r}")
    if settings.thermal_start not in get_args(ThermalStart):
        raise InputError(
            f"'thermal_start' must be one of {', '.join(get_args(ThermalStart))}, "
            f"got {settings.thermal_start!r}"
        )
    rattle = settings.rattle_angstrom
    if isinstance(rattle, bool) or not isinstance(rattle, int | float) or not 0 <= rattle <= 0.5:
        raise InputError(f"'rattle_angstrom' must lie between 0 and 0.5 Å, got {rattle!r}")
    if not isinstance(settings.check_minimum, bool):
        raise InputError(f"'check_minimum' must be true or false, got {settings.check_minimum!r}")
    return settings
