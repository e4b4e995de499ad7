"""GET and POST /api/settings/license, and what a licence limits (contract: monitors §9)."""

import base64
import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from monitors.licence import keys
from monitors.licence.models import Licence
from monitors.monitors.models import Monitor
from security.audit.models import AuditEntry
from tests.monitors.conftest import http_monitor
from tests.support.client import ApiClient

pytestmark = [pytest.mark.django_db, pytest.mark.contract]
PATH = "/api/settings/license"
UNLIMITED = {
    "tier": "community",
    "monitorLimit": None,
    "monitorsUsed": 1,
    "validUntil": None,
    "enforced": False,
    "agentLimit": None,
    "minIntervalSeconds": None,
    "status": "none",
    "issuedTo": None,
}


@pytest.fixture
def issue(settings: Any) -> Callable[..., str]:
    """`issue(monitor_limit=2)` is a key that this server accepts; enforcement is on."""
    private, public = keys.make_pair()
    settings.LICENSE_PUBLIC_KEYS = {"k1": base64.b64decode(public)}

    def make(*, by: str = private, **terms: Any) -> str:
        given = {
            "kid": "k1",
            "tier": "professional",
            "monitor_limit": None,
            "agent_limit": None,
            "min_interval_s": None,
            "issued_to": "Fjord Ltd",
            "issued_at": datetime(2026, 1, 1, tzinfo=UTC),
            "valid_until": timezone.now() + timedelta(days=30),
        }
        return keys.sign(keys.Terms(**(given | terms)), by)

    return make


@pytest.fixture
def install(api: Any) -> Callable[[str], Any]:
    admin = api("ADMIN")
    return lambda key: admin.post(PATH, {"licenseKey": key})


def test_without_public_keys_nothing_is_limited(api: Any, create: Any) -> None:
    create()
    assert api("VIEWER").get(PATH).json() == UNLIMITED


@pytest.mark.parametrize("body", [{}, {"licenseKey": ""}, {"licenseKey": 5}, {"licenseKey": "FPM1.a.b"}, [1]])
def test_without_public_keys_no_key_can_be_checked(api: Any, body: Any) -> None:
    answer = api("ADMIN").post(PATH, body)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert api("OPERATOR").post(PATH, body).status_code == 403


def test_without_a_licence_five_monitors_are_free(issue: Any, create: Any, operator: Any) -> None:
    for _ in range(5):
        create()
    answer = operator.post("/api/monitors", http_monitor())
    assert answer.status_code == 403
    body = answer.json()
    assert (body["error"], body["monitorLimit"], body["monitorsUsed"]) == ("license_limit", 5, 5)
    about = operator.get(PATH).json()
    assert (about["tier"], about["status"], about["enforced"], about["monitorLimit"]) == ("free", "none", True, 5)
    monitor = Monitor.objects.first()
    assert operator.patch(f"/api/monitors/{monitor.pk}", {"name": "Edited", "enabled": False}).status_code == 200
    assert operator.post(f"/api/monitors/{monitor.pk}/run").status_code == 202
    assert operator.delete(f"/api/monitors/{monitor.pk}").status_code == 204
    assert operator.post("/api/monitors", http_monitor()).status_code == 201


def test_a_licence_is_taken_in_and_never_shown(issue: Any, install: Any, api: Any) -> None:
    until = timezone.now().replace(microsecond=0) + timedelta(days=3)
    key = issue(tier="enterprise", monitor_limit=100, agent_limit=3, min_interval_s=300, valid_until=until)
    answer = install(f"  {key[:40]}\n{key[40:]} ")
    assert answer.status_code == 200, answer.content
    assert answer.json() == UNLIMITED | {
        "tier": "enterprise",
        "monitorLimit": 100,
        "monitorsUsed": 0,
        "agentLimit": 3,
        "minIntervalSeconds": 300,
        "validUntil": until.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "enforced": True,
        "status": "valid",
        "issuedTo": "Fjord Ltd",
    }
    assert api("VIEWER").get(PATH).json() == answer.json()
    assert key[-40:] not in Licence.objects.get().key and key[5:40] not in Licence.objects.get().key
    entry = AuditEntry.objects.get(resource="licence")
    assert key[-40:] not in json.dumps(entry.metadata) and entry.metadata["after"]["tier"] == "enterprise"


def test_bad_keys_leave_the_old_licence(issue: Any, install: Any, api: Any) -> None:
    good = issue(monitor_limit=7)
    assert install(good).status_code == 200
    form, payload, signature = good.split(".")
    changed = ("B" if signature[0] == "A" else "A") + signature[1:]
    other = base64.urlsafe_b64encode(b'{"kid":"k1","tier":"enterprise"}').rstrip(b"=").decode()
    bad = {
        "another form": f"FPM2.{payload}.{signature}",
        "no signature": f"{form}.{payload}",
        "a part more": f"{good}.x",
        "padding": f"{form}.{payload}=.{signature}",
        "standard base64": f"{form}.{payload}+/.{signature}",
        "another payload": f"{form}.{other}.{signature}",
        "another signature": f"{form}.{payload}.{changed}",
        "no JSON": f"{form}.AAAA.{signature}",
        "strange letters": f"{form}.{payload}é.{signature}",
        "too long": good + "A" * 5000,
        "unknown kid": issue(kid="k2"),
        "another signer": issue(by=keys.make_pair()[0]),
        "expired": issue(valid_until=timezone.now() - timedelta(seconds=1)),
        "unknown tier": issue(tier="gold"),
        "a negative limit": issue(monitor_limit=-1),
        "a limit that is none": issue(monitor_limit=True),
    }
    for why, key in bad.items():
        answer = install(key)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request"), why
        assert key[-20:] not in answer.content.decode()
    assert api("VIEWER").get(PATH).json()["monitorLimit"] == 7


SPELLING = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def test_a_key_has_one_spelling(issue: Any, install: Any) -> None:
    key = issue()
    # The last letter of 64 bytes carries two bits; the other four are dropped in decoding.
    others = {key[:-1] + letter for letter in SPELLING} - {key} | {key + "=", key + "=="}
    assert {install(other).status_code for other in others} == {400}
    assert install(key).status_code == 200


def test_an_expired_licence_keeps_out_what_is_new_and_stops_nothing(
    issue: Any, install: Any, create: Any, operator: Any, settings: Any
) -> None:
    assert install(issue(monitor_limit=10)).status_code == 200
    monitor = create()
    later = timezone.now() + timedelta(days=31)
    from monitors.licence import services
    from monitors.runs import dispatch

    assert services.standing(now=later).status == "expired"
    key = issue(monitor_limit=10, valid_until=timezone.now() - timedelta(days=1))
    Licence.objects.update(key=services.encrypt(key, context=services.CONTEXT))
    answer = operator.post("/api/monitors", http_monitor())
    assert (answer.status_code, answer.json()["error"]) == (403, "license_limit")
    assert operator.get(PATH).json()["status"] == "expired" and "expired" in services.limit_reached()
    assert operator.patch(f"/api/monitors/{monitor.pk}", {"name": "Still mine"}).status_code == 200
    Monitor.objects.update(next_run_at=timezone.now())
    assert dispatch.claim_due(now=timezone.now()) == 1


def test_a_shorter_interval_than_the_licence_allows(issue: Any, install: Any, create: Any, operator: Any) -> None:
    old = create(http_monitor(schedule="* * * * *"))
    assert install(issue(min_interval_s=300)).status_code == 200
    answer = operator.post("/api/monitors", http_monitor(schedule="*/4 * * * *"))
    assert (answer.status_code, answer.json()["error"]) == (403, "license_limit")
    assert answer.json()["minIntervalSeconds"] == 300
    path = f"/api/monitors/{create(http_monitor(schedule='*/5 * * * *')).pk}"
    assert operator.patch(path, {"schedule": "*/4 * * * *"}).status_code == 403
    assert operator.get(path).json()["schedule"] == "*/5 * * * *"
    assert operator.patch(f"/api/monitors/{old.pk}", {"name": "Older", "schedule": "* * * * *"}).status_code == 200


def test_agents_are_limited_too(issue: Any, install: Any, api: Any) -> None:
    admin = api("ADMIN")
    assert install(issue(agent_limit=1)).status_code == 200
    assert admin.post("/api/agents", {"name": "one"}).status_code == 201
    answer = admin.post("/api/agents", {"name": "two"})
    assert (answer.status_code, answer.json()["error"]) == (403, "license_limit")
    assert (answer.json()["agentLimit"], answer.json()["agentsUsed"]) == (1, 1)


def test_keys_that_nobody_vouches_for_any_more(issue: Any, install: Any, api: Any, settings: Any) -> None:
    assert install(issue(monitor_limit=50)).status_code == 200
    settings.LICENSE_PUBLIC_KEYS = {"k9": base64.b64decode(keys.make_pair()[1])}
    assert api("VIEWER").get(PATH).json()["tier"] == "free"
    settings.LICENSE_PUBLIC_KEYS = {}
    assert api("VIEWER").get(PATH).json()["tier"] == "community"


def test_everybody_is_told_when_the_limit_is_reached(issue: Any, install: Any, create: Any, browser: Any) -> None:
    assert install(issue(monitor_limit=1)).status_code == 200
    person, sentence = browser("OPERATOR"), "limit is reached: 1 of 1 monitors"
    assert sentence not in person.get("/monitors/").content.decode()
    create()
    assert sentence in person.get("/monitors/").content.decode()


def test_the_command_makes_pairs_and_keys(settings: Any, install: Any, capsys: Any, tmp_path: Any) -> None:
    call_command("licence", "keygen", "--kid", "k7", "--out", str(tmp_path / "private"))
    public = capsys.readouterr().out.split("LICENSE_PUBLIC_KEYS=")[1].split()[0]
    assert (tmp_path / "private").stat().st_mode & 0o777 == 0o600
    settings.LICENSE_PUBLIC_KEYS = {"k7": base64.b64decode(public.removeprefix("k7:"))}
    options = ["--kid", "k7", "--key-file", str(tmp_path / "private"), "--tier", "professional", "--monitors", "9"]
    call_command("licence", "issue", *options, "--to", "Fjord Ltd", "--days", "10")
    key = capsys.readouterr().out.strip()
    assert install(key).json()["monitorLimit"] == 9
    call_command("licence", "show")
    shown = capsys.readouterr().out
    assert "professional" in shown and "Fjord Ltd" in shown and key not in shown
    call_command("licence", "show", "--key", key)
    assert "professional" in capsys.readouterr().out
    with pytest.raises(CommandError):
        call_command("licence", "keygen", "--kid", "k7", "--out", str(tmp_path / "private"))
    with pytest.raises(CommandError):
        call_command("licence", "show", "--key", key[:-3])


@pytest.mark.django_db(transaction=True)
def test_parallel_creates_do_not_pass_the_limit(issue: Any, install: Any, operator: Any) -> None:
    assert install(issue(monitor_limit=3)).status_code == 200
    barrier, codes = threading.Barrier(6), []

    def race() -> None:
        client = ApiClient(headers={"Authorization": f"Bearer {operator.raw_key}"})
        barrier.wait()
        codes.append(client.post("/api/monitors", http_monitor()).status_code)
        connection.close()

    threads = [threading.Thread(target=race) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(codes) == [201, 201, 201, 403, 403, 403] and Monitor.objects.count() == 3


def test_the_page_shows_and_installs(browser: Any, issue: Callable[..., str]) -> None:
    viewer, admin = browser("VIEWER"), browser("ADMIN")
    assert "none installed" in viewer.get("/settings/licence/").text
    key = issue(monitor_limit=7)
    assert viewer.post("/settings/licence/", {"licenseKey": key}).status_code == 403
    refused = admin.post("/settings/licence/", {"licenseKey": "FPM1.nonsense"})
    assert refused.status_code == 422 and "field-error" in refused.text
    page = admin.post("/settings/licence/", {"licenseKey": key}, follow=True).text
    assert "0 of 7" in page and "Fjord Ltd" in page and key not in page


def test_the_page_without_public_keys(browser: Any) -> None:
    page = browser("ADMIN").get("/settings/licence/").text
    assert "No licence limits" in page and "licenseKey" not in page
