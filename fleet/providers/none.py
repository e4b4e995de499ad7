"""No driver: Pharos notes what people decide, and the machine stays as it is. The choice for machines of one's own."""

from fleet.providers.base import DESTROY, RESUME, SUSPEND, Driver


class NoDriver(Driver):
    name, title, touches = "none", "No driver", False

    def possible(self) -> frozenset[str]:
        return frozenset({SUSPEND, RESUME, DESTROY})
