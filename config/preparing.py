"""Database and static files brought up to date, in a process of its own (`python -m config.preparing`).

What it takes to do so, some 60 MiB, would stay in the process that then serves for months.
"""

import hashlib
import os
import subprocess
import sys

from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from config.version import VERSION


def prepare() -> None:
    """Migrate and collect static files, if there is anything to do. Raises CommandError."""
    if not _to_migrate() and _collected() == _static_files():
        return
    if subprocess.run([sys.executable, "-m", "config.preparing"], cwd=settings.BASE_DIR).returncode:
        raise CommandError("The database or the static files could not be prepared; the lines above say why.")


def collect_static() -> None:
    """Collect static files, unless nothing changed since the last time: compressing them takes seconds."""
    if _collected() != (found := _static_files()):
        call_command("collectstatic", verbosity=0, interactive=False, clear=True)
        (settings.STATIC_ROOT / ".stamp").write_text(found)


def _to_migrate() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _collected() -> str | None:
    stamp = settings.STATIC_ROOT / ".stamp"
    return stamp.read_text() if stamp.exists() else None


def _static_files() -> str:
    """What the files are, in short."""
    found = hashlib.sha256(VERSION.encode())
    for path in sorted((settings.BASE_DIR / "config" / "static").rglob("*")):
        about = path.stat()
        found.update(f"{path} {about.st_size} {about.st_mtime_ns}".encode())
    return found.hexdigest()


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    call_command("migrate", verbosity=0, interactive=False)
    collect_static()
