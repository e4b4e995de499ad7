"""Tells the server that this machine exists (contract: fleet console §31.1)."""

from __future__ import annotations

import http.client
import logging
import platform
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from pharos_agent import __version__, state
from pharos_agent.config import Config
from pharos_agent.frames import compact, timestamp
from pharos_agent.logs import readable

log = logging.getLogger(__name__)

TIMEOUT_S = 10
KNOWN_DISTROS = {
    "ubuntu": "ubuntu",
    "fedora": "fedora",
    "opensuse-leap": "opensuse",
    "opensuse-tumbleweed": "opensuse",
}
# Asking again soon does not change these answers.
FINAL_STATUSES = {400, 401, 403, 404, 405, 413, 422}


class RegistrationFailed(Exception):
    """The server did not take the registration; `final` when asking again soon is useless."""

    def __init__(self, reason: str, *, final: bool) -> None:
        super().__init__(reason)
        self.final = final


def register(config: Config) -> None:
    """Register this machine, or refresh its record. Blocks for at most some seconds.

    Raises RegistrationFailed.
    """
    request = urllib.request.Request(  # noqa: S310 - the scheme was checked with the configuration
        f"{config.url}/api/v1/instances",
        data=compact(body(config)).encode(),
        headers={
            "Authorization": f"Bearer {config.key}",
            "Content-Type": "application/json",
            "User-Agent": f"pharos-agent/{__version__}",
            "X-Agent-Version": __version__,
            "X-Instance-ID": config.instance_id,
        },
        method="POST",
    )
    handlers: list[urllib.request.BaseHandler] = [_NoRedirects()]
    if config.is_loopback:
        handlers.append(urllib.request.ProxyHandler({}))
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=TIMEOUT_S):
            return
    except urllib.error.HTTPError as exc:
        with exc:
            if exc.code == 409:  # it is known already
                return
            answer = readable(exc.read(500).decode("utf-8", "replace"))
        raise RegistrationFailed(f"HTTP {exc.code} {answer}", final=exc.code in FINAL_STATUSES) from exc
    except (OSError, http.client.HTTPException) as exc:
        raise RegistrationFailed(str(getattr(exc, "reason", exc)) or type(exc).__name__, final=False) from exc


def body(config: Config) -> dict[str, Any]:
    """The AgentRegistration body; what is not known is left out."""
    facts = {
        "instance_id": config.instance_id,
        "hostname": state.clean_name(config.instance_id),
        "provider": config.provider,
        "region": config.region,
        "distro": distro(),
        "agent_version": __version__,
        "os": platform.system().lower()[:32],
        "arch": platform.machine().lower()[:32],
        "tags": dict(config.tags),
        "timestamp": timestamp(),
    }
    return {name: value for name, value in facts.items() if value}


def distro(os_release: Path = Path("/etc/os-release")) -> str | None:
    """The Linux distribution if it is one the server has a name for, else None."""
    try:
        lines = os_release.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    facts = dict(line.split("=", 1) for line in lines if "=" in line)
    return KNOWN_DISTROS.get(facts.get("ID", "").strip("\"'"))


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect is an error: the key must not follow it to another place."""

    def redirect_request(self, *_: Any) -> None:
        return None
