"""Reading a directory of CP2K outputs that qdcomp did not make.

Policy, stated in the warnings where it applies:

- steps are joined by number; steps without orbital energies at either end are cut, a gap in the
  middle is an error;
- an SCF that did not converge keeps its step, which is named;
- a run that went on from its own restart is one run, and the recomputed steps replace the earlier
  ones; two runs in one file are an error.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from ase.data import atomic_masses, atomic_numbers
from numpy.typing import NDArray

from qdcomp.engines.base import FrontierOrbitals
from qdcomp.engines.cp2k.directory_contents import (
    DirectoryContents,
    drop_sparse_files,
    find_contents,
    read_input_value,
    require_one_run,
)
from qdcomp.engines.cp2k.molog import read_molog_frontier
from qdcomp.engines.cp2k.outputs import Cp2kOutput, name_steps, read_output, refuse_aborted
from qdcomp.engines.cp2k.trajectory_files import collect_frontier, join_frames
from qdcomp.errors import EngineError, InputError, ParseError
from qdcomp.trajectory import Frame, open_xyz

_TIME_TOLERANCE = 1e-3
"""Relative deviation of a time step that rounding to 1e-3 fs in the comments explains."""


@dataclass(frozen=True)
class Cp2kDirectory:
    """A dynamics in a directory that qdcomp did not make.

    Attributes
    ----------
    path
        The directory.
    symbols
        Chemical symbols.
    masses
        Atomic masses [amu], shape ``(n_atoms,)``.
    timestep_fs
        Time between frames [fs].
    steps
        Step numbers of the frames, shape ``(n_frames,)``.
    temperature_k
        Temperature set in the input [K]; None where there is no input file.
    version
        Version of CP2K; ``unknown`` where there is no main output.
    unconverged_steps
        Steps whose self-consistent field did not converge.
    metadata
        Where everything came from.
    warnings
        What the user should know.
    """

    path: Path
    symbols: tuple[str, ...]
    masses: NDArray[np.float64]
    timestep_fs: float
    steps: NDArray[np.int64]
    temperature_k: float | None
    version: str
    unconverged_steps: tuple[int, ...]
    metadata: dict[str, str | float | int]
    warnings: tuple[str, ...]
    _contents: DirectoryContents
    _frontier: dict[int, FrontierOrbitals]

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return len(self.steps)

    @property
    def has_frontier_orbitals(self) -> bool:
        """Whether every frame has a HOMO and a LUMO."""
        return bool(self._frontier)

    @property
    def charge(self) -> int | None:
        """Total charge [e]; the outputs are not asked for it."""
        return None

    def frames(self) -> Iterator[Frame]:
        """Frames one after another, in order, with the time of each.

        Raises
        ------
        ParseError
            A number in a file is none, or not finite; the frame is named.
        """
        wanted = {step: index for index, step in enumerate(self.steps.tolist())}
        for frame in join_frames(self._contents.files, self._frontier):
            if frame.step in wanted:
                timed = not math.isnan(frame.time_fs)
                time = frame.time_fs if timed else wanted[frame.step] * self.timestep_fs
                yield replace(frame, time_fs=time)


def read_cp2k_directory(path: Path | str, *, timestep_fs: float | None = None) -> Cp2kDirectory:
    """Find the files of a dynamics in a directory and check that they belong together.

    Parameters
    ----------
    path
        The directory.
    timestep_fs
        Time between frames [fs], where the files do not say.

    Raises
    ------
    InputError
        No trajectory or several, or no time step.
    ParseError
        A damaged file, two runs in one, or orbitals that do not fit the trajectory.
    """
    directory = Path(path)
    contents = find_contents(directory)
    warnings = require_one_run(contents)
    contents, unused = drop_sparse_files(contents)
    warnings += unused
    with open_xyz(contents.files.positions, on_restart="keep_last") as file:
        symbols = file.symbols
        warnings += file.warnings
    output = read_output(contents.output) if contents.output is not None else None
    if output is not None:
        warnings += _check_output(output, contents, directory)
    frames = _read_moments(contents)
    frontier, orbital_warnings = _read_frontier(contents, output)
    warnings += orbital_warnings
    steps, cut = _match_frontier([step for step, _ in frames], frontier, contents)
    warnings += cut
    found = _find_timestep(frames, contents, timestep_fs)
    temperature = read_input_value(contents.input, "TEMPERATURE")
    return Cp2kDirectory(
        path=directory,
        symbols=symbols,
        masses=np.array([atomic_masses[atomic_numbers[symbol]] for symbol in symbols]),
        timestep_fs=found,
        steps=np.array(steps, dtype=np.int64),
        temperature_k=temperature,
        version="unknown" if output is None else output.version,
        unconverged_steps=() if output is None else output.unconverged_steps,
        metadata=_describe(contents, output, temperature),
        warnings=tuple(dict.fromkeys(warnings)),
        _contents=contents,
        _frontier={step: frontier[step] for step in steps} if frontier else {},
    )


def _check_output(
    output: Cp2kOutput, contents: DirectoryContents, directory: Path
) -> tuple[str, ...]:
    assert contents.output is not None
    warnings = output.warnings
    try:
        refuse_aborted(output, directory)
    except EngineError as error:
        warnings += (f"{error}; the steps before are used",)
    numbered = [(step.run, step.number) for step in output.steps]
    first = {run: number for run, number in reversed(numbered)}
    for run in range(2, output.runs + 1):
        if run in first and first[run] <= first.get(1, 0):
            raise ParseError(
                f"holds two runs: number {run} begins at step {first[run]} again. Put the output "
                "of each run in a directory of its own, with its trajectory",
                contents.output,
            )
    return warnings


def _read_moments(contents: DirectoryContents) -> list[tuple[int, float | None]]:
    """Step and time of each frame that is whole in every file."""
    return [
        (frame.step, None if np.isnan(frame.time_fs) else frame.time_fs)
        for frame in join_frames(contents.files, {})
    ]


def _read_frontier(
    contents: DirectoryContents, output: Cp2kOutput | None
) -> tuple[dict[int, FrontierOrbitals], tuple[str, ...]]:
    frontier = collect_frontier(output.steps) if output is not None else {}
    warnings: list[str] = []
    if not frontier:
        for step, path in contents.mologs.items():
            channels, said = read_molog_frontier(path)
            warnings += said
            if channels:
                frontier[step] = min(channels, key=lambda channel: channel.gap_ev)
    if not frontier:
        warnings.append(
            "no frontier orbitals were found in the output or in MOLog files, so no gap, spectrum "
            "or linewidth follows; print &MO_CUBES (WRITE_CUBE F, NHOMO 1, NLUMO 1) at every step"
        )
    return frontier, tuple(warnings)


def _match_frontier(
    steps: list[int], frontier: dict[int, FrontierOrbitals], contents: DirectoryContents
) -> tuple[list[int], tuple[str, ...]]:
    if not frontier:
        return steps, ()
    common = [step for step in steps if step in frontier]
    if not common:
        raise ParseError(
            f"the trajectory ({len(steps)} frames, {_span(steps)}) and the orbital energies "
            f"({len(frontier)}, {_span(sorted(frontier))}) have no step in common; are they of the "
            "same run?",
            contents.files.positions,
        )
    inside = [step for step in steps if common[0] <= step <= common[-1]]
    if len(inside) != len(common):
        lacking = [step for step in inside if step not in frontier]
        raise ParseError(
            f"{len(lacking)} of {len(inside)} frames have no orbital energies "
            f"({name_steps(lacking)}) between others that have; print them as often as the "
            "positions, or thin the trajectory to the steps that have them",
            contents.files.positions,
        )
    left_out = len(steps) - len(common)
    if not left_out:
        return common, ()
    return common, (
        f"the trajectory has {len(steps)} frames and orbital energies for {len(common)}: the "
        f"{left_out} without, at its ends, are cut",
    )


def _find_timestep(
    frames: list[tuple[int, float | None]],
    contents: DirectoryContents,
    given: float | None,
) -> float:
    if given is not None:
        if not given > 0:
            raise InputError(f"the time step has to be positive, got {given} fs")
        return given
    times = [time for _, time in frames if time is not None]
    if len(times) == len(frames) > 1:
        spacing = np.diff(np.array(times))
        mean = float(spacing.mean())
        if mean > 0 and np.abs(spacing - mean).max() <= max(_TIME_TOLERANCE * mean, 2e-3):
            return mean
        raise ParseError(
            f"the frames are not evenly spaced in time ({spacing.min():g} to {spacing.max():g} "
            "fs); thin them to an even spacing",
            contents.files.positions,
        )
    step = read_input_value(contents.input, "TIMESTEP")
    if step is not None and len(frames) > 1:
        return step * (frames[1][0] - frames[0][0])
    raise InputError(
        f"{contents.files.positions} does not say its time step, and there is no input or .ener "
        "file that does; give it: timestep_fs=… (the time between two frames, in fs)"
    )


def _describe(
    contents: DirectoryContents, output: Cp2kOutput | None, temperature: float | None
) -> dict[str, str | float | int]:
    named = {
        "positions": contents.files.positions,
        "velocities": contents.files.velocities,
        "forces": contents.files.forces,
        "energies": contents.files.energies,
        "output": contents.output,
        "input": contents.input,
    }
    found: dict[str, str | float | int] = {
        f"{name}_file": path.name for name, path in named.items() if path is not None
    }
    found["engine"] = "cp2k"
    found["engine_version"] = "unknown" if output is None else output.version
    if temperature is not None:
        found["temperature_k"] = temperature
    return found


def _span(steps: list[int]) -> str:
    return f"steps {steps[0]} to {steps[-1]}" if steps else "none"
