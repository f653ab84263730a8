"""CP2K: DFT with Quickstep, from a job to its results and back after a kill."""

from qdcomp.engines.cp2k.directories import Cp2kDirectory, read_cp2k_directory
from qdcomp.engines.cp2k.engine import Cp2kEngine
from qdcomp.engines.cp2k.outputs import Cp2kOutput, iterate_steps, read_output

__all__ = [
    "Cp2kDirectory",
    "Cp2kEngine",
    "Cp2kOutput",
    "iterate_steps",
    "read_cp2k_directory",
    "read_output",
]
