"""The configuration of an instance as a text (contract: fleet console §5.3, §13)."""

import hashlib
from typing import Any

import yaml

from config.api.errors import Invalid
from fleet.deployments.models import Deployment, Status
from fleet.instances.models import Instance

SHOWN = (Status.SUCCEEDED, Status.IN_PROGRESS, Status.FAILED)
# fmt: off
RESERVED = {
    "AUTHORIZED_KEYS", "DATABASE_URL", "POSTGRES_PASSWORD", "POSTGRES_USER", "POSTGRES_HOST", "POSTGRES_PORT",
    "POSTGRES_DB", "JWT_SECRET", "SESSION_SECRET", "SECRET_VAULT_KEY", "REDIS_URL", "AUTH_BYPASS",
    "SINDRI_CONSOLE_URL", "SINDRI_CONSOLE_API_KEY",
}
# fmt: on
RESERVED_BEGINNINGS = ("SINDRI_", "DRAUPNIR_", "PRICING_", "PHAROS_")


def configuration_of(instance: Instance) -> str:
    """YAML of the newest deployment, else one that is rebuilt from what is known of the instance."""
    known = Deployment.objects.filter(instance=instance, status__in=SHOWN).order_by("-started_at", "-id")
    if text := known.values_list("yaml_content", flat=True).first():
        return text
    return f"# Rebuilt from the record of the instance: it was not deployed from here.\n{written(described(instance))}"


def described(instance: Instance) -> dict[str, Any]:
    """What is known of an instance, as a configuration."""
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
    return told


def moved(text: str, *, name: str, provider: str, region: str | None) -> str:
    """The same configuration under another name and at another place."""
    told = parsed(text)
    deployment = told.get("deployment")
    told |= {"name": name, "deployment": (deployment if isinstance(deployment, dict) else {}) | {"provider": provider}}
    if region:
        providers = told.get("providers") if isinstance(told.get("providers"), dict) else {}
        own = providers.get(provider) if isinstance(providers.get(provider), dict) else {}
        told["providers"] = providers | {provider: own | {"region": region}}
    return written(told)


def parsed(text: str) -> dict[str, Any]:
    """A configuration that a person wrote. Raises Invalid: no YAML, no mapping, a name that is ours to set."""
    try:
        told = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        hint = " A {{secret:NAME}} stands in quotes." if "{{" in text else ""
        raise Invalid("The configuration is no YAML", details={"config": [f"This is no YAML{place}.{hint}"]}) from None
    if not isinstance(told, dict):
        raise Invalid("The configuration is no mapping", details={"config": ["Write a mapping."]})
    return told


def reserved_in(told: dict[str, Any]) -> list[str]:
    """Names in the blocks `env` and `secrets` that are the platform's own."""
    names: set[str] = set()
    for block in (told.get("env"), told.get("secrets")):
        entries = block if isinstance(block, list) else [block]
        for entry in entries:
            if isinstance(entry, dict) and block is not entry and "name" in entry:
                names.add(str(entry["name"]))
            elif isinstance(entry, dict):
                names |= {str(name) for name in entry}
            elif isinstance(entry, str):
                names.add(entry.partition("=")[0])
    return sorted(name for name in names if name.upper() in RESERVED or name.upper().startswith(RESERVED_BEGINNINGS))


def written(told: dict[str, Any]) -> str:
    return yaml.safe_dump(told, sort_keys=False, allow_unicode=True)


def hashed(text: str) -> str:
    """SHA-256 of the text, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()
