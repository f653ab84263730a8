"""How the atoms move: IBRION 0 to 3 and 5."""

import numpy as np

BOLTZMANN = 8.617333262e-5
AMU = 103.642696  # eV fs²/Å² per amu
LONGEST_STEP = 0.1  # Å


class Still:
    """One geometry."""

    steps = 1

    def advance(self, positions, forces, energy):
        return positions

    def is_done(self, forces, energy):
        return False


class Relaxation:
    """IBRION 1: quasi-Newton with memory; 2: conjugate gradients; 3: damped dynamics."""

    def __init__(self, incar, free):
        self.steps = incar.number("NSW", 0, int)
        self._kind = incar.number("IBRION", -1, int)
        self._scale = 0.1 * incar.number("POTIM", 0.5)
        self._criterion = incar.number("EDIFFG", 10 * incar.number("EDIFF", 1e-4))
        self._free = free
        self._last_energy = None
        self._last = None  # positions and forces
        self._memory = []
        self._direction = None
        self._velocity = None
        self._pace = self._scale

    def is_done(self, forces, energy):
        before, self._last_energy = self._last_energy, energy
        if self._criterion < 0:
            largest = np.linalg.norm(forces * self._free, axis=1).max(initial=0.0)
            return largest < -self._criterion
        return before is not None and abs(energy - before) < self._criterion

    def advance(self, positions, forces, energy):
        forces = forces * self._free
        way = {1: self._quasi_newton, 2: self._conjugate, 3: self._damped}[self._kind]
        step = way(positions, forces)
        self._last = (positions.copy(), forces.copy())
        longest = np.linalg.norm(step, axis=1).max(initial=0.0)
        return positions + step * min(1.0, LONGEST_STEP / max(longest, 1e-12))

    def _quasi_newton(self, positions, forces):
        if self._last is not None:
            moved = (positions - self._last[0]).ravel()
            change = (self._last[1] - forces).ravel()
            if moved @ change > 1e-10:
                self._memory = [*self._memory[-9:], (moved, change)]
        direction, factors = forces.ravel().copy(), []
        for moved, change in reversed(self._memory):
            factor = (moved @ direction) / (moved @ change)
            direction -= factor * change
            factors.append(factor)
        if self._memory:
            moved, change = self._memory[-1]
            direction *= (moved @ change) / (change @ change)
        else:
            direction *= self._scale
        for (moved, change), factor in zip(self._memory, reversed(factors), strict=True):
            direction += (factor - (change @ direction) / (moved @ change)) * moved
        return direction.reshape(positions.shape)

    def _conjugate(self, positions, forces):
        if self._direction is None:
            self._direction = forces.copy()
        else:
            before = self._last[1]
            along = float((before * self._direction).sum())
            now = float((forces * self._direction).sum())
            if along - now > 1e-12 and now > 0.3 * along:  # the line is not at its end
                self._pace = min(self._pace * along / (along - now), 5.0 * self._pace)
            elif along - now > 1e-12:
                self._pace = np.clip(self._pace * along / (along - now), 0.3 * self._pace, 1.0)
            turn = max(0.0, float((forces * (forces - before)).sum() / (before**2).sum()))
            self._direction = forces + turn * self._direction
            if float((self._direction * forces).sum()) <= 0:
                self._direction = forces.copy()
        return self._pace * self._direction

    def _damped(self, positions, forces):
        if self._velocity is None:
            self._velocity = np.zeros_like(forces)
            self._dt, self._mix = 0.1, 0.1
        power = float((self._velocity * forces).sum())
        if power < 0:
            self._velocity[:] = 0.0
            self._dt, self._mix = 0.5 * self._dt, 0.1
        else:
            speed = np.linalg.norm(self._velocity) / max(np.linalg.norm(forces), 1e-12)
            self._velocity = (1 - self._mix) * self._velocity + self._mix * speed * forces
            self._dt, self._mix = min(1.1 * self._dt, 0.5), 0.99 * self._mix
        self._velocity += self._dt * forces
        return self._dt * self._velocity


class Dynamics:
    """IBRION 0: leapfrog; the velocities in POSCAR and CONTCAR are those half a step earlier."""

    def __init__(self, incar, poscar, masses, free):
        self.steps = incar.number("NSW", 0, int)
        self.timestep = incar.number("POTIM", 1.0)
        self._masses = masses[:, None] * AMU
        self._free = free
        self._random = np.random.default_rng([int(x) for x in incar.numbers("RANDOM_SEED")] or 1)
        self.temperature = incar.number("TEBEG", 0.0)
        self.degrees = int(free.sum()) - (3 if free.all() else 0)
        self.velocities = poscar.velocities
        if self.velocities is None:
            self.velocities = self._draw()
        self.velocities = self.velocities * free
        self.friction, self._spent = poscar.nose
        self._thermostat = _choose_thermostat(incar)
        self._incar = incar
        edge = np.linalg.norm(poscar.cell[0])
        self._mass = incar.number("SMASS", -3.0) * edge**2 * AMU
        self.kinetic = self.stored = 0.0

    def is_done(self, forces, energy):
        return False

    def advance(self, positions, forces, energy):
        """Take a step; afterwards kinetic energy and the thermostat's are those of the geometry."""
        acceleration = forces * self._free / self._masses
        before, dt = self.velocities, self.timestep
        if self._thermostat == "nose":
            after = self._take_nose(before, acceleration)
        else:
            after = before + acceleration * dt
            self.kinetic = self._kinetic(0.5 * (before + after))
            self.stored = self._spent
            after = self._disturb(after)
        self.velocities = after
        return positions + after * dt

    def current_temperature(self):
        return 2.0 * self.kinetic / (self.degrees * BOLTZMANN)

    @property
    def nose(self):
        return self.friction, self._spent

    def _take_nose(self, before, acceleration):
        dt, wanted = self.timestep, self.degrees * BOLTZMANN * self.temperature
        friction = self.friction  # half a step earlier, as the velocities
        for _ in range(5):  # both at this step depend on each other
            half = 0.5 * dt * friction
            after = (before * (1 - half) + acceleration * dt) / (1 + half)
            self.kinetic = self._kinetic(0.5 * (before + after))
            change = dt * (2 * self.kinetic - wanted) / self._mass
            friction = self.friction + 0.5 * change
        self.stored = 0.5 * self._mass * friction**2 + self._spent
        self.friction += change
        self._spent += wanted * dt * self.friction
        return after

    def _disturb(self, velocities):
        """Let the thermostat act; what it gives is taken off the conserved energy."""
        before = self._kinetic(velocities)
        dt, kind = self.timestep, self._thermostat
        if kind == "andersen":
            hit = self._random.random(len(velocities)) < self._incar.number("ANDERSEN_PROB", 0.0)
            velocities = np.where(hit[:, None], self._draw() * self._free, velocities)
        elif kind == "langevin":
            keep = np.exp(-dt * 1e-3 * (self._incar.numbers("LANGEVIN_GAMMA") or [1.0])[0])
            noise = np.sqrt(1 - keep**2) * self._draw() * self._free
            velocities = keep * velocities + noise
        elif kind == "csvr":
            keep = np.exp(-dt / max(self._incar.number("CSVR_PERIOD", 100.0), dt))
            wanted = 0.5 * BOLTZMANN * self.temperature / max(before, 1e-12)
            normal = self._random.standard_normal(self.degrees)
            square = keep + wanted * (1 - keep) * (normal**2).sum()
            square += 2 * normal[0] * np.sqrt(keep * wanted * (1 - keep))
            velocities = velocities * np.sqrt(max(square, 0.0))
        self._spent -= self._kinetic(velocities) - before
        return velocities

    def _kinetic(self, velocities):
        return 0.5 * float((self._masses * velocities**2).sum())

    def _draw(self):
        spread = np.sqrt(BOLTZMANN * self.temperature / self._masses)
        drawn = self._random.standard_normal((len(self._masses), 3)) * spread * self._free
        if self._free.all():
            drawn -= (self._masses * drawn).sum(axis=0) / self._masses.sum()
        return drawn


class Vibrations:
    """IBRION 5: central differences of the forces, atom by atom, without symmetry."""

    def __init__(self, incar, positions, masses, free):
        self._start = positions.copy()
        self._masses = masses
        self._moves = [tuple(index) for index in np.argwhere(free)]
        self._size = incar.number("POTIM", 0.015)
        self._forces = []
        self.steps = 1 + 2 * len(self._moves)

    def is_done(self, forces, energy):
        return False

    def advance(self, positions, forces, energy):
        self._forces.append(forces)
        done = len(self._forces) - 1
        moved = self._start.copy()
        if done < 2 * len(self._moves):
            moved[self._moves[done // 2]] += self._size * (1 if done % 2 == 0 else -1)
        return moved

    def compute_modes(self):
        """Squares of the angular frequencies [1/fs²], descending, and the modes."""
        hessian = []
        for number, _ in enumerate(self._moves):
            plus, minus = self._forces[1 + 2 * number], self._forces[2 + 2 * number]
            hessian.append([-(plus - minus)[move] / (2 * self._size) for move in self._moves])
        hessian = np.array(hessian)
        weights = np.sqrt([self._masses[atom] * AMU for atom, _ in self._moves])
        dynamical = 0.5 * (hessian + hessian.T) / np.outer(weights, weights)
        squares, vectors = np.linalg.eigh(dynamical)
        modes = np.zeros((len(squares), *self._start.shape))
        for row, vector in zip(modes, vectors.T, strict=True):
            for move, value in zip(self._moves, vector, strict=True):
                row[move] = value
        return squares[::-1], modes[::-1]


def _choose_thermostat(incar):
    algorithm, mass = incar.number("MDALGO", 0, int), incar.number("SMASS", -3.0)
    if algorithm == 2 or (algorithm == 0 and mass > 0):
        return "nose" if mass > 0 else "none"
    return {1: "andersen", 3: "langevin", 5: "csvr"}.get(algorithm, "none")
