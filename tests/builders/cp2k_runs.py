"""Small dynamics of three atoms, in files as CP2K writes them."""

from pathlib import Path

import numpy as np

TIMESTEP = 10.0
SYMBOLS = ("Cs", "Pb", "Br")


def place(step: int, marker: float = 0.0) -> np.ndarray:
    """Positions that tell their step and who wrote them; recomputed ones differ in the noise."""
    return np.arange(9.0).reshape(3, 3) + 0.1 * step + marker


def xyz_frame(step: int, values: np.ndarray, energy: float) -> str:
    rows = "".join(
        f"{symbol:>3} {x:19.10f} {y:19.10f} {z:19.10f}\n"
        for symbol, (x, y, z) in zip(SYMBOLS, values, strict=True)
    )
    return f"       3\n i = {step:8d}, time = {TIMESTEP * step:12.3f}, E = {energy:19.10f}\n{rows}"


def ener_line(step: int, energy: float) -> str:
    return (
        f"{step:10d} {TIMESTEP * step:20.6f} {0.01 * step:20.9f} {100.0 + step:20.9f} "
        f"{energy:20.9f} {energy + 0.01 * step:20.9f} {1.5:20.9f}\n"
    )


def output_step(step: int, homo: float, *, converged: bool = True) -> str:
    verdict = "*** SCF run converged in     6 steps ***" if converged else "SCF run NOT converged"
    return f"""
 SCF WAVEFUNCTION OPTIMIZATION
  {verdict if converged else " *** WARNING in qs_scf.F:598 :: SCF run NOT converged ***"}
  Eigenvalues of the occupied subspace spin            1
 ---------------------------------------------
      -0.50000000     {homo:.8f}
 Fermi Energy [eV] :   -4.618749

  Lowest Eigenvalues of the unoccupied subspace spin            1
 -----------------------------------------------------
 OT| Eigensolver reached convergence in 123 iterations
      -0.10000000

 ENERGY| Total FORCE_EVAL ( QS ) energy [a.u.]:    -10.0

 MD| Step number                                   {step}
 MD| Time [fs]                                     {TIMESTEP * step}
"""


HEAD = (
    "  **** **** ******  **  PROGRAM STARTED AT               2026-01-01 10:00:00.000\n"
    " CP2K| version string:                     CP2K version 2023.1\n"
    " GLOBAL| Run type                                        MD\n"
)
END = "  **** **** ******  **  PROGRAM ENDED AT                 2026-01-01 10:01:00.000\n"


def write_run(
    directory: Path,
    steps: range,
    *,
    marker: float = 0.0,
    stem: str = "qdcomp",
    orbitals: bool = True,
    ended: bool = True,
) -> None:
    """Append a run of these steps to a directory, as CP2K does."""
    energies = [-10.0 + 0.001 * step + marker for step in steps]
    texts = {
        f"{stem}-pos-1.xyz": "".join(
            xyz_frame(s, place(s, marker), e) for s, e in zip(steps, energies, strict=True)
        ),
        f"{stem}-vel-1.xyz": "".join(xyz_frame(s, place(s, marker) * 1e-4, -1.0) for s in steps),
        f"{stem}-frc-1.xyz": "".join(xyz_frame(s, place(s, marker) * 1e-3, -1.0) for s in steps),
        f"{stem}-1.ener": "# Step Nr. Time[fs] Kin. Temp Pot. Cons UsedTime\n"
        + "".join(ener_line(s, e) for s, e in zip(steps, energies, strict=True)),
        "cp2k.out": HEAD
        + "".join(output_step(s, -0.2 - 0.001 * s - marker) for s in steps if orbitals)
        + (END if ended else ""),
    }
    for name, text in texts.items():
        with (directory / name).open("a") as stream:
            stream.write(text)


def write_restart(path: Path, step: int) -> None:
    path.write_text(
        f" &MOTION\n   &MD\n     STEP_START_VAL  {step}\n   &END MD\n &END MOTION\n"
        " &FORCE_EVAL\n   &SUBSYS\n     &COORD\n     &END COORD\n   &END SUBSYS\n &END FORCE_EVAL\n"
    )


def write_wavefunction(path: Path, records: int = 3) -> None:
    record = (8).to_bytes(4, "little") + bytes(8) + (8).to_bytes(4, "little")
    path.write_bytes(record * records)
