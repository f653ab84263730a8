"""What VASP says about one geometry, whichever of its files said it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from qdcomp.engines.vasp.eigenvalues import Bands


@dataclass(frozen=True)
class IonicStep:
    """One geometry of a run, atoms in the order of POSCAR.

    Attributes
    ----------
    number
        Number of the ionic step in the file, from one.
    free_energy_ev
        F, of which the forces are the derivatives (``TOTEN``) [eV].
    energy_ev
        The energy extrapolated to no smearing, ``energy(sigma->0)`` = (F + E)/2 [eV].
    positions
        Cartesian coordinates [Å], shape ``(n_atoms, 3)``; as VASP writes them, so that an atom may
        jump by a cell vector from one step to the next.
    cell
        Cell vectors [Å], rows of shape ``(3, 3)``.
    forces
        Forces [eV/Å], shape ``(n_atoms, 3)``.
    scf_steps
        Electronic steps; 0 where a machine-learned force field was used.
    scf_converged
        Whether they converged; None where the file does not say.
    kinetic_energy_ev, conserved_energy_ev, temperature_k
        Of dynamics: kinetic energy, energy with that of the thermostat [eV], temperature [K].
    bands
        Eigenvalues, where the file has them for this step.
    """

    number: int
    free_energy_ev: float | None = None
    energy_ev: float | None = None
    positions: NDArray[np.float64] | None = None
    cell: NDArray[np.float64] | None = None
    forces: NDArray[np.float64] | None = None
    scf_steps: int = 0
    scf_converged: bool | None = None
    kinetic_energy_ev: float | None = None
    conserved_energy_ev: float | None = None
    temperature_k: float | None = None
    bands: Bands | None = None

    def without_arrays(self) -> IonicStep:
        """Its numbers alone."""
        return replace(self, positions=None, cell=None, forces=None, bands=None)


@dataclass
class RunHeader:
    """What a file says about the run as a whole; filled while the file is read.

    Attributes
    ----------
    version
        Version of VASP; ``unknown`` where the file does not say.
    symbols
        Chemical symbols, in the order of POSCAR.
    valences
        Valence electrons of each element's data set, by element in the order of POSCAR.
    counts
        Atoms of each element, in the same order.
    parameters
        INCAR tags as VASP took them: ``IBRION``, ``NSW``, ``NELM``, ``POTIM``, …
    """

    version: str = "unknown"
    symbols: tuple[str, ...] = ()
    valences: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    parameters: dict[str, float] = field(default_factory=dict)

    @property
    def charge(self) -> int | None:
        """Total charge [e], from ``NELECT`` and the valence electrons; None if not known."""
        electrons = self.parameters.get("NELECT")
        if electrons is None or not self.valences or len(self.valences) != len(self.counts):
            return None
        pairs = zip(self.valences, self.counts, strict=True)
        charge = sum(valence * count for valence, count in pairs) - electrons
        return round(charge) if math.isfinite(charge) else None


@dataclass(frozen=True)
class RunOutput:
    """All of one output file of a run.

    Attributes
    ----------
    source
        Name of the file.
    header
        What it says about the run as a whole.
    steps
        Every ionic step that is whole, without arrays.
    first, last
        The first and the last of them, with arrays; None where there is none.
    ended
        Whether VASP came to its regular end.
    geometry_converged
        Whether a relaxation reached its criterion; None where the file does not say.
    stopped
        Whether it ended because it was asked to (``STOPCAR``).
    walltime_s
        Wall time [s]; None where the file does not say.
    frequencies_per_cm
        Harmonic frequencies, ascending, imaginary ones negative [1/cm]; None where there are none.
    damage
        Why the file could not be read to its end; empty where it could.
    learned_steps
        Geometries of a machine-learned force field, which are not among the steps.
    """

    source: str
    header: RunHeader
    steps: tuple[IonicStep, ...]
    first: IonicStep | None
    last: IonicStep | None
    ended: bool
    geometry_converged: bool | None = None
    stopped: bool = False
    walltime_s: float | None = None
    frequencies_per_cm: NDArray[np.float64] | None = None
    damage: str = ""
    learned_steps: int = 0

    @property
    def parameters(self) -> Mapping[str, float]:
        """INCAR tags as VASP took them."""
        return self.header.parameters
