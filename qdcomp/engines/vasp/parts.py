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


def set_part_aside(directory: Path, number: int) -> None:
    """Set the outputs of the part at hand aside as part `number`, its inputs with them."""
    for name in PART_NAMES:
        path = directory / name
        if path.is_file():
            path.replace(directory / f"{name}.part{number}")
