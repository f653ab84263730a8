"""The parts of a run that was started more than once in its directory.

VASP writes its outputs anew at every start. Before that those of the part at hand are set aside
under a numbered name, ``OUTCAR.part1``, ``OUTCAR.part2``, …, so that nothing is lost.
"""

from __future__ import annotations

from pathlib import Path

from qdcomp.engines.vasp.job_file import ERROR_NAME, OUTPUT_NAME, JobFile

PART_OUTPUTS = (
    "OUTCAR", "OSZICAR", "XDATCAR", "vasprun.xml", "CONTCAR", "EIGENVAL", "PROCAR", "REPORT",
    OUTPUT_NAME, ERROR_NAME,
)  # fmt: skip
"""Files that VASP writes anew at every start."""

PART_NAMES = (*PART_OUTPUTS, "INCAR", "KPOINTS", "POSCAR")
"""Files that each part has of its own."""


def find_part_files(directory: Path, name: str, job: JobFile) -> tuple[tuple[int, Path], ...]:
    """Find a file of every part of a run, oldest first, the part at hand last.

    Returns
    -------
    Steps that the job had done before the part started, and the file, for each part that has one.
    """
    parts = [
        (steps, directory / f"{name}.part{number}")
        for number, steps in enumerate(job.earlier_steps, start=1)
    ]
    return tuple(
        (steps, path)
        for steps, path in [*parts, (job.steps_before, directory / name)]
        if path.is_file()
    )


def has_outputs(directory: Path, earlier: int) -> bool:
    """Whether the part at hand has written anything.

    Parameters
    ----------
    directory
        Job directory.
    earlier
        Number of earlier parts. What the last of them said on the terminal is still in its place
        where a kill came before `set_terminal_output_aside`, and is none of the part at hand.
    """
    left = earlier > 0 and not (directory / f"{OUTPUT_NAME}.part{earlier}").is_file()
    return any(
        (directory / name).is_file() for name in PART_OUTPUTS if not (left and name == OUTPUT_NAME)
    )


def set_part_aside(directory: Path, number: int) -> None:
    """Set the outputs of the part at hand aside as part `number`, its inputs with them.

    What VASP said on the terminal stays: as long as it is there the run is one to go on with, and
    a kill before the next part can start leaves nothing that looks like one never started.
    """
    for name in PART_NAMES:
        if name != OUTPUT_NAME:
            _set_aside(directory, name, number)


def set_terminal_output_aside(directory: Path, number: int) -> None:
    """Set aside what VASP said on the terminal in part `number`, once the next one can start."""
    _set_aside(directory, OUTPUT_NAME, number)


def bring_part_back(directory: Path, number: int) -> None:
    """Undo a setting aside of part `number` that was cut off before the job file knew of it."""
    for name in PART_NAMES:
        path = directory / f"{name}.part{number}"
        if path.is_file():
            path.replace(directory / name)


def _set_aside(directory: Path, name: str, number: int) -> None:
    path = directory / name
    if path.is_file():
        path.replace(directory / f"{name}.part{number}")
