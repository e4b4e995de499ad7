"""A driver whose machine is a list of what was done to it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fleet.providers import drivers
from fleet.providers.base import ACTIONS, Archive, Driver, DriverFailed, Order


class Machine:
    """What the driver did, and how it behaves."""

    def __init__(self) -> None:
        self.done: list[Any] = []
        self.fails: set[str] = set()
        self.can = set(ACTIONS)
        self.during: Callable[[str], None] = lambda action: None

    def do(self, action: str, what: Any) -> None:
        self.during(action)
        if action in self.fails:
            raise DriverFailed(f"The machine refuses to {action}")
        self.done.append(what)


@pytest.fixture
def machine(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """Instances of the provider docker are driven by a driver that notes what it does."""
    machine = Machine()

    class Noting(Driver):
        name, title = "noting", "The driver of the test"

        def possible(self) -> frozenset[str]:
            return frozenset(machine.can)

        def suspend(self) -> None:
            machine.do("suspend", ("suspend", self.machine.name))

        def resume(self) -> None:
            machine.do("resume", ("resume", self.machine.name))

        def destroy(self) -> None:
            machine.do("destroy", ("destroy", self.machine.name))

        def backup(self, order: Order) -> Archive:
            machine.do("backup", ("backup", self.machine.name, order.label, order.compression))
            return Archive(place="/somewhere", size_bytes=2**40, sha256="a" * 64)

    monkeypatch.setitem(drivers.DRIVERS, "noting", Noting)
    settings.PROVIDER_DRIVERS = {"docker": "noting"}
    yield machine
