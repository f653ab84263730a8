"""A real server that speaks MongoDB's protocol: FerretDB on SQLite, killed and started at will."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

from pymongo import MongoClient
from pymongo.errors import PyMongoError

BINARY = Path(__file__).resolve().parents[2] / ".cache" / "ferretdb" / "ferretdb"
MISSING = (
    "no database server: name one in QDCOMP_TEST_MONGODB_URI, or build FerretDB with "
    "sh tests/install_database_server.sh (needs Go)"
)
START_PATIENCE_S = 30.0


def find_ferretdb():
    """Binary of FerretDB; None where it has not been built."""
    return BINARY if BINARY.is_file() else None


def find_free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class DatabaseServer:
    """A server of our own, with its data in a folder; it keeps its port when started again."""

    def __init__(self, folder, certificates=None):
        self.folder = Path(folder)
        self.port = find_free_port()
        self.certificates = certificates
        self.process = None

    @property
    def address(self):
        return f"mongodb://127.0.0.1:{self.port}"

    def uri(self, database="fireworks"):
        return f"{self.address}/{database}"

    def start(self):
        """Start it, and wait until it answers."""
        data = self.folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        place = f"127.0.0.1:{self.port}"
        listen = [f"--listen-addr={place}"]
        if self.certificates is not None:
            listen = [
                "--listen-addr=",
                f"--listen-tls={place}",
                f"--listen-tls-cert-file={self.certificates / 'server.pem'}",
                f"--listen-tls-key-file={self.certificates / 'server.key'}",
            ]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    find_ferretdb(),
                    "--handler=sqlite",
                    f"--sqlite-url=file:{data}/",
                    f"--state-dir={self.folder}",
                    "--telemetry=disable",
                    "--debug-addr=-",
                    "--log-level=error",
                    *listen,
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
                env={"PATH": os.environ["PATH"], "HOME": str(self.folder), "GOMAXPROCS": "2"},
            )
        self._wait()
        return self

    def _wait(self):
        until = time.monotonic() + START_PATIENCE_S
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise RuntimeError((self.folder / "server.log").read_text()[-2000:])

    def kill(self):
        """End it at once, as a power cut does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self):
        """End it in order."""
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.kill()
            self.process = None


def drop_database(uri):
    """Remove the database that a URI names."""
    with MongoClient(uri, serverSelectionTimeoutMS=3000) as client:
        try:
            client.drop_database(client.get_default_database().name)
        except PyMongoError as error:
            raise RuntimeError(f"{uri}: {error}") from error


def make_certificates(folder):
    """Make an authority and the certificate of a server on this machine, by openssl."""
    folder.mkdir(parents=True, exist_ok=True)
    openssl = shutil.which("openssl")

    def call(*arguments):
        subprocess.run([openssl, *arguments], cwd=folder, check=True, capture_output=True)

    new = ("req", "-newkey", "rsa:2048", "-nodes", "-subj")
    call(*new, "/CN=authority", "-x509", "-days", "2", "-keyout", "ca.key", "-out", "ca.pem")
    call(*new, "/CN=127.0.0.1", "-keyout", "server.key", "-out", "server.csr")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2")
    call("x509", "-req", "-in", "server.csr", *signed, "-extfile", "names", "-out", "server.pem")
    return folder
