"""A password stands in the environment or in a file of one's own, and nowhere else."""

import pytest

from qdcomp.errors import InputError
from qdcomp.recipes.launchpads import (
    LAUNCHPAD_VARIABLE,
    has_password,
    read_private_file,
    remove_password,
    warn_of_shown_password,
)

URI = "mongodb://anna:secret@host/db"


def test_a_password_on_the_command_line_is_warned_of_without_showing_it():
    warning = warn_of_shown_password(URI)
    assert LAUNCHPAD_VARIABLE in warning and "secret" not in warning
    for harmless in (None, "mongodb://host/db", "mongodb://anna@host/db", "runs/a:b@c.sqlite"):
        assert warn_of_shown_password(harmless) == ""
    assert has_password("mongodb://h/?tlsCertificateKeyFilePassword=x")


def test_other_programs_do_not_inherit_it():
    assert remove_password({LAUNCHPAD_VARIABLE: URI, "PATH": "/bin"}) == {"PATH": "/bin"}


def test_a_file_of_ones_own_is_read(tmp_path):
    path = tmp_path / "launchpad.yaml"
    path.write_text(URI)
    for rights in (0o600, 0o400):
        path.chmod(rights)
        assert read_private_file(path) == URI


@pytest.mark.parametrize("rights", [0o640, 0o644, 0o660, 0o602, 0o610])
def test_a_file_that_others_may_use_is_refused_with_what_mends_it(tmp_path, rights):
    path = tmp_path / "launchpad.yaml"
    path.write_text(URI)
    path.chmod(rights)
    with pytest.raises(InputError, match=f"{rights:03o}.*chmod 600 {path}") as refused:
        read_private_file(path)
    assert "secret" not in str(refused.value)


def test_what_is_no_such_file_is_named(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        read_private_file(tmp_path / "none.yaml")
    with pytest.raises(InputError, match="directory"):
        read_private_file(tmp_path)
