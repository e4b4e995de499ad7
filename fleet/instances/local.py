"""The machine that the platform itself runs on, enrolled once when the product starts in one process."""

import os
import re
import socket
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from fleet.instances.models import Instance
from fleet.instances.services import enroll, new_agent_key
from security.keys.models import ApiKey
from security.keys.services import digest_of


def local_agent(*, url: str) -> dict[str, Any]:
    """What the local agent is started with: the platform's address, its key, its instance and its folder.

    The key is kept with mode 0600 in the data folder; a lost or ended one is replaced for the same instance.
    """
    folder = settings.DATA_DIR / "agent"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = folder / "agent.key"
    raw = kept.read_text().strip() if kept.exists() else ""
    known = ApiKey.objects.usable(timezone.now()).filter(digest=digest_of(raw)).first() if raw else None
    instance = Instance.objects.existing().filter(pk=known.instance_id).first() if known else None
    if instance is None:
        instance, raw = _enrolled()
        _keep(kept, raw)
    return {"url": url, "key": raw, "instance_id": instance.external_id or instance.name, "state_dir": folder}


@transaction.atomic
def _enrolled() -> tuple[Instance, str]:
    name = local_name()
    instance = Instance.objects.active().filter(name=name).first()
    if instance is None:
        return enroll(name=name)
    _, raw = new_agent_key(instance=instance)
    return instance, raw


def local_name() -> str:
    """The host's name as an instance name."""
    return re.sub(r"[^a-z0-9]+", "-", socket.gethostname().lower()).strip("-")[:63] or "localhost"


def _keep(path: Path, raw: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(raw)
