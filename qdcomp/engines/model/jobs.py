"""Files of a job directory of the engine ``model``.

==================  ===================================================================
``job.json``        the job: task, charge, seed, frozen atoms, settings, continuation
``start.extxyz``    starting structure in full precision, momenta where it has them
``parameters.yaml`` copy of the parameter file, so that the directory stands alone
``checkpoint.extxyz``  geometry of a relaxation under way
``stop``               asks the run to end after the step at hand
``trajectory.h5``   frames of the dynamics
``final.extxyz``    last structure with energy, forces and orbital shares
``result.json``     results; written last, so that its presence means "done"
``failure.json``    what stopped the run, if something did
==================  ===================================================================

Files that are replaced are written beside and renamed, so that a kill leaves the old or the new.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from qdcomp.engines.base import DynamicsSettings, EngineJob, RelaxationSettings
from qdcomp.errors import ConvergenceError, EngineError, ParseError

JOB_FORMAT = 1
"""Version of the form of ``job.json``."""

JOB_NAME = "job.json"
START_NAME = "start.extxyz"
PARAMETERS_NAME = "parameters.yaml"
CHECKPOINT_NAME = "checkpoint.extxyz"
TRAJECTORY_NAME = "trajectory.h5"
FINAL_NAME = "final.extxyz"
RESULT_NAME = "result.json"
FAILURE_NAME = "failure.json"
STOP_NAME = "stop"


class StopRequested(Exception):
    """The run was asked to end."""


def heed_stop(directory: Path) -> None:
    """End a run that was asked to.

    Raises
    ------
    StopRequested
        It was.
    """
    if (directory / STOP_NAME).exists():
        raise StopRequested


@dataclass(frozen=True)
class Continuation:
    """What a stretch of dynamics takes over from the one before it, besides the structure.

    Attributes
    ----------
    previous
        Directory it goes on from, as given.
    transferred_energy_ev
        Energy that the thermostat has given so far [eV], for the conserved energy.
    homo_ev, lumo_ev
        Last frontier energies [eV], where the search for the gap starts; None if not computed.
    """

    previous: str
    transferred_energy_ev: float = 0.0
    homo_ev: float | None = None
    lumo_ev: float | None = None


def replace_file(path: Path, text: str) -> None:
    """Write `text` to `path` so that a reader sees the old content or the new, never half."""
    beside = path.with_name(path.name + ".tmp")
    with beside.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(path)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file in one step."""
    replace_file(path, json.dumps(content, indent=1) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file.

    Raises
    ------
    ParseError
        If it is missing or not a JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ParseError(
            "missing; the directory is not one that the engine 'model' prepared, or its run has "
            "not come this far",
            path,
        ) from error
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ParseError(f"damaged: not readable as JSON ({error})", path) from error
    if not isinstance(content, dict):
        raise ParseError(f"expected a JSON object, got {type(content).__name__}", path)
    return content


def _format_column(values: NDArray[Any]) -> list[str]:
    if values.dtype == bool:
        return ["T" if value else "F" for value in values]
    if values.dtype.kind == "f":
        return [repr(float(value)) for value in values]
    return [str(value) for value in values]


def format_structure(
    atoms: Atoms,
    energy_ev: float | None = None,
    columns: Mapping[str, NDArray[np.float64]] | None = None,
    steps: int | None = None,
) -> str:
    """Format a structure as extended XYZ with every digit of its numbers, unlike ASE's eight.

    Arrays of the atoms (momenta in ASE's unit, depth, …) are kept; `columns` are added, and the
    number of `steps` that led there.
    """
    kinds = {"f": "R", "i": "I", "u": "I", "b": "L", "U": "S"}
    arrays: dict[str, NDArray[Any]] = {
        "species": np.array(atoms.get_chemical_symbols()),
        "pos": atoms.get_positions(),
    }
    for name, values in atoms.arrays.items():
        if name not in {"numbers", "positions"} and values.dtype.kind in kinds:
            arrays[name] = values
    arrays.update(columns or {})
    words, cells = [], []
    for name, values in arrays.items():
        table = values.reshape(len(atoms), -1)
        words.append(f"{name}:{kinds[values.dtype.kind]}:{table.shape[1]}")
        cells += [_format_column(table[:, column]) for column in range(table.shape[1])]
    head = f"Properties={':'.join(words)} "
    if energy_ev is not None:
        head += f"energy={energy_ev!r} "
    if steps is not None:
        head += f"steps={steps} "
    lines = [" ".join(row) for row in zip(*cells, strict=True)]
    return "\n".join([str(len(atoms)), head + 'pbc="F F F"', *lines]) + "\n"


def read_structure(path: Path) -> Atoms:
    """Read a structure that `format_structure` wrote.

    Raises
    ------
    ParseError
        If it is missing or not extended XYZ.
    """
    try:
        atoms = ase.io.read(path, format="extxyz", index=-1)
    except FileNotFoundError as error:
        raise ParseError("missing; the run has not come this far", path) from error
    except Exception as error:
        raise ParseError(f"damaged: not readable as extended XYZ ({error})", path) from error
    assert isinstance(atoms, Atoms)
    return atoms


def write_job(directory: Path, job: EngineJob, parameter_text: str) -> None:
    """Write ``job.json``, ``start.extxyz`` and ``parameters.yaml``."""
    replace_file(directory / PARAMETERS_NAME, parameter_text)
    replace_file(directory / START_NAME, format_structure(job.atoms))
    write_json(
        directory / JOB_NAME,
        {
            "format": JOB_FORMAT,
            "engine": "model",
            "task": job.task,
            "charge": int(job.charge),
            "seed": int(job.seed),
            "frozen": [int(i) for i in np.flatnonzero(job.frozen)],
            "settings": dict(job.settings),
            "relaxation": asdict(job.relaxation) if job.relaxation else None,
            "dynamics": asdict(job.dynamics) if job.dynamics else None,
            "info": {
                str(key): value
                for key, value in job.atoms.info.items()
                if isinstance(value, str | int | float)
            },
            "continuation": None,
        },
    )


def read_job(directory: Path) -> EngineJob:
    """Read the job in a directory.

    Raises
    ------
    ParseError
        If a file is missing, damaged, or of a newer form.
    """
    path = directory / JOB_NAME
    content = read_json(path)
    if content.get("format") != JOB_FORMAT:
        raise ParseError(
            f"expected form {JOB_FORMAT}, got {content.get('format')!r}; "
            "use the version of qdcomp that wrote it",
            path,
        )
    atoms = read_structure(directory / START_NAME)
    atoms.info.update(content["info"])
    atoms.calc = None
    frozen = np.zeros(len(atoms), dtype=bool)
    frozen[content["frozen"]] = True
    relaxation, dynamics = content["relaxation"], content["dynamics"]
    return EngineJob(
        task=content["task"],
        atoms=atoms,
        charge=content["charge"],
        frozen=frozen,
        settings=content["settings"],
        relaxation=RelaxationSettings(**relaxation) if relaxation else None,
        dynamics=DynamicsSettings(**dynamics) if dynamics else None,
        seed=content["seed"],
    )


def write_continuation(directory: Path, continuation: Continuation) -> None:
    """Record in ``job.json`` what the run goes on from.

    Raises
    ------
    ParseError
        The file is missing or damaged.
    """
    content = read_json(directory / JOB_NAME)
    write_json(directory / JOB_NAME, {**content, "continuation": asdict(continuation)})


def read_continuation(directory: Path) -> Continuation | None:
    """Read what the run goes on from; None where it starts afresh.

    Raises
    ------
    ParseError
        The file is missing or damaged.
    """
    content = read_json(directory / JOB_NAME)["continuation"]
    return Continuation(**content) if content else None


def raise_recorded_failure(directory: Path) -> None:
    """Raise the error that stopped the run in `directory`, if one did.

    Raises
    ------
    EngineError
        Of the kind and with the message that were recorded.
    ParseError
        The record of it is damaged.
    """
    path = directory / FAILURE_NAME
    if path.is_file():
        content = read_json(path)
        kind = ConvergenceError if content["kind"] == "ConvergenceError" else EngineError
        raise kind(str(content["message"]), directory)
