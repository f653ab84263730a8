"""One run: read the inputs, move the atoms, write the outputs, fail where told to."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vasp_stand_in import inputs, motion, small_output
from vasp_stand_in.behaviour import Behaviour
from vasp_stand_in.electrons import Electrons, share_levels
from vasp_stand_in.pair_potential import PairPotential
from vasp_stand_in.text_output import TextOutput
from vasp_stand_in.xml_output import XmlOutput

BANNER = " STAND-IN FOR TESTS, NOT VASP: energies are of a made-up pair potential\n"


@dataclass
class Setup:
    """What the inputs ask for."""

    incar: inputs.Incar
    poscar: inputs.Poscar
    sets: list
    scheme: str
    divisions: list
    kpoints: np.ndarray
    weights: np.ndarray
    electrons: Electrons

    @property
    def symbols(self):
        pairs = zip(self.poscar.elements, self.poscar.counts, strict=True)
        return [element for element, count in pairs for _ in range(count)]

    @property
    def masses(self):
        pairs = zip(self.sets, self.poscar.counts, strict=True)
        return np.array([kind.mass for kind, count in pairs for _ in range(count)])

    def fractions(self, positions):
        """Fractions of the cell vectors, from 0 to 1, as VASP writes them."""
        found = np.linalg.solve(self.poscar.cell.T, positions.T).T
        return found - np.floor(found)

    def wrap(self, positions):
        return self.fractions(positions) @ self.poscar.cell


def run(directory):
    """Run in a directory; return the exit code."""
    _say(BANNER)
    behaviour = Behaviour(directory)
    if behaviour.replay:
        return _replay(Path(behaviour.replay), directory)
    if behaviour.failure == "no_output":
        return 1
    _say(f" running on    1 total cores\n vasp.{behaviour.version} 01Jan00 (not VASP) complex\n")
    text = TextOutput(directory, behaviour.version, _say)
    try:
        setup, warnings = _read_inputs(directory)
    except inputs.Refused as refusal:
        text.flush()
        _say(f"{refusal}\n")
        return 1
    for warning in warnings:
        text.say(warning)
    return _Run(directory, setup, behaviour, text).run()


class _Run:
    def __init__(self, directory, setup, behaviour, text):
        self.directory = directory
        self.setup = setup
        self.behaviour = behaviour
        self.text = text
        self.xml = XmlOutput(directory, behaviour.version)
        self.xdatcar = small_output.Xdatcar(directory, setup)
        self.potential = PairPotential(setup.symbols, setup.poscar.cell, setup.incar)
        self.motion = _choose_motion(setup)
        is_dynamics = isinstance(self.motion, motion.Dynamics)
        self.dynamics = self.motion if is_dynamics else None
        self.last_energy = 0.0
        self.stopped = False

    def run(self):
        text, setup = self.text, self.setup
        text.electron_count = setup.electrons.count
        text.write_header(setup)
        self.xml.write_header(setup)
        positions = setup.poscar.positions
        number = 0
        done = False
        while not done:
            number += 1
            if self._fails(number):
                return 1
            moved, done = self._step(number, positions)
            before, positions = positions, moved
        if self.stopped == "hard":
            return self._end(before)
        self._finish(before)
        return self._end(before)

    def _step(self, number, positions):
        """Compute a geometry; return the next one and whether this was the last."""
        setup, text, xml = self.setup, self.text, self.xml
        energy, forces = self.potential.compute(positions)
        energy = self._spoil(energy, number)
        xml.open_step()
        reached = self._converge(number, energy)
        if self.stopped == "hard":
            return positions, True
        per_atom = (energy - self.potential._constant) / len(positions)
        self.levels = setup.electrons.compute_levels(per_atom)
        self.fermi = float(self.levels[0][self.levels[1] > 0.5].max()) + 0.1
        text.write_levels(*self.levels, setup.kpoints, self.fermi)
        text.write_loop_end(reached)
        text.write_geometry(setup, positions, forces, energy)
        self.xdatcar.write(setup.fractions(positions))
        moved = self.motion.advance(positions, forces, energy)
        converged = self.motion.is_done(forces, energy)
        text.write_step_line(number, energy, energy - self.last_energy, self.dynamics)
        self.last_energy = energy
        self._heed_stop("LSTOP", "soft")
        done = converged or number >= self.motion.steps or bool(self.stopped)
        levels = (*self.levels, self.fermi) if done else None
        xml.close_step(setup, positions, forces, energy, self.dynamics, levels)
        if converged:
            text.say("reached required accuracy - stopping structural energy minimisation")
            moved = positions
        small_output.write_contcar(self.directory, setup, moved, self.dynamics)
        text.flush()
        xml.flush()
        return moved, done

    def _converge(self, number, energy):
        """Write the electronic steps; return whether they converged."""
        converges = not (
            self.behaviour.failure == "unconverged" and number >= self.behaviour.at_step
        )
        incar = self.setup.incar
        found = self.setup.electrons.make_scf(energy, incar, first=number == 1, converges=converges)
        self.text.write_scf_heading()
        before = 0.0
        for step, value in enumerate(found, start=1):
            self.text.write_scf_step(number, step, value, before)
            self.xml.write_scf_step(value)
            before = value
            self._heed_stop("LABORT", "hard")
            if self.stopped == "hard":
                return False
            if self.behaviour.fails_at("kill", number) and step == (len(found) + 1) // 2:
                self.text.flush()
                self.xml.flush()
                self.behaviour.die(self.directory)
        return converges and found[-1] == energy

    def _spoil(self, energy, number):
        if self.behaviour.failure == "positive_energy" and number >= self.behaviour.at_step:
            return abs(energy) + 10.0
        if self.behaviour.failure == "jump" and number == self.behaviour.at_step:
            return energy + 400.0
        return energy

    def _fails(self, number):
        """Fail before a geometry; return whether the run is over."""
        behaviour = self.behaviour
        if behaviour.fails_at("text", number) or behaviour.fails_at("warning", number):
            self.text.flush()
            self.xml.flush()
            behaviour.emit_text(self.directory)
            return behaviour.failure == "text"
        if behaviour.fails_at("hang", number):
            self.text.flush()
            self.xml.flush()
            behaviour.hang()
        return False

    def _heed_stop(self, tag, kind):
        path = self.directory / "STOPCAR"
        if not self.stopped and path.is_file() and inputs.Incar(path).flag(tag, False):
            self.text.say(f"{kind} stop encountered!  aborting job ...")
            self.stopped = kind

    def _finish(self, positions):
        setup = self.setup
        if isinstance(self.motion, motion.Vibrations) and not self.stopped:
            self.text.write_modes(*self.motion.compute_modes(), setup.masses)
        levels, filling = self.levels
        small_output.write_eigenval(self.directory, setup, levels, filling)
        if setup.incar.number("LORBIT", 0, int) >= 10:
            shares = share_levels(setup.symbols)
            small_output.write_procar(self.directory, setup, levels, filling, shares)
        small_output.write_rest(self.directory, setup.incar)

    def _end(self, positions):
        if self.stopped != "hard":
            self.xml.close(self.setup, positions)
        self.text.write_end()
        self.text.flush()
        self.xml.flush()
        if self.behaviour.failure == "truncate":
            path = self.directory / "vasprun.xml"
            path.write_text(path.read_text()[:-2000])
        _say(" writing wavefunctions\n")
        return 0


def _read_inputs(directory):
    incar = inputs.Incar(directory / "INCAR")
    poscar = inputs.read_poscar(directory / "POSCAR")
    sets = inputs.read_potcar(directory / "POTCAR")
    warnings = inputs.check_consistency(incar, poscar, sets)
    scheme, divisions, kpoints, weights = inputs.read_kpoints(directory / "KPOINTS", poscar.cell)
    count = inputs.count_electrons(incar, poscar, sets)
    electrons = Electrons(count, len(poscar.positions), kpoints, incar)
    if electrons.too_few_bands:
        raise inputs.Refused(" TOO FEW BANDS!!\n" + inputs.make_box("ERROR: TOO FEW BANDS"))
    return Setup(incar, poscar, sets, scheme, divisions, kpoints, weights, electrons), warnings


def _choose_motion(setup):
    incar, poscar = setup.incar, setup.poscar
    kind, steps = incar.number("IBRION", -1, int), incar.number("NSW", 0, int)
    if steps == 0 or kind == -1:
        return motion.Still()
    if kind == 0:
        return motion.Dynamics(incar, poscar, setup.masses, poscar.free)
    if kind == 5:
        return motion.Vibrations(incar, poscar.positions, setup.masses, poscar.free)
    return motion.Relaxation(incar, poscar.free)


def _replay(source, directory):
    for path in source.iterdir():
        if path.is_file() and path.name not in {"INCAR", "KPOINTS", "POSCAR", "POTCAR"}:
            shutil.copyfile(path, directory / path.name)
    return 0


def _say(text):
    sys.stdout.write(text)
    sys.stdout.flush()
