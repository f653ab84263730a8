"""Wall time per AIMD step: qdcomp's CP2K settings against CP2K's own defaults, same answer.

Both runs compute the same physics (PBE, DZVP-MOLOPT-SR-GTH, 200 Ry, ``EPS_SCF`` 1e-8, the same
structure and velocities) with frontier orbitals at every step; only the way to the minimum
differs. `plain` is what CP2K does when only ``&OT`` is written: conjugate gradients, the
preconditioner FULL_KINETIC, inner loops of 50. Run it alone on the machine:

    python -m benchmarks.cp2k_template
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from ase import units

from qdcomp.engines import DynamicsSettings, EngineJob, load_engine
from qdcomp.engines.cp2k import iterate_steps
from qdcomp.structures import build_quantum_dot

PHYSICS = {"cutoff_ry": 200.0}
PLAIN = {"minimizer": "CG", "preconditioner": "FULL_KINETIC", "inner_scf_steps": 50}
STEPS = 4
BOX_ANGSTROM = 14.0
HARTREE_EV = 27.211386245988
RESULT = Path(__file__).parent / "results" / "cp2k_template.json"


def run(settings: dict[str, object], directory: Path) -> dict[str, object]:
    """Run the dynamics with `settings`; return what was measured."""
    directory.mkdir()
    engine = load_engine("cp2k")
    dot = build_quantum_dot(cells=1, charge="neutral", lattice_constant=6.2)
    generator = np.random.default_rng(1)
    dot.atoms.set_velocities(generator.normal(scale=5e-4, size=(len(dot.atoms), 3)) / units.fs)
    job = EngineJob(
        "dynamics",
        dot.atoms,
        dot.charge,
        dot.frozen,
        box_angstrom=BOX_ANGSTROM,
        settings=PHYSICS | settings,
        dynamics=DynamicsSettings(10.0, 10.0, STEPS, None),
    )
    engine.write_inputs(directory, job)
    started, before = time.perf_counter(), os.times()
    with (directory / engine.output_name).open("wb") as output:
        subprocess.run(
            engine.command(directory),
            cwd=directory,
            stdout=output,
            check=True,
            env=os.environ | engine.environment(directory),
        )
    after = os.times()
    steps = list(iterate_steps(directory / engine.output_name))
    used = np.loadtxt(directory / "qdcomp-1.ener")[:, 6]
    return {
        "version": engine.parse(directory).version,
        "wall_s": time.perf_counter() - started,
        "cpu_s": after.children_user - before.children_user,
        "wall_per_step_s": float(np.median(used[2:])),
        "energies_ev": [step.energy_ev for step in steps],
        "gaps_ev": [step.frontier[0].gap_ev for step in steps],
    }


def main() -> dict[str, object]:
    """Run both and compare."""
    with tempfile.TemporaryDirectory() as folder:
        plain = run(PLAIN, Path(folder) / "plain")
        ours = run({}, Path(folder) / "qdcomp")
    energies = np.array([ours["energies_ev"], plain["energies_ev"]])
    gaps = np.array([ours["gaps_ev"], plain["gaps_ev"]])
    result: dict[str, object] = {
        "system": "Cs4PbBr6, 11 atoms, 14 Å box, DZVP-MOLOPT-SR-GTH, 200 Ry, EPS_SCF 1e-8",
        "cp2k": plain["version"],
        "machine": f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores",
        "load_average": os.getloadavg()[0],
        "plain_settings": PLAIN,
        "steps_compared": energies.shape[1],
        "energy_difference_hartree_per_atom": float(
            np.abs(energies[0] - energies[1]).max() / HARTREE_EV / 11
        ),
        "gap_difference_mev": float(1e3 * np.abs(gaps[0] - gaps[1]).max()),
    }
    for name, figures in (("plain", plain), ("qdcomp", ours)):
        for quantity in ("wall_per_step_s", "wall_s", "cpu_s"):
            result[f"{name}_{quantity}"] = round(float(str(figures[quantity])), 2)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    return result


if __name__ == "__main__":
    json.dump(main(), sys.stdout, indent=2, ensure_ascii=False)
