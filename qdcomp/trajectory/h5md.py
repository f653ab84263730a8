"""The H5MD 1.1 file of a trajectory: what is where, in which unit, and how a file is begun.

de Buyl, Colberg, Höfling, Comput. Phys. Commun. 185, 1546 (2014); https://www.nongnu.org/h5md.

::

    h5md                               version, creator, author, modules/units
    particles/trajectory/box           none or periodic, edges per frame
    particles/trajectory/species       atomic numbers, an enumeration named by the symbols
    particles/trajectory/mass
    particles/trajectory/position      step, time, value; also velocity, force,
                                       homo_population, lumo_population
    observables/potential_energy       step, time, value; also kinetic_energy, …
    parameters/qdcomp                  format_version, timestep; metadata

``step`` and ``time`` are one pair of datasets, linked from every element. Forces are stored in
kJ mol⁻¹ Å⁻¹, because readers of H5MD (MDAnalysis) know no eV; `qdcomp` gives eV/Å.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray

from qdcomp import __version__
from qdcomp.errors import InputError

FORMAT_VERSION = 1
"""Version of the layout below ``parameters/qdcomp``; raised when older code cannot read it."""

EV_KJ_PER_MOL = 96.48533212331
"""1 eV in kJ/mol (CODATA 2018: e N_A)."""

PARTICLES = "particles/trajectory"
CHUNK_FRAMES = 16
CHUNK_ATOMS = 128
"""Chunks of up to 48 KiB: one frame, or all frames of some atoms, read without all the rest."""
CHUNK_SCALARS = 512
PAGE_BYTES = 4096
"""Metadata never straddles a page of this size, so that a kill cannot tear an entry in two."""

Metadata = Mapping[str, str | float | int]


@dataclass(frozen=True)
class Field:
    """One quantity of a frame and its place in the file.

    Attributes
    ----------
    name
        Attribute of `Frame`.
    group
        H5MD element that holds it.
    unit
        Unit in the file, in the words of H5MD's units module; None for a plain number.
    shape
        ``vector`` (n_atoms, 3), ``atom`` (n_atoms,) or ``scalar``.
    stored_per_internal
        Number in the file for one internal unit.
    dtype
        Type in the file.
    """

    name: str
    group: str
    unit: str | None
    shape: Literal["vector", "atom", "scalar"]
    stored_per_internal: float = 1.0
    dtype: str = "f8"

    def frame_shape(self, n_atoms: int) -> tuple[int, ...]:
        """Shape of one frame of it."""
        return {"vector": (n_atoms, 3), "atom": (n_atoms,), "scalar": ()}[self.shape]


FIELDS = (
    Field("positions", f"{PARTICLES}/position", "Angstrom", "vector"),
    Field("velocities", f"{PARTICLES}/velocity", "Angstrom fs-1", "vector"),
    Field("forces", f"{PARTICLES}/force", "kJ mol-1 Angstrom-1", "vector", EV_KJ_PER_MOL),
    Field("homo_population", f"{PARTICLES}/homo_population", None, "atom", dtype="f4"),
    Field("lumo_population", f"{PARTICLES}/lumo_population", None, "atom", dtype="f4"),
    Field("potential_energy_ev", "observables/potential_energy", "eV", "scalar"),
    Field("kinetic_energy_ev", "observables/kinetic_energy", "eV", "scalar"),
    Field("conserved_energy_ev", "observables/conserved_energy", "eV", "scalar"),
    Field("temperature_k", "observables/temperature", "K", "scalar"),
    Field("homo_ev", "observables/homo_energy", "eV", "scalar"),
    Field("lumo_ev", "observables/lumo_energy", "eV", "scalar"),
)
FIELD_BY_NAME: Mapping[str, Field] = MappingProxyType({field.name: field for field in FIELDS})


@dataclass(frozen=True)
class Header:
    """What all frames of a trajectory share.

    Attributes
    ----------
    symbols
        Chemical symbol of each atom.
    masses
        Atomic masses [amu], shape ``(n_atoms,)``.
    timestep_fs
        Time between frames [fs].
    cell
        Cell vectors [Å], shape ``(3, 3)``; None where nothing is periodic.
    metadata
        Whatever else is to be kept with the trajectory.
    """

    symbols: tuple[str, ...]
    masses: NDArray[np.float64]
    timestep_fs: float
    cell: NDArray[np.float64] | None = None
    metadata: Metadata = field(default_factory=dict)

    @property
    def n_atoms(self) -> int:
        """Number of atoms."""
        return len(self.symbols)


def check_header(
    symbols: Sequence[str],
    masses: ArrayLike,
    timestep_fs: float,
    cell: ArrayLike | None,
    metadata: Metadata | None,
) -> Header:
    """Make a header of what the user gave.

    Raises
    ------
    InputError
        If the lengths differ, a mass or the time step is not positive, a symbol is no element,
        the cell is neither three edges nor three vectors, or metadata are no strings or numbers.
    """
    from ase.data import atomic_numbers

    names = tuple(str(symbol) for symbol in symbols)
    unknown = sorted(set(names) - set(atomic_numbers))
    if not names or unknown:
        raise InputError(f"symbols must be chemical elements, got {unknown or 'none'}")
    mass_array = np.array(masses, dtype=np.float64)
    if mass_array.shape != (len(names),) or not np.all(mass_array > 0):
        raise InputError(
            f"masses must be {len(names)} positive numbers [amu], one an atom, "
            f"got shape {mass_array.shape}"
        )
    if not (np.isfinite(timestep_fs) and timestep_fs > 0):
        raise InputError(f"the time between frames must be positive [fs], got {timestep_fs!r}")
    vectors = None
    if cell is not None:
        vectors = np.array(cell, dtype=np.float64)
        vectors = np.diag(vectors) if vectors.shape == (3,) else vectors
        if vectors.shape != (3, 3) or not abs(np.linalg.det(vectors)) > 0:
            raise InputError(
                f"the cell must be three edges or three independent vectors [Å], got {cell!r}"
            )
    kept = dict(metadata or {})
    odd = [key for key, value in kept.items() if not isinstance(value, str | int | float)]
    if odd:
        raise InputError(f"metadata must be strings or numbers, {', '.join(odd)} are not")
    return Header(names, mass_array, float(timestep_fs), vectors, kept)


def write_empty(path: Path, header: Header, fields: Sequence[Field]) -> None:
    """Write a file without frames, with the datasets of `fields`, over whatever is at `path`."""
    with h5py.File(
        path,
        "w",
        libver=("v110", "v110"),
        fs_strategy="page",
        fs_page_size=PAGE_BYTES,
        locking=False,
    ) as file:
        _write_h5md(file, header)
        _write_atoms(file, header)
        if fields:
            _write_elements(file, header, fields)


def _write_h5md(file: h5py.File, header: Header) -> None:
    h5md = file.create_group("h5md")
    h5md.attrs["version"] = np.array([1, 1], dtype=np.int32)
    author = h5md.create_group("author")
    author.attrs["name"] = str(header.metadata.get("author", "not given"))
    creator = h5md.create_group("creator")
    creator.attrs["name"] = "qdcomp"
    creator.attrs["version"] = __version__
    h5md.create_group("modules/units").attrs["version"] = np.array([1, 0], dtype=np.int32)
    ours = file.create_group("parameters/qdcomp")
    ours.attrs["format_version"] = FORMAT_VERSION
    timestep = ours.create_dataset("timestep", data=header.timestep_fs)
    timestep.attrs["unit"] = "fs"
    metadata = ours.create_group("metadata")
    for key, value in header.metadata.items():
        metadata.attrs[key] = value


def _write_atoms(file: h5py.File, header: Header) -> None:
    from ase.data import atomic_numbers

    particles = file.create_group(PARTICLES)
    box = particles.create_group("box")
    box.attrs["dimension"] = 3
    box.attrs["boundary"] = ["none" if header.cell is None else "periodic"] * 3
    numbers = {symbol: int(atomic_numbers[symbol]) for symbol in header.symbols}
    particles.create_dataset(
        "species",
        data=np.array([numbers[symbol] for symbol in header.symbols], dtype=np.int32),
        dtype=h5py.enum_dtype(numbers, basetype=np.int32),
    )
    mass = particles.create_dataset("mass", data=header.masses)
    mass.attrs["unit"] = "u"
    if header.cell is not None:
        file["parameters/qdcomp"].create_dataset("cell", data=header.cell).attrs["unit"] = (
            "Angstrom"
        )


def _write_elements(file: h5py.File, header: Header, fields: Sequence[Field]) -> None:
    def create(name: str, shape: tuple[int, ...], dtype: str, fill: float) -> h5py.Dataset:
        per_atom = tuple(-(-count // -(-count // CHUNK_ATOMS)) for count in shape)
        return file.create_dataset(
            name,
            shape=(0, *shape),
            maxshape=(None, *shape),
            chunks=(CHUNK_FRAMES if shape else CHUNK_SCALARS, *per_atom),
            dtype=dtype,
            fillvalue=fill,
        )

    position = FIELD_BY_NAME["positions"].group
    step = create(f"{position}/step", (), "i8", -1)
    time = create(f"{position}/time", (), "f8", np.nan)
    time.attrs["unit"] = "fs"
    elements = [(entry.group, entry.unit) for entry in fields]
    for entry in fields:
        create(f"{entry.group}/value", entry.frame_shape(header.n_atoms), entry.dtype, np.nan)
    if header.cell is not None:
        create(f"{PARTICLES}/box/edges/value", (3, 3), "f8", np.nan)
        elements.append((f"{PARTICLES}/box/edges", "Angstrom"))
    for group, unit in elements:
        if unit is not None:
            file[group]["value"].attrs["unit"] = unit
        if group != position:
            file[group]["step"] = step
            file[group]["time"] = time
