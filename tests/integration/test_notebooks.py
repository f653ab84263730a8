"""Every notebook of analysis/ runs as a script and ends with the answer to its question."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((REPOSITORY / "analysis").glob("[0-9]*.py"))
NAMES = (
    "01_dot_linewidth",
    "02_surface_free_energy",
    "03_single_dot",
    "04_calculation_and_measurement",
    "05_reproduce_raino2022",
    "06_reproduce_mi2025",
    "07_reproduce_damato2023",
)
CALCULATE = tuple(name for name in NAMES if name[:2] in ("01", "02", "04", "05", "06"))

NUMBER_WITH_UNIT = re.compile(r"\d (meV|eV|nm|ns|%)")

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read_first_cell(path: Path) -> list[str]:
    """Lines of the first text cell, without their comment signs."""
    cell = path.read_text(encoding="utf-8").split("# %% [markdown]\n")[1].split("# %%")[0]
    return [line.removeprefix("#").strip() for line in cell.splitlines() if line.strip()]


def test_there_is_a_notebook_for_each_question() -> None:
    assert tuple(path.stem for path in NOTEBOOKS) == NAMES


@every_notebook
def test_a_notebook_opens_with_a_question_and_closes_with_the_answer(path: Path) -> None:
    title = read_first_cell(path)[0]
    assert title.startswith("# ") and title.endswith("?"), title
    cells = re.split(r"^# %%.*$", path.read_text(encoding="utf-8"), flags=re.M)
    assert cells[-2].strip() == "# ## The answer"
    assert "print(\n" in cells[-1]


@every_notebook
def test_one_line_sets_the_engine_where_something_is_calculated(path: Path) -> None:
    lines = re.findall(r"^ENGINE = ", path.read_text(encoding="utf-8"), flags=re.M)
    assert len(lines) == (path.stem in CALCULATE)


@every_notebook
def test_no_answer_is_written_down_beforehand(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    last = re.split(r"^# %%.*$", text, flags=re.M)[-1]
    literals = re.sub(r"\{.*?\}", "", last, flags=re.S)
    assert not re.search(r"\d (meV|eV|nm|ns|kHz)", literals)


@pytest.mark.slow
@every_notebook
def test_a_notebook_runs_and_answers(path: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(path)],
        cwd=tmp_path,
        env=os.environ | {"MPLBACKEND": "Agg", "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    answer = done.stdout.splitlines()[-1]
    assert NUMBER_WITH_UNIT.search(answer), answer
    assert not re.search(r"\bnan\b|None|(^|\s)–", answer), answer
    assert list((tmp_path / "figures").glob(f"{path.stem}_*.png"))
    assert {entry.name for entry in tmp_path.iterdir()} == {"figures"}
    if path.stem in CALCULATE:
        assert "surrogate" in answer or "not a DFT result" in answer
    else:
        assert answer.startswith("Simulated")


SMALL = """
name: small
description: the smallest dot, a few steps
recipe: dot_linewidth
engine: cp2k
structure: {kind: quantum_dot, cells: 1, composition: CsPbBr3, charge: neutral}
relaxation: {max_force: 1 meV/angstrom, max_steps: 2000}
sampling: {temperatures: [10 K], duration: 400 fs, timestep: 10 fs, thermostat_time: 1 ps}
seed: 2
"""


@pytest.mark.slow
def test_what_is_not_stored_is_run_with_the_engine_asked(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)
    code = (
        "from stored_results import load_dot, store_run\n"
        "from pathlib import Path\n"
        "dot = load_dot('small.yaml', 'model')\n"
        "import stored_results\n"
        "stored_results.DATA = Path.cwd() / 'data'\n"
        "print(store_run(Path('runs/small-model'), 'model').relative_to(Path.cwd()))\n"
        "again = load_dot('small', 'model')\n"
        "print(dot.label == again.label, dot.analysis.spectrum.reorganization_energy_ev"
        " == again.analysis.spectrum.reorganization_energy_ev)\n"
    )
    path = os.pathsep.join((str(REPOSITORY / "analysis"), str(REPOSITORY)))
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-2:] == ["data/model/small.h5", "True True"]
