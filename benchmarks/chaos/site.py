"""What the chaos happens to: a campaign, a database server, a Slurm, and their processes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from qdcomp.recipes.campaigns.run_set import RunSet, open_run_set
from tests.builders.database_server import DatabaseServer
from tests.builders.slurm_node import SlurmNode

REPOSITORY = Path(__file__).resolve().parents[2]
WORKER_WORDS = "qdcomp\0worker"
SUBMISSION_WORDS = "qdcomp\0submit"
ENGINE_WORDS = "qdcomp.engines.model"
DAEMONS = ("database server", "slurmctld", "slurmd")
"""What is started again some seconds after it was killed; all else is left to qdcomp."""

STUDY = """\
name: chaos
description: small dots in a campaign whose processes are killed
recipe: dot_linewidth
engine: model
structure: {{kind: quantum_dot, cells: 2, composition: CsPbBr3, charge: formal}}
relaxation: {{max_force: 10 meV/angstrom, max_steps: 2000}}
equilibration: [{{duration: {equilibration_fs} fs, timestep: 10 fs, thermostat_time: 15 fs}}]
sampling:
  temperatures: [50 K]
  duration: {sampling_fs} fs
  timestep: 10 fs
  thermostat_time: 1 ps
  segments: 2
sweep: {{seeds: {members}}}
seed: {seed}
reuse: false
"""

PROFILES = {
    "packing": "cores: 2, walltime: 1 h}\nlimits: {queued: 3, workers: 2}",
    "reservation": "cores: 1, walltime: 1 h}\nlimits: {queued: 8, workers: 4}",
}
"""Four workers at once on a node of four cores, for each way to hand jobs over."""

_CALL_PATIENCE_S = 30.0


@dataclass
class Site:
    """A campaign and the services that it needs.

    Attributes
    ----------
    folder
        Folder of all of it.
    server, slurm
        The services.
    outages
        When each daemon that was killed is to be started again, by `time.monotonic`.
    """

    folder: Path
    server: DatabaseServer
    slurm: SlurmNode
    outages: dict[str, float] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        """Folder of the campaign."""
        return self.folder / "campaign"

    @property
    def uri(self) -> str:
        """Where the launchpad is."""
        return self.server.uri("chaos")

    def open_runs(self) -> RunSet:
        """Members of the campaign."""
        return open_run_set(self.root)

    def write_campaign(self, *, members: int, steps: int, mode: str, seed: int) -> None:
        """Write the sweep and the profile of the cluster."""
        self._study.write_text(
            STUDY.format(
                members=members, seed=seed, equilibration_fs=10 * steps, sampling_fs=20 * steps
            )
        )
        self._profile.write_text(
            f"batch_system: slurm\nmode: {mode}\nlaunchpad: {self.uri}\n"
            f"resources: {{partition: debug, {PROFILES[mode]}\n"
        )

    def add_members(self, count: int) -> None:
        """Add members to the sweep; they are not handed over yet."""
        text = self._study.read_text()
        members = int(text.partition("seeds: ")[2].partition("}")[0])
        self._study.write_text(text.replace(f"seeds: {members}}}", f"seeds: {members + count}}}"))

    @property
    def handing_over(self) -> tuple[str, ...]:
        """Words that hand the sweep over, as it is written now."""
        own = ("--cluster", str(self._profile), "--out", str(self.root))
        return "submit", str(self._study), *own

    @property
    def _study(self) -> Path:
        return self.folder / "chaos.yaml"

    @property
    def _profile(self) -> Path:
        return self.folder / "mycluster.yaml"

    def call(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Call qdcomp as a user does."""
        return subprocess.run(
            [sys.executable, "-m", "qdcomp", *words],
            capture_output=True,
            text=True,
            check=False,
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
        )

    def list_workers(self) -> list[int]:
        """List the processes that run jobs of the campaign."""
        return [pid for pid, words in _list_processes() if self._is_own(words, WORKER_WORDS)]

    def list_submissions(self) -> list[int]:
        """List the processes that hand over jobs of the campaign."""
        return [pid for pid, words in _list_processes() if self._is_own(words, SUBMISSION_WORDS)]

    def list_engines(self) -> list[int]:
        """List the processes of the engine within the campaign."""
        found = [pid for pid, words in _list_processes() if ENGINE_WORDS in words]
        return [pid for pid in found if _find_folder(pid).is_relative_to(self.root)]

    def list_batch_jobs(self) -> list[str]:
        """List the batch jobs that run; all of this Slurm are those of the campaign."""
        done = _call_slurm("squeue", "--noheader", "--states=RUNNING", "--format=%A")
        return sorted(done.stdout.split())

    def cancel(self, batch_job: str, *, at_once: bool) -> bool:
        """End a batch job with all its processes, at once or as ``scancel`` does by itself."""
        how = ("--signal=KILL", "--full") if at_once else ()
        return _call_slurm("scancel", *how, batch_job).returncode == 0

    def kill_daemon(self, name: str, outage_s: float) -> None:
        """End a daemon at once; it comes back that much later."""
        if name == "database server":
            self.server.kill()
        else:
            self.slurm.kill(name)
        self.outages[name] = time.monotonic() + outage_s

    def end_outages(self, *, all_of_them: bool = False) -> None:
        """Start again what has been away long enough."""
        for name, until in list(self.outages.items()):
            if all_of_them or time.monotonic() >= until:
                if name == "database server":
                    self.server.start()
                else:
                    self.slurm.start(name)
                del self.outages[name]

    def attend_slurm(self) -> None:
        """Do what an administrator does after ``slurmctld`` was killed within a launch.

        It then knows of a batch job that runs, but not that it does, drains the node and holds it.
        """
        if "slurmctld" in self.outages:
            return
        drained = _call_slurm("sinfo", "--noheader", "--states=drain", "--format=%n").stdout.split()
        for node in set(drained):
            _call_slurm("scontrol", "update", f"NodeName={node}", "State=RESUME")
        listed = _call_slurm("squeue", "--noheader", "--states=PENDING", "--format=%A %r").stdout
        for line in listed.splitlines():
            if "held" in line:
                _call_slurm("scontrol", "release", line.split()[0])

    def end_processes(self) -> None:
        """End what is left of the campaign, after a run that was broken off."""
        if shutil.which("scancel"):
            for batch_job in self.list_batch_jobs():
                self.cancel(batch_job, at_once=True)
        for pid in self.list_workers() + self.list_submissions() + self.list_engines():
            end_process(pid)

    def _is_own(self, words: str, what: str) -> bool:
        return what in words and f"\0{self.root}\0" in words


def end_process(pid: int) -> bool:
    """End a process at once; False if it has ended already."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _list_processes() -> list[tuple[int, str]]:
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            found.append((int(path.name), (path / "cmdline").read_text(errors="replace")))
        except OSError:  # it has ended
            continue
    return sorted(found)


def _find_folder(pid: int) -> Path:
    try:
        return Path(f"/proc/{pid}/cwd").resolve(strict=True)
    except OSError:
        return Path("/")


def _call_slurm(*words: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            words, capture_output=True, text=True, check=False, timeout=_CALL_PATIENCE_S
        )
    except subprocess.TimeoutExpired:  # slurmctld is away
        return subprocess.CompletedProcess(words, 1, "", "")
