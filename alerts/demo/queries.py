"""What pages want to know of the demo data."""

from alerts.demo.models import ONLY, DemoData
from alerts.demo.names import of_seed

NOTHING: frozenset[str] = frozenset()


def current() -> DemoData | None:
    """The row, also while the data is still being made."""
    return DemoData.objects.filter(pk=ONLY).first()


def ids() -> frozenset[str]:
    """The ids of everything that is demo data, here or coming."""
    row = current()
    return of_seed(row.seed).every if row else NOTHING
