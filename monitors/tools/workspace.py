"""The folder of one run: fresh, private, owned by the user that the tool runs as, removed afterwards."""

import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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

    def read(self, name: str) -> bytes | None:
        """A result that the tool left: a regular file of bearable size, else None."""
        try:
            handle = os.open(self.folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None
        with os.fdopen(handle, "rb") as file:
            about = os.fstat(handle)
            if not stat.S_ISREG(about.st_mode) or about.st_size > MOST_RESULT:
                return None
            return file.read(MOST_RESULT)

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
        shutil.rmtree(folder, ignore_errors=True)


def sweep() -> None:
    """Remove folders of worker processes that were killed."""
    try:
        folders = list(place().glob(f"{PREFIX}*"))
    except CannotDrop:  # then none was ever made
        return
    for folder in folders:
        owner = folder.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(folder, ignore_errors=True)


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
