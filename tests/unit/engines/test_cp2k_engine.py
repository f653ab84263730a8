import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from monty.json import MontyEncoder

from qdcomp.engines import DynamicsSettings, Engine, EngineJob, RelaxationSettings, load_engine
from qdcomp.engines.cp2k.cost import count_grid_points
from qdcomp.engines.cp2k.inputs import prepare_job
from qdcomp.engines.cp2k.settings import Cp2kSettings
from qdcomp.engines.cp2k.species import choose_species
from qdcomp.errors import ConvergenceError, EngineError, InputError, ParseError
from qdcomp.structures import build_quantum_dot


def make_job(cells: int = 1, **changes: object) -> EngineJob:
    dot = build_quantum_dot(cells=cells, charge="formal" if cells > 1 else "neutral")
    job = EngineJob("energy", dot.atoms, dot.charge, np.zeros(len(dot.atoms), bool))
    return dataclasses.replace(job, **changes)


@pytest.fixture
def no_cp2k(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("QDCOMP_CP2K_COMMAND", raising=False)


@pytest.fixture
def fake_cp2k(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    binary = folder / "cp2k.psmp"
    binary.write_text("#!/bin/sh\n")
    binary.chmod(0o755)
    data = tmp_path / "data"
    data.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("CP2K_DATA_DIR", str(data))
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("QDCOMP_CP2K_COMMAND", raising=False)
    return data


def test_it_is_an_engine() -> None:
    engine = load_engine("cp2k")
    assert isinstance(engine, Engine)
    assert engine.name == "cp2k"
    assert not engine.is_surrogate


@pytest.mark.usefixtures("no_cp2k")
def test_a_machine_without_cp2k_is_told_how_to_get_it(tmp_path: Path) -> None:
    engine = load_engine("cp2k")
    with pytest.raises(EngineError, match=r"apt-get install cp2k.*QDCOMP_CP2K_COMMAND"):
        engine.command(tmp_path)


def test_a_named_command_that_is_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("QDCOMP_CP2K_COMMAND", "/nowhere/cp2k.psmp")
    with pytest.raises(EngineError, match=r"/nowhere/cp2k\.psmp"):
        load_engine("cp2k").command(tmp_path)


def test_missing_data_files_are_named(
    fake_cp2k: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CP2K_DATA_DIR", str(fake_cp2k / "nowhere"))
    with pytest.raises(EngineError, match="CP2K_DATA_DIR"):
        load_engine("cp2k").command(tmp_path)


def test_command_and_environment(fake_cp2k: Path, tmp_path: Path) -> None:
    engine = load_engine("cp2k")
    assert engine.command(tmp_path) == ["cp2k.psmp", "-i", "cp2k.inp"]
    assert engine.environment(tmp_path) == {
        "OMP_NUM_THREADS": "3",
        "OMP_WAIT_POLICY": "PASSIVE",
        "CP2K_DATA_DIR": str(fake_cp2k),
    }


def test_inputs_are_checked_before_anything_runs() -> None:
    with pytest.raises(InputError, match="cutoff_ry"):
        load_engine("cp2k").check(make_job(settings={"cutof_ry": 300}))


@pytest.mark.usefixtures("no_cp2k")
def test_inputs_can_be_written_where_cp2k_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CP2K_DATA_DIR", str(tmp_path / "nowhere"))
    engine = load_engine("cp2k")
    directory = tmp_path / "job"
    directory.mkdir()
    engine.write_inputs(directory, make_job())
    assert "BASIS_SET DZVP-MOLOPT-SR-GTH" in (directory / "cp2k.inp").read_text()
    assert engine.count_steps(directory) == 0
    assert not engine.is_complete(directory)
    with pytest.raises(ParseError, match="has CP2K run"):
        engine.parse(directory)


def test_an_unconverged_relaxation_says_what_is_left(tmp_path: Path) -> None:
    engine = load_engine("cp2k")
    engine.write_inputs(
        tmp_path, make_job(task="relax", relaxation=RelaxationSettings(0.024, 7), settings={})
    )
    (tmp_path / "cp2k.out").write_text(
        "  **** PROGRAM STARTED AT               2026-01-01 10:00:00.000\n"
        " CP2K| version string:                     CP2K version 2024.3\n"
        " GLOBAL| Run type                                   GEO_OPT\n"
        " ENERGY| Total FORCE_EVAL ( QS ) energy [a.u.]:  -1.0\n"
        " OPT| Step number                                                         7\n"
        " OPT| Maximum gradient                                         0.0100000000\n"
        " *** MAXIMUM NUMBER OF OPTIMIZATION STEPS REACHED ***\n"
        "  **** PROGRAM ENDED AT                 2026-01-01 10:00:09.000\n"
    )
    assert not engine.is_complete(tmp_path)
    with pytest.raises(ConvergenceError, match=r"0\.024 eV/Å in 7 steps, largest.* 0\.514"):
        engine.parse(tmp_path)


def test_handlers_can_stand_in_custodians_log(tmp_path: Path) -> None:
    text = json.dumps(load_engine("cp2k").handlers(tmp_path), cls=MontyEncoder)
    assert str(tmp_path) in text


def test_electrons_of_the_dots() -> None:
    engine = load_engine("cp2k")
    assert engine.estimate_cost(make_job()).electrons == 4 * 9 + 4 + 6 * 7
    # Cs56 Pb27 Br108, charge +2
    estimate = engine.estimate_cost(make_job(cells=3, box_angstrom=50.0))
    assert estimate.electrons == 56 * 9 + 27 * 4 + 108 * 7 - 2


def test_cost_grows_with_steps_box_and_size() -> None:
    engine = load_engine("cp2k")

    def hours(**changes: object) -> float:
        dynamics = DynamicsSettings(10.0, 10.0, 100)
        job = make_job(task="dynamics", dynamics=dynamics, box_angstrom=50.0)
        return engine.estimate_cost(dataclasses.replace(job, **changes)).core_hours

    once = hours()
    assert hours(dynamics=DynamicsSettings(10.0, 10.0, 200)) > 1.8 * once
    assert hours(box_angstrom=60.0) > 1.5 * once
    bigger = make_job(cells=4, task="dynamics", box_angstrom=50.0)
    assert hours(atoms=bigger.atoms, charge=bigger.charge, frozen=bigger.frozen) > once


def test_the_finest_grid_has_the_spacing_of_its_cutoff() -> None:
    # CP2K 2023.1 used 120 points an edge for 14 Å at 200 Ry
    job = prepare_job(make_job(box_angstrom=14.0, settings={"cutoff_ry": 200}), None)
    assert count_grid_points(job) ** (1 / 3) == pytest.approx(120, rel=0.02)


def test_functions_are_counted_from_the_data_file(tmp_path: Path) -> None:
    # two sets: 2s 2p 1d, and 1s
    (tmp_path / "BASIS_MOLOPT").write_text(
        " Br DZVP-MOLOPT-SR-GTH DZVP-MOLOPT-SR-GTH-q7\n 2\n 2 0 2 2 2 2 1\n  1.0 1 1 1 1 1\n"
        "  2.0 1 1 1 1 1\n 1 0 0 1 1\n  1.0 1\n"
    )
    (tmp_path / "GTH_POTENTIALS").write_text("Br GTH-PBE-q7 GTH-PBE\n")
    (species,), _ = choose_species([("Br", False)] * 2, Cp2kSettings(), tmp_path)
    assert species.basis_functions == 2 + 6 + 5 + 1
    assert species.electrons == 7
