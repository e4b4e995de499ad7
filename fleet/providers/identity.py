"""The private key that the driver `ssh` shows: a file of the installation, else the server's own key.

The room that keeps the server's key lies above this one and hands over two functions: whether there is one, and its
text. It is written into a file that only this process may read, and only as long as a command runs.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from django.conf import settings

from fleet.providers.base import DriverFailed


class Keeper(NamedTuple):
    exists: Callable[[], bool]
    private_key: Callable[[], str | None]


_keepers: list[Keeper] = []


def register(keeper: Keeper) -> None:
    """A second registration replaces the first."""
    _keepers[:] = [keeper]


def known() -> bool:
    """Whether there is a key to show."""
    return bool(settings.SSH_KEY_FILE) or any(keeper.exists() for keeper in _keepers)


@contextmanager
def key_file() -> Iterator[str]:
    """The name of a file with the key. Raises DriverFailed without one, Unreadable for one that cannot be opened."""
    if settings.SSH_KEY_FILE:
        yield str(settings.SSH_KEY_FILE)
        return
    text = next((keeper.private_key() for keeper in _keepers), None)
    if text is None:
        raise DriverFailed("There is no SSH key: the server has none, and PHAROS_SSH_KEY_FILE names none")
    handle, name = tempfile.mkstemp(prefix="pharos-ssh-")  # mode 0600
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
        yield name
    finally:
        os.unlink(name)
