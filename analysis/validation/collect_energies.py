"""Key numbers of finished CP2K job directories, and binding energies from them.

    python collect_energies.py OUT JOBS

copies the input and the last structure of every job in the folder JOBS to OUT and writes
OUT/results.json. A job is known by the name of its folder: ``without`` is the slab that lost the
ligand L and its Br, ``L_complex`` the slab with L, ``L_pair`` the gas-phase pair LBr. What is named
after them corrects or tests them: ``_alone``, ``_ghosts`` (counterpoise), ``_k221`` (k-points).
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
from ase.io import write

from qdcomp.engines.cp2k import Cp2kEngine
from qdcomp.units import HARTREE_EV

LIGANDS = ("PEA", "DDA_C2")
PEROVSKITE = ("Cs", "Pb", "Br")
"""Elements whose atoms are held in the slabs."""

Jobs = dict[str, dict[str, Any]]


def read_job(directory: Path) -> dict[str, Any]:
    """Energy, dispersion, largest force on the ligand, steps and wall time of a job."""
    result = Cp2kEngine().parse(directory)
    text = (directory / "cp2k.out").read_text(errors="replace")
    dispersion = re.findall(r"Dispersion energy:\s+(\S+)", text)
    walltimes = re.findall(r"^ CP2K\s+1\s+1\.0\s.*\s(\S+)$", text, re.MULTILINE)
    forces = result.forces_ev_per_angstrom
    ligand = ~np.isin(result.atoms.get_chemical_symbols(), PEROVSKITE)
    return {
        "energy_ev": result.energy_ev,
        "dispersion_ev": float(dispersion[-1]) * HARTREE_EV if dispersion else None,
        "gap_ev": result.frontier[0].gap_ev if result.frontier else None,
        "largest_force_on_ligand_ev_per_angstrom": (
            float(np.abs(forces[ligand]).max()) if forces is not None and ligand.any() else None
        ),
        "geometry_steps": result.steps,
        "walltime_s": sum(map(float, walltimes)) or None,
        "atoms": len(result.atoms),
        "version": result.version,
        "level": dict(result.level),
    }


def compute_binding(jobs: Jobs, ligand: str) -> dict[str, float]:
    """E(slab − LBr) + E(LBr) − E(slab with L) [eV], and what changes it where that was computed."""
    without, pair, complex_ = (
        jobs[name] for name in ("without", f"{ligand}_pair", f"{ligand}_complex")
    )
    energies = {name: job["energy_ev"] for name, job in jobs.items()}
    found = {
        "binding_energy_ev": without["energy_ev"] + pair["energy_ev"] - complex_["energy_ev"],
        "of_it_dispersion_ev": without["dispersion_ev"]
        + pair["dispersion_ev"]
        - complex_["dispersion_ev"],
    }
    alone = energies.get(f"{ligand}_pair_alone")
    if alone is not None:
        found["relaxation_of_the_free_pair_ev"] = alone - pair["energy_ev"]
    ghosts = [energies.get(f"{ligand}_{part}_ghosts") for part in ("pair", "surface")]
    if alone is not None and None not in ghosts:
        found["counterpoise_ev"] = sum(ghosts) - alone - without["energy_ev"]
    sampled = [energies.get(name) for name in ("without_k221", f"{ligand}_complex_k221")]
    if None not in sampled:
        change = sampled[0] - without["energy_ev"]
        found["kpoints_2x2x1_ev"] = change - (sampled[1] - complex_["energy_ev"])
    return found


def main() -> None:
    """Collect every finished job of the folder that the command line names."""
    out, root = map(Path, sys.argv[1:3])
    jobs: Jobs = {}
    for directory in sorted(path for path in root.iterdir() if Cp2kEngine().is_complete(path)):
        jobs[directory.name] = read_job(directory)
        (out / f"{directory.name}.inp").write_text((directory / "cp2k.inp").read_text())
        write(out / f"{directory.name}.extxyz", Cp2kEngine().parse(directory).atoms)
    vacancies = {
        name.removeprefix("without_"): job["energy_ev"] - jobs["without"]["energy_ev"]
        for name, job in jobs.items()
        if name.startswith("without_br")
    }
    results = {
        "binding": {ligand: compute_binding(jobs, ligand) for ligand in LIGANDS},
        "other_br_removed_ev": vacancies,
        "jobs": jobs,
    }
    (out / "results.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    del results["jobs"]
    sys.stdout.write(f"{json.dumps(results, indent=1)}\n")


if __name__ == "__main__":
    main()
