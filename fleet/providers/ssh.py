"""Machines reached by the system's `ssh` program: commands that an administrator has written down, word by word."""

import re
import shlex
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import msgspec
from django.conf import settings
from msgspec import Meta

from config import outbound
from fleet.providers import archives, identity
from fleet.providers.base import ACTION_TIMEOUT_S, Archive, Driver, DriverFailed, Order
from fleet.providers.programs import run

TARGET = re.compile(
    r"(?P<user>[A-Za-z_][A-Za-z0-9._-]{0,63})@"
    r"(?P<host>[A-Za-z0-9][A-Za-z0-9.-]{0,252}|\[[0-9A-Fa-f:]{2,45}\])(?::(?P<port>[0-9]{1,5}))?"
)
CONNECT_S = 10
Argv = list[Annotated[str, Meta(min_length=1, max_length=1024, pattern=r"^[^\x00]*\Z")]]
Command = Annotated[Argv, Meta(max_length=64)]


class Place(NamedTuple):
    user: str
    host: str
    port: int


class SshOptions(msgspec.Struct, forbid_unknown_fields=True):
    """Commands, each as a list of words. What `backup` writes to its standard output is the archive."""

    suspend: Command = []
    resume: Command = []
    destroy: Command = []
    backup: Command = []


class SshDriver(Driver):
    name, title, target_label = "ssh", "SSH", "user@host or user@host:port"
    Options = SshOptions

    @classmethod
    def check_target(cls, target: str) -> None:
        place_of(target)

    @property
    def lacking(self) -> str | None:
        if not identity.known():
            return "SSH is not set up: the server has no key of its own, and PHAROS_SSH_KEY_FILE names none."
        if not settings.SSH_KNOWN_HOSTS:
            return "SSH is not set up: PHAROS_SSH_KNOWN_HOSTS is missing."
        return None if self.machine.target else "It is not told on which host the instance runs."

    def possible(self) -> frozenset[str]:
        return frozenset(name for name in SshOptions.__struct_fields__ if getattr(self.options, name))

    def suspend(self) -> None:
        self._do(self.options.suspend, ACTION_TIMEOUT_S)

    def resume(self) -> None:
        self._do(self.options.resume, ACTION_TIMEOUT_S)

    def destroy(self) -> None:
        self._do(self.options.destroy, ACTION_TIMEOUT_S)

    def backup(self, order: Order) -> Archive:
        with archives.writing(order, instance_id=self.machine.instance_id) as made:
            self._do(self.options.backup, order.timeout_s, made.write)
        return made.done()

    def _do(self, command: list[str], timeout_s: float, output: Callable[[bytes], Any] | None = None) -> None:
        with identity.key_file() as key:
            run(self._argv(command, key), timeout_s=timeout_s, what="The command over SSH", output=output)

    def _argv(self, command: list[str], key: str) -> list[str]:
        place = place_of(self.machine.target)
        try:
            address = str(outbound.resolve(place.host, timeout_s=CONNECT_S)[0])
        except outbound.OutboundError as error:
            raise DriverFailed(str(error)) from None
        options = {
            "BatchMode": "yes",
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": settings.SSH_KNOWN_HOSTS,
            "GlobalKnownHostsFile": "/dev/null",
            # The connection goes to the address that was judged; the key must be that of the name.
            "HostKeyAlias": place.host if place.port == 22 else f"[{place.host}]:{place.port}",
            "CheckHostIP": "no",
            "IdentitiesOnly": "yes",
            "IdentityFile": key,
            "ConnectTimeout": CONNECT_S,
            "ServerAliveInterval": 15,
            "ServerAliveCountMax": 4,
            "LogLevel": "ERROR",
        }
        words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        argv = ["ssh", "-F", "/dev/null", "-T", "-x", "-a", *words, "-p", str(place.port), "-l", place.user]
        # The other side hands the text to a shell: quoted, each word arrives as it was written.
        return [*argv, "--", address, shlex.join(command)]


def place_of(target: str) -> Place:
    """Raises ValueError with a sentence for what is no `user@host[:port]`."""
    found = TARGET.fullmatch(target)
    if found is None or not 1 <= (port := int(found["port"] or 22)) <= 65535:
        raise ValueError("Write user@host or user@host:port.")
    return Place(found["user"], found["host"].strip("[]"), port)
