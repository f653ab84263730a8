"""The launchpad on a server: any that speaks MongoDB's protocol, for many workers at once."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote_plus

from fireworks import FWAction
from pymongo.errors import (
    AutoReconnect,
    ConfigurationError,
    InvalidURI,
    OperationFailure,
    PyMongoError,
)
from pymongo.uri_parser import parse_uri

from qdcomp.errors import InputError, StoreError
from qdcomp.plain_yaml import load_plain_yaml
from qdcomp.recipes.launchpads.closing_launchpad import QUIET, ClosingLaunchPad
from qdcomp.recipes.launchpads.retrying_collection import (
    DatabaseAwayError,
    RetryingCollection,
    insist,
)

DEFAULT_DATABASE = "fireworks"
"""Database where the URI names none; FireWorks' own default."""

_SCHEME = re.compile(r"^mongodb(\+srv)?://", re.IGNORECASE)
_SECRET_OPTION = re.compile(r"([?&][^=&]*(?:password|token|properties)[^=&]*=)[^&]*", re.IGNORECASE)
SERVER_PATIENCE_MS = 5000
"""How long a server may take to answer [ms], where the URI does not say."""

_COLLECTIONS = ("fireworks", "launches", "offline_runs", "fw_id_assigner", "workflows")
FREED = "freed"
"""Field of a launch that was taken for lost, and whose job is another's now."""

_RUN_FIELD = "spec.run_directory"
"""What qdcomp asks for; FireWorks makes no index of it by itself."""


class ServerLaunchPad(ClosingLaunchPad):
    """FireWorks' launchpad on a server.

    Parameters
    ----------
    uri
        ``mongodb://…`` or ``mongodb+srv://…``.
    read_only
        Do not make FireWorks' counters and indexes where they are missing.
    patience_s
        How long a call may wait for a server that is away [s]; 0 to try once. After that the
        ``with`` statement ends with a `StoreError`, and FireWorks takes no job for failed.
    waits_at_start
        Whether the first call waits as long, too; else a server that does not answer at once is
        told at once, for a user who may have mistyped it.

    Attributes
    ----------
    clock_offset
        Clock of the server less that of this machine.

    Raises
    ------
    InputError
        The URI cannot be read.
    StoreError
        The server cannot be reached, or does not let this user in.
    """

    def __init__(
        self,
        uri: str,
        *,
        read_only: bool = False,
        patience_s: float = 0.0,
        waits_at_start: bool = False,
    ) -> None:
        self.description = describe_location(uri)
        name, options = _read_uri(uri)
        patience = {} if "serverselectiontimeoutms" in options else _make_patience()
        try:
            super().__init__(
                host=uri,
                name=name,
                uri_mode=True,
                strm_lvl=QUIET,
                user_indices=[_RUN_FIELD],
                mongoclient_kwargs=patience,
            )
        except (PyMongoError, ValueError) as error:
            raise _describe_misfit(uri, error) from None
        for collection in _COLLECTIONS:
            setattr(self, collection, RetryingCollection(self.db, collection, patience_s))
        try:
            self.clock_offset: timedelta = insist(
                self._compare_clocks, patience_s if waits_at_start else 0.0
            )
            if not read_only:
                self.prepare()
        except (PyMongoError, DatabaseAwayError) as error:
            self.close()
            raise _describe_failure(self.description, error) from None

    def now(self) -> datetime:
        """Time by the clock of the server."""
        return datetime.now(UTC) + self.clock_offset

    def ping_launch(
        self, launch_id: int, ptime: datetime | None = None, checkpoint: Any = None
    ) -> None:
        """Say that a launch is alive, by the clock of the server; those of workers may differ."""
        super().ping_launch(launch_id, ptime or self.now(), checkpoint)

    def complete_launch(
        self, launch_id: int, action: FWAction | None = None, state: str = "COMPLETED"
    ) -> dict[str, Any]:
        """End a launch, unless it was taken for lost: then another has its job, and this one not.

        FireWorks' own would end it all the same, and the job would have two results.
        """
        launch = self.get_launch_by_id(launch_id)
        launch.state = state
        if action:
            launch.action = action
        query = {"launch_id": launch_id, FREED: {"$exists": False}}
        if self.launches.find_one_and_replace(query, launch.to_db_dict()) is not None:
            for job in self.fireworks.find({"launches": launch_id}, {"fw_id": 1}):
                self._refresh_wf(job["fw_id"])
        described: dict[str, Any] = launch.to_dict()
        return described

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
        if isinstance(error, (DatabaseAwayError, AutoReconnect)):
            raise StoreError(
                f"{self.description}: the launchpad server went away and did not come back in "
                "time. What was computed is on disk; when the server runs again, call the same "
                "command again: finished steps are not repeated"
            ) from None

    def _compare_clocks(self) -> timedelta:
        before = datetime.now(UTC)
        answer = self.connection.admin.command("hello")
        middle = before + (datetime.now(UTC) - before) / 2
        server = answer.get("localTime")
        return server.replace(tzinfo=UTC) - middle if server else timedelta()


def is_server(location: str | Path) -> bool:
    """Whether a location is the URI of a server, not the path of a file."""
    return isinstance(location, str) and _SCHEME.match(location) is not None


def check_server(location: str) -> None:
    """Refuse what is not the URI of a server, without asking the server.

    Raises
    ------
    InputError
        It is none.
    """
    if not is_server(location):
        # what has a scheme may hold a password
        shown = re.sub(r"://.*@", "://***@", location)
        raise InputError(
            f"the launchpad {shown!r} is not the URI of a MongoDB server; expected "
            "mongodb://HOST:PORT/DATABASE or mongodb+srv://HOST/DATABASE. Without a server leave "
            "it away: the jobs then go to a file in the folder of the run"
        )
    _read_uri(location)


def describe_location(location: str | Path) -> str:
    """Say where a launchpad is, with ``***`` for every password, for people and for records."""
    if not is_server(location):
        return str(location)
    text = str(location)
    scheme, _, rest = text.partition("://")
    credentials, at, server = rest.rpartition("@")
    user, colon, _ = credentials.partition(":")
    shown = f"{user}{':***' if colon else ''}{at}{server}"
    return f"{scheme}://" + _SECRET_OPTION.sub(r"\1***", shown)


def write_launchpad_file(launchpad: ClosingLaunchPad, path: Path) -> None:
    """Write FireWorks' launchpad file, for ``lpad -l``, ``rlaunch -l`` and ``qlaunch -l``.

    It holds the URI, password included; only this user may read it.

    Raises
    ------
    InputError
        The launchpad is embedded, or the name of the file does not end in ``.yaml`` or ``.json``.
    """
    if not isinstance(launchpad, ServerLaunchPad):
        raise InputError(
            f"{launchpad.description} is an embedded launchpad, which lpad cannot connect to; use: "
            "qdcomp lpad, or a launchpad server (mongodb://…)"
        )
    kind = path.suffix.removeprefix(".")
    if kind not in ("yaml", "json"):
        raise InputError(f"{path}: FireWorks reads launchpad files in .yaml or .json; rename it")
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:  # noqa: PTH123
        stream.write(launchpad.to_format(kind))
    partial.replace(path)


def read_launchpad_file(path: Path) -> str:
    """Read the URI from a FireWorks launchpad file, in YAML or JSON.

    Raises
    ------
    InputError
        It is missing, may be read by other users though it has a password, or names no server.
    ParseError
        It is not YAML.
    """
    content = load_plain_yaml(path)  # JSON is YAML
    host = content.get("host") if isinstance(content, dict) else None
    if not isinstance(host, str):
        raise InputError(
            f"{path}: names no host; expected a launchpad file of FireWorks. That of a run is "
            "written anew by: qdcomp submit RUN --launchpad mongodb://HOST:PORT/DATABASE"
        )
    uri = host if is_server(host) else _make_uri(content)
    check_server(uri)
    if describe_location(uri) != uri and path.stat().st_mode & 0o077:
        raise InputError(
            f"{path} holds a password and may be read by other users; close it with: "
            f"chmod 600 {path}"
        )
    return uri


def _make_uri(content: dict[str, Any]) -> str:
    user, password = content.get("username"), content.get("password")
    secret = f":{quote_plus(str(password))}" if password else ""
    before = f"{quote_plus(str(user))}{secret}@" if user else ""
    source = content.get("authsource")
    after = f"?authSource={quote_plus(str(source))}" if user and source else ""
    port, name = content.get("port") or 27017, content.get("name") or DEFAULT_DATABASE
    return f"mongodb://{before}{content['host']}:{port}/{name}{after}"


def _make_patience() -> dict[str, Any]:
    return {"serverSelectionTimeoutMS": SERVER_PATIENCE_MS, "connectTimeoutMS": SERVER_PATIENCE_MS}


def _read_uri(uri: str) -> tuple[str, set[str]]:
    """Database and the names of the options, in lower case, without asking a name server."""
    try:
        parsed = parse_uri(_SCHEME.sub("mongodb://", uri))
    except (PyMongoError, ValueError) as error:
        raise _describe_misfit(uri, error) from None
    return parsed["database"] or DEFAULT_DATABASE, {name.lower() for name in parsed["options"]}


def _describe_misfit(uri: str, error: Exception) -> InputError | StoreError:
    # The driver's own words may quote the URI: they are left out.
    shown = describe_location(uri)
    unknown_host = isinstance(error, ConfigurationError) and not isinstance(error, InvalidURI)
    if unknown_host and uri.lower().startswith("mongodb+srv"):
        return StoreError(f"{shown}: the name server does not know it; check the name, the network")
    return InputError(
        f"{shown} is not a MongoDB URI as mongodb://USER:PASSWORD@HOST:PORT/DATABASE; in user and "
        "password, write @ as %40, : as %3A, / as %2F, % as %25"
    )


def _describe_failure(shown: str, error: BaseException) -> StoreError:
    if isinstance(error, OperationFailure):
        return StoreError(
            f"{shown}: the launchpad server refused this user ({_name(error)}); check user, "
            "password, the rights on the database, and authSource"
        )
    return StoreError(
        f"{shown}: no launchpad server answers there; check host and port, whether it runs and "
        "whether a firewall stands between. Only qdcomp run does without a server: unset "
        "QDCOMP_LAUNCHPAD and leave --launchpad away, and the jobs go to a file"
    )


def _name(error: OperationFailure) -> str:
    details = error.details or {}
    return str(details.get("codeName") or error.code or type(error).__name__)
