"""The folder of one run: fresh, private, owned by the user that the tool runs as, removed afterwards."""

import contextlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

PREFIX = "pharos-run-"
FIRST_UID = 61_200  # of a range that no distribution gives to people; one a slot, so runs cannot see each other
MOST_RESULT = 32 * 1024 * 1024


class CannotDrop(Exception):
    """This process is root and cannot give its rights away; then nothing is started."""


class Workspace:
    """`folder` with its own home and temporary folder; `uid` is the user to become, None to stay."""

    def __init__(self, folder: Path, uid: int | None) -> None:
        self.folder, self.uid = folder, uid
        for name in ("home", "tmp"):
            self.own(folder / name, Path.mkdir)
        self.own(folder, None)

    def own(self, path: Path, make: object) -> None:
        if callable(make):
            make(path, 0o700)
        if self.uid is not None:
            os.chown(path, self.uid, self.uid)

    @property
    def has_own_user(self) -> bool:
        """Whether the run's user is nobody else's."""
        return self.uid is not None and self.uid >= FIRST_UID

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.write_text(text, encoding="utf-8", newline="")
        path.chmod(0o600)
        self.own(path, None)

    def fifo(self, name: str) -> int:
        """A named pipe, opened for reading before any writer; never at its end, since we hold both sides."""
        self.own(self.folder / name, os.mkfifo)
        (self.folder / name).chmod(0o600)
        return os.open(self.folder / name, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def open(self, name: str) -> BinaryIO | None:
        """A result that the tool left, for reading; None unless it is a regular file in this very folder."""
        try:
            handle = os.open(self.folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            return None
        return os.fdopen(handle, "rb")

    def read(self, name: str, most: int = MOST_RESULT) -> bytes | None:
        """All of a result; None also when it has more than `most` bytes."""
        file = self.open(name)
        if file is None:
            return None
        with file:
            return file.read(most) if os.fstat(file.fileno()).st_size <= most else None

    @property
    def environment(self) -> dict[str, str]:
        """What a tool's environment is built from; parameters come on top."""
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "tmp"),
            "LANG": "C.UTF-8",
            "NO_COLOR": "1",
        }


@contextmanager
def workspace(slot: int) -> Iterator[Workspace]:
    """A folder for the run in this slot. Raises CannotDrop when root cannot become somebody else."""
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=place()))
    try:
        yield Workspace(folder, _unprivileged(folder, slot))
    finally:
        remove(folder)


def remove(folder: Path) -> None:
    """Remove a folder whatever a tool has made in it: closed folders, or more levels than Python's own way bears."""
    with contextlib.suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        for command in (["chmod", "-R", "u+rwX"], ["rm", "-rf"]):
            subprocess.run([*command, "--", str(folder)], capture_output=True, timeout=60, check=False)


def sweep() -> None:
    """Remove folders of worker processes that were killed."""
    try:
        folders = list(place().glob(f"{PREFIX}*"))
    except CannotDrop:  # then none was ever made
        return
    for folder in folders:
        owner = folder.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            remove(folder)


def place() -> Path:
    """Where the folders are made: the temporary folder, or one that an unprivileged user can reach too."""
    usual = Path(tempfile.gettempdir())
    if os.geteuid() != 0:
        return usual
    for candidate in (usual, Path("/tmp"), Path("/var/tmp")):  # noqa: S108 - mkdtemp makes private folders in it
        if all(above.stat().st_mode & stat.S_IXOTH for above in (candidate, *candidate.parents) if above.exists()):
            return candidate
    raise CannotDrop(f"No other user can reach {usual}. Set TMPDIR to a folder that all may enter.")


def _unprivileged(folder: Path, slot: int) -> int | None:
    """The user for the run: None when we are nobody special ourselves."""
    if os.geteuid() != 0:
        return None
    nobody = [entry.pw_uid for entry in pwd.getpwall() if entry.pw_name == "nobody"]
    for uid in (FIRST_UID + slot, *nobody):
        try:
            os.chown(folder, uid, uid)
        except OSError:  # a container may know few users only
            continue
        return uid
    raise CannotDrop("The worker runs as root and cannot give its rights away. Start it as another user.")
