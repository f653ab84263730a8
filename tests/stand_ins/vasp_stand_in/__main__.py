"""Run the stand-in in the current directory, as one runs VASP."""

import sys
from pathlib import Path

from vasp_stand_in.run import run

if __name__ == "__main__":
    sys.exit(run(Path.cwd()))
