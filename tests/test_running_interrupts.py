"""An interrupt that a library swallows is raised again."""

import contextlib
import signal

import pytest

from bench.running.interrupts import catch_interrupts, raise_if_interrupted


def test_a_swallowed_interrupt_is_raised_again():
    with catch_interrupts():
        with contextlib.suppress(KeyboardInterrupt):  # what a library's compiled callback does
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            raise_if_interrupted()
    raise_if_interrupted()


def test_nothing_is_raised_without_an_interrupt():
    with catch_interrupts():
        raise_if_interrupted()


def test_the_handler_of_before_is_restored():
    before = signal.getsignal(signal.SIGINT)
    with catch_interrupts():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before
