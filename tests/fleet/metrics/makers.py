"""Instances for the tests of metrics."""

from itertools import count
from typing import Any

from fleet.instances.models import Instance, Status

_numbers = count(1)


def make_instance(**fields: Any) -> Instance:
    """A running instance."""
    fields = {"name": f"host-{next(_numbers)}", "provider": "ssh", "status": Status.RUNNING} | fields
    return Instance.objects.create(**fields)
