"""The contracts are tried with the same sockets as the fleet."""

from tests.fleet.conftest import connect, instance, settled_writer

__all__ = ["connect", "instance", "settled_writer"]
