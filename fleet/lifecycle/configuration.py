"""The configuration of an instance as a text (contract: fleet console §5.3)."""

from typing import Any

import yaml

from fleet.instances.models import Instance


def configuration_of(instance: Instance) -> str:
    """YAML, rebuilt from what is known of the instance."""
    deployment: dict[str, Any] = {"provider": instance.provider}
    if instance.distro:
        deployment["distro"] = instance.distro
    told: dict[str, Any] = {
        "version": "3.0",
        "name": instance.name,
        "deployment": deployment,
        "extensions": {"active": list(instance.extensions), "auto_install": True},
    }
    if instance.region:
        told["providers"] = {instance.provider: {"region": instance.region}}
    text = yaml.safe_dump(told, sort_keys=False, allow_unicode=True)
    return f"# Rebuilt from the record of the instance: it was not deployed from here.\n{text}"
