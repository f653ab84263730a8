import os
from pathlib import Path
from uuid import uuid4

import pytest
from builders.database_server import MISSING, DatabaseServer, drop_database, find_ferretdb

REPOSITORY = Path(__file__).resolve().parents[1]
SERVER_VARIABLE = "QDCOMP_TEST_MONGODB_URI"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    root = Path(os.environ.get("QDCOMP_SHARED", REPOSITORY.parent / "shared"))
    data = root / "data"
    if not data.is_dir():
        pytest.skip(f"the public example files ({data}) are not here; set QDCOMP_SHARED")
    return data


@pytest.fixture(scope="session")
def _own_database_server(tmp_path_factory):
    if find_ferretdb() is None:
        pytest.skip(MISSING)
    server = DatabaseServer(tmp_path_factory.mktemp("database_server")).start()
    yield server
    server.stop()


@pytest.fixture
def database_server(request):
    """URI of an empty database on a real server: the one that is named, or one of our own."""
    named = os.environ.get(SERVER_VARIABLE)
    uri = named or request.getfixturevalue("_own_database_server").uri(f"test_{uuid4().hex[:12]}")
    drop_database(uri)
    yield uri
    drop_database(uri)


@pytest.fixture
def own_server(tmp_path):
    """Give a real server of the test's own, to be killed and started again."""
    if find_ferretdb() is None:
        pytest.skip(MISSING)
    server = DatabaseServer(tmp_path / "database_server").start()
    yield server
    server.stop()
