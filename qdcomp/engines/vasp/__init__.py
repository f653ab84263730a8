"""VASP: DFT with PAW and plane waves, from a job to its results and back after a kill."""

from qdcomp.engines.vasp.engine import VaspEngine

__all__ = ["VaspEngine"]
