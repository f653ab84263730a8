from ase import Atoms

from qdcomp.engines import EngineResult
from qdcomp.recipes.stages.provenance import list_engine_warnings


def make_result(*warnings):
    return EngineResult("cp2k", "2023.1", "energy", Atoms("H"), 0, warnings=warnings)


def test_a_warning_of_several_jobs_is_said_once():
    results = {"a": make_result("x"), "b": make_result("x", "y"), "c": make_result("x")}
    assert list_engine_warnings(results) == ("a and 2 other jobs: x", "b: y")
    results.pop("c")
    assert list_engine_warnings(results)[0] == "a and 1 other job: x"
