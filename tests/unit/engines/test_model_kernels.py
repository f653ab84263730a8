import numba
import numpy as np

from qdcomp.engines.model.kernels import compile_kernel


def add_squares(values):
    total = 0.0
    for value in values:
        total += value * value
    return total


def test_a_kernel_computes_what_its_function_does():
    values = np.arange(5.0)
    assert compile_kernel()(add_squares)(values) == add_squares(values)


def test_a_kernel_is_compiled_where_no_folder_takes_its_machine_code(monkeypatch):
    kept = numba.njit

    def refuse_cache(cache=False, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return kept(**options)

    monkeypatch.setattr(numba, "njit", refuse_cache)
    assert compile_kernel()(add_squares)(np.arange(3.0)) == 5.0
