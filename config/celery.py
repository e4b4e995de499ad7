"""The Celery application. What runs when is in `config.schedule`."""

import os
from pathlib import Path

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

ROOT = Path(__file__).resolve().parent.parent
app = Celery("pharos")
app.config_from_object("django.conf:settings", namespace="CELERY")
# Celery itself looks only into the roots of the apps; our tasks live in the slices.
app.conf.imports = ["config.tasks"] + [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for package in ("security", "fleet", "monitors", "alerts", "loadtest", "costs")
    for path in sorted((ROOT / package).glob("*/tasks.py"))
]


@app.on_after_finalize.connect
def _install_schedule(sender: Celery, **_: object) -> None:
    from config.schedule import TICKS

    sender.conf.beat_schedule = TICKS
