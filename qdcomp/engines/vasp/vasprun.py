"""vasprun.xml, read as a stream: one ``calculation`` at a time is in memory.

VASP 5 writes a wrong ``e_0_energy`` for a geometry (0, or that of the first electronic step). The
smearing's share is therefore taken from the last electronic step and added to ``e_fr_energy``,
which contains the dispersion correction; pymatgen does the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from qdcomp.engines.vasp.eigenvalues import Bands
from qdcomp.engines.vasp.ionic_steps import IonicStep, RunHeader, RunOutput
from qdcomp.engines.vasp.text_files import (
    UNREADABLE,
    Where,
    open_output,
    read_counts,
    read_finite,
    read_number,
    require_volume,
)
from qdcomp.errors import ParseError

VASPRUN = "vasprun.xml"
"""Name of the file."""

_SKIPPED = frozenset({"dos", "projected", "dielectricfunction", "dynmat"})
"""Parts that are large and not needed."""

_PARAMETERS = frozenset({"IBRION", "NELECT", "NELM", "POTIM", "TEBEG", "TEEND"})


_PROLOG = 4096
"""Characters in which the first element of the file begins; VASP writes it in the second line."""


class VasprunReader:
    """Gives each geometry of a vasprun.xml that is whole, and keeps what it says of the run.

    Geometries of a machine-learned force field, which have no electrons, are only counted
    (``learned_steps``).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.header = RunHeader()
        self.ended = False
        self.learned_steps = 0
        self._number = 0

    def iterate(self) -> Iterator[IonicStep]:
        """Geometries one after another.

        Raises
        ------
        ParseError
            The file is missing, or damaged; what came before the damage has been given.
        """
        depth = skipping = 0
        with open_output(self.path) as stream:
            try:
                _refuse_entities(stream, self.path)
                pieces = ElementTree.iterparse(  # it has no entities  # nosec B314
                    stream, events=("start", "end")
                )
                for event, element in pieces:
                    change = 1 if event == "start" else -1
                    depth += change
                    if element.tag in _SKIPPED:
                        skipping += change
                    if event == "start":
                        continue
                    if depth == 1:
                        step = self._take_part(element)
                        element.clear()
                        if step is not None:
                            yield step
                    elif skipping or element.tag in _SKIPPED:
                        element.clear()
                self.ended = True
            except ElementTree.ParseError as error:
                raise ParseError(
                    f"damaged, or cut off as when VASP was killed ({error})",
                    self.path,
                    error.position[0],
                ) from error
            except UNREADABLE as error:
                raise ParseError(f"cannot be read to its end ({error})", self.path) from error

    def _take_part(self, element: Element) -> IonicStep | None:
        if element.tag == "generator":
            words = _text(element.find("i[@name='version']")).split()
            self.header.version = words[0] if words else "unknown"
        elif element.tag == "parameters":
            for entry in element.iter("i"):
                name = entry.get("name", "")
                if name in _PARAMETERS and _text(entry):
                    value = read_number(_text(entry), self._where)
                    self.header.parameters.setdefault(name, value)
        elif element.tag == "atominfo":
            self._read_atoms(element)
        elif element.tag == "energy":  # of a machine-learned force field, outside a calculation
            self._number += 1
            self.learned_steps += 1
        elif element.tag == "calculation":
            return self._read_calculation(element)
        return None

    def _read_atoms(self, element: Element) -> None:
        rows = element.iterfind("array[@name='atoms']/set/rc")
        self.header.symbols = tuple(_text(row.find("c")) for row in rows)
        types = list(element.iterfind("array[@name='atomtypes']/set/rc"))
        columns = [[_text(cell) for cell in row.iterfind("c")] for row in types]
        if any(len(column) < 4 for column in columns):
            raise ParseError("the table of atomtypes has not four columns", self.path)
        self.header.counts = read_counts([column[0] for column in columns], self._where)
        self.header.valences = tuple(read_finite(column[3], self._where) for column in columns)

    def _read_calculation(self, element: Element) -> IonicStep | None:
        self._number += 1
        energies = self._read_energies(element.find("energy"))
        cell = self._read_rows(element.find("structure/crystal/varray[@name='basis']"), 3)
        if cell is not None:
            require_volume(cell, self._where)
        atoms = len(self.header.symbols)
        fractions = self._read_rows(element.find("structure/varray[@name='positions']"), atoms)
        forces = self._read_rows(element.find("varray[@name='forces']"), atoms)
        if "e_fr_energy" not in energies:
            return None
        electronic = element.findall("scstep")
        free = energies["e_fr_energy"]
        kinetic = energies.get("kinetic")
        positions = None if cell is None or fractions is None else fractions @ cell
        return IonicStep(
            number=self._number,
            free_energy_ev=free,
            energy_ev=self._extrapolate(free, energies, electronic),
            positions=positions,
            cell=cell,
            forces=forces,
            scf_steps=len(electronic),
            scf_converged=self._judge_scf(len(electronic)),
            kinetic_energy_ev=kinetic,
            conserved_energy_ev=energies.get("total") if kinetic is not None else None,
            bands=self._read_bands(element.find("eigenvalues/array/set")),
        )

    def _judge_scf(self, count: int) -> bool | None:
        most = self.header.parameters.get("NELM")
        return None if most is None or count == 0 else count < most

    @property
    def _where(self) -> Where:
        return self.path, None

    def _read_energies(self, element: Element | None) -> dict[str, float]:
        """Energies by name; those that did not fit their columns are left out."""
        entries = () if element is None else element.iterfind("i")
        found = {entry.get("name", ""): read_number(_text(entry), self._where) for entry in entries}
        return {name: value for name, value in found.items() if math.isfinite(value)}

    def _extrapolate(
        self, free: float, energies: dict[str, float], electronic: list[Element]
    ) -> float:
        last = self._read_energies(electronic[-1].find("energy")) if electronic else energies
        if "e_0_energy" in last and "e_fr_energy" in last:
            return round(free + last["e_0_energy"] - last["e_fr_energy"], 8)
        return free

    def _read_bands(self, spins: Element | None) -> Bands | None:
        if spins is None:
            return None
        table = [
            [[self._read_level(row) for row in kpoint.iterfind("r")]
             for kpoint in spin.iterfind("set")]
            for spin in spins.iterfind("set")
        ]  # fmt: skip
        try:
            levels = np.array(table, dtype=np.float64)
        except ValueError:
            return None  # lists of different lengths: lines were lost
        return Bands(levels[..., 0], levels[..., 1]) if levels.ndim == 4 and levels.size else None

    def _read_level(self, row: Element) -> tuple[float, float]:
        words = _text(row).split()
        if len(words) < 2:
            raise ParseError(
                f"geometry {self._number} has a level without energy or occupation", self.path
            )
        return read_number(words[0], self._where), read_finite(words[1], self._where)

    def _read_rows(self, element: Element | None, count: int) -> NDArray[np.float64] | None:
        if element is None:
            return None
        try:
            rows = np.array([_text(row).split() for row in element.iterfind("v")], dtype=np.float64)
        except ValueError:
            rows = np.empty(0)
        if rows.ndim != 2 or rows.shape[1] != 3 or not np.isfinite(rows).all():
            raise ParseError(
                f"geometry {self._number} has {element.get('name', 'vectors')} that are not three "
                "numbers each; stars are numbers too large for their columns",
                self.path,
            )
        if len(rows) != count:
            raise ParseError(
                f"geometry {self._number} has {len(rows)} {element.get('name', 'vectors')}, "
                f"expected {count}; lines were lost",
                self.path,
            )
        return rows


def read_vasprun(path: Path) -> RunOutput:
    """Read a vasprun.xml, as far as it is whole; where it is not, `RunOutput.damage` says so.

    Raises
    ------
    ParseError
        The file is missing, is no vasprun.xml, or is cut off before its first whole geometry.
    """
    reader = VasprunReader(path)
    steps: list[IonicStep] = []
    first = last = None
    damage = ""
    try:
        for step in reader.iterate():
            first = first or step
            last = step
            steps.append(step.without_arrays())
    except ParseError as error:
        if not steps:
            raise
        damage = str(error)
    if reader.header.version == "unknown":
        raise ParseError("no vasprun.xml: the version of VASP is not in it", path, 1)
    return RunOutput(
        source=path.name,
        header=reader.header,
        steps=tuple(steps),
        first=first,
        last=last,
        ended=reader.ended,
        damage=damage,
        learned_steps=reader.learned_steps,
    )


def _text(element: Element | None) -> str:
    return "" if element is None or element.text is None else element.text.strip()


def _refuse_entities(stream: IO[bytes], path: Path) -> None:
    """Refuse a document type, which may define entities that unfold to billions of characters."""
    head = stream.read(_PROLOG)
    stream.seek(0)
    prolog, root, _ = head.partition(b"<modeling")
    if b"<!DOCTYPE" in prolog or (not root and len(head) == _PROLOG):
        raise ParseError("not a vasprun.xml, which begins with <modeling>", path, 1)
