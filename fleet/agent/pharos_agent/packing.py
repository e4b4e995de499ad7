"""Folders become one tar file, compressed on the way."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import stat
import subprocess
import tarfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

READ = 1024 * 1024


class PackingFailed(Exception):
    """No archive could be made; the text is for people."""


class Packer:
    """Packs paths into `file`. `skipped` counts what could not be read, or changed while it was read."""

    def __init__(self, file: Path, *, compression: str, ends_at: float) -> None:
        self._file, self._compression, self._ends_at = file, compression, ends_at
        self.skipped = 0

    def pack(self, paths: Sequence[str]) -> None:
        """Raises PackingFailed for a path that does not exist or when the time is over, OSError for the target."""
        for path in paths:
            if not os.path.lexists(path):
                raise PackingFailed(f"{path} does not exist")
        with open(self._file, "wb", opener=_private) as raw, _compressed(raw, self._compression) as sink:
            with tarfile.open(fileobj=sink, mode="w|", format=tarfile.PAX_FORMAT) as tar:
                for path in paths:
                    for one in self._walk(path):
                        self._add(tar, one)
            sink.flush()

    def _walk(self, path: str) -> Iterator[str]:
        """The path and all below it, a folder before what it holds. Links are not followed."""
        waiting = [path]
        while waiting:
            one = waiting.pop()
            yield one
            try:
                is_folder = stat.S_ISDIR(os.lstat(one).st_mode)
                names = sorted(os.listdir(one), reverse=True) if is_folder else []
            except OSError:
                self.skipped += 1
                continue
            waiting += [os.path.join(one, name) for name in names]

    def _add(self, tar: tarfile.TarFile, path: str) -> None:
        if time.monotonic() > self._ends_at:
            raise PackingFailed("it did not end in time")
        try:
            if os.path.samefile(path, self._file):
                return
        except OSError:
            return  # it has gone meanwhile
        try:
            member = tar.gettarinfo(path)
            content = open(path, "rb") if member is not None and member.isreg() else None  # noqa: SIM115
        except OSError:
            self.skipped += 1
            return
        if member is None:  # a socket
            return
        if content is None:
            tar.addfile(member)
            return
        with content:
            whole = _Exactly(content, member.size, self._ends_at)
            tar.addfile(member, whole)
            self.skipped += whole.is_short


class _Exactly(io.RawIOBase):
    """The first `size` bytes of a file; zeros for what it lost while it was read, so that the archive stays sound."""

    def __init__(self, file: IO[bytes], size: int, ends_at: float) -> None:
        super().__init__()
        self._file, self._left, self._ends_at = file, size, ends_at
        self.is_short = False

    def read(self, size: int = -1) -> bytes:
        if time.monotonic() > self._ends_at:
            raise PackingFailed("it did not end in time")
        wanted = self._left if size < 0 else min(size, self._left)
        try:
            piece = b"" if self.is_short else self._file.read(wanted)
        except OSError:
            piece = b""
        if len(piece) < wanted:
            self.is_short = True
            piece += bytes(wanted - len(piece))
        self._left -= len(piece)
        return piece


def _private(path: Any, flags: int) -> int:
    return os.open(path, flags, 0o600)


@contextmanager
def _compressed(raw: IO[bytes], compression: str) -> Iterator[Any]:
    if compression == "none":
        yield raw
    elif compression == "gzip":
        with gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=6) as packed:
            yield packed
    elif compression == "zstd":
        with _zstd(raw) as packed:
            yield packed
    else:
        raise PackingFailed(f"the compression {compression!r} is not known")


@contextmanager
def _zstd(raw: IO[bytes]) -> Iterator[IO[bytes]]:
    program = shutil.which("zstd")
    if program is None:
        raise PackingFailed("the program zstd is not installed on this machine")
    child = subprocess.Popen([program, "-q", "-c"], stdin=subprocess.PIPE, stdout=raw)  # noqa: S603
    assert child.stdin is not None  # noqa: S101 - asked for
    try:
        yield child.stdin
        child.stdin.close()
        if child.wait() != 0:
            raise PackingFailed(f"zstd ended with code {child.returncode}")
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()
