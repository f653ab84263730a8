"""The smallest studies of the surrogate engine, in seconds, and sweeps of them."""

from pathlib import Path

STUDY = """\
name: {name}
description: the smallest dot
recipe: dot_linewidth
engine: model
structure: {{kind: quantum_dot, cells: 1, composition: CsPbBr3, charge: neutral}}
relaxation: {{max_force: 20 meV/angstrom, max_steps: 2000}}
sampling:
  temperatures: [{temperature}]
  duration: 300 fs
  timestep: 10 fs
  thermostat_time: 1 ps
  segments: 2
seed: {seed}
"""


def write_study(
    path: Path,
    *,
    name: str = "small",
    temperature: str = "50 K",
    seed: int = 2,
    more: str = "",
) -> Path:
    """Write a study, `more` after it: a sweep, a priority."""
    text = STUDY.format(name=name, temperature=temperature, seed=seed)
    path.write_text(text + more, encoding="utf-8")
    return path
