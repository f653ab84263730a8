from types import SimpleNamespace

import pytest

from qdcomp.errors import InputError
from qdcomp.recipes.clusters.launchpad_access import (
    ACCESS_NAME,
    find_cluster_server,
    find_run_server,
)

SECRET = "mongodb://me:hunter2@host:27017/qdcomp"
LEAST = "batch_system: slurm\nresources: {{cores: 1, walltime: 1 h}}\n{more}\n"


@pytest.fixture(autouse=True)
def without_variable(monkeypatch):
    monkeypatch.delenv("QDCOMP_LAUNCHPAD", raising=False)


def write_private(path, text):
    path.write_text(text)
    path.chmod(0o600)
    return path


def test_what_is_given_goes_before_the_environment_and_that_before_the_profile(
    make_profile, monkeypatch
):
    profile = make_profile()
    assert find_cluster_server(profile) == "mongodb://launchpad.example.org:27017/qdcomp"
    monkeypatch.setenv("QDCOMP_LAUNCHPAD", SECRET)
    assert find_cluster_server(profile) == SECRET
    assert find_cluster_server(profile, "mongodb://other/db") == "mongodb://other/db"


def test_a_password_comes_from_a_file_that_only_its_user_reads(make_profile, tmp_path):
    path = write_private(tmp_path / "uri", f"{SECRET}\n")
    profile = make_profile(text=LEAST.format(more=f"launchpad_file: {path}"))
    assert find_cluster_server(profile) == SECRET
    path.chmod(0o640)
    with pytest.raises(InputError, match="chmod 600") as raised:
        find_cluster_server(profile)
    assert "hunter2" not in str(raised.value)


def test_a_run_keeps_the_server_it_was_handed_over_with(make_profile, tmp_path):
    write_private(tmp_path / ACCESS_NAME, f"host: {SECRET}\nuri_mode: true\n")
    run = SimpleNamespace(root=tmp_path)
    assert find_run_server(run, make_profile()) == SECRET
    (tmp_path / ACCESS_NAME).chmod(0o644)
    with pytest.raises(InputError, match="chmod 600"):
        find_run_server(run, make_profile())


def test_an_embedded_launchpad_is_refused(make_profile, tmp_path):
    profile = make_profile(text=LEAST.format(more=""))
    with pytest.raises(InputError, match="cannot share a file"):
        find_cluster_server(profile)
    with pytest.raises(InputError, match="cannot share a file"):
        find_run_server(SimpleNamespace(root=tmp_path), profile)
