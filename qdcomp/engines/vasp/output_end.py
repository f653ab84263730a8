"""How a run ended, from the last part of its OUTCAR alone: cheap, also for a large file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_TAIL_BYTES = 4 * 2**20
_LAST_OF_MOVE = b"  total energy   ETOTAL"


@dataclass(frozen=True)
class OutputEnd:
    """How a run ended.

    Attributes
    ----------
    ended
        Whether VASP came to its regular end.
    stopped
        Whether it was asked to end (``STOPCAR``).
    geometry_converged
        Whether a relaxation reached its criterion.
    has_energy, has_frequencies
        Whether the end has the energy of a geometry, and harmonic frequencies.
    """

    ended: bool
    stopped: bool
    geometry_converged: bool
    has_energy: bool
    has_frequencies: bool


def count_moves(path: Path) -> int:
    """Count the steps of dynamics that an OUTCAR has whole: with the energy that comes last."""
    if not path.is_file():
        return 0
    with path.open("rb") as stream:
        return sum(line.startswith(_LAST_OF_MOVE) and line.endswith(b"\n") for line in stream)


def read_end(path: Path) -> OutputEnd:
    """Read the end of an OUTCAR; where there is none, nothing has ended."""
    text = b""
    if path.is_file():
        with path.open("rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(max(0, size - _TAIL_BYTES))
            text = stream.read()
    return OutputEnd(
        ended=b"General timing and accounting informations" in text,
        stopped=b"stop encountered!" in text,
        geometry_converged=b"reached required accuracy" in text,
        has_energy=b"energy  without entropy=" in text,
        has_frequencies=b"2PiTHz" in text,
    )
