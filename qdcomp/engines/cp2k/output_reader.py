"""The state machine that turns the lines of CP2K's main output into records.

A line is dispatched by its first word, so that the bulk of a large output costs one dictionary
look-up a line. What differs between versions:

====================  =============================  ===========================================
item                  older                          newer
====================  =============================  ===========================================
energy unit           ``(a.u.)``, ``[a.u.]``         ``[hartree]`` (2025)
forces                ``ATOMIC FORCES in [a.u.]``    ``FORCES| Atomic forces`` (2025)
geometry step         ``Informations at step =``     ``OPT| Step number`` (after 2023.1)
step of dynamics      ``STEP NUMBER =`` (to 7.1)     ``MD| Step number`` (8.1 on)
====================  =============================  ===========================================
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from qdcomp.engines.cp2k.force_block import ForceBlock
from qdcomp.engines.cp2k.orbitals import OrbitalCollector
from qdcomp.engines.cp2k.output_records import OutputHeader, OutputStep
from qdcomp.engines.cp2k.vibration_block import MINIMUM_HEADING, VibrationBlock
from qdcomp.errors import ParseError
from qdcomp.units import BOHR_ANGSTROM, HARTREE_EV

_NUMBER = re.compile(r"[-+]?\d+\.?\d*(?:[eED][-+]?\d+)?")
_SCF_CONVERGED = re.compile(r"SCF run converged in\s+(\d+)")
_ART = re.compile(r"^(/   \\|\[ABORT\]|\\___/|\||O/\||/\| \||/ \\)\s*")
_WALL_LINES = 6
"""Lines between CP2K's warning about the walls and the end of the SCF it belongs to."""

_DYNAMICS_FIELDS = {
    "time [fs]": ("time_fs", 1.0),
    "conserved quantity [hartree]": ("conserved_energy_ev", HARTREE_EV),
    "potential energy [hartree]": ("potential_energy_ev", HARTREE_EV),
    "potential energy[hartree]": ("potential_energy_ev", HARTREE_EV),
    "kinetic energy [hartree]": ("kinetic_energy_ev", HARTREE_EV),
    "temperature [k]": ("temperature_k", 1.0),
}


@dataclass
class _Draft:
    """The geometry that is being read."""

    number: int | None = None
    initial: bool = False
    energy: float | None = None
    total_energy: float | None = None
    excited: bool = False
    converged: bool | None = None
    scf_steps: int | None = None
    touches_walls: bool = False
    orbitals: OrbitalCollector = field(default_factory=OrbitalCollector)
    forces: ForceBlock = field(default_factory=ForceBlock)
    max_force: float | None = None
    dynamics: dict[str, float] = field(default_factory=dict)

    @property
    def is_closed(self) -> bool:
        """Whether its step mark has come, so that what follows belongs to the next."""
        return self.number is not None or self.initial


class OutputReader:
    """Takes an output line by line and gives a record for each geometry that is complete."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.header = OutputHeader()
        self.runs = 0
        self.is_cp2k = False
        self.ended = False
        self.stopped = False
        self.abort = ""
        self.geometry_converged: bool | None = None
        self.walltime_s: float | None = None
        self.vibrations = VibrationBlock()
        self._line_number = 0
        self._wall_line = -_WALL_LINES - 1
        self._started: datetime | None = None
        self._draft = _Draft()
        self._initial: OutputStep | None = None
        self._last_number: int | None = None
        self._box: list[str] | None = None
        self._ready: list[OutputStep] = []
        self._handlers: dict[str, Callable[[str], None]] = self._make_handlers()

    def take(self, line: str) -> list[OutputStep]:
        """Take the next line; return the records that it completes."""
        self._line_number += 1
        if self._box is not None:
            self._take_box(line)
        elif self._draft.forces.is_reading and self._draft.forces.take(line, self._where()):
            pass
        elif not self._takes_orbitals(line):
            words = line.split(None, 1)
            if words and (handler := self._handlers.get(words[0])) is not None:
                handler(line)
        if not self._ready:
            return []
        ready, self._ready = self._ready, []
        return ready

    def _takes_orbitals(self, line: str) -> bool:
        """Hand a line to the list of orbitals at hand; CP2K may abort in the middle of one."""
        orbitals = self._draft.orbitals
        return orbitals.is_reading and "[ABORT]" not in line and orbitals.take(line)

    def finish(self) -> list[OutputStep]:
        """Return the records that the end of the file completes."""
        self._close_run()
        ready, self._ready = self._ready, []
        return ready

    def _make_handlers(self) -> dict[str, Callable[[str], None]]:
        eigenvalues = self._take_orbitals
        return {
            "CP2K|": self._take_version,
            "CP2K": self._take_timing,
            "GLOBAL|": self._take_global,
            "-": self._take_totals,
            "****": self._take_program_line,
            "***": self._take_stars,
            "exceeded": self._take_stars,
            "*": self._take_box_line,
            "Minimizer": self._take_minimizer,
            "SCF": self._open_electronic,
            "ENERGY|": self._take_energy,
            "Total": self._take_total,
            "Excitation": self._take_excitation,
            "Eigenvalues": eigenvalues,
            "Lowest": eigenvalues,
            "MO|": eigenvalues,
            "MO": eigenvalues,
            "ALPHA": eigenvalues,
            "BETA": eigenvalues,
            "ATOMIC": self._take_forces,
            "FORCES|": self._take_forces,
            "MD_INI|": self._mark_initial,
            "INITIAL": self._mark_initial,
            "MD|": self._take_dynamics,
            "STEP": self._take_dynamics,
            "TIME": self._take_dynamics,
            "CONSERVED": self._take_dynamics,
            "POTENTIAL": self._take_dynamics,
            "KINETIC": self._take_dynamics,
            "TEMPERATURE": self._take_dynamics,
            "OPT|": self._take_geometry,
            "--------": self._take_geometry,
            "Max.": self._take_geometry,
            "Minimum": self._take_vibrations,
            "VIB|": self._take_vibrations,
            "VIB|Frequency": self._take_vibrations,
        }

    def _where(self) -> tuple[Path, int]:
        return self.path, self._line_number

    # the run

    def _take_version(self, line: str) -> None:
        self.is_cp2k = True
        if "version string" in line:
            match = re.search(r"version (\d+\.\d+(?:\.\d+)?)", line)
            self.header.version = match[1] if match else "unknown"

    def _take_global(self, line: str) -> None:
        self.is_cp2k = True
        if "Run type" in line:
            self.header.run_type = line.split()[-1]

    def _take_totals(self, line: str) -> None:
        if "- Atoms:" in line:
            self.header.n_atoms = self._count(line.split()[-1])

    def _take_minimizer(self, line: str) -> None:
        self.is_cp2k = True
        self.header.uses_ot = True

    def _take_program_line(self, line: str) -> None:
        if "PROGRAM STARTED AT" in line:
            self._close_run()
            self.runs += 1
            self.ended, self.abort, self.stopped = False, "", False
            self._last_number = None
            self.vibrations = VibrationBlock()
            self._started = _read_time(line)
        elif "PROGRAM ENDED AT" in line:
            self.ended = True
            ended = _read_time(line)
            if self._started is not None and ended is not None:
                used = (ended - self._started).total_seconds()
                self.walltime_s = (self.walltime_s or 0.0) + used

    def _take_timing(self, line: str) -> None:
        self.is_cp2k = True

    def _take_stars(self, line: str) -> None:
        if "run terminated" in line or "exceeded requested execution time" in line:
            self.stopped = True
        elif "SCF run" in line:
            self._take_scf_end(line)
        elif "OPTIMIZATION COMPLETED" in line:
            self.geometry_converged = None if self.stopped else True
        elif "MAXIMUM NUMBER OF OPTIMIZATION STEPS" in line:
            self.geometry_converged = False
        elif "edges of the unit cell" in line:
            self._wall_line = self._line_number
        elif " ERROR" in line and "in" in line:
            self.abort = line.strip(" *\n")

    def _take_box_line(self, line: str) -> None:
        if "[ABORT]" in line:
            self.is_cp2k = True
            self._box = []

    def _take_box(self, line: str) -> None:
        assert self._box is not None
        stripped = line.strip()
        if stripped.startswith("***") or not stripped.startswith("*"):
            self.abort = " ".join(self._box) or "it aborted without a message"
            self._box = None
            return
        text = _ART.sub("", stripped.strip("*").strip())
        if text:
            self._box.append(text)

    def _close_run(self) -> None:
        """Emit what a run that ends here leaves; a step that was not finished is left out."""
        if self._box is not None:
            self.abort = " ".join(self._box) or "it aborted without a message"
            self._box = None
        draft, self._draft = self._draft, _Draft()
        if draft.is_closed:
            self._emit(draft)
        elif draft.energy is not None and (
            self.geometry_converged is not None
            or self.header.run_type not in {"MD", "GEO_OPT", "CELL_OPT"}
        ):
            self._emit(replace(draft, number=self._last_number or 0))
        if self._initial is not None and self.runs <= 1:
            self._ready.append(self._initial)
        self._initial = None

    # one geometry

    def _open_electronic(self, line: str) -> None:
        """Begin the next geometry if the one at hand has had its step mark."""
        if self._draft.is_closed:
            self._emit(self._draft)
            self._draft = _Draft()

    def _emit(self, draft: _Draft) -> None:
        step = self._finish_step(draft)
        if draft.initial and draft.number is None:
            self._initial = step
            return
        if self._initial is not None:
            self._ready.append(replace(self._initial, number=step.number - 1))
            self._initial = None
        self._last_number = step.number
        self._ready.append(step)

    def _finish_step(self, draft: _Draft) -> OutputStep:
        reading = draft.orbitals.read(
            uses_ot=self.header.uses_ot, version=self.header.version_numbers
        )
        warnings = list(reading.warnings)
        if draft.touches_walls:
            warnings.append(
                "the electron density touches the walls of the box, where the wavelet Poisson "
                "solver needs it to vanish; enlarge the box"
            )
        excited = draft.excited and draft.total_energy is not None
        if excited:
            warnings.append(
                "CP2K's total energy is that of an excited state (TDDFPT); the energy given is "
                "that of the ground state"
            )
        return OutputStep(
            number=draft.number or 0,
            energy_ev=_ev(draft.total_energy if excited else draft.energy),
            scf_converged=draft.converged,
            scf_steps=draft.scf_steps,
            frontier=reading.channels,
            forces=draft.forces.forces_ev_per_angstrom(),
            max_force_ev_per_angstrom=draft.max_force,
            excited_energy_ev=_ev(draft.energy) if excited else None,
            run=max(1, self.runs),
            warnings=tuple(warnings),
            **draft.dynamics,
        )

    def _take_scf_end(self, line: str) -> None:
        self._open_electronic(line)
        if "NOT converged" in line:
            self._draft.converged = None if self.stopped else False
        elif (match := _SCF_CONVERGED.search(line)) is not None:
            self._draft.converged = self._draft.converged is not False
            self._draft.scf_steps = int(match[1])
            self._draft.touches_walls = self._line_number - self._wall_line <= _WALL_LINES

    def _take_energy(self, line: str) -> None:
        if "Total FORCE_EVAL" in line:
            self._open_electronic(line)
            self._draft.energy = self._number(line.split()[-1])

    def _take_total(self, line: str) -> None:
        if line.lstrip().startswith("Total energy:"):
            self._open_electronic(line)
            self._draft.total_energy = self._number(line.split()[-1])

    def _take_excitation(self, line: str) -> None:
        if "Excitation Energy [Hartree]" in line:
            self._draft.excited = True

    def _take_orbitals(self, line: str) -> None:
        if "igenvalues of" in line or "EIGENVALUES" in line:
            self._open_electronic(line)
        self._draft.orbitals.take(line)

    def _take_forces(self, line: str) -> None:
        if "tomic forces" in line.lower():
            self._open_electronic(line)
            self._draft.forces.open(line, self._where())

    def _mark_initial(self, line: str) -> None:
        if not self._draft.is_closed and self._draft.energy is not None:
            self._draft.initial = True

    def _take_dynamics(self, line: str) -> None:
        text = line.strip().removeprefix("MD| ").lower()
        if text.startswith("step number"):
            if self._draft.initial:
                self._open_electronic(line)
            self._draft.number = self._count(text.split()[-1])
            return
        if self._draft.number is None:
            return
        for name, (target, factor) in _DYNAMICS_FIELDS.items():
            if text.startswith(name):
                found = _NUMBER.search(text, len(name))
                if found is not None and target not in self._draft.dynamics:
                    self._draft.dynamics[target] = self._number(found[0]) * factor

    def _take_geometry(self, line: str) -> None:
        text = line.strip().removeprefix("OPT| ")
        if text.startswith("Step number"):
            self._draft.number = self._count(text.split()[-1])
        elif "Informations at step" in text:
            self._draft.number = self._count(text.partition("=")[2].strip(" -"))
        elif text.startswith(("Maximum gradient  ", "Max. gradient  ")):
            value = self._number(text.split()[-1])
            self._draft.max_force = value * HARTREE_EV / BOHR_ANGSTROM

    def _take_vibrations(self, line: str) -> None:
        if MINIMUM_HEADING in line:
            self.vibrations.open_minimum()
            return
        self.vibrations.take(line, self._where())
        self._draft.energy = self.vibrations.energy_hartree

    def _count(self, word: str) -> int:
        if not word.isdecimal():
            raise ParseError(
                f"expected a whole number, got {word!r}; the file is damaged", *self._where()
            )
        return int(word)

    def _number(self, word: str) -> float:
        try:
            value = float(word.replace("D", "E").replace("d", "e"))
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise ParseError(
                f"expected a number, got {word!r}; the run has broken down or the file is damaged",
                *self._where(),
            )
        return value


def _ev(hartree: float | None) -> float | None:
    return None if hartree is None else hartree * HARTREE_EV


def _read_time(line: str) -> datetime | None:
    words = line.partition(" AT ")[2].split()
    try:
        return datetime.fromisoformat(" ".join(words[:2])).replace(tzinfo=None)
    except ValueError:
        return None
