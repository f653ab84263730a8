"""OUTCAR, the main output of VASP 5 and 6, read as a stream.

What comes of one geometry is spread over the file between one ``Iteration`` with a new number and
the next. Of two energies with nearly the same name the one of a geometry has two spaces in ``free
energy   TOTEN`` and contains the dispersion correction; the other is of an electronic step.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from qdcomp.engines.vasp.ionic_steps import IonicStep, RunHeader, RunOutput
from qdcomp.engines.vasp.outcar_blocks import BandBlock, CellTable, ForceTable, read_frequency
from qdcomp.engines.vasp.text_files import (
    Where,
    iterate_lines,
    read_counts,
    read_finite,
    read_number,
)
from qdcomp.errors import ParseError

OUTCAR = "OUTCAR"
"""Name of the file."""

_PARAMETERS = frozenset({"IBRION", "NELECT", "NELM", "POTIM", "TEBEG", "TEEND"})
_ASSIGNMENT = re.compile(r"([A-Z]+)\s*=\s*(-?\d*\.?\d+(?:[eE][-+]?\d+)?)(?![\w.])")
_VERSION = re.compile(r"\s*vasp\.(\S+)")
_ELEMENT = re.compile(r"VRHFIN\s*=\s*([A-Z][a-z]?)\s*:")
_LABEL = re.compile(r" POTCAR:\s+\S+ ([A-Z][a-z]?)[_.\s]")
_VALENCE = re.compile(r"POMASS\s*=.*ZVAL\s*=\s*(\S+)\s+mass and valenz")
_VALENCES = re.compile(r"\s+ZVAL\s*=((?:\s+[\d.]+)+)\s*$")
_ITERATION = re.compile(r"-+ Iteration\s+(\d+|\*+)\(\s*(\d+|\*+)\)")
_ENERGY = re.compile(r"=\s*(\S+)")
_SIGMA = re.compile(r"energy\(sigma->0\) =\s*(\S+)")
_TEMPERATURE = re.compile(r"\(temperature\s+(\S+) K\)")


class OutcarReader:
    """Takes an OUTCAR line by line and gives each geometry that is whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.header = RunHeader()
        self.ended = False
        self.stopped = False
        self.geometry_converged = False
        self.walltime_s: float | None = None
        self.frequencies: list[float] = []
        self._line_number = 0
        self._in_header = True
        self._labels: dict[str, None] = {}
        self._after_division = False
        self._draft = IonicStep(number=0)
        self._bands: BandBlock | None = None
        self._forces: ForceTable | None = None
        self._cell: CellTable | None = None
        self._last_cell: CellTable | None = None

    def take(self, line: str) -> IonicStep | None:
        """Take the next line; return the geometry that it shows to be whole.

        Raises
        ------
        ParseError
            A number is none, a table lost rows, or the file holds two runs.
        """
        self._line_number += 1
        if not line.endswith("\n"):
            return None  # the file was cut off here
        if self._forces is not None:
            if not self._forces.take(line, self._where()):
                self._draft = replace(
                    self._draft, positions=self._forces.positions, forces=self._forces.forces
                )
                self._forces = None
        elif self._bands is not None:
            if not self._bands.take(line, self._where()):
                self._draft = replace(self._draft, bands=self._bands.bands)
                self._bands = None
        elif self._cell is not None:
            if not self._cell.take(line, self._where()):
                self._last_cell, self._cell = self._cell, None
        elif line.startswith("-----"):
            return self._take_iteration(line)
        elif line.startswith(" "):
            self._take_other(line)
        return None

    def finish(self) -> IonicStep | None:
        """Return the last geometry, if it is whole."""
        return self._close()

    def _where(self) -> Where:
        return self.path, self._line_number

    def _take_iteration(self, line: str) -> IonicStep | None:
        if "aborting loop" in line:
            reached = "EDIFF is reached" in line
            self._draft = replace(self._draft, scf_converged=reached)
            return None
        match = _ITERATION.match(line)
        if match is None:
            return None
        self._in_header = False
        starts = match[2] == "1"
        if starts and match[1] == "1" and self._draft.number > 0:
            raise ParseError(
                "holds two runs: the geometries are counted from one again. Put the files of each "
                "run in a directory of its own",
                self.path,
                self._line_number,
            )
        done = self._close() if starts else None
        if starts:
            self._draft = IonicStep(number=self._draft.number + 1)
        self._draft = replace(self._draft, scf_steps=self._draft.scf_steps + 1)
        return done

    def _close(self) -> IonicStep | None:
        draft = self._draft
        moves = self.header.parameters.get("IBRION") == 0
        if draft.energy_ev is None or (moves and draft.conserved_energy_ev is None):
            return None
        converged = draft.scf_converged
        if converged is None and draft.scf_steps >= self.header.parameters.get("NELM", np.inf):
            converged = False
        cell = None if self._last_cell is None else self._last_cell.cell
        return replace(draft, number=max(draft.number, 1), scf_converged=converged, cell=cell)

    def _take_other(self, line: str) -> None:
        if line.startswith("  free  energy"):
            self._draft = replace(self._draft, free_energy_ev=self._number(_ENERGY, line))
        elif "  without entropy=" in line:
            self._draft = replace(self._draft, energy_ev=self._number(_SIGMA, line))
        elif line.startswith(" E-fermi"):
            self._bands = BandBlock()
        elif line.startswith(" POSITION "):
            self._forces = ForceTable(sum(self.header.counts))
        elif line.startswith("      direct lattice vectors"):
            self._cell = CellTable()
        elif line.startswith("  kinetic energy EKIN"):
            self._draft = replace(self._draft, kinetic_energy_ev=self._number(_ENERGY, line))
        elif line.startswith("  kin. lattice"):
            self._draft = replace(self._draft, temperature_k=self._number(_TEMPERATURE, line))
        elif line.startswith("  total energy   ETOTAL"):
            self._draft = replace(self._draft, conserved_energy_ev=self._number(_ENERGY, line))
        elif self._in_header:
            self._take_header(line)
        else:
            self._take_end(line)

    def _take_header(self, line: str) -> None:
        header = self.header
        if (match := _VERSION.match(line)) is not None and self._line_number < 3:
            header.version = match[1]
        elif (match := _ELEMENT.search(line)) is not None:
            header.symbols = (*header.symbols, match[1])
        elif (match := _VALENCE.search(line)) is not None:
            header.valences = (*header.valences, read_finite(match[1], self._where()))
        elif (match := _LABEL.match(line)) is not None:
            self._labels.setdefault(match[1])
        elif "ions per type =" in line:
            header.counts = read_counts(line.split("=")[1].split(), self._where())
            header.symbols = _repeat(header.symbols or tuple(self._labels), header.counts)
        elif (match := _VALENCES.match(line)) is not None:
            header.valences = header.valences or tuple(
                read_finite(word, self._where()) for word in match[1].split()
            )
        elif "=" in line:
            for name, value in _ASSIGNMENT.findall(line):
                if name in _PARAMETERS:
                    # the INCAR is echoed before
                    header.parameters[name] = read_number(value, self._where())
        self._take_end(line)

    def _take_end(self, line: str) -> None:
        if "THz" in line:
            frequency = read_frequency(line, self._where())
            if frequency is not None and not self._after_division:
                self.frequencies.append(frequency)
        elif "after division by SQRT(mass)" in line:
            self._after_division = True
        elif line.startswith(" reached required accuracy"):
            self.geometry_converged = True
        elif "stop encountered!" in line:
            self.stopped = True
        elif line.startswith(" General timing and accounting"):
            self.ended = True
        elif "Elapsed time (sec):" in line:
            self.walltime_s = read_finite(line.partition(":")[2].strip(), self._where())

    def _number(self, pattern: re.Pattern[str], line: str) -> float | None:
        """Read the number in a line; None where there is none."""
        match = pattern.search(line)
        return read_finite(match[1], self._where()) if match else None


def iterate_outcar(path: Path, reader: OutcarReader | None = None) -> Iterator[IonicStep]:
    """Geometries of an OUTCAR one after another, as far as they are whole.

    Parameters
    ----------
    path
        The file, plain or compressed.
    reader
        What is to collect the rest of what the file says; None where nobody asks.

    Raises
    ------
    ParseError
        The file is missing, is no OUTCAR, or damaged.
    """
    reader = reader or OutcarReader(path)
    for line in iterate_lines(path):
        step = reader.take(line)
        if step is not None:
            yield step
    last = reader.finish()
    if last is not None:
        yield last
    if reader.header.version == "unknown":
        raise ParseError(
            "no OUTCAR: it does not begin with the version of VASP; empty where VASP was "
            "stopped before it wrote anything",
            path,
            1,
        )


def read_outcar(path: Path) -> RunOutput:
    """Read an OUTCAR.

    Raises
    ------
    ParseError
        The file is missing, is no OUTCAR, or damaged.
    """
    reader = OutcarReader(path)
    steps: list[IonicStep] = []
    first = last = None
    for step in iterate_outcar(path, reader):
        first = first or step
        last = step
        steps.append(step.without_arrays())
    return RunOutput(
        source=path.name,
        header=reader.header,
        steps=tuple(steps),
        first=first,
        last=last,
        ended=reader.ended,
        geometry_converged=reader.geometry_converged,
        stopped=reader.stopped,
        walltime_s=reader.walltime_s,
        frequencies_per_cm=np.sort(reader.frequencies) if reader.frequencies else None,
    )


def _repeat(elements: tuple[str, ...], counts: tuple[int, ...]) -> tuple[str, ...]:
    """Symbol of each atom; nothing where the data sets and the counts do not belong together."""
    if len(elements) != len(counts):
        return ()
    return tuple(
        symbol for symbol, count in zip(elements, counts, strict=True) for _ in range(count)
    )
