"""How a machine joins: the commands for its owner to copy, each with the key already in it."""

import json
import shlex
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings

from fleet.agents.distribution import newest_wheel
from fleet.instances.models import Instance

IMAGE = "python:3.12-slim"
PACKAGE = "pharos-agent"


@dataclass(frozen=True)
class Way:
    """One way to join: its name, when to take it, and the text to copy."""

    id: str
    name: str
    hint: str
    text: str


def server_url(seen: str) -> str:
    """The address under which machines reach us: the configured one, else that of the reader's browser (`seen`)."""
    host = urlsplit(settings.BASE_URL).hostname or ""
    return (seen if _is_loopback(host) else settings.BASE_URL).rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def joined(instance: Instance) -> bool:
    """Whether a heartbeat has come; registration alone is contact, but tells no figures."""
    return instance.last_seen_at is not None and (instance.uptime_s is not None or instance.last_sample is not None)


def ways(*, instance: Instance, key: str, url: str) -> list[Way]:
    """All ways for this instance. The key is never an argument of a command that other users could see running."""
    variables = {"PHAROS_URL": url, "PHAROS_AGENT_KEY": key, "PHAROS_INSTANCE_ID": instance.pk}
    wheel = newest_wheel()
    package = wheel.name if wheel else f"{PACKAGE}.whl"
    exports = " ".join(f"{name}={shlex.quote(value)}" for name, value in variables.items())
    return [
        Way(
            "shell",
            "Shell",
            "For Linux and macOS with Python 3.9 or newer. Installs the agent from this server and starts it.",
            f"curl -fsS {shlex.quote(url)}/agent/install.sh | {exports} sh",
        ),
        Way(
            "service",
            "Service",
            "For Linux with systemd, as root: the agent starts with the machine.",
            f"curl -fsS {shlex.quote(url)}/agent/install.sh | sudo {exports} sh",
        ),
        Way(
            "container",
            "Container",
            "Sees the host's processes; disks and network are the container's.",
            f"{exports} docker run --detach --name {PACKAGE} --restart unless-stopped --pid host --network host"
            + "".join(f" --env {name}" for name in variables)
            + f" {IMAGE} sh -c 'pip install --quiet {shlex.quote(url)}/agent/{package} && exec pharos-agent'",
        ),
        Way(
            "http",
            "Plain HTTP",
            "Without the agent: send a heartbeat with figures from anything that speaks HTTP, at least once a minute.",
            _heartbeat(instance, key, url),
        ),
    ]


def _heartbeat(instance: Instance, key: str, url: str) -> str:
    body = {"uptime": 3600, "cpuPercent": 12.5, "memUsed": 2147483648, "memTotal": 8589934592}
    return (
        f"curl -X POST {shlex.quote(url)}/api/v1/instances/{instance.pk}/heartbeats \\\n"
        f"  -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\\n"
        f"  -d {shlex.quote(json.dumps(body))}"
    )
