"""The main output of CP2K, versions 2.6 to 2025, read as a stream.

`iterate_steps` yields one record per geometry, `read_output` keeps what a result needs. What
differs between versions is listed beside each pattern.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qdcomp.engines.base import FrontierOrbitals
from qdcomp.engines.cp2k.output_reader import OutputReader
from qdcomp.engines.cp2k.output_records import OutputHeader, OutputStep
from qdcomp.errors import EngineError, ParseError


@dataclass(frozen=True)
class Cp2kOutput:
    """What a main output says; where it holds several runs, appended one to another, all of them.

    Attributes
    ----------
    version
        Version of CP2K, ``2023.1``; ``unknown`` where the output does not say.
    run_type
        ``ENERGY``, ``ENERGY_FORCE``, ``GEO_OPT``, ``MD``, …; empty where it does not say.
    n_atoms
        Number of atoms; None where it does not say.
    runs
        Number of runs in the file.
    steps
        One record per geometry, without forces.
    forces_ev_per_angstrom
        Forces on the last geometry that has them, shape ``(n_atoms, 3)`` [eV/Å]; of vibrations
        those on the free atoms.
    geometry_converged
        Whether a relaxation reached its criteria; None where it is none.
    ended
        Whether the last run came to its regular end.
    stopped
        Whether it was asked to end, by the file ``EXIT`` or its wall time: an SCF under way was
        left, and the step that it belongs to is none.
    abort
        Text of the error that stopped it, empty if none did.
    walltime_s
        Wall time of the runs that say so [s]; None if none does.
    warnings
        What the user should know.
    frequencies_per_cm
        Harmonic frequencies of the last run [1/cm], imaginary ones negative; None where it has
        none.
    """

    version: str
    run_type: str
    n_atoms: int | None
    runs: int
    steps: tuple[OutputStep, ...]
    forces_ev_per_angstrom: NDArray[np.float64] | None
    geometry_converged: bool | None
    ended: bool
    stopped: bool
    abort: str
    walltime_s: float | None
    warnings: tuple[str, ...]
    frequencies_per_cm: NDArray[np.float64] | None = None

    @property
    def energy_ev(self) -> float | None:
        """Energy of the last geometry [eV]."""
        return next((s.energy_ev for s in reversed(self.steps) if s.energy_ev is not None), None)

    @property
    def frontier(self) -> tuple[FrontierOrbitals, ...]:
        """Frontier orbitals of the last geometry that has them, one per spin."""
        return next((step.frontier for step in reversed(self.steps) if step.frontier), ())

    @property
    def unconverged_steps(self) -> tuple[int, ...]:
        """Numbers of the steps whose self-consistent field did not converge.

        A step that a later run in the file computed again counts as that left it.
        """
        valid = select_valid(self.steps)
        return tuple(sorted({step.number for step in valid if step.scf_converged is False}))


def iterate_steps(path: Path) -> Iterator[OutputStep]:
    """Geometries of an output one after another, with forces where they are printed.

    Raises
    ------
    ParseError
        The file is missing, or damaged.
    """
    yield from _stream(path, OutputReader(path))


def read_output(path: Path) -> Cp2kOutput:
    """Read a main output.

    Raises
    ------
    ParseError
        The file is missing, empty or no output of CP2K.
    """
    reader = OutputReader(path)
    steps: list[OutputStep] = []
    forces: NDArray[np.float64] | None = None
    for step in _stream(path, reader):
        if step.forces is not None:
            forces = step.forces
        steps.append(step.without_forces())
    header = reader.header
    if forces is None:
        forces = reader.vibrations.forces_ev_per_angstrom()
    if not steps and not reader.is_cp2k:
        raise ParseError("not an output of CP2K; name the file that took its standard output", path)
    return Cp2kOutput(
        version=header.version,
        run_type=header.run_type,
        n_atoms=header.n_atoms,
        runs=max(1, reader.runs),
        steps=tuple(steps),
        forces_ev_per_angstrom=forces,
        geometry_converged=reader.geometry_converged,
        ended=reader.ended,
        stopped=reader.stopped,
        abort=reader.abort,
        walltime_s=reader.walltime_s,
        warnings=_collect_warnings(header, select_valid(steps)),
        frequencies_per_cm=reader.vibrations.frequencies_per_cm(),
    )


def select_valid(steps: Sequence[OutputStep]) -> list[OutputStep]:
    """Select the steps that no later run in the same file computed again."""
    newest = {step.number: step.run for step in steps}
    return [step for step in steps if step.run == newest[step.number]]


def refuse_aborted(output: Cp2kOutput, directory: Path) -> None:
    """Raise what CP2K said when it stopped with an error.

    Raises
    ------
    EngineError
        If it did.
    """
    if output.abort and not output.ended:
        raise EngineError(f"CP2K {output.version} stopped: {output.abort}", directory)


def _stream(path: Path, reader: OutputReader) -> Iterator[OutputStep]:
    if not path.is_file():
        raise ParseError("not there; has CP2K run, and where did its output go?", path)
    with path.open(encoding="utf-8", errors="replace") as stream:
        for line in stream:
            if line.endswith("\n"):  # else the run was killed while it wrote the line
                yield from reader.take(line)
    yield from reader.finish()


def _collect_warnings(header: OutputHeader, steps: list[OutputStep]) -> tuple[str, ...]:
    found = list(header.warnings)
    for text in dict.fromkeys(text for step in steps for text in step.warnings):
        numbers = [step.number for step in steps if text in step.warnings]
        found.append(text if len(steps) == 1 else f"{text} ({name_steps(numbers)})")
    unconverged = [step.number for step in steps if step.scf_converged is False]
    if unconverged:
        found.append(
            f"the self-consistent field did not converge in {name_steps(unconverged)}; policy: "
            "these steps are kept, not repaired, and named here"
        )
    return tuple(found)


def name_steps(numbers: list[int], most: int = 8) -> str:
    """Name steps in a sentence, ``steps 1, 2, 5 and 40 more``."""
    ordered = sorted(set(numbers))
    named = ", ".join(map(str, ordered[:most]))
    more = f" and {len(ordered) - most} more" if len(ordered) > most else ""
    return f"step{'s' if len(ordered) > 1 else ''} {named}{more}"
