"""Attributes of OTLP as plain values, and what a resource tells of its machine."""

import base64
from collections.abc import Iterable
from typing import Any

import msgspec

from fleet.instances.models import Provider

# By what a resource names its machine, the narrowest first.
REFERENCES = ("service.instance.id", "host.id", "host.name")
# What tells apart two that report the same metric from one machine.
TELLING = (
    *("service.namespace", "service.name", "service.instance.id", "process.pid"),
    *("container.id", "container.name", "k8s.namespace.name", "k8s.pod.name", "k8s.container.name"),
)
DEEPEST = 32
CLOUDS = {"aws": Provider.AWS, "gcp": Provider.GCP, "azure": Provider.AZURE}


def plain(value: Any, depth: int = 0) -> Any:
    """An AnyValue as JSON knows it; bytes as base64, what is nested too deeply as "…"."""
    kind = value.WhichOneof("value")
    match kind:
        case None:
            return None
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
        case "array_value" | "kvlist_value" if depth > DEEPEST:
            return "…"
        case "array_value":
            return [plain(item, depth + 1) for item in value.array_value.values]
        case "kvlist_value":
            return attributes(value.kvlist_value.values, depth + 1)
        case _:
            return getattr(value, kind)


def attributes(pairs: Iterable[Any], depth: int = 0) -> dict[str, Any]:
    return {pair.key: plain(pair.value, depth) for pair in pairs}


def labels(pairs: Iterable[Any]) -> dict[str, str]:
    """Attributes as labels: every value as text."""
    return {name: text(value) for name, value in attributes(pairs).items()}


def text(value: Any) -> str:
    """A value as people write it; lists and objects as JSON."""
    if isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()


def references(resource: dict[str, Any]) -> list[str]:
    return [text(resource[name]) for name in REFERENCES if resource.get(name) not in (None, "")]


def telling(resource: dict[str, Any]) -> dict[str, str]:
    """The attributes of the resource that become labels of its series."""
    return {name: text(resource[name]) for name in TELLING if resource.get(name) not in (None, "")}


def facts(resource: dict[str, Any]) -> dict[str, str]:
    """Fields of a new instance's record."""
    told = {
        "provider": CLOUDS.get(text(resource.get("cloud.provider"))),
        "region": resource.get("cloud.region"),
        "os": resource.get("os.type"),
        "arch": resource.get("host.arch"),
    }
    longest = {"region": 64, "os": 32, "arch": 32, "provider": 16}
    return {name: text(value)[: longest[name]] for name, value in told.items() if value}
