"""vasprun.xml, written as the run goes on."""

import numpy as np


class XmlOutput:
    """Writes the vasprun.xml of one run."""

    def __init__(self, directory, version):
        self._stream = (directory / "vasprun.xml").open("w", encoding="iso-8859-1")
        self._write(
            '<?xml version="1.0" encoding="ISO-8859-1"?>\n<modeling>\n <generator>\n'
            '  <i name="program" type="string">vasp </i>\n'
            f'  <i name="version" type="string">{version}.stand-in  </i>\n'
            '  <i name="subversion" type="string">not VASP: made-up energies </i>\n'
            '  <i name="platform" type="string">stand-in </i>\n'
            '  <i name="date" type="string">2026 01 01 </i>\n'
            '  <i name="time" type="string">00:00:00 </i>\n </generator>\n'
        )

    def write_header(self, setup):
        incar, poscar, electrons = setup.incar, setup.poscar, setup.electrons
        tags = "".join(f"  {_typed(tag, value)}\n" for tag, value in incar.tags.items())
        self._write(f" <incar>\n{tags} </incar>\n")
        divisions = " ".join(f"{n:8d}" for n in setup.divisions)
        zero = "0.00000000       0.00000000       0.00000000"
        self._write(
            f' <kpoints>\n  <generation param="{setup.scheme}">\n'
            f'   <v type="int" name="divisions"> {divisions} </v>\n'
            f'   <v name="usershift">       {zero} </v>\n   <v name="genvec1"> {zero} </v>\n'
            f'   <v name="genvec2"> {zero} </v>\n   <v name="genvec3"> {zero} </v>\n'
            f'   <v name="shift">       {zero} </v>\n  </generation>\n'
            f"{_varray('kpointlist', setup.kpoints, 2)}"
            f'  <varray name="weights" >\n'
            + "".join(f"   <v> {weight:16.8f} </v>\n" for weight in setup.weights)
            + "  </varray>\n </kpoints>\n"
        )
        integers = {
            "NBANDS": electrons.n_bands, "ISPIN": electrons.n_spins,
            "ISMEAR": incar.number("ISMEAR", 1, int), "NELM": incar.number("NELM", 60, int),
            "NELMIN": incar.number("NELMIN", 2, int), "NSW": incar.number("NSW", 0, int),
            "IBRION": incar.number("IBRION", -1, int), "NBLOCK": 1, "KBLOCK": 1,
            "IVDW": incar.number("IVDW", 0, int), "ISIF": incar.number("ISIF", 2, int),
        }  # fmt: skip
        reals = {
            "ENMAX": incar.number("ENCUT", 400.0), "EDIFF": incar.number("EDIFF", 1e-4),
            "EDIFFG": incar.number("EDIFFG", 1e-3), "NELECT": electrons.count,
            "SIGMA": incar.number("SIGMA", 0.2), "POTIM": incar.number("POTIM", 0.5),
            "TEBEG": incar.number("TEBEG", 0.0),
        }  # fmt: skip
        self._write(
            ' <parameters>\n  <separator name="electronic" >\n'
            + "".join(f'   <i type="int" name="{k}"> {v:6d}</i>\n' for k, v in integers.items())
            + "".join(f'   <i name="{k}"> {v:16.8f}</i>\n' for k, v in reals.items())
            + f'   <i type="string" name="GGA">{incar.text("GGA", "--")}</i>\n'
            '   <i type="logical" name="LHFCALC"> F  </i>\n'
            "  </separator>\n </parameters>\n"
        )
        self._write_atoms(setup)
        self._write(_structure("initialpos", poscar.cell, setup.fractions(poscar.positions), 1))

    def open_step(self):
        self._write(" <calculation>\n")

    def write_scf_step(self, energy):
        self._write(
            '  <scstep>\n   <time name="total">    0.01    0.01</time>\n'
            f"{_energies(energy, energy, 3)}  </scstep>\n"
        )

    def close_step(self, setup, positions, forces, energy, dynamics, levels):
        extra = {}
        if dynamics is not None:
            extra = {
                "kinetic": dynamics.kinetic, "lattice kinetic": 0.0, "nosepot": dynamics.stored,
                "nosekinetic": 0.0, "total": energy + dynamics.kinetic + dynamics.stored,
            }  # fmt: skip
        self._write(
            _structure("", setup.poscar.cell, setup.fractions(positions), 2)
            + _varray("forces", forces, 2)
            + _varray("stress", np.zeros((3, 3)), 2)
            # as VASP 5 does, a wrong energy(sigma->0) for the geometry
            + _energies(energy, 0.0, 2, extra)
            + '  <time name="totalsc">    0.05    0.05</time>\n'
        )
        if levels is not None:
            self._write_levels(*levels)
        self._write(" </calculation>\n")

    def close(self, setup, positions):
        fractions = setup.fractions(positions)
        self._write(f"{_structure('finalpos', setup.poscar.cell, fractions, 1)}</modeling>\n")
        self.flush()

    def flush(self):
        self._stream.flush()

    def _write_atoms(self, setup):
        atoms = "".join(
            f"    <rc><c>{kind.element:2s}</c><c>{number:4d}</c></rc>\n"
            for number, (kind, count) in enumerate(
                zip(setup.sets, setup.poscar.counts, strict=True), start=1
            )
            for _ in range(count)
        )
        types = "".join(
            f"    <rc><c>{count:4d}</c><c>{kind.element:2s}</c><c>{kind.mass:16.8f}</c>"
            f"<c>{kind.valence:16.8f}</c><c> {kind.title} </c></rc>\n"
            for kind, count in zip(setup.sets, setup.poscar.counts, strict=True)
        )
        self._write(
            f" <atominfo>\n  <atoms>{len(setup.poscar.positions):8d} </atoms>\n"
            f"  <types>{len(setup.sets):8d} </types>\n"
            '  <array name="atoms" >\n   <dimension dim="1">ion</dimension>\n'
            '   <field type="string">element</field>\n   <field type="int">atomtype</field>\n'
            f"   <set>\n{atoms}   </set>\n  </array>\n"
            '  <array name="atomtypes" >\n   <dimension dim="1">type</dimension>\n'
            '   <field type="int">atomspertype</field>\n   <field type="string">element</field>\n'
            "   <field>mass</field>\n   <field>valence</field>\n"
            '   <field type="string">pseudopotential</field>\n'
            f"   <set>\n{types}   </set>\n  </array>\n </atominfo>\n"
        )

    def _write_levels(self, levels, filling, fermi):
        spins = []
        for spin, (energies, shares) in enumerate(zip(levels, filling, strict=True), start=1):
            points = "".join(
                f'      <set comment="kpoint {number}">\n'
                + "".join(
                    f"       <r>{e:10.4f}{s:10.4f} </r>\n"
                    for e, s in zip(row.tolist(), share.tolist(), strict=True)
                )
                + "      </set>\n"
                for number, (row, share) in enumerate(zip(energies, shares, strict=True), start=1)
            )
            spins.append(f'     <set comment="spin {spin}">\n{points}     </set>\n')
        self._write(
            '  <eigenvalues>\n   <array>\n    <dimension dim="1">band</dimension>\n'
            '    <dimension dim="2">kpoint</dimension>\n    <dimension dim="3">spin</dimension>\n'
            "    <field>eigene</field>\n    <field>occ</field>\n    <set>\n"
            + "".join(spins)
            + "    </set>\n   </array>\n  </eigenvalues>\n"
            f'  <dos>\n   <i name="efermi"> {fermi:16.8f} </i>\n   <total>\n    <array>\n'
            '     <dimension dim="1">gridpoints</dimension>\n'
            '     <dimension dim="2">spin</dimension>\n     <field>energy</field>\n'
            "     <field>total</field>\n     <field>integrated</field>\n     <set>\n"
            + "".join(
                f'      <set comment="spin {spin + 1}">\n'
                + "".join(f"       <r> {e:9.4f} 0.0000 0.0000 </r>\n" for e in (-1.0, 0.0, 1.0))
                + "      </set>\n"
                for spin in range(len(levels))
            )
            + "     </set>\n    </array>\n   </total>\n  </dos>\n"
        )

    def _write(self, text):
        self._stream.write(text)


def _typed(tag, value):
    words = value.split()
    if value.strip(".").upper() in {"T", "F", "TRUE", "FALSE"}:
        return f'<i type="logical" name="{tag}"> {value.strip(".").upper()[0]}  </i>'
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        return f'<i type="string" name="{tag}">{value}</i>'
    whole = all(word.lstrip("+-").isdecimal() for word in words)
    kind = ' type="int"' if whole else ""
    text = " ".join(f"{int(n):6d}" if whole else f"{n:16.8f}" for n in numbers)
    element = "i" if len(words) == 1 else "v"
    return f'<{element}{kind} name="{tag}">{text}</{element}>'


def _energies(free, extrapolated, indent, extra=None):
    values = {"e_fr_energy": free, "e_wo_entrp": free, "e_0_energy": extrapolated} | (extra or {})
    space = " " * indent
    rows = "".join(f'{space} <i name="{k}"> {v:16.8f} </i>\n' for k, v in values.items())
    return f"{space}<energy>\n{rows}{space}</energy>\n"


def _varray(name, rows, indent):
    space = " " * indent
    text = "".join(
        f"{space} <v> {x:16.8f} {y:16.8f} {z:16.8f} </v>\n" for x, y, z in np.asarray(rows).tolist()
    )
    return f'{space}<varray name="{name}" >\n{text}{space}</varray>\n'


def _structure(name, cell, fractions, indent):
    space = " " * indent
    head = f' name="{name}" ' if name else ""
    return (
        f"{space}<structure{head}>\n{space} <crystal>\n{_varray('basis', cell, indent + 2)}"
        f'{space}  <i name="volume"> {np.linalg.det(cell):16.8f} </i>\n'
        f"{_varray('rec_basis', np.linalg.inv(cell).T, indent + 2)}{space} </crystal>\n"
        f"{_varray('positions', fractions, indent + 1)}{space}</structure>\n"
    )
