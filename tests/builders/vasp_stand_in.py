"""The stand-in for VASP as an executable, and what it is told."""

import sys
from pathlib import Path

PACKAGES = Path(__file__).resolve().parents[1] / "stand_ins"


def install_stand_in(folder: Path, names: tuple[str, ...] = ("vasp_std", "vasp_gam")) -> Path:
    """Write executables that run the stand-in; return the first."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        path = folder / name
        path.write_text(
            f"#!{sys.executable} -S\n"
            "import sys\n"
            f"sys.path[:0] = {[str(PACKAGES), *_find_site_packages()]!r}\n"
            "from pathlib import Path\n"
            "from vasp_stand_in.run import run\n"
            "sys.exit(run(Path.cwd()))\n"
        )
        path.chmod(0o755)
    return folder / names[0]


def _find_site_packages() -> list[str]:
    """Folder of numpy: nothing else of the environment is needed, and it starts faster."""
    import numpy as np

    return [str(Path(np.__file__).parents[1])]
