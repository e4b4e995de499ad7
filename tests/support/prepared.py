"""What every new installation needs and takes seconds to make: made once for all test processes, then copied.

The product's own first start, with all of it, is what `tests/journeys/test_up.py` and `test_readme.py` look at.
"""

import atexit
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from tests.support import services

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 180


def data_folder(env: dict[str, str]) -> Path:
    """A data folder with a migrated SQLite database and collected static files."""

    def make(folder: Path) -> None:
        _run(["-m", "config.preparing"], env | {"PHAROS_DATA_DIR": str(folder)})

    return _once("data", make)


def database(server: str, env: dict[str, str]) -> str:
    """The name of a migrated database on the PostgreSQL server, to copy others from."""
    key = hashlib.sha256(server.encode()).hexdigest()[:12]
    name = f"pharos_migrated_{key}"

    def make(folder: Path) -> None:
        services.run_sql(server, f"CREATE DATABASE {name}")
        url = urlsplit(server)._replace(path=f"/{name}").geturl()
        _run(["-m", "django", "migrate", "--verbosity=0"], env | {"DATABASE_URL": url, "PHAROS_DATA_DIR": str(folder)})

    _once(key, make)
    return name


def _once(name: str, make: Callable[[Path], None]) -> Path:
    """The folder that one of the test processes of this run fills; the others wait for it."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    base = Path(tempfile.gettempdir()) / f"pharos-prepared-{run}"
    base.mkdir(exist_ok=True)
    folder, done = base / name, base / f"{name}.done"
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            folder.mkdir()
            make(folder)
            done.touch()
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
            atexit.register(done.unlink, missing_ok=True)
    return folder


def _run(arguments: list[str], env: dict[str, str]) -> None:
    own = env | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    result = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=own, capture_output=True, text=True, timeout=TIMEOUT_S
    )
    assert result.returncode == 0, result.stdout + result.stderr
