import sys
import time
import weakref

import pytest

from qdcomp.cli.interrupts import insist_on_interrupts


class Thing:
    pass


def interrupt(_):
    raise KeyboardInterrupt


def test_an_interrupt_within_a_finalizer_still_interrupts(capsys):
    hook = sys.unraisablehook
    thing = Thing()
    finalizer = weakref.ref(thing, interrupt)
    with pytest.raises(KeyboardInterrupt), insist_on_interrupts():
        del thing
        assert finalizer() is None
        time.sleep(5.0)
    assert capsys.readouterr().err == ""
    assert sys.unraisablehook is hook
