import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

import qdcomp

REPOSITORY = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
SHIPPED_FOLDERS = ("workflows", "templates")  # outside qdcomp/, shipped as qdcomp.<folder>

HEAVY_MODULES = ("numpy", "scipy", "ase", "h5py", "yaml", "fireworks", "matplotlib", "typer")


def test_every_subpackage_is_named_for_the_wheel():
    """A subpackage that is not named imports in a checkout and is absent from the wheel."""
    package = REPOSITORY / "qdcomp"
    found = {
        ".".join(path.parent.relative_to(REPOSITORY).parts) for path in package.rglob("__init__.py")
    }
    found |= {f"qdcomp.{folder}" for folder in SHIPPED_FOLDERS}
    assert set(PYPROJECT["tool"]["setuptools"]["packages"]) == found


def test_every_module_lies_in_a_package():
    package = REPOSITORY / "qdcomp"
    orphans = [
        path for path in package.rglob("*.py") if not path.with_name("__init__.py").is_file()
    ]
    assert orphans == []


def test_importing_qdcomp_imports_nothing_else():
    code = (
        "import sys, logging, os; before = dict(os.environ); import qdcomp; "
        f"print([name for name in {HEAVY_MODULES!r} if name in sys.modules], "
        "logging.root.handlers, dict(os.environ) == before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["[]", "[]", "True"]


def test_measured_photons_need_no_engine_and_no_workflow_manager():
    """Notebooks analyse photons and spectra without engines, databases or figures."""
    unwanted = (
        "ase",
        "custodian",
        "fireworks",
        "matplotlib",
        "phonopy",
        "plotly",
        "pymatgen",
        "pymongo",
        "qdcomp.analysis",
        "qdcomp.engines",
        "qdcomp.recipes",
        "qdcomp.structures",
        "rdkit",
        "typer",
    )
    code = (
        "import sys; import qdcomp.experiment; "
        f"print([name for name in {unwanted!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Wheel of a copy of this checkout, built from its source distribution, and its files."""
    source = tmp_path_factory.mktemp("source")
    for folder in ("qdcomp", *SHIPPED_FOLDERS):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(REPOSITORY / folder, source / folder, ignore=ignored)
    for name in ("pyproject.toml", PYPROJECT["project"]["readme"], "LICENSE"):
        shutil.copy(REPOSITORY / name, source)
    built = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", *_isolation(), "--outdir", str(built), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    output = done.stdout + done.stderr
    if done.returncode and "setuptools" in output and _registry_is_out_of_reach(output):
        pytest.skip("the build needs setuptools from a package registry, which cannot be reached")
    assert done.returncode == 0, output[-4000:]
    (archive,) = built.glob("*.whl")
    installed = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(archive) as content:
        content.extractall(installed)
    return installed


def _isolation():
    """Build in this environment where its setuptools is new enough, else in a fresh one."""
    needed = int(re.search(r"setuptools>=(\d+)", PYPROJECT["build-system"]["requires"][0])[1])
    try:
        here = int(version("setuptools").split(".")[0])
    except PackageNotFoundError:
        here = 0
    return ["--no-isolation"] if here >= needed else []


def _registry_is_out_of_reach(output):
    signs = ("No matching distribution found", "Could not find a version", "ConnectionError")
    return any(sign in output for sign in signs)


@pytest.mark.slow
def test_wheel_holds_every_file_of_the_packages(wheel):
    expected = {path.relative_to(REPOSITORY) for path in (REPOSITORY / "qdcomp").rglob("*")}
    for folder in SHIPPED_FOLDERS:
        expected |= {
            Path("qdcomp") / path.relative_to(REPOSITORY)
            for path in (REPOSITORY / folder).rglob("*")
        }
    files = {path for path in expected if path.suffix and "__pycache__" not in path.parts}
    missing = sorted(str(path) for path in files if not (wheel / path).is_file())
    assert missing == []


@pytest.mark.slow
def test_wheel_holds_studies_templates_numbers_and_types(wheel):
    package = wheel / "qdcomp"
    assert list((package / "workflows").glob("*.yaml"))
    assert list((package / "templates").rglob("*.j2"))
    assert (package / "compare/published.yaml").is_file()
    assert (package / "py.typed").is_file()
    assert not (wheel / "tests").exists()


@pytest.mark.slow
def test_wheel_works_without_the_checkout(wheel, tmp_path):
    code = (
        "import qdcomp; print(qdcomp.__file__); "
        "from qdcomp.resources import list_studies; print(len(list_studies())); "
        "from qdcomp.compare import find_coupling_row; print(find_coupling_row(3).fwhm_300k_mev)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(wheel)},
        timeout=60,
    )
    place, studies, linewidth = done.stdout.split()
    assert Path(place).is_relative_to(wheel)
    assert int(studies) == len(list((REPOSITORY / "workflows").glob("*.yaml"))) > 0
    assert float(linewidth) == 200


@pytest.mark.slow
def test_wheel_has_the_command_and_the_version(wheel):
    (info,) = wheel.glob("*.dist-info")
    assert "qdcomp = qdcomp.cli:main" in (info / "entry_points.txt").read_text(encoding="utf-8")
    metadata = (info / "METADATA").read_text(encoding="utf-8")
    assert f"Version: {qdcomp.__version__}\n" in metadata
