"""CONTCAR, XDATCAR, EIGENVAL, PROCAR and the like."""

import struct

import numpy as np

MOST_PROJECTIONS = 60000
ORBITALS = ("s", "py", "pz", "px", "dxy", "dyz", "dz2", "dxz", "x2-y2")


class Xdatcar:
    """Writes the positions of each geometry."""

    def __init__(self, directory, setup):
        self._stream = (directory / "XDATCAR").open("w")
        self._stream.write(_heading(setup))
        self._number = 0

    def write(self, fractions):
        self._number += 1
        rows = "".join(f"{x:13.8f}{y:12.8f}{z:12.8f}\n" for x, y, z in fractions.tolist())
        self._stream.write(f"Direct configuration={self._number:6d}\n{rows}")
        self._stream.flush()


def write_contcar(directory, setup, positions, dynamics):
    poscar = setup.poscar
    fractions = setup.fractions(positions)
    flags = [" ".join("T" if free else "F" for free in row) for row in poscar.free]
    rows = "".join(
        f"  {x:18.16f}  {y:18.16f}  {z:18.16f}{'   ' + flag if poscar.selective else ''}\n"
        for (x, y, z), flag in zip(fractions.tolist(), flags, strict=True)
    )
    text = _heading(setup)
    text += "Selective dynamics\n" if poscar.selective else ""
    text += f"Direct\n{rows}\n"
    velocities = np.zeros_like(positions) if dynamics is None else dynamics.velocities
    text += _vectors(velocities)
    if dynamics is not None:
        friction, spent = dynamics.nose
        text += f"\n     1\n  {dynamics.timestep:.15f}\n  {friction:.14E}  {spent:.14E}  0.0  0.0\n"
        text += _vectors(fractions) + _vectors(velocities) + _vectors(np.zeros_like(positions))
    (directory / "CONTCAR").write_text(text)


def write_eigenval(directory, setup, levels, filling):
    spins, n_kpoints, n_bands = levels.shape
    count = len(setup.poscar.positions)
    lines = [
        f"{count:5d}{count:5d}    1{spins:5d}",
        "  0.2308370E+02  0.5694625E-09  0.5694625E-09  0.5694625E-09  0.5000000E-15",
        "  1.000000000000000E-004", "  CAR ", f" {setup.poscar.title}",
        f"{round(setup.electrons.count):7d}{n_kpoints:7d}{n_bands:7d}",
    ]  # fmt: skip
    for number, (point, weight) in enumerate(zip(setup.kpoints, setup.weights, strict=True)):
        lines += ["", "".join(f"{x:15.7E}" for x in (*point, weight))]
        for band in range(n_bands):
            energies = "".join(f"{levels[spin, number, band]:15.6f}" for spin in range(spins))
            shares = "".join(f"{filling[spin, number, band]:11.6f}" for spin in range(spins))
            lines.append(f"{band + 1:5d}{energies}{shares}")
    (directory / "EIGENVAL").write_text("\n".join(lines) + "\n")


def write_procar(directory, setup, levels, filling, shares):
    """Write PROCAR, unless it would be larger than a test needs."""
    spins, n_kpoints, n_bands = levels.shape
    count = len(setup.poscar.positions)
    if spins * n_kpoints * n_bands * count > MOST_PROJECTIONS:
        return
    text = ["PROCAR lm decomposed\n"]
    blocks = [_ion_block(share) for share in shares]
    for spin in range(spins):
        text.append(
            f"# of k-points: {n_kpoints:4d}         # of bands: {n_bands:4d}         "
            f"# of ions: {count:4d}\n"
        )
        for number, (point, weight) in enumerate(zip(setup.kpoints, setup.weights, strict=True)):
            place = "".join(f"{x:11.8f}" for x in point)
            text.append(f"\n k-point {number + 1:5d} :    {place}     weight = {weight:10.8f}\n\n")
            for band in range(n_bands):
                share = filling[spin, number, band]
                text.append(
                    f"band {band + 1:5d} # energy {levels[spin, number, band]:13.8f} # occ. "
                    f"{share:11.8f}\n \n{blocks[0] if share > 0.5 else blocks[1]} \n"
                )
    (directory / "PROCAR").write_text("".join(text))


def write_rest(directory, incar):
    if incar.flag("LWAVE", True):
        _write_wavecar(directory / "WAVECAR")
    for name in ("DOSCAR", "IBZKPT", "PCDAT"):
        (directory / name).write_text("stand-in\n")


def _write_wavecar(path):
    """Write the records of one spin, k-point and band, all zero but for what says so."""
    counts = struct.pack("<3d", 1, 1, 0.0)
    path.write_bytes(struct.pack("<3d", 24, 1, 45200) + counts + bytes(48))


def _ion_block(shares):
    heading = "ion " + "".join(f"{name:>7s}" for name in ORBITALS) + "    tot\n"
    rows = ""
    for number, share in enumerate(shares, start=1):
        parts = [share, *[0.0] * 8, share]
        rows += f"{number:5d}" + "".join(f"{part:7.3f}" for part in parts) + "\n"
    total = [shares.sum(), *[0.0] * 8, shares.sum()]
    return heading + rows + "tot  " + "".join(f"{part:7.3f}" for part in total) + "\n"


def _heading(setup):
    poscar = setup.poscar
    cell = "".join("".join(f"{x:22.16f}" for x in row) + "\n" for row in poscar.cell)
    return (
        f"{poscar.title}\n   1.00000000000000     \n{cell}"
        f"{''.join(f'{name:>5s}' for name in poscar.elements)}\n"
        f"{''.join(f'{count:6d}' for count in poscar.counts)}\n"
    )


def _vectors(rows):
    return "".join(f"{x:24.15E}{y:24.15E}{z:24.15E}\n" for x, y, z in rows.tolist())
