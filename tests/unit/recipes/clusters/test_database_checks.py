"""What a check of a cluster says of a launchpad server that refuses its user."""

from pathlib import Path

from qdcomp.recipes.clusters.database_checks import check_clock, check_database
from qdcomp.recipes.clusters.finding import Site


def test_a_wrong_password_is_no_server_that_is_to_be_started(database_server, make_profile):
    uri = database_server.replace("mongodb://", "mongodb://anna:wrong-word@")
    site = Site(make_profile(), uri, Path.cwd())
    found = check_database(site)
    assert found.state == "wrong" and "check user, password" in found.found
    assert "QDCOMP_LAUNCHPAD" in found.mend and "start" not in found.mend
    assert "wrong-word" not in found.found
    assert check_clock(site).found == "the server cannot be asked"
