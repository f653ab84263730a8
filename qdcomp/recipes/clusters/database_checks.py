"""Whether the launchpad server answers, keeps what is written, and has the same time."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from pymongo.errors import PyMongoError

from qdcomp.errors import QdcompError
from qdcomp.recipes.clusters.finding import Finding, Site
from qdcomp.recipes.launchpads import describe_location, open_launchpad

MOST_CLOCK_SKEW_S = 10.0
"""How far the clocks of this machine and of the server may be apart [s]."""

_COLLECTION = "qdcomp_check"
_NO_SERVER = "no server is named"
_CORRECT = "do what it says; the URI is that of QDCOMP_LAUNCHPAD, else the profile's"
_NAME_SERVER = "give its URI as launchpad in the profile, or in QDCOMP_LAUNCHPAD"


def check_database(site: Site) -> Finding:
    """Whether the server answers, what it is, and whether it keeps and lets go of a document."""
    what = "launchpad server"
    if site.server is None:
        return Finding(what, "wrong", _NO_SERVER, _NAME_SERVER)
    try:
        with open_launchpad(site.server, read_only=True) as launchpad:
            version = launchpad.connection.server_info()["version"]
            kept = _keep_document(launchpad.db[_COLLECTION])
    except QdcompError as error:
        return Finding(what, "wrong", str(error), _CORRECT)
    except PyMongoError as error:
        return Finding(
            what,
            "wrong",
            f"{describe_location(site.server)}: {type(error).__name__} on writing",
            "give this user the rights to read and write in the database",
        )
    if not kept:
        return Finding(what, "wrong", "a document written was not read back", "repair the server")
    secured = "TLS" if _is_encrypted(site.server) else "no TLS (add ?tls=true where it offers it)"
    return Finding(what, "ok", f"{describe_location(site.server)}, version {version}, {secured}")


def check_clock(site: Site) -> Finding:
    """Whether this machine and the server agree on the time."""
    what = "clock of the server"
    if site.server is None:
        return Finding(what, "left out", _NO_SERVER)
    try:
        with open_launchpad(site.server, read_only=True) as launchpad:
            before = datetime.now(UTC)
            there = launchpad.connection.admin.command("hello").get("localTime")
            after = datetime.now(UTC)
    except (QdcompError, PyMongoError):
        return Finding(what, "left out", "the server cannot be asked")
    if not isinstance(there, datetime):
        return Finding(what, "left out", "the server does not tell its time")
    there = there if there.tzinfo else there.replace(tzinfo=UTC)
    apart = (there - (before + (after - before) / 2)).total_seconds()
    if abs(apart) > MOST_CLOCK_SKEW_S:
        return Finding(
            what,
            "wrong",
            f"{abs(apart):.0f} s {'ahead of' if apart > 0 else 'behind'} this machine",
            "set the clocks by NTP: lost runs are told from live ones by their times",
        )
    return Finding(what, "ok", f"{abs(apart):.1f} s apart")


def _keep_document(collection: Any) -> bool:
    number = uuid.uuid4().hex
    collection.insert_one({"_id": number, "text": "written by qdcomp cluster check"})
    found = collection.find_one({"_id": number})
    collection.delete_one({"_id": number})
    return found is not None and collection.find_one({"_id": number}) is None


def _is_encrypted(uri: str) -> bool:
    lower = uri.lower()
    return lower.startswith("mongodb+srv") or "tls=true" in lower or "ssl=true" in lower
