"""What agents tell of packages and keys, for the rooms above, which keep it. They register here."""

from collections.abc import Callable
from datetime import datetime

from config.api.errors import Invalid
from fleet.agents.shapes import MOST_PACKAGES, Installed, Inventory, Package
from fleet.instances.models import Instance

# Takes the instance, what its agent told, and the time. It may raise ApiError, which goes back to the agent.
Keeper = Callable[[Instance, Installed, datetime], None]

_keepers: list[Keeper] = []


def keep(keeper: Keeper) -> None:
    """Call `keeper` with each list that an agent sends."""
    if keeper not in _keepers:
        _keepers.append(keeper)


def tells(report: Installed) -> bool:
    """Whether the report holds anything for a keeper."""
    return report.packages is not None or report.ssh_keys is not None


def tell(*, instance_id: str, report: Installed, now: datetime) -> None:
    """Hand a list on. Raises what a keeper raises."""
    if instance := Instance.objects.filter(pk=instance_id).first():
        for keeper in _keepers:
            keeper(instance, report, now)


class Gathering:
    """Puts the parts of a long list together; they come in order, over one connection."""

    def __init__(self) -> None:
        self._packages: list[Package] = []
        self._next = 1

    def add(self, report: Inventory) -> Installed | None:
        """The whole list, once its last part has come. Raises Invalid, and forgets the parts then."""
        if report.part is None or not tells(report):
            return report
        number, count = report.part.number, report.part.count
        earlier, expected = self._packages, self._next
        self._packages, self._next = [], 1
        if number == 1:
            earlier, expected = [], 1
        if number != expected or number > count:
            raise Invalid(f"Part {number} of {count} came where part {expected} was due")
        packages = [*earlier, *(report.packages or [])]
        if len(packages) > MOST_PACKAGES:
            raise Invalid(f"An inventory has at most {MOST_PACKAGES:,} packages")
        if number < count:
            self._packages, self._next = packages, number + 1
            return None
        return Installed(packages=packages, ssh_keys=report.ssh_keys, notes=report.notes)
