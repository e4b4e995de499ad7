"""Sinks that are done with a batch when `write` returns, and need no network (contract: signals §9.2)."""

import logging
from pathlib import Path

from loadtest.signals.generators.emitter import Batch
from loadtest.signals.sinks.accounts import Account

log = logging.getLogger(__name__)


class Direct:
    """A sink without a buffer. `write` never raises: what goes wrong is in the account."""

    closed = True

    def __init__(self, account: Account) -> None:
        self.account = account

    def write(self, batch: Batch) -> None:
        self.account.delivered()

    def close(self) -> None:
        """Nothing waits here."""


class Stdout(Direct):
    """The log of the runner at debug level."""

    def write(self, batch: Batch) -> None:
        if log.isEnabledFor(logging.DEBUG):
            log.debug("%s: %s", self.account.name, batch.payload.decode(errors="replace"))
        self.account.delivered()


class File(Direct):
    """Appends to a file below the folder of signals, wherever links on the way lead."""

    def __init__(self, account: Account, *, folder: Path, path: str) -> None:
        super().__init__(account)
        self._folder, self._path = folder, path

    def write(self, batch: Batch) -> None:
        try:
            target = below(self._folder, self._path)
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("ab", buffering=0) as file:
                file.write(batch.payload)
        except (OSError, ValueError) as error:
            self.account.fault(f"{self._path} cannot be written: {getattr(error, 'strerror', None) or error}")
        else:
            self.account.delivered()


def below(folder: Path, path: str) -> Path:
    """The file that a relative path means, inside of `folder` after links are followed; raises ValueError."""
    root = folder.resolve()
    target = (root / path).resolve()
    if not path.strip() or "\x00" in path or Path(path).is_absolute() or root not in target.parents:
        raise ValueError("it is not a path below the folder of signals")
    if target.is_dir() or path.endswith("/"):
        raise ValueError("it is a folder")
    return target
