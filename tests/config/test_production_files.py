"""The files that start the product in production agree with each other, with the documentation and the routes."""

import re
import shlex
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml
from asgiref.sync import iscoroutinefunction

from tests.support.product import commands

pytestmark = pytest.mark.static

ROOT = Path(__file__).resolve().parents[2]
SECRETS = {"POSTGRES_PASSWORD", "PHAROS_SECRET_KEY", "PHAROS_VAULT_KEY", "PHAROS_AGENT_KEY"}
PROCESSES = ["migrate", "web", "live", "worker", "scheduler", "agent"]


def composed() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def documented(name: str) -> list[str]:
    """The words of the command that docs/production.md gives for starting a process by hand."""
    text = (ROOT / "docs/production.md").read_text()
    (command,) = re.findall(rf"<!-- {name} -->\n```sh\n(.*)\n```", text)
    return ["sh", "-c", command] if "&&" in command else shlex.split(command)


def live_paths() -> re.Pattern[str]:
    """What the proxy sends to the event loop."""
    (expression,) = re.findall(r"@live path_regexp (\S+)", (ROOT / "deploy/Caddyfile").read_text())
    return re.compile(expression)


@pytest.mark.parametrize("name", PROCESSES)
def test_container_runs_the_documented_command(name: str) -> None:
    assert commands()[name] == documented(name)


def test_every_own_process_is_documented() -> None:
    assert sorted(commands()) == sorted(PROCESSES)


def test_secrets_have_no_default() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    for name in SECRETS:
        uses = re.findall(rf"\${{{name}(\S?\S?)", text)
        assert uses, name
        assert set(uses) == {":?"}, name


def test_every_part_comes_back_and_tells_its_health() -> None:
    for name, service in composed()["services"].items():
        once = name == "migrate"
        assert service["restart"] == ("on-failure" if once else "unless-stopped"), name
        # Services without an entry have the health check of the image.
        assert service.get("build") or service["healthcheck"]["test"], name


def test_volumes_are_declared() -> None:
    compose = composed()
    used = chain.from_iterable(service.get("volumes", []) for service in compose["services"].values())
    named = {volume.partition(":")[0] for volume in used if not volume.startswith(".")}
    assert named == set(compose["volumes"])


def test_own_processes_have_no_rights_to_spare() -> None:
    for name, service in composed()["services"].items():
        if service.get("build"):
            assert service["cap_drop"] == ["ALL"], name
            assert service["read_only"] is True, name
    assert re.search(r"^USER (?!root)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)


def test_environment_names_are_known() -> None:
    """A misspelt variable would be ignored without a word."""
    from config.env import Env

    known = {f"PHAROS_{name.upper()}" for name in Env.model_fields}
    for name, service in composed()["services"].items():
        if name != "agent" and service.get("build"):
            given = {variable for variable in service["environment"] if variable.startswith("PHAROS_")}
            assert given <= known, name


def test_proxy_sends_streams_and_ingest_to_the_event_loop() -> None:
    from django.urls import get_resolver

    paths = {path: view for path, view in _routes(get_resolver(), "/") if _is_live(view)}
    wrong = [path for path in paths if not live_paths().search(path)]
    assert not wrong
    assert live_paths().search("/ws") and live_paths().search("/ws/agent")


def test_proxy_sends_pages_to_the_web_process() -> None:
    for path in ("/", "/instances", "/api/v1/instances", "/healthz", "/static/app.css"):
        assert not live_paths().search(path)


def _is_live(view: Any) -> bool:
    return iscoroutinefunction(view) or hasattr(view, "asgi")


def _routes(resolver: Any, prefix: str) -> Any:
    """Every path of the URL conf with an example in place of each parameter, and its view."""
    for entry in resolver.url_patterns:
        pattern = str(entry.pattern).lstrip("^").removeprefix("/?").removesuffix("$").replace("/?", "")
        path = prefix + re.sub(r"\(\?P<\w+>\[\^/\]\+\)|<[^>]+>", "x", pattern)
        if hasattr(entry, "url_patterns"):
            yield from _routes(entry, path)
        else:
            yield path, entry.callback
