"""The contracts are tried with the same sockets and monitors as the slices are."""

from tests.fleet.conftest import connect, instance, settled_writer
from tests.monitors.conftest import create, operator, run_now, sent

__all__ = ["connect", "create", "instance", "operator", "run_now", "sent", "settled_writer"]
