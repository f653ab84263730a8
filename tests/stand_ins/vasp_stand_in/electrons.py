"""A made-up spectrum: levels, occupations, shares of the atoms, and steps of an SCF."""

import math

import numpy as np

GAP_EV = 2.3
SPACING_EV = 0.05


class Electrons:
    """Electrons of one structure."""

    def __init__(self, electrons, n_atoms, kpoints, incar):
        self.count = electrons
        self.n_spins = incar.number("ISPIN", 1, int)
        excess = incar.number("NUPDOWN", 0.0)
        if self.n_spins == 1:
            self.filled = (electrons / 2,)
        else:
            if excess < 0:
                excess = round(electrons) % 2
            self.filled = ((electrons + excess) / 2, (electrons - excess) / 2)
        needed = math.ceil(max(self.filled)) + max(n_atoms // 2, 3)
        self.n_bands = incar.number("NBANDS", needed, int)
        self.kpoints = kpoints

    @property
    def too_few_bands(self):
        return self.n_bands < math.ceil(max(self.filled)) + 1

    def compute_levels(self, energy_per_atom):
        """Energies [eV] and occupations (0 to 1), shape (spins, k-points, bands)."""
        homo = -1.5 + 0.3 * math.tanh(energy_per_atom)
        lumo = homo + GAP_EV + 0.5 * math.tanh(energy_per_atom)
        bend = 0.15 * (1.0 - np.cos(2 * np.pi * self.kpoints).mean(axis=1))
        levels = np.empty((self.n_spins, len(self.kpoints), self.n_bands))
        filling = np.zeros_like(levels)
        for spin, filled in enumerate(self.filled):
            full = math.ceil(filled - 1e-9)
            below = homo - SPACING_EV * np.arange(full)[::-1] - 0.02 * spin
            above = lumo + SPACING_EV * np.arange(self.n_bands - full) + 0.02 * spin
            levels[spin, :, :full] = below - bend[:, None]
            levels[spin, :, full:] = above + bend[:, None]
            filling[spin, :, :full] = 1.0
            if full > filled:
                filling[spin, :, full - 1] = filled - math.floor(filled)
        return levels, filling

    def make_scf(self, energy, incar, *, first, converges=True):
        """Energies of the electronic steps, the last one being that of the structure."""
        most, least = incar.number("NELM", 60, int), incar.number("NELMIN", 2, int)
        if not converges:
            return [energy + 0.3 * (-0.9) ** step for step in range(most)]
        wanted = incar.number("EDIFF", 1e-4)
        start, factor = (30.0, 0.08) if first else (0.02, 0.08)
        steps = max(math.ceil(math.log(wanted / start) / math.log(factor)) + 1, least)
        converged = steps <= most
        steps = min(steps, most)
        found = [energy + start * factor**step for step in range(steps)]
        if converged:
            found[-1] = energy
        return found


def share_levels(symbols):
    """Share of each atom in a full and in an empty level, as PROCAR has them: not all of it."""
    full = np.array([{"Br": 0.30, "I": 0.30, "Cl": 0.30, "Pb": 0.15}.get(s, 0.02) for s in symbols])
    empty = np.array([{"Pb": 0.40, "Br": 0.08}.get(s, 0.01) for s in symbols])
    return 0.7 * full / full.sum(), 0.7 * empty / empty.sum()
