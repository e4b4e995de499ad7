import http.server
import os
import platform
import threading
from collections.abc import Callable

import pytest
from pharos_agent import __version__, state
from pharos_agent.registration import distro

from tests.agent.conftest import KEY
from tests.agent.console import Console, until


def test_the_machine_registers_before_it_connects(console: Console, start: Callable) -> None:
    start(region="eu-1", tags={"role": "web"})
    console.wait_for("heartbeat")
    (registration,) = console.registrations
    assert registration["request"] == "POST /api/v1/instances"
    assert registration["headers"]["authorization"] == f"Bearer {KEY}"
    assert registration["headers"]["x-agent-version"] == __version__
    assert registration["headers"]["x-instance-id"] == "web-1"
    body = registration["body"]
    assert body.pop("timestamp").endswith("Z")
    assert body.pop("distro", None) in {None, "ubuntu", "fedora", "opensuse"}
    assert body == {
        "instance_id": "web-1",
        "hostname": "web-1",
        "provider": "ssh",
        "region": "eu-1",
        "agent_version": __version__,
        "os": platform.system().lower(),
        "arch": os.uname().machine,
        "tags": {"role": "web"},
    }
    assert console.upgrades[0]["at"] > registration["at"]


def test_a_region_that_is_not_known_is_left_out(console: Console, start: Callable) -> None:
    start()
    console.wait_for("heartbeat")
    assert "region" not in console.registrations[0]["body"]


def test_registration_is_tried_again_after_growing_pauses(console: Console, start: Callable) -> None:
    console.registration_statuses = [503, 500]
    start()
    console.wait_for("heartbeat")
    first, second, third = (registration["at"] for registration in console.registrations)
    assert second - first >= 0.05
    assert third - second >= 0.1


def test_a_conflict_means_that_it_is_known(console: Console, start: Callable) -> None:
    console.registration_statuses = [409]
    start()
    console.wait_for("heartbeat", 2)
    assert len(console.registrations) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 422])
def test_a_final_refusal_is_told_and_not_repeated(
    console: Console, start: Callable, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    console.registration_statuses = [status] * 10
    start()
    console.wait_for("heartbeat")  # an instance that the server knows can connect all the same
    assert len(console.registrations) == 1
    assert f"registration failed: HTTP {status}" in caplog.text


def test_after_all_tries_failed_the_next_connection_tries_once_more(console: Console, start: Callable) -> None:
    console.registration_statuses = [500, 500, 500]
    start()
    console.wait_for("heartbeat")
    assert len(console.registrations) == 3
    console.hang_up(1012)
    until(lambda: len(console.upgrades) == 2)
    assert len(console.registrations) == 4


def test_the_key_does_not_follow_a_redirect(console: Console, start: Callable) -> None:
    seen = []

    class Elsewhere(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            self.send_error(404)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        console.redirect_to = f"http://127.0.0.1:{other.server_port}/stolen"
        console.registration_statuses = [302, 307, 308]
        console.refuse_upgrade_with = 307
        start()
        until(lambda: len(console.upgrades) == 3)
        other.shutdown()
    assert len(console.registrations) >= 3
    assert seen == []


@pytest.mark.parametrize(
    ("hostname", "name"),
    [("Web_1.Example.com", "web-1-example-com"), ("-x-", "x"), ("a" * 200, "a" * 128), ("é", "")],
)
def test_a_hostname_becomes_a_valid_name(hostname: str, name: str) -> None:
    assert state.clean_name(hostname) == name


def test_the_id_outlives_a_change_of_the_hostname(tmp_path) -> None:
    assert state.default_instance_id(tmp_path, "db-1") == "db-1"
    assert state.default_instance_id(tmp_path, "db-2") == "db-1"


@pytest.mark.parametrize("hostname", ["localhost", "", "???"])
def test_a_host_without_a_name_of_its_own_gets_one_that_stays(tmp_path, hostname: str) -> None:
    name = state.default_instance_id(tmp_path, hostname)
    assert state.NAME.fullmatch(name)
    assert name != state.default_instance_id(None, hostname)
    assert name == state.default_instance_id(tmp_path, hostname)


@pytest.mark.parametrize(
    ("line", "known"),
    [("ID=ubuntu", "ubuntu"), ('ID="opensuse-leap"', "opensuse"), ("ID=debian", None), ("", None)],
)
def test_only_distributions_with_a_name_are_told(tmp_path, line: str, known: str | None) -> None:
    (tmp_path / "os-release").write_text(f"NAME=x\n{line}\n")
    assert distro(tmp_path / "os-release") == known
