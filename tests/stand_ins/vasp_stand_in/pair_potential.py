"""A smooth, short-ranged pair potential with periodic images: made up, not physics.

Each pair of elements has a Morse well at 1.02 times the sum of covalent radii, switched off between
1.15 and 1.45 times that (6 Å at most): neighbours that are bound stay so, and molecules do not feel
each other. With IVDW there is a weak damped attraction up to 6 Å. ENCUT and the functional add a
constant to each atom, so that energies of different settings differ.
"""

import numpy as np

RADII = {
    "H": 0.31, "C": 0.76, "N": 0.71, "O": 0.66, "F": 0.57, "P": 1.07, "S": 1.05, "Cl": 1.02,
    "Br": 1.20, "I": 1.39, "Cs": 2.44, "Pb": 1.46,
}  # fmt: skip
STEEPNESS = 2.5  # 1/Å
WELL_EV = 0.8
C6_EV = 2.0
DAMPING_ANGSTROM = 3.0
CUTOFF = 6.0  # Å
SKIN = 0.8  # Å


class PairPotential:
    """Energies and forces of one structure."""

    def __init__(self, symbols, cell, incar):
        self.cell = cell
        radii = np.array([RADII.get(symbol, 1.2) for symbol in symbols])
        self._radii = radii
        self._dispersion = C6_EV if incar.number("IVDW", 0, int) else 0.0
        cutoff = incar.number("ENCUT", 400.0)
        self._constant = -sum(2.0 + radius for radius in radii)
        self._constant += len(radii) * 0.05 * np.exp(-cutoff / 150.0)
        self._constant -= 0.01 * len(radii) * sum(map(ord, incar.text("GGA", "PE").upper())) / 100.0
        self._reference = None
        heights = 1.0 / np.linalg.norm(np.linalg.inv(cell), axis=0)
        reach = CUTOFF + SKIN
        counts = [0 if height >= 2 * reach else int(np.ceil(reach / height)) for height in heights]
        self._nearest = np.array([count == 0 for count in counts])
        ranges = [range(-count, count + 1) for count in counts]
        self._shifts = np.array(
            [[a, b, c] for a in ranges[0] for b in ranges[1] for c in ranges[2]]
        )

    def compute(self, positions):
        """Energy [eV] and forces [eV/Å]."""
        self._update(positions)
        i, j = self._i, self._j
        apart = positions[j] + self._offsets - positions[i]
        distance = np.linalg.norm(apart, axis=1)
        energy, slope = self._evaluate(distance, self._radii[i] + self._radii[j])
        forces = np.zeros_like(positions)
        pull = (0.5 * slope / distance)[:, None] * apart
        np.add.at(forces, i, pull)
        np.add.at(forces, j, -pull)
        return self._constant + 0.5 * float(energy.sum()), forces

    def _update(self, positions):
        """List the pairs within reach anew once an atom has moved by half the skin."""
        if self._reference is not None:
            moved = np.linalg.norm(positions - self._reference, axis=1).max()
            if moved < SKIN / 2:
                return
        self._reference = positions.copy()
        fractions = np.linalg.solve(self.cell.T, positions.T).T
        between = fractions[None, :, :] - fractions[:, None, :]
        wrap = -np.round(between)  # to the nearest image; further ones by shifts
        found = []
        for shift in self._shifts:
            image = (wrap + shift) @ self.cell
            apart = np.linalg.norm(between @ self.cell + image, axis=2)
            near = apart < CUTOFF + SKIN
            if not shift.any():
                np.fill_diagonal(near, False)  # an atom and itself
            i, j = np.nonzero(near)
            found.append((i, j, image[i, j]))
        self._i = np.concatenate([part[0] for part in found])
        self._j = np.concatenate([part[1] for part in found])
        self._offsets = np.concatenate([part[2] for part in found])

    def _evaluate(self, r, radii):
        """Energy and its derivative for each distance."""
        well = 1.02 * radii
        decay = np.exp(-STEEPNESS * (r - well))
        morse = WELL_EV * (decay**2 - 2.0 * decay)
        morse_slope = 2.0 * STEEPNESS * WELL_EV * (decay - decay**2)
        end = np.minimum(1.45 * well, CUTOFF)
        near, near_slope = _switch(r, np.minimum(1.15 * well, 0.8 * end), end)
        far, far_slope = _switch(r, np.full_like(r, CUTOFF - 2.0), np.full_like(r, CUTOFF))
        denominator = r**6 + DAMPING_ANGSTROM**6
        pull = -self._dispersion / denominator
        pull_slope = 6.0 * self._dispersion * r**5 / denominator**2
        energy = morse * near + pull * far
        slope = morse_slope * near + morse * near_slope + pull_slope * far + pull * far_slope
        return energy, slope


def _switch(r, begin, end):
    """From one to zero with two continuous derivatives, and its derivative."""
    x = np.clip((r - begin) / (end - begin), 0.0, 1.0)
    value = 1.0 - x**3 * (10.0 - 15.0 * x + 6.0 * x**2)
    return value, -30.0 * x**2 * (1.0 - x) ** 2 / (end - begin)
