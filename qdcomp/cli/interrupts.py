"""Ctrl-C that is not lost."""

from __future__ import annotations

import _thread
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer

_AGAIN_S = 0.05


@contextmanager
def insist_on_interrupts() -> Iterator[None]:
    """Interrupt the body again where Python dropped an interrupt that came within a finalizer.

    A KeyboardInterrupt raised in a finalizer or in the callback of a weak reference goes to
    ``sys.unraisablehook``, which prints it, and the program goes on.
    """
    original = sys.unraisablehook

    def hook(unraisable: sys.UnraisableHookArgs) -> None:
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            Timer(_AGAIN_S, _thread.interrupt_main).start()
        else:
            original(unraisable)

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = original
