import signal
import sys
import time
import weakref

import pytest

from qdcomp.cli.interrupts import insist_on_interrupts


class Thing:
    pass


def interrupt(_):
    raise KeyboardInterrupt


@pytest.fixture
def heeded():
    """Interrupts are heeded, also where the tests run in the background and ignore them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded")
def test_an_interrupt_within_a_finalizer_still_interrupts(capsys):
    hook = sys.unraisablehook
    thing = Thing()
    finalizer = weakref.ref(thing, interrupt)
    with pytest.raises(KeyboardInterrupt), insist_on_interrupts():
        del thing
        assert finalizer() is None
        for _ in range(100):
            time.sleep(0.05)
    assert capsys.readouterr().err == ""
    assert sys.unraisablehook is hook
