"""Handlers mend how the minimum is looked for, in the directory they are given, nothing else."""

import dataclasses
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from qdcomp.engines.base import DynamicsSettings, EngineJob
from qdcomp.engines.cp2k import Cp2kEngine
from qdcomp.engines.cp2k.corrections import CORRECTIONS_NAME, read_corrections
from qdcomp.engines.cp2k.handlers import (
    FREE_FIELDS,
    OT_LADDER,
    FailedCholesky,
    SilentEnd,
    Stalled,
    StuckScf,
    UnconvergedScf,
    change_settings,
    make_handlers,
)
from qdcomp.engines.cp2k.inputs import prepare_job, write_input
from qdcomp.engines.cp2k.job_file import JobFile, read_job_file
from qdcomp.engines.deadline import note_stop
from qdcomp.errors import InputError, ParseError
from qdcomp.structures import build_quantum_dot

HEAD = (
    "  **** **** ******  **  PROGRAM STARTED AT               2026-01-01 10:00:00.000\n"
    " CP2K| version string:                     CP2K version 2023.1\n"
)
END = "  **** **** ******  **  PROGRAM ENDED AT                 2026-01-01 10:01:00.000\n"
UNCONVERGED = " *** WARNING in qs_scf.F:598 :: SCF run NOT converged ***\n"
CONVERGED = "  *** SCF run converged in     6 steps ***\n"


@pytest.fixture
def job_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A job in one directory, while the process stands in another that looks the same."""
    directory = tmp_path / "job"
    directory.mkdir()
    dot = build_quantum_dot(cells=1, charge="neutral", lattice_constant=5.87)
    job = EngineJob(
        "dynamics",
        dot.atoms,
        0,
        np.zeros(11, bool),
        dynamics=DynamicsSettings(10.0, 10.0, 20),
    )
    write_input(directory, prepare_job(job, None))
    decoy = tmp_path / "elsewhere"
    shutil.copytree(directory, decoy)
    monkeypatch.chdir(decoy)
    return directory


def md_step(number: int, verdict: str = CONVERGED) -> str:
    return (
        f"\n SCF WAVEFUNCTION OPTIMIZATION\n{verdict}"
        f" ENERGY| Total FORCE_EVAL ( QS ) energy [a.u.]:    -10.0\n MD| Step number   {number}\n"
    )


def physics(job: JobFile) -> JobFile:
    """A job without what handlers may change."""
    defaults = dataclasses.asdict(type(job.settings)())
    free = {name: defaults[name] for name in FREE_FIELDS}
    settings = dataclasses.replace(job.settings, **free)
    return dataclasses.replace(
        job, settings=settings, restart=None, wavefunction=False, positions=None, velocities=None
    )


def test_what_may_change_is_not_the_physics() -> None:
    assert FREE_FIELDS.isdisjoint(
        {"functional", "dispersion", "basis", "potential", "cutoff_ry", "rel_cutoff_ry", "grids",
         "eps_scf", "eps_default", "charge", "multiplicity", "poisson_solver", "scf_solver"}
    )  # fmt: skip


@pytest.mark.parametrize("name", ["eps_scf", "cutoff_ry", "functional"])
def test_a_change_of_the_physics_is_impossible(job_directory: Path, name: str) -> None:
    with pytest.raises(ValueError, match=name):
        change_settings(read_job_file(job_directory), {name: 1})


def test_an_unconverged_scf_of_any_step_takes_the_next_minimiser(job_directory: Path) -> None:
    before = read_job_file(job_directory)
    output = job_directory / "cp2k.out"
    output.write_text(HEAD + md_step(1) + md_step(2))
    handler = UnconvergedScf(str(job_directory))
    assert not handler.check(str(job_directory))
    for change in OT_LADDER:
        with output.open("a") as stream:
            stream.write(HEAD + md_step(3) + md_step(4, UNCONVERGED) + md_step(5) * 200)
        assert handler.check(str(job_directory))
        result = handler.correct(str(job_directory))
        assert result["actions"]
        job = read_job_file(job_directory)
        for name, value in change.items():
            assert getattr(job.settings, name) == value
        assert physics(job) == physics(before)
        assert not handler.check(str(job_directory))
    with output.open("a") as stream:
        stream.write(HEAD + md_step(4, UNCONVERGED))
    assert not handler.check(str(job_directory))
    assert len(read_corrections(job_directory)) == len(OT_LADDER)


def test_the_run_goes_back_to_before_the_unconverged_step(job_directory: Path) -> None:
    (job_directory / "cp2k.out").write_text(HEAD + md_step(3) + md_step(4, UNCONVERGED))
    for suffix, step in (("", 5), (".bak-1", 4), (".bak-2", 3)):
        (job_directory / f"qdcomp-1.restart{suffix}").write_text(
            f"   STEP_START_VAL  {step}\n   &COORD\n &END FORCE_EVAL\n"
        )
    UnconvergedScf(str(job_directory)).correct(str(job_directory))
    restart = read_job_file(job_directory).restart
    assert restart is not None
    assert restart.steps == 17


def test_real_failures(shared_data: Path, job_directory: Path) -> None:
    expected = {
        "cholesky": {"FailedCholesky"},
        "unconverged": {"UnconvergedScf"},
        "imprecise": {"StuckScf"},
        "hybrid": set(),
        "conv": set(),
    }
    for name, handlers in expected.items():
        source = shared_data / "cp2k" / "failed_custodian" / f"cp2k.out.{name}"
        shutil.copyfile(source, job_directory / "cp2k.out")
        found = {
            type(handler).__name__
            for handler in make_handlers(job_directory)
            if handler.check(str(job_directory))
        }
        assert found == handlers, name


def test_a_stuck_preconditioner_gives_way_to_a_more_robust_one(
    shared_data: Path, job_directory: Path
) -> None:
    output = job_directory / "cp2k.out"
    shutil.copyfile(shared_data / "cp2k/failed_custodian/cp2k.out.precondstuck", output)
    handler = Stalled(str(job_directory), seconds=60.0)
    assert not handler.check(str(job_directory))
    os.utime(output, (time.time() - 120, time.time() - 120))
    assert handler.check(str(job_directory))
    handler.correct(str(job_directory))
    assert read_job_file(job_directory).settings.preconditioner == "FULL_SINGLE_INVERSE"
    assert not handler.check(str(job_directory))


def test_a_hang_elsewhere_is_restarted_as_it_is(job_directory: Path) -> None:
    output = job_directory / "cp2k.out"
    output.write_text(HEAD + md_step(1))
    os.utime(output, (time.time() - 7200, time.time() - 7200))
    handler = Stalled(str(job_directory))
    before = read_job_file(job_directory)
    assert handler.check(str(job_directory))
    handler.correct(str(job_directory))
    assert read_job_file(job_directory).settings == before.settings


def test_a_failed_cholesky_drops_the_wavefunction(job_directory: Path) -> None:
    record = (8).to_bytes(4, "little") + bytes(8) + (8).to_bytes(4, "little")
    (job_directory / "qdcomp-RESTART.wfn").write_bytes(record * 3)
    (job_directory / "cp2k.out").write_text(
        HEAD + " * [ABORT]    *\n *  \\___/   Cholesky decomposition failed.   *\n *****\n"
    )
    handler = FailedCholesky(str(job_directory))
    assert handler.check(str(job_directory))
    handler.correct(str(job_directory))
    job = read_job_file(job_directory)
    assert job.settings.preconditioner == "FULL_SINGLE_INVERSE"
    assert "SCF_GUESS ATOMIC" in (job_directory / "cp2k.inp").read_text()


def test_dbcsr_repeating_a_step_is_stuck_and_a_new_step_is_not(job_directory: Path) -> None:
    row = "     {} OT DIIS     0.15E+00    4.0     0.00220374        -7.2386683039 -1.55E-04\n"
    output = job_directory / "cp2k.out"
    output.write_text(HEAD + "".join(row.format(number) for number in (5, 6, 7, 8)))
    assert not StuckScf(str(job_directory)).check(str(job_directory))
    output.write_text(HEAD + row.format(8) * 4)
    assert StuckScf(str(job_directory)).check(str(job_directory))


def test_a_crash_goes_on_while_runs_get_further(job_directory: Path) -> None:
    output = job_directory / "cp2k.out"
    handler = SilentEnd(str(job_directory))
    output.write_text(HEAD + md_step(1) + md_step(2))
    assert handler.check(str(job_directory))
    output.write_text(HEAD + md_step(1) + HEAD)
    assert not handler.check(str(job_directory))
    output.write_text(HEAD + md_step(1) + END)
    assert not handler.check(str(job_directory))


def test_a_run_that_another_handler_ended_did_not_end_by_itself(job_directory: Path) -> None:
    output = job_directory / "cp2k.out"
    output.write_text(HEAD + md_step(1) + md_step(2, UNCONVERGED))
    assert SilentEnd(str(job_directory)).check()
    UnconvergedScf(str(job_directory)).correct()
    assert not SilentEnd(str(job_directory)).check()
    with output.open("a") as stream:
        stream.write(HEAD + md_step(2))
    os.utime(output, (time.time() + 1, time.time() + 1))
    assert SilentEnd(str(job_directory)).check()


def test_what_looks_like_an_error_after_a_stop_is_none(job_directory: Path) -> None:
    (job_directory / "cp2k.out").write_text(HEAD + md_step(1, UNCONVERGED))
    assert UnconvergedScf(str(job_directory)).check()
    Cp2kEngine().request_stop(job_directory)
    note_stop(job_directory)
    assert (job_directory / "EXIT").exists()
    assert not any(handler.check() for handler in make_handlers(job_directory))


def test_the_time_after_which_a_run_hangs_is_a_setting(
    job_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Stalled(str(job_directory)).seconds == 3600.0
    monkeypatch.setenv("QDCOMP_STALL_TIME", "20000")
    assert Stalled(str(job_directory)).seconds == 20000.0
    monkeypatch.setenv("QDCOMP_STALL_TIME", "an hour")
    with pytest.raises(InputError, match="QDCOMP_STALL_TIME='an hour': expected the time in sec"):
        make_handlers(job_directory)


def test_without_a_directory_the_one_it_was_made_for_counts(job_directory: Path) -> None:
    (job_directory / "cp2k.out").write_text(HEAD + md_step(1, UNCONVERGED))
    handler = UnconvergedScf(str(job_directory))
    assert handler.check()
    handler.correct()
    assert read_job_file(job_directory).settings.minimizer == "CG"
    assert read_job_file(Path.cwd()).settings.minimizer == "DIIS"


def test_corrections_are_in_the_result(job_directory: Path) -> None:
    (job_directory / "cp2k.out").write_text(HEAD + md_step(1, UNCONVERGED))
    UnconvergedScf(str(job_directory)).correct(str(job_directory))
    (text,) = read_corrections(job_directory)
    assert text.startswith("the self-consistent field did not converge: minimizer = CG")
    assert len(list(Cp2kEngine().handlers(job_directory))) == 5


def test_damaged_notes_of_corrections_are_named(tmp_path: Path) -> None:
    (tmp_path / CORRECTIONS_NAME).write_text('["minimizer = C')
    with pytest.raises(ParseError, match=f"{CORRECTIONS_NAME}: damaged .*Remove the file"):
        read_corrections(tmp_path)
