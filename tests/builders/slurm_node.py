"""A Slurm of one node on this machine, in a folder of its own, without systemd."""

import getpass
import os
import platform
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

PACKAGES = "Debian: slurm-wlm, munge"
COMMANDS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "sinfo", "scancel")
SHORT_MINUTES = 10
"""Longest wall time of the partition ``short`` [min]; ``debug`` has none."""

_SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_READY_S = 30.0

_CONFIGURATION = """
ClusterName=local
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ReturnToService=2
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
NodeName=one NodeHostname={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=8000 State=UNKNOWN
PartitionName=debug Nodes=ALL Default=YES MaxTime=INFINITE State=UP
PartitionName=short Nodes=ALL MaxTime={short} State=UP
"""


@dataclass(frozen=True)
class SlurmNode:
    """A Slurm that runs.

    Attributes
    ----------
    folder
        Its folder, with the logs of its processes.
    configuration
        What ``SLURM_CONF`` names.
    cpus
        CPUs that it hands out.
    processes
        What runs, by its name: ``munged``, ``slurmctld``, ``slurmd``.
    """

    folder: Path
    configuration: Path
    cpus: int
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str) -> None:
        """Start ``slurmctld`` or ``slurmd``, also again after a kill: batch jobs outlive it."""
        more = () if name == "slurmctld" else ("-N", "one")
        arguments = ("-D", *more, "-f", str(self.configuration))
        self.processes[name] = _start(self.folder, name, *arguments)

    def kill(self, name: str) -> None:
        """End one of them at once."""
        self.processes[name].kill()
        self.processes[name].wait()

    def wait_until_empty(self, patience_s: float) -> None:
        """Wait until no batch job is in the queue."""
        deadline = time.monotonic() + patience_s
        while _ask("squeue", "--noheader"):
            if time.monotonic() > deadline:
                raise TimeoutError(f"still in the queue:\n{_ask('squeue')}")
            time.sleep(0.3)


def find_missing_commands() -> list[str]:
    """Commands of Slurm that are not on this machine."""
    return [name for name in COMMANDS if _find(name) is None]


@contextmanager
def start_slurm(cpus: int = 4) -> Iterator[SlurmNode]:
    """Start a Slurm of one node, with ``SLURM_CONF`` set for the body, and end it afterwards."""
    folder = Path(mkdtemp(prefix="slurm-", dir="/tmp"))  # sockets have short paths
    configuration = _write_configuration(folder, cpus)
    before = os.environ.get("SLURM_CONF")
    os.environ["SLURM_CONF"] = str(configuration)
    node = SlurmNode(folder, configuration, cpus)
    try:
        node.processes["munged"] = _start_munge(folder)
        node.start("slurmctld")
        node.start("slurmd")
        _wait_until_idle(folder)
        yield node
        _empty_queue()
    finally:
        for process in reversed(node.processes.values()):
            _end(process)
        if before is None:
            del os.environ["SLURM_CONF"]
        else:
            os.environ["SLURM_CONF"] = before
        shutil.rmtree(folder, ignore_errors=True)


def _write_configuration(folder: Path, cpus: int) -> Path:
    for name in ("state", "spool"):
        (folder / name).mkdir()
    controller_port, node_port = _find_free_ports(2)
    configuration = folder / "slurm.conf"
    configuration.write_text(
        _CONFIGURATION.format(
            folder=folder,
            host=platform.node(),
            user=getpass.getuser(),
            cpus=cpus,
            short=SHORT_MINUTES,
            controller_port=controller_port,
            node_port=node_port,
        )
    )
    return configuration


def _start_munge(folder: Path) -> subprocess.Popen[bytes]:
    key = folder / "munge.key"
    key.write_bytes(secrets.token_bytes(128))
    key.chmod(0o600)
    folder.chmod(0o755)
    return _start(
        folder,
        "munged",
        "--foreground",
        "--force",
        f"--key-file={key}",
        f"--socket={folder}/munge.socket",
        f"--pid-file={folder}/munge.pid",
        f"--log-file={folder}/munge.log",
        f"--seed-file={folder}/munge.seed",
    )


def _start(folder: Path, name: str, *arguments: str) -> subprocess.Popen[bytes]:
    with (folder / f"{name}.out").open("ab") as output:
        return subprocess.Popen(
            [str(_find(name)), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _wait_until_idle(folder: Path) -> None:
    deadline = time.monotonic() + _READY_S
    while "idle" not in _ask("sinfo", "--noheader", "--format=%T"):
        if time.monotonic() > deadline:
            logs = "\n".join(
                f"{path.name}:\n{path.read_text(errors='replace')[-2000:]}"
                for path in sorted(folder.glob("*.out")) + sorted(folder.glob("*.log"))
            )
            raise TimeoutError(f"Slurm has not begun within {_READY_S:g} s\n{logs}")
        time.sleep(0.2)


def _empty_queue() -> None:
    _ask("scancel", f"--user={getpass.getuser()}")
    for _ in range(50):
        if not _ask("squeue", "--noheader"):
            return
        time.sleep(0.2)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _ask(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return done.stdout.strip()


def _find(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path=_SYSTEM_PATH)


def _find_free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
