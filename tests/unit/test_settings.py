import pytest

from qdcomp.errors import InputError
from qdcomp.settings import read_machine_settings


@pytest.mark.parametrize(("text", "threads"), [("3", 3), (" 2 ", 2), ("4,2", 4)])
def test_threads_are_those_of_the_outermost_level(monkeypatch, text, threads):
    monkeypatch.setenv("OMP_NUM_THREADS", text)
    assert read_machine_settings().threads == threads


@pytest.mark.parametrize("text", ["", "  "])
def test_without_a_number_of_threads_every_core_is_taken(monkeypatch, text):
    monkeypatch.setenv("OMP_NUM_THREADS", text)
    assert read_machine_settings().threads >= 1


@pytest.mark.parametrize("text", ["abc", "0", "-1", "1.5", ",2"])
def test_what_is_no_number_of_threads_is_refused(monkeypatch, text):
    monkeypatch.setenv("OMP_NUM_THREADS", text)
    with pytest.raises(InputError, match="expected a whole number of threads"):
        read_machine_settings()
