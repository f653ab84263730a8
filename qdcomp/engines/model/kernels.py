"""Compile loops over atoms and bonds to machine code."""

from __future__ import annotations

from collections.abc import Callable, Set
from typing import Any

import numba

Kernel = Callable[..., Any]


def compile_kernel(fastmath: Set[str] = frozenset()) -> Callable[[Kernel], Kernel]:
    """Decorate a function to compile it when first called, and keep the machine code on disk.

    Where neither the folder of the package nor the user's cache may be written (a package that an
    administrator installed, a user without a home), it is compiled anew in every process.

    Parameters
    ----------
    fastmath
        Names of the liberties that LLVM may take with floating-point arithmetic.
    """
    options = {"error_model": "numpy", "fastmath": set(fastmath)}

    def decorate(function: Kernel) -> Kernel:
        try:
            compiled: Kernel = numba.njit(cache=True, **options)(function)
        except RuntimeError:  # numba's word for: no folder to write a cache to
            compiled = numba.njit(**options)(function)
        return compiled

    return decorate
