"""Adding an instance: the form, the key that is shown once, the page that waits."""

import re
import subprocess

import pytest

from fleet.agents import distribution, joining
from fleet.instances.models import Instance
from security.keys.models import ApiKey
from tests.factories import make_team
from tests.fleet.pages.conftest import awaited, reporting

KEY = re.compile(r"sk-[0-9a-f]{48}")


@pytest.fixture
def wheel(settings, tmp_path):
    """A package as `make agent` leaves it."""
    settings.AGENT_WHEELS = tmp_path
    (tmp_path / "pharos_agent-0.1.0-py3-none-any.whl").write_bytes(b"PK")


def test_only_operators(browser):
    assert browser("DEVELOPER").get("/instances/add/").status_code == 403
    assert browser("OPERATOR").get("/instances/add/").status_code == 200


def test_name_labels_and_team_make_an_instance_and_show_its_key_once(browser, wheel):
    team, client = make_team(), browser("ADMIN")
    page = client.post("/instances/add/", {"name": "web-7", "labels": "role=web, rack=7", "team": team.pk}).text
    instance = Instance.objects.get()
    assert (instance.name, instance.tags, instance.team) == ("web-7", {"role": "web", "rack": "7"}, team)
    assert len(set(KEY.findall(page))) == 1
    assert ApiKey.objects.get().instance_id == instance.pk
    for name in ("Shell", "Container", "Service unit", "Plain HTTP"):
        assert f">{name}</h2>" in page
    assert "Waiting for first contact" in page
    assert f'data-live-topic="instance:{instance.pk}"' in page
    assert not KEY.search(client.get(f"/instances/{instance.pk}/connect/").text)


def test_without_a_built_package_plain_http_remains(browser, settings, tmp_path):
    settings.AGENT_WHEELS = tmp_path
    page = browser("OPERATOR").post("/instances/add/", {"name": "web-7"}).text
    assert re.findall(r'<h2 id="way-\w+">([^<]+)', page) == ["Plain HTTP"]


@pytest.mark.parametrize(
    ("form", "fault"),
    [
        ({"name": ""}, "This field is required"),
        ({"name": "Web 7"}, "Use small letters"),
        ({"name": "-web"}, "Use small letters"),
        ({"name": "x" * 129}, "at most 128"),
        ({"name": "web-7", "labels": "role"}, "Write each label as name=value"),
        ({"name": "web-7", "labels": "=web"}, "Write each label as name=value"),
        ({"name": "web-7", "labels": ",".join(f"a{n}=b" for n in range(51))}, "at most 50 labels"),
        ({"name": "web-7", "team": "unknown"}, "Select a valid choice"),
        ({"name": "taken-1"}, "An active instance is already named"),
    ],
)
def test_what_was_typed_stays_and_the_fault_is_named(browser, form, fault):
    reporting("taken-1")
    answer = browser("OPERATOR").post("/instances/add/", form)
    assert answer.status_code == 422
    assert fault in answer.text and 'role="alert"' in answer.text
    assert f'value="{form["name"]}"' in answer.text or not form["name"]
    assert Instance.objects.count() == 1


def test_operator_of_a_team_adds_to_that_team_only(browser):
    ours, theirs = make_team(), make_team()
    client = browser("VIEWER", teams={ours: "OPERATOR"})
    assert client.post("/instances/add/", {"name": "web-7"}).status_code == 422
    assert client.post("/instances/add/", {"name": "web-7", "team": theirs.pk}).status_code == 422
    assert client.post("/instances/add/", {"name": "web-7", "team": ours.pk}).status_code == 200
    assert Instance.objects.get().team == ours


def test_steps_follow_the_machine(browser):
    instance, client = awaited("web-7"), browser("OPERATOR")
    url = f"/instances/{instance.pk}/connect/steps/"
    waiting = client.get(url)
    assert "Waiting for first contact" in waiting.text and "HX-Redirect" not in waiting
    Instance.objects.filter(pk=instance.pk).update(status="RUNNING", last_seen_at=instance.created_at)
    registered = client.get(url)
    assert "Waiting for the first heartbeat" in registered.text and "HX-Redirect" not in registered
    Instance.objects.filter(pk=instance.pk).update(uptime_s=5)
    connected = client.get(url)
    assert connected["HX-Redirect"] == f"/instances/{instance.pk}/"
    assert client.get(f"/instances/{instance.pk}/connect/").url == f"/instances/{instance.pk}/"


def test_a_lost_key_is_replaced_by_another(browser, wheel):
    instance, client = awaited("web-7"), browser("OPERATOR")
    page = client.post(f"/instances/{instance.pk}/connect/").text
    assert len(set(KEY.findall(page))) == 1
    assert browser("VIEWER").post(f"/instances/{instance.pk}/connect/").status_code == 403


def test_every_shown_text_is_a_script_that_a_shell_can_read(db, wheel):
    ways = joining.ways(instance=awaited("web-7"), key="sk-" + "a" * 48, url="http://pharos.example.org:8000")
    for way in ways:
        subprocess.run(["sh", "-n"], input=way.text, text=True, check=True, timeout=10)
        assert "sk-" in way.text
    assert all(f"/agent/{distribution.newest_wheel().name}" in way.text for way in ways[1:3])


@pytest.mark.parametrize(
    ("configured", "seen", "used"),
    [
        ("http://127.0.0.1:8000", "http://10.1.2.3:8000/", "http://10.1.2.3:8000"),
        ("http://localhost:8000", "https://pharos.example.org/", "https://pharos.example.org"),
        ("https://pharos.example.org", "http://10.1.2.3:8000/", "https://pharos.example.org"),
    ],
)
def test_machines_get_an_address_that_they_reach(settings, configured, seen, used):
    settings.BASE_URL = configured
    assert joining.server_url(seen) == used
