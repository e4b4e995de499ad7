"""Ticks that must not pile up."""

import threading

import pytest

from config.single import one_at_a_time


def test_what_comes_while_it_goes_on_is_left_out():
    begun, go_on, calls = threading.Event(), threading.Event(), []

    @one_at_a_time
    def work(name):
        calls.append(name)
        begun.set()
        assert go_on.wait(10)

    first = threading.Thread(target=work, args=("first",))
    first.start()
    assert begun.wait(10)
    work("second")
    go_on.set()
    first.join(10)
    work("third")
    assert calls == ["first", "third"]


def test_a_fault_does_not_keep_it_closed():
    calls = []

    @one_at_a_time
    def work():
        calls.append(1)
        raise ValueError

    for _ in range(2):
        with pytest.raises(ValueError):
            work()
    assert len(calls) == 2
