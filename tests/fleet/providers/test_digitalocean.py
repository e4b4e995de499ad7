"""The driver `digitalocean` against a server that answers as the documented API does."""

import json

import pytest

from fleet.providers import digitalocean
from fleet.providers.base import DriverFailed
from fleet.providers.digitalocean import DigitalOceanDriver
from tests.fleet.providers.conftest import order
from tests.support.local_server import Answer

DROPLET = "/v2/droplets/7"


@pytest.fixture
def driver(settings, machine, local_server, monkeypatch):
    settings.DIGITALOCEAN_TOKEN, settings.DIGITALOCEAN_URL = "do-token", local_server.url
    settings.OUTBOUND_ALLOW_LOOPBACK = True
    monkeypatch.setattr(digitalocean, "PAUSE_S", 0.001)
    return DigitalOceanDriver(machine(target="7"))


def action(status, number=1):
    return Answer(201, json.dumps({"action": {"id": number, "status": status}}))


def droplet(status):
    return Answer(200, json.dumps({"droplet": {"id": 7, "status": status}}))


def asked(server):
    return [(one.method, one.path, one.json() if one.body else None) for one in server.requests]


def test_a_droplet_is_shut_down_and_switched_on(driver, local_server):
    local_server.answer(DROPLET, droplet("active"), droplet("off"))
    local_server.answer(f"{DROPLET}/actions", action("in-progress", 36))
    local_server.answer("/v2/actions/36", action("in-progress", 36), action("completed", 36))
    driver.suspend()
    assert asked(local_server) == [
        ("GET", DROPLET, None),
        ("POST", f"{DROPLET}/actions", {"type": "shutdown"}),
        ("GET", "/v2/actions/36", None),
        ("GET", "/v2/actions/36", None),
    ]
    assert {one.headers["authorization"] for one in local_server.requests} == {"Bearer do-token"}
    local_server.clear()
    driver.suspend()  # it is off
    driver.resume()
    assert asked(local_server)[-2:] == [
        ("POST", f"{DROPLET}/actions", {"type": "power_on"}),
        ("GET", "/v2/actions/36", None),
    ]


def test_power_is_cut_when_a_droplet_does_not_shut_down(driver, local_server):
    local_server.answer(DROPLET, droplet("active"))
    local_server.answer(f"{DROPLET}/actions", action("errored"), action("completed"))
    driver.suspend()
    assert [body["type"] for _, _, body in asked(local_server) if body] == ["shutdown", "power_off"]


def test_a_backup_is_a_snapshot(driver, local_server):
    old = {"id": "5", "name": "before", "size_gigabytes": 1}
    new = {"id": "6", "name": "before", "size_gigabytes": 2.36}
    local_server.answer(
        f"{DROPLET}/snapshots",
        Answer(200, json.dumps({"snapshots": [old]})),
        Answer(200, json.dumps({"snapshots": [old, new]})),
    )
    local_server.answer(f"{DROPLET}/actions", action("completed"))
    archive = driver.backup(order())
    assert (archive.place, archive.size_bytes) == ("digitalocean snapshot 6", 2_360_000_000)
    assert ("POST", f"{DROPLET}/actions", {"type": "snapshot", "name": "before"}) in asked(local_server)


def test_removal_and_what_has_gone(driver, local_server):
    local_server.answer(DROPLET, Answer(204, b""), Answer(404, '{"id":"not_found","message":"gone"}'))
    driver.destroy()
    driver.destroy()
    assert [one.method for one in local_server.requests] == ["DELETE", "DELETE"]
    with pytest.raises(DriverFailed, match="status 404: gone"):
        driver.resume()


def test_refusals_and_silence(driver, local_server, monkeypatch):
    local_server.answer(DROPLET, Answer(401, '{"id":"unauthorized","message":"Unable to authenticate you"}'))
    with pytest.raises(DriverFailed, match="status 401: Unable to authenticate you") as refused:
        driver.destroy()
    assert "do-token" not in str(refused.value)
    local_server.answer(DROPLET, Answer(502, "<html>"))
    with pytest.raises(DriverFailed, match="status 502$"):
        driver.destroy()
    monkeypatch.setattr(digitalocean, "CALL_S", 0.05)
    local_server.answer(DROPLET, hang=True)
    with pytest.raises(DriverFailed, match="did not finish"):
        driver.destroy()
    monkeypatch.setattr(digitalocean, "ACTION_TIMEOUT_S", 0.01)
    monkeypatch.setattr(digitalocean, "CALL_S", 5)
    local_server.answer(DROPLET, droplet("off"))
    local_server.answer(f"{DROPLET}/actions", action("in-progress"))
    local_server.answer("/v2/actions/1", action("in-progress"))
    with pytest.raises(DriverFailed, match="did not end the action power_on within"):
        driver.resume()


def test_what_is_not_set_up_is_not_offered(driver, settings, machine):
    assert "which droplet" in DigitalOceanDriver(machine()).lacking
    settings.DIGITALOCEAN_TOKEN = ""
    assert driver.can == frozenset()
    for wrong in ("", "7/..", "x"):
        with pytest.raises(ValueError, match="number"):
            DigitalOceanDriver.check_target(wrong)
