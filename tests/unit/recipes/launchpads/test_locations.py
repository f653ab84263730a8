"""Where a launchpad is: files and URIs, no password in any message, servers that do not answer."""

import socket
import time
from pathlib import Path

import pytest

from qdcomp.errors import InputError, StoreError
from qdcomp.recipes.launchpads import describe_location, is_server, open_launchpad

SECRET = "p@ss:w/o?rd"


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("mongodb://anna:secret@host:27017/db", "mongodb://anna:***@host:27017/db"),
        ("mongodb+srv://anna:secret@host/db", "mongodb+srv://anna:***@host/db"),
        (f"mongodb://anna:{SECRET}@host/db", "mongodb://anna:***@host/db"),
        ("mongodb://host:27017/db", "mongodb://host:27017/db"),
        ("mongodb://anna@host", "mongodb://anna@host"),
        (
            "mongodb://a:b@h/?tls=true&tlsCertificateKeyFilePassword=secret&appName=x",
            "mongodb://a:***@h/?tls=true&tlsCertificateKeyFilePassword=***&appName=x",
        ),
        (
            "mongodb://h/?authMechanismProperties=AWS_SESSION_TOKEN:secret",
            "mongodb://h/?authMechanismProperties=***",
        ),
        (Path("/runs/a:b@c.sqlite"), "/runs/a:b@c.sqlite"),
    ],
)
def test_a_location_is_shown_without_passwords(location, shown):
    assert describe_location(location) == shown


def test_a_path_is_told_from_a_uri():
    assert is_server("mongodb://host")
    assert is_server("mongodb+srv://host/db")
    assert not is_server("runs/mongodb.sqlite")
    assert not is_server(Path("mongodb:/host"))


@pytest.mark.parametrize(
    "uri",
    [
        "mongodb://anna:secret@host:notaport/db",
        "mongodb://anna:se%cret@host/db",
        "mongodb://anna:sec@ret@host/db",
        "mongodb://anna:secret@host:99999",
        "mongodb://anna:secret@host/db?readPreference=secretly",
        "mongodb+srv://anna:secret@host:27017/db",
        "mongodb://",
    ],
)
def test_a_malformed_uri_is_an_error_without_the_password(uri):
    with pytest.raises(InputError, match="is not a MongoDB URI") as raised:
        open_launchpad(uri)
    assert "sec" not in str(raised.value).replace("secretly", "")
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


def find_free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_server_that_does_not_answer_is_an_error_within_seconds(monkeypatch):
    monkeypatch.setattr("qdcomp.recipes.launchpads.server_launchpad.SERVER_PATIENCE_MS", 300)
    start = time.monotonic()
    with pytest.raises(StoreError, match="no launchpad server answers there") as raised:
        open_launchpad(f"mongodb://anna:secret@127.0.0.1:{find_free_port()}/db")
    assert time.monotonic() - start < 5.0
    assert "secret" not in str(raised.value)


def test_the_patience_that_a_uri_asks_for_counts():
    start = time.monotonic()
    with pytest.raises(StoreError, match="no launchpad server"):
        open_launchpad(f"mongodb://127.0.0.1:{find_free_port()}/?serverSelectionTimeoutMS=200")
    assert time.monotonic() - start < 3.0
