"""What `pharos up` needs before anything runs: the data folder for itself, a listening socket."""

import fcntl
import socket
from typing import Any

from django.conf import settings
from django.core.management import CommandError


def only_one() -> Any:
    """Hold the data folder; raises CommandError when another process has it."""
    file = (settings.DATA_DIR / "up.lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise CommandError(f"Pharos already runs on the data folder {settings.DATA_DIR}") from None
    return file


def open_door() -> socket.socket:
    """The listening socket, before anything else is started, so that a taken port is told at once."""
    family = socket.AF_INET6 if ":" in settings.BIND else socket.AF_INET
    door = socket.socket(family, socket.SOCK_STREAM)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((settings.BIND, settings.PORT))
    except OSError as error:
        raise CommandError(
            f"Cannot listen on {settings.BIND} port {settings.PORT}: {error.strerror}. "
            "Choose another port with PHAROS_PORT or another address with PHAROS_BIND."
        ) from None
    return door


def reachable_url(door: socket.socket) -> str:
    """The address under which a process on this machine reaches the server."""
    host, port = door.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
