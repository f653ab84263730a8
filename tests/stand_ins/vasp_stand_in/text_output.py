"""OUTCAR, OSZICAR and the lines on the terminal, in VASP's formats."""

import time

import numpy as np

RULE = "-" * 104
PER_CM = 33.3564095  # 1/cm in 1 THz
MEV = 4.135667696  # meV in 1 THz


class TextOutput:
    """Writes the text files of one run."""

    def __init__(self, directory, version, terminal):
        self._began = time.time()
        self._outcar = (directory / "OUTCAR").open("w")
        self._oszicar = (directory / "OSZICAR").open("w")
        self._terminal = terminal
        self._say(f" vasp.{version}.stand-in 01Jan00 (not VASP: made-up energies) complex\n")
        self._say(" executed on             stand-in date 2026.01.01  00:00:00\n")
        self._say(" running on    1 total cores\n")

    def write_header(self, setup):
        incar, sets, poscar = setup.incar, setup.sets, setup.poscar
        say = self._say
        say("\n INCAR:\n" + "".join(f"   {tag} = {value}\n" for tag, value in incar.tags.items()))
        for kind in sets:
            say(
                f" POTCAR:   {kind.title}\n   VRHFIN ={kind.element}: made up\n"
                f"   LEXCH  = {kind.exchange}\n\n   TITEL  = {kind.title}\n"
                f"   POMASS = {kind.mass:8.3f}; ZVAL   = {kind.valence:8.3f}    mass and valenz\n"
                f"   ENMAX  = {kind.cutoff:8.3f}; ENMIN  = {0.75 * kind.cutoff:8.3f} eV\n\n"
            )
        count, electrons = len(poscar.positions), setup.electrons
        say(
            f" Dimension of arrays:\n   k-points           NKPTS ={len(setup.kpoints):7d}   "
            f"k-points in BZ     NKDIM ={len(setup.kpoints):7d}   number of bands    NBANDS="
            f"{electrons.n_bands:7d}\n   number of dos      NEDOS =    301   number of ions     "
            f"NIONS ={count:7d}\n   total plane-waves  NPLWV =  10000\n"
            f"   ions per type =          {''.join(f'{n:4d}' for n in poscar.counts)}\n"
            f"\n SYSTEM =  {poscar.title}\n POSCAR =  {poscar.title}\n\n"
            " Startparameter for this run:\n   NWRITE =      2    write-flag & timer\n"
            f"   ISPIN  = {electrons.n_spins:6d}    spin polarized calculation?\n"
            f"\n Electronic Relaxation 1\n   ENCUT  = {incar.number('ENCUT', 400.0):6.1f} eV\n"
            f"   NELM   = {incar.number('NELM', 60, int):6d};   NELMIN="
            f"{incar.number('NELMIN', 2, int):3d}; NELMDL= -5     # of ELM steps \n"
            f"   EDIFF  = {incar.number('EDIFF', 1e-4):.1E}   stopping-criterion for ELM\n"
            f" Ionic relaxation\n   EDIFFG = {incar.number('EDIFFG', 1e-3):.1E}   "
            f"stopping-criterion for IOM\n   NSW    = {incar.number('NSW', 0, int):6d}    "
            "number of steps for IOM\n   NBLOCK =      1;   KBLOCK =      1    inner block\n"
            f"   IBRION = {incar.number('IBRION', -1, int):6d}    ionic relax: 0-MD 1-quasi-New "
            f"2-CG\n   POTIM  = {incar.number('POTIM', 0.5):6.4f}    time-step for ionic-motion\n"
            f"   TEBEG  = {incar.number('TEBEG', 0.0):6.1f};   TEEND  = "
            f"{incar.number('TEEND', 0.0):5.1f} temperature during run\n"
            f"  Ionic Valenz\n   ZVAL   = {''.join(f'{kind.valence:6.2f}' for kind in sets)}\n"
            f"   NELECT = {electrons.count:12.4f}    total number of electrons\n"
            f"   ISMEAR = {incar.number('ISMEAR', 1, int):6d};   SIGMA  = "
            f"{incar.number('SIGMA', 0.2):6.2f}  broadening in eV -4-tet -1-fermi 0-gaus\n"
            f"   IVDW   = {incar.number('IVDW', 0, int):6d}    van der Waals correction\n\n"
        )
        self._cell(poscar.cell)
        self._terminal(
            f" POSCAR found type information on POSCAR  {' '.join(poscar.elements)}\n"
            f" POSCAR found :{len(sets):3d} types and {count:7d} ions\n POSCAR, INCAR and KPOINTS "
            "ok, starting setup\n WAVECAR not read\n entering main loop\n"
        )

    def write_scf_heading(self):
        line = "       N       E                     dE             d eps       ncg     rms\n"
        self._log(line)

    def write_scf_step(self, step, number, energy, before):
        change = energy - before
        self._log(
            f"DAV: {number:3d}  {_fortran(energy, 12, 20)}   {_fortran(change, 5, 12)}  "
            f"{_fortran(change, 5, 12)} {64:6d}   0.100E+00\n"
        )
        self._say(
            f"{'-' * 40} Iteration {step:6d}({number:4d})  {'-' * 39}\n\n\n"
            "      LOOP:  cpu time    0.01: real time    0.01\n\n"
            f" total energy-change (2. order) :{_fortran(change, 7, 14)}\n"
            f" number of electron {self.electron_count:13.7f} magnetization\n\n"
            " Free energy of the ion-electron system (eV)\n"
            f"  ---------------------------------------------------\n"
            f"  free energy    TOTEN  = {energy:19.8f} eV\n\n"
            f"  energy without entropy = {energy:19.8f}  energy(sigma->0) = {energy:19.8f}\n\n\n"
            f"{RULE}\n\n\n"
        )

    electron_count = 0.0

    def write_levels(self, levels, filling, kpoints, fermi):
        self._say(f" E-fermi : {fermi:8.4f}     XC(G=0):  -5.0000     alpha+bet : -4.0000\n\n\n")
        full = 2.0 if len(levels) == 1 else 1.0
        numbers = range(1, levels.shape[2] + 1)
        for spin, (energies, shares) in enumerate(zip(levels, filling, strict=True), start=1):
            if len(levels) == 2:
                self._say(f" spin component {spin}\n\n")
            for number, point in enumerate(kpoints):
                rows = "".join(
                    f"{band:7d} {energy:12.4f} {share:12.5f}\n"
                    for band, energy, share in zip(
                        numbers, energies[number], full * shares[number], strict=True
                    )
                )
                place = "".join(f"{x:10.4f}" for x in point)
                self._say(
                    f" k-point {number + 1:5d} :  {place}\n"
                    f"  band No.  band energies     occupation \n{rows}\n"
                )
        self._say(f"\n{RULE}\n\n\n")

    def write_loop_end(self, reached):
        if reached:
            text = " aborting loop because EDIFF is reached "
            self._say(f"{'-' * 24}{text}{'-' * 40}\n\n\n")

    def write_geometry(self, setup, positions, forces, energy):
        self._cell(setup.poscar.cell)
        wrapped = setup.wrap(positions)
        rows = "".join(
            f"{x:13.5f}{y:13.5f}{z:13.5f}    {a:14.6f}{b:14.6f}{c:14.6f}\n"
            for (x, y, z), (a, b, c) in zip(wrapped.tolist(), forces.tolist(), strict=True)
        )
        rule = " " + "-" * 83
        drift = forces.sum(axis=0)
        self._say(
            " POSITION                                       TOTAL-FORCE (eV/Angst)\n"
            f"{rule}\n{rows}{rule}\n    total drift:                      "
            f"{drift[0]:14.6f}{drift[1]:14.6f}{drift[2]:14.6f}\n\n\n{RULE}\n\n\n\n"
            "  FREE ENERGIE OF THE ION-ELECTRON SYSTEM (eV)\n"
            "  ---------------------------------------------------\n"
            f"  free  energy   TOTEN  = {energy:19.8f} eV\n\n"
            f"  energy  without entropy={energy:19.8f}  energy(sigma->0) = {energy:19.8f}\n \n\n\n"
        )

    def write_step_line(self, number, energy, change, dynamics):
        if dynamics is None:
            both = f"F= {_dotted(energy, 8)} E0= {_dotted(energy, 8)}"
            self._log(f"{number:4d} {both}  d E ={_dotted(change, 6)}\n")
        else:
            total = energy + dynamics.kinetic + dynamics.stored
            temperature = dynamics.current_temperature()
            energies = f"E= {_dotted(total, 8)} F= {_dotted(energy, 8)} E0= {_dotted(energy, 8)}"
            baths = f"EK= {_fortran(dynamics.kinetic, 5, 12)} SP= {_fortran(dynamics.stored, 2, 8)}"
            self._log(f"{number:7d} T= {temperature:6.0f}. {energies}  {baths} SK= 0.00E+00\n")
            self._say(
                "  ENERGY OF THE ELECTRON-ION-THERMOSTAT SYSTEM (eV)\n"
                "  ---------------------------------------------------\n"
                f"% ion-electron   TOTEN  = {energy:16.6f}  see above\n"
                f"  kinetic energy EKIN   = {dynamics.kinetic:16.6f}\n"
                f"  kin. lattice  EKIN_LAT= {0.0:16.6f}  (temperature {temperature:7.2f} K)\n"
                f"  nose potential ES     = {dynamics.stored:16.6f}\n"
                f"  nose kinetic   EPS    = {0.0:16.6f}\n"
                "  ---------------------------------------------------\n"
                f"  total energy   ETOTAL = {total:16.6f} eV\n\n\n"
            )
        self._say("     LOOP+:  cpu time    0.05: real time    0.05\n")

    def say(self, text):
        """Write a line to OUTCAR and to the terminal."""
        self._say(f" {text}\n")
        self._terminal(f" {text}\n")

    def write_modes(self, squares, modes, masses):
        self._say(
            "\n Eigenvectors and eigenvalues of the dynamical matrix\n"
            " ----------------------------------------------------\n\n\n"
        )
        for number, (square, mode) in enumerate(zip(squares, modes, strict=True), start=1):
            name = "f  " if square >= 0 else "f/i"
            terahertz = 1000.0 * np.sqrt(abs(square)) / (2 * np.pi)
            self._say(
                f"{number:4d} {name}= {terahertz:12.6f} THz {2 * np.pi * terahertz:12.6f} 2PiTHz "
                f"{PER_CM * terahertz:12.6f} cm-1 {MEV * terahertz:12.6f} meV\n"
                "             X         Y         Z           dx          dy          dz\n"
            )
            rows = "".join(
                f"{0:10.6f}{0:10.6f}{0:10.6f} {a:12.6f}{b:12.6f}{c:12.6f}\n" for a, b, c in mode
            )
            self._say(f"{rows}\n")
        self._say("\n Eigenvectors after division by SQRT(mass)\n\n")

    def write_end(self):
        used = max(time.time() - self._began, 0.001)
        self._say(
            "\n\n General timing and accounting informations for this job:\n"
            " ========================================================\n\n"
            f"                  Total CPU time used (sec): {used:12.3f}\n"
            f"                            User time (sec): {used:12.3f}\n"
            f"                          System time (sec): {0.0:12.3f}\n"
            f"                         Elapsed time (sec): {used:12.3f}\n\n"
            "                   Maximum memory used (kb):       50000.\n"
            "                   Average memory used (kb):           0.\n\n"
            "                          Minor page faults:            0\n"
            "                          Major page faults:            0\n"
            "                 Voluntary context switches:            0\n"
        )

    def flush(self):
        self._outcar.flush()
        self._oszicar.flush()

    def _cell(self, cell):
        rows = "".join(
            "   " + "".join(f"{x:13.9f}" for x in direct) + "   "
            + "".join(f"{x:13.9f}" for x in reciprocal) + "\n"
            for direct, reciprocal in zip(cell, np.linalg.inv(cell).T, strict=True)
        )  # fmt: skip
        self._say(
            f"\n  energy-cutoff  :      400.00\n  volume of cell : {np.linalg.det(cell):11.2f}\n"
            f"      direct lattice vectors                 reciprocal lattice vectors\n{rows}\n\n"
        )

    def _log(self, line):
        self._oszicar.write(line)
        self._terminal(line)

    def _say(self, text):
        self._outcar.write(text)


def _fortran(value, digits, width):
    """A number as Fortran's E format has it, 0.123E+01."""
    if value == 0:
        return f"{0:{width - 4}.{digits}f}E+00"
    mantissa, exponent = f"{abs(value):.{digits - 1}e}".split("e")
    sign = "-" if value < 0 else ""
    return f"{sign}0.{mantissa.replace('.', '')}E{int(exponent) + 1:+03d}".rjust(width)


def _dotted(value, digits):
    """The same without a leading zero before the point of a negative number, -.123E+01."""
    text = _fortran(value, digits, 0).strip()
    return text.replace("-0.", "-.") if value < 0 else text
