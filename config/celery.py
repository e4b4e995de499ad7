"""The Celery application. What runs when is in `config.schedule`."""

import os
import sys
from pathlib import Path

from celery import Celery
from celery.signals import task_postrun

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

ROOT = Path(__file__).resolve().parent.parent
app = Celery("pharos")
app.config_from_object("django.conf:settings", namespace="CELERY")
# By itself Celery closes the database's connection after each task, which costs more than most ticks do. Here a
# connection lives as long as Django's settings say, and a broken one is let go.
app.conf["CELERY_DB_REUSE_MAX"] = sys.maxsize
# Celery itself looks only into the roots of the apps; our tasks live in the slices.
app.conf.imports = ["config.tasks"] + [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for package in ("security", "fleet", "monitors", "alerts", "loadtest", "costs")
    for path in sorted((ROOT / package).glob("**/tasks.py"))
]


@task_postrun.connect
def _let_go_of_old_connections(**_: object) -> None:
    from django.db import close_old_connections

    if not app.conf.task_always_eager:  # then the caller's transaction is open
        close_old_connections()


@app.on_after_finalize.connect
def _install_schedule(sender: Celery, **_: object) -> None:
    from config.schedule import TICKS

    sender.conf.beat_schedule = TICKS
