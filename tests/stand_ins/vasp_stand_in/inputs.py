"""The four inputs, read and judged as VASP does."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

BOX_WIDTH = 77


class Refused(Exception):
    """VASP does not start; the text is what it says."""


def make_box(*lines):
    """Put lines into the frame in which VASP 6 says why it stops."""
    rule = " " + "-" * BOX_WIDTH
    banner = "EEEEEEE  RRRRRR   RRRRRR   OOOOOOO  RRRRRR      ###     ###     ###"
    body = ["", f"     {banner}", ""]
    for line in lines:
        words, row = line.split(), ""
        for word in words:
            if len(row) + len(word) > 68:
                body.append(f"     {row}")
                row = ""
            row += f"{word} "
        body.append(f"     {row}")
    body += ["", "       ---->  I REFUSE TO CONTINUE WITH THIS SICK JOB ... BYE!!! <----", ""]
    return "\n".join([rule, *(f"|{line:<{BOX_WIDTH}}|" for line in body), rule])


class Incar:
    """Tags of an INCAR, read when asked for."""

    def __init__(self, path):
        self.tags = {}
        for line in _read(path).splitlines():
            for part in re.split(r";", re.split(r"[#!]", line)[0]):
                name, equals, value = part.partition("=")
                if equals and name.strip():
                    self.tags.setdefault(name.strip().upper(), value.strip())

    def number(self, tag, default, kind=float):
        value = self.tags.get(tag)
        if value is None:
            return default
        try:
            return kind(value.split()[0].replace("d", "e").replace("D", "E"))
        except (ValueError, IndexError):
            raise Refused(
                make_box(
                    f"Error reading item {tag} from file INCAR.", "Error code was IERR= 5 ... ."
                )
            ) from None

    def flag(self, tag, default):
        value = self.tags.get(tag, "").strip(".").upper()
        return default if not value else value.startswith("T")

    def numbers(self, tag):
        return [float(word) for word in self.tags.get(tag, "").split()]

    def text(self, tag, default):
        return self.tags.get(tag, default)


@dataclass
class Poscar:
    title: str
    cell: np.ndarray
    elements: list
    counts: list
    positions: np.ndarray
    free: np.ndarray
    selective: bool
    velocities: np.ndarray | None
    nose: tuple


@dataclass
class DataSet:
    title: str
    element: str
    valence: float
    mass: float
    cutoff: float
    exchange: str


def read_poscar(path):
    lines = _read(path).splitlines()
    try:
        scale = float(lines[1].split()[0])
        cell = np.array([[float(word) for word in line.split()[:3]] for line in lines[2:5]]) * scale
        elements, counts = lines[5].split(), [int(word) for word in lines[6].split()]
        at = 7
        selective = lines[at].strip().upper().startswith("S")
        at += selective
        cartesian = lines[at].strip().upper()[:1] in {"C", "K"}
        rows = [line.split() for line in lines[at + 1 : at + 1 + sum(counts)]]
        positions = np.array([[float(word) for word in row[:3]] for row in rows]).reshape(-1, 3)
        free = np.array(
            [[word.upper().startswith("T") for word in row[3:6]] if selective else [True] * 3
             for row in rows]
        )  # fmt: skip
        rest = lines[at + 1 + sum(counts) :]
    except (IndexError, ValueError) as error:
        raise Refused(make_box(f"ERROR: there is something wrong with POSCAR: {error}")) from None
    if len(positions) != sum(counts) or len(elements) != len(counts):
        raise Refused(make_box("ERROR: POSCAR has not as many positions as it announces"))
    if abs(np.linalg.det(cell)) < 1e-6 or np.linalg.det(cell) < 0:
        raise Refused(
            " ERROR: the triple product of the basis vectors is negative exchange two basis vectors"
        )
    positions = positions * scale if cartesian else positions @ cell
    velocities, nose = _read_motion(rest, len(positions))
    title = lines[0].strip()
    return Poscar(title, cell, elements, counts, positions, free, selective, velocities, nose)


def read_potcar(path):
    sets = []
    for text in _read(path).split("End of Dataset"):
        if not text.strip():
            continue
        title = re.search(r"TITEL\s*=\s*(.*\S)", text)
        element = re.search(r"VRHFIN\s*=\s*([A-Z][a-z]?)", text)
        numbers = [re.search(rf"{tag}\s*=\s*([\d.]+)", text) for tag in ("ZVAL", "POMASS", "ENMAX")]
        exchange = re.search(r"LEXCH\s*=\s*(\w+)", text)
        if not (title and element and exchange and all(numbers)):
            raise Refused(make_box("ERROR: POTCAR is corrupt, or no PAW data set"))
        values = [float(match[1]) for match in numbers]
        sets.append(DataSet(title[1], element[1], *values, exchange[1]))
    return sets


def read_kpoints(path, cell):
    """Points of the grid in fractions of the reciprocal cell and weights, k and -k as one."""
    lines = _read(path).splitlines()
    try:
        count, style = int(lines[1].split()[0]), lines[2].strip().upper()[:1]
        divisions = [int(word) for word in lines[3].split()[:3]]
        shift = [float(word) for word in lines[4].split()[:3]] if len(lines) > 4 else [0.0] * 3
    except (IndexError, ValueError):
        raise Refused(make_box("Error reading KPOINTS file: the grid is not there")) from None
    if count != 0 or style not in {"G", "M"} or len(divisions) != 3 or min(divisions) < 1:
        raise Refused(
            make_box(f"Error reading KPOINTS file: {style!r} with divisions {divisions} is no grid")
        )
    axes = []
    for n, s in zip(divisions, shift or [0.0] * 3, strict=True):
        offset = 0.5 * (1 - n % 2) if style == "M" else 0.0
        points = (np.arange(n) + offset + s) / n
        axes.append(points - np.round(points))
    grid = np.array(np.meshgrid(*axes, indexing="ij")).reshape(3, -1).T
    weights = {}
    for point in grid:
        keys = sorted(
            tuple(np.round(p - np.floor(p + 0.5 - 1e-9), 8) + 0.0) for p in (point, -point)
        )
        weights[keys[-1]] = weights.get(keys[-1], 0) + 1 / len(grid)
    kind = "Monkhorst-Pack" if style == "M" else "Gamma"
    return kind, divisions, np.array(list(weights)), np.array(list(weights.values()))


def check_consistency(incar, poscar, sets):
    """Refuse what does not go together; return what VASP only warns of."""
    if len(sets) != len(poscar.elements):
        raise Refused(
            make_box(
                "ERROR: the number of data sets on file POTCAR is incompatible with the number of "
                "species on file POSCAR:",
                f"POTCAR: {len(sets)}, POSCAR: {len(poscar.elements)}",
            )
        )
    found = [entry.element for entry in sets]
    if found != poscar.elements:
        raise Refused(
            " WARNING: type information on POSCAR and POTCAR are incompatible\n"
            " POTCAR overwrites the type information in POSCAR\n"
            f" typ    1 type information: POSCAR {' '.join(poscar.elements)}, "
            f"POTCAR {' '.join(found)}\n"
            + make_box("The stand-in stops here, where VASP would go on with the wrong atoms.")
        )
    ibrion, nsw = incar.number("IBRION", -1, int), incar.number("NSW", 0, int)
    if ibrion not in {-1, 0, 1, 2, 3, 5}:
        raise Refused(make_box(f"ERROR: IBRION = {ibrion} is not known"))
    if nsw < 0:
        raise Refused(make_box(f"ERROR: NSW = {nsw} is negative"))
    if ibrion == 0 and (incar.number("POTIM", 0.0) <= 0 or incar.number("TEBEG", 0.0) < 0):
        raise Refused(make_box("ERROR: molecular dynamics needs POTIM > 0 and TEBEG >= 0"))
    if incar.number("EDIFF", 1e-4) <= 0 or incar.number("ENCUT", 1.0) <= 0:
        raise Refused(make_box("ERROR: EDIFF and ENCUT have to be positive"))
    if ibrion in {1, 2, 3} and nsw > 0 and incar.number("EDIFFG", 1e-3) > 10:
        raise Refused(make_box("ERROR: EDIFFG makes no sense: any change of the energy would do"))
    return _warn(incar, poscar, sets)


def count_electrons(incar, poscar, sets):
    neutral = sum(kind.valence * count for kind, count in zip(sets, poscar.counts, strict=True))
    return incar.number("NELECT", neutral)


def _warn(incar, poscar, sets):
    electrons = count_electrons(incar, poscar, sets)
    if round(electrons) % 2 and incar.number("ISPIN", 1, int) == 1:
        return (
            f" WARNING: an odd number of electrons ({electrons:g}) and ISPIN = 1: "
            "the highest band is half full",
        )
    return ()


def _read_motion(lines, n_atoms):
    """Velocities and the thermostat's friction and coordinate, behind the positions."""
    rows = [line.split() for line in lines]
    start = next((i for i, row in enumerate(rows) if len(row) == 3), None)
    if start is None or len(rows) < start + n_atoms:
        return None, (0.0, 0.0)
    velocities = np.array([[float(word) for word in row] for row in rows[start : start + n_atoms]])
    after = [row for row in rows[start + n_atoms :] if row]
    nose = tuple(float(word) for word in after[2][:2]) if len(after) > 2 else (0.0, 0.0)
    return velocities, nose


def _read(path):
    if not path.is_file() or not path.stat().st_size:
        raise Refused(make_box(f"ERROR: no {path.name} found, STOPPING"))
    return Path(path).read_text()
