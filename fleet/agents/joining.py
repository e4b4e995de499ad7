"""How a machine joins: what its owner copies, with the instance's own key already in it."""

import json
import shlex
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings

from fleet.agents.distribution import newest_wheel
from fleet.instances.models import Instance

IMAGE = "python:3.12-slim"
UNIT = """\
[Unit]
Description=Pharos agent
After=network-online.target
Wants=network-online.target

[Service]
EnvironmentFile=/etc/pharos-agent.env
ExecStart=/opt/pharos-agent/bin/pharos-agent
DynamicUser=yes
StateDirectory=pharos-agent
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2

[Install]
WantedBy=multi-user.target"""


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
    """Whether a heartbeat has come; registration is contact too, but tells nothing of the machine's health."""
    return instance.last_seen_at is not None and (instance.uptime_s is not None or instance.last_sample is not None)


def ways(*, instance: Instance, key: str, url: str) -> list[Way]:
    """All ways for this instance. The key never becomes an argument of a program, where other users could read it.

    While the agent's package has not been built on this server, plain HTTP is the only one.
    """
    wheel = newest_wheel()
    variables = {"PHAROS_URL": url, "PHAROS_AGENT_KEY": key, "PHAROS_INSTANCE_ID": instance.pk}
    plain = Way(
        "http",
        "Plain HTTP",
        "Without the agent: send figures from anything that speaks HTTP, at least once a minute. Here with example "
        "figures; this one call is the first heartbeat.",
        _heartbeat(instance, key, url),
    )
    return [*_with_agent(variables, f"{url}/agent/{wheel.name}"), plain] if wheel else [plain]


def _with_agent(variables: dict[str, str], package: str) -> list[Way]:
    assignments = " ".join(f"{name}={shlex.quote(value)}" for name, value in variables.items())
    lines = " \\\n  ".join(shlex.quote(f"{name}={value}") for name, value in variables.items())
    names = "".join(f" --env {name}" for name in variables)
    url = shlex.quote(variables["PHAROS_URL"])
    return [
        Way(
            "shell",
            "Shell",
            "Needs Python 3.9 or newer. As root the agent starts with the machine; otherwise the last line that is "
            "printed starts it.",
            f"curl -fsSL {url}/agent/install.sh | {assignments} sh",
        ),
        Way(
            "container",
            "Container",
            "Sees the processes and the network of the host; the disk is the container's.",
            f"{assignments} \\\n  docker run --detach --name pharos-agent --restart unless-stopped --pid host "
            f"--network host{names} \\\n  {IMAGE} "
            f"sh -c {shlex.quote(f'pip install --quiet --root-user-action ignore {package} && exec pharos-agent')}",
        ),
        Way(
            "service",
            "Service unit",
            "Everything by hand on Linux with systemd, as root.",
            f"python3 -m venv /opt/pharos-agent\n/opt/pharos-agent/bin/pip install --quiet {shlex.quote(package)}\n"
            f"(umask 077; printf '%s\\n' {lines} >/etc/pharos-agent.env)\n"
            f"cat >/etc/systemd/system/pharos-agent.service <<'END'\n{UNIT}\nEND\n"
            "systemctl daemon-reload\nsystemctl enable --now pharos-agent",
        ),
    ]


def _heartbeat(instance: Instance, key: str, url: str) -> str:
    body = {"uptime": 3600, "cpuPercent": 12.5, "memUsed": 2147483648, "memTotal": 8589934592}
    return (
        f"curl -X POST {shlex.quote(url)}/api/v1/instances/{instance.pk}/heartbeats \\\n"
        f"  -H @- -H 'Content-Type: application/json' \\\n"
        f"  -d {shlex.quote(json.dumps(body))} <<'END'\nAuthorization: Bearer {key}\nEND"
    )
