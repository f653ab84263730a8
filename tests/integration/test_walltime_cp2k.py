"""Real CP2K that is ended by its batch job, hangs, fills the disk, or has a damaged restart."""

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from qdcomp.engines import DynamicsSettings, EngineJob, load_engine
from qdcomp.engines.cp2k.outputs import read_output
from qdcomp.engines.deadline import DEADLINE_VARIABLES
from qdcomp.errors import EngineError, StoreError, WalltimeReached
from qdcomp.recipes.jobs import job_execution, walltime
from qdcomp.recipes.jobs.job_execution import run_job
from qdcomp.recipes.jobs.run_record import RUNNING_NAME
from qdcomp.settings import read_machine_settings
from qdcomp.trajectory import Frame

pytestmark = [
    pytest.mark.cp2k,
    pytest.mark.slow,
    pytest.mark.skipif(
        not read_machine_settings().cp2k_command,
        reason="cp2k.psmp is not installed (Debian: apt-get install cp2k cp2k-data)",
    ),
]

ENGINE = load_engine("cp2k")
STEPS = 6
WALLTIME_S, JUMP_S = 100.0, 65.0


class JumpingClock:
    """Time that jumps to near the deadline once the job has done so many steps."""

    def __init__(self, directory: Path, steps: int) -> None:
        self.directory = directory
        self.steps = steps

    def time(self) -> float:
        running = (self.directory / RUNNING_NAME).is_file()
        reached = running and ENGINE.count_steps(self.directory) >= self.steps
        return time.time() + (JUMP_S if reached else 0.0)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in DEADLINE_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(job_execution, "_POLL_S", 0.05)


def write(directory: Path, task: str = "dynamics") -> Path:
    """Lead bromide: three atoms, a second a step."""
    atoms = Atoms("PbBr2", positions=[[0, 0, 0], [1.85, 1.85, 0], [-1.85, 1.85, 0]])
    settings = {
        "basis": "SZV-MOLOPT-SR-GTH", "cutoff_ry": 80, "eps_scf": 1e-6, "eps_default": 1e-12,
    }  # fmt: skip
    dynamics = DynamicsSettings(300.0, 5.0, STEPS, 50.0) if task == "dynamics" else None
    job = EngineJob(
        task,  # type: ignore[arg-type]
        atoms,
        0,
        np.zeros(3, bool),
        box_angstrom=8.75,
        settings=settings,
        dynamics=dynamics,
    )
    directory.mkdir()
    ENGINE.write_inputs(directory, job)
    return directory


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> list[Frame]:
    """Dynamics that nothing interrupts."""
    directory = write(tmp_path_factory.mktemp("whole") / "job")
    run_job(ENGINE, directory)
    return list(ENGINE.read_frames(directory))


def assert_same_frames(directory: Path, expected: list[Frame]) -> None:
    """A restart loses the guess from earlier steps: the same up to the tolerance of the SCF."""
    frames = list(ENGINE.read_frames(directory))
    assert [frame.step for frame in frames] == list(range(1, STEPS + 1))
    for frame, same in zip(frames, expected, strict=True):
        np.testing.assert_allclose(frame.positions, same.positions, atol=1e-4)
        assert frame.potential_energy_ev == pytest.approx(same.potential_energy_ev, abs=1e-4)
        assert frame.temperature_k == pytest.approx(same.temperature_k, abs=0.1)
        assert frame.homo_ev == pytest.approx(same.homo_ev, abs=1e-3)


def end_after(directory: Path, steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(walltime, "time", JumpingClock(directory, steps))
        patch.setattr(walltime, "KILL_SHARE", 1.0)  # CP2K looks for EXIT every 20 s only
        patch.setenv("QDCOMP_DEADLINE", str(time.time() + WALLTIME_S))
        with pytest.raises(WalltimeReached):
            run_job(ENGINE, directory)


def test_dynamics_goes_on_in_the_next_batch_job_also_from_a_damaged_restart(
    tmp_path: Path, frames: list[Frame], monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = write(tmp_path / "job")
    end_after(directory, 3, monkeypatch)
    for name in ("qdcomp-1.restart", "qdcomp-RESTART.wfn"):
        path = directory / name
        path.write_bytes(bytes(path.stat().st_size))
    record = run_job(ENGINE, directory)
    assert [piece.end for piece in record.pieces] == ["walltime", "complete"]
    assert record.corrections == [
        "qdcomp-1.restart cut off or empty: went on from qdcomp-1.restart.bak-1",
        "qdcomp-RESTART.wfn cut off or empty: went on from qdcomp-RESTART.wfn.bak-1",
    ]
    assert_same_frames(directory, frames)


def test_cp2k_leaves_the_step_that_it_is_asked_to_end_in(
    tmp_path: Path, frames: list[Frame]
) -> None:
    for task in ("dynamics", "energy"):
        directory = write(tmp_path / task, task)
        ENGINE.request_stop(directory)
        command = ENGINE.command(directory)  # run_job would take the request back
        with (directory / "cp2k.out").open("wb") as stream:
            environment = os.environ | ENGINE.environment(directory)
            subprocess.run(command, cwd=directory, stdout=stream, env=environment, check=True)
        output = read_output(directory / "cp2k.out")
        assert output.stopped and output.ended and output.unconverged_steps == ()
        assert not ENGINE.is_complete(directory)
        assert ENGINE.count_steps(directory) == 0
        run_job(ENGINE, directory)
    assert_same_frames(tmp_path / "dynamics", frames)


def test_a_run_that_hangs_is_started_again_and_that_is_recorded(
    tmp_path: Path, frames: list[Frame], monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = write(tmp_path / "job")
    monkeypatch.setenv("QDCOMP_STALL_TIME", "8")
    monkeypatch.setattr(job_execution, "_MONITOR_EVERY_POLLS", 10)
    stopped = threading.Event()

    def freeze() -> None:
        while ENGINE.count_steps(directory) < 2 and not stopped.wait(0.05):
            pass
        for link in Path("/proc").glob("[0-9]*/cwd"):
            try:
                found = link.readlink() == directory
            except OSError:
                continue
            if found:
                os.kill(int(link.parent.name), signal.SIGSTOP)

    thread = threading.Thread(target=freeze)
    thread.start()
    try:
        record = run_job(ENGINE, directory)
    finally:
        stopped.set()
        thread.join()
    assert record.runs == 1 + len(record.corrections)
    assert record.corrections[0].startswith("Stalled: no output for a long time")
    assert_same_frames(directory, frames)


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of its own, small enough to fill, where a killed test leaves it to nobody."""
    folder = Path(tempfile.mkdtemp(prefix="qdcomp-small-disk-"))
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        folder.rmdir()
        pytest.skip("this user may not mount a tmpfs, which the test fills")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
    folder.rmdir()


def test_a_full_disk_is_named_and_costs_nothing(small_disk: Path, frames: list[Frame]) -> None:
    directory = write(small_disk / "job")
    filler = small_disk / "filler"
    filler.write_bytes(bytes(shutil.disk_usage(small_disk).free - 90_000))
    with pytest.raises((EngineError, StoreError), match=r"the disk of .* is full: 0\.\d MiB of "):
        run_job(ENGINE, directory)
    filler.unlink()
    record = run_job(ENGINE, directory)
    assert record.pieces[-1].end == "complete" and len(record.pieces) == 2
    assert_same_frames(directory, frames)
