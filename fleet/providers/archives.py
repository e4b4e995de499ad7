"""Files of backups that this server keeps: written beside their final name, compressed on the way, summed up."""

import gzip
import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, cast

from django.conf import settings

from fleet.providers.base import Archive, DriverFailed, Order

READ = 1024 * 1024


class Writing:
    """An archive that is being written: give it plain bytes. `archive` is there once the block has ended well."""

    def __init__(self, sink: IO[bytes], order: Order) -> None:
        self._sink, self._ends_at, self._timeout_s = sink, time.monotonic() + order.timeout_s, order.timeout_s
        self.archive: Archive | None = None

    def write(self, piece: bytes) -> int:
        if time.monotonic() > self._ends_at:
            raise DriverFailed(f"The backup did not end within {self._timeout_s:g} s")
        return self._sink.write(piece)

    def done(self) -> Archive:
        """What was made; after the block."""
        assert self.archive is not None  # noqa: S101 - the block has ended well
        return self.archive


@contextmanager
def writing(order: Order, *, instance_id: str) -> Iterator[Writing]:
    """A new file in the folder of backups. On an error nothing is left of it. Raises DriverFailed."""
    folder = Path(settings.BACKUP_DIR) / instance_id
    final = folder / order.file_name
    draft = final.with_name(f".{final.name}.part")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            with _compressed(file, order.compression) as sink:
                yield (made := Writing(sink, order))
            file.flush()
            os.fsync(file.fileno())
        made.archive = Archive(place=str(final), size_bytes=draft.stat().st_size, sha256=_sum(draft))
        draft.replace(final)
    except OSError as error:
        raise DriverFailed(f"The backup cannot be stored on this server: {error.strerror or error}") from None
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


@contextmanager
def _compressed(file: IO[bytes], compression: str) -> Iterator[IO[bytes]]:
    if compression == "none":
        yield file
    elif compression == "gzip":
        with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=6) as packed:
            yield cast("IO[bytes]", packed)
    else:
        with _zstd(file) as packed:
            yield packed


@contextmanager
def _zstd(file: IO[bytes]) -> Iterator[IO[bytes]]:
    program = shutil.which("zstd")
    if program is None:
        raise DriverFailed("The program zstd is not installed on this server: choose gzip")
    child: subprocess.Popen[Any] = subprocess.Popen([program, "-q", "-c"], stdin=subprocess.PIPE, stdout=file)  # noqa: S603
    pipe = cast("IO[bytes]", child.stdin)
    try:
        yield pipe
        pipe.close()
        if child.wait():
            raise DriverFailed(f"zstd ended with code {child.returncode}")
    finally:
        with suppress(OSError):
            pipe.close()
        if child.poll() is None:
            child.kill()
        child.wait()


def _sum(path: Path) -> str:
    total = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(READ):
            total.update(piece)
    return total.hexdigest()
