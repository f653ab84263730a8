"""What a machine, not a study, decides: binaries, data folders, threads. Read when asked for."""

from __future__ import annotations

import math
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from qdcomp.errors import InputError

CP2K_BINARIES = ("cp2k.psmp", "cp2k.ssmp", "cp2k.popt", "cp2k.sopt", "cp2k")
"""Names under which CP2K is installed, best first."""

VASP_BINARIES = ("vasp_std", "vasp")
"""Names under which VASP is installed, best first."""

VASP_GAMMA_BINARIES = ("vasp_gam", "gvasp")
"""The same for the one with real waves, for the zone centre alone; half the work."""


STALL_VARIABLE = "QDCOMP_STALL_TIME"
"""Environment variable with the time without output after which an engine counts as hung [s]."""


@dataclass(frozen=True)
class MachineSettings:
    """Settings of the machine that runs the jobs.

    Attributes
    ----------
    cp2k_command
        Command that runs CP2K, in words, without its arguments; empty where there is none.
    cp2k_data_dir
        Folder of basis sets and pseudopotentials, if known.
    threads
        OpenMP threads a job may use.
    """

    cp2k_command: tuple[str, ...]
    cp2k_data_dir: Path | None
    threads: int


def read_machine_settings() -> MachineSettings:
    """Read the machine's settings from the environment and the path.

    ``QDCOMP_CP2K_COMMAND`` (for example ``srun cp2k.psmp``) goes before the binaries found on
    the path; ``CP2K_DATA_DIR`` before ``/usr/share/cp2k``; ``OMP_NUM_THREADS`` before the
    number of cores this process may use.

    Raises
    ------
    InputError
        If ``OMP_NUM_THREADS`` is no number of threads.
    """
    command = tuple(os.environ.get("QDCOMP_CP2K_COMMAND", "").split())
    if not command:
        found = next((name for name in CP2K_BINARIES if shutil.which(name)), None)
        command = (found,) if found else ()
    data = Path(os.environ.get("CP2K_DATA_DIR", "/usr/share/cp2k"))
    return MachineSettings(command, data if data.is_dir() else None, _read_threads())


def read_stall_time(usual_s: float) -> float:
    """Time without output after which an engine counts as hung [s].

    ``QDCOMP_STALL_TIME`` [s] goes before `usual_s`, for systems of which one step of the
    self-consistent field takes longer than that.

    Raises
    ------
    InputError
        If ``QDCOMP_STALL_TIME`` is no positive number.
    """
    text = os.environ.get(STALL_VARIABLE, "").strip()
    if not text:
        return usual_s
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise InputError(
            f"{STALL_VARIABLE}={text!r}: expected the time in seconds without output after which "
            f"an engine counts as hung, like {usual_s:.0f}; set it anew, or unset it"
        )
    return seconds


def find_vasp_command(*, gamma_only: bool) -> tuple[str, ...]:
    """Command that runs VASP, in words; empty where there is none.

    ``QDCOMP_VASP`` (for example ``srun vasp_std``) goes before the binaries found on the path; for
    a job at the zone centre alone ``QDCOMP_VASP_GAMMA`` goes before both.
    """
    named = os.environ.get("QDCOMP_VASP_GAMMA", "").split() if gamma_only else []
    named = named or os.environ.get("QDCOMP_VASP", "").split()
    if named:
        return tuple(named)
    names = (*(VASP_GAMMA_BINARIES if gamma_only else ()), *VASP_BINARIES)
    found = next((name for name in names if shutil.which(name)), None)
    return (found,) if found else ()


def _read_threads() -> int:
    text = os.environ.get("OMP_NUM_THREADS", "").strip()
    if not text:
        return len(os.sched_getaffinity(0))
    outermost = text.partition(",")[0].strip()  # a list has one number for each nested level
    if not outermost.isdecimal() or int(outermost) == 0:
        raise InputError(
            f"OMP_NUM_THREADS={text!r}: expected a whole number of threads, like 4; "
            "set it anew, or unset it for every core"
        )
    return int(outermost)
