"""Off-boarding a person (journey J10): the plan, doing it, and who cannot be off-boarded."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from alerts.policies.models import Rotation
from fleet.instances.models import Instance
from security.accounts.models import Membership, Session
from security.audit.models import AuditEntry
from security.audit.services import record
from security.ssh_keys.models import SshKey
from security.vault.models import Secret
from tests.factories import PASSWORD, make_key, make_team, make_user

pytestmark = pytest.mark.django_db
MAIL = "leaver@example.org"


@pytest.fixture
def leaver():
    """A person with something of everything."""
    user = make_user(role="OPERATOR", email=MAIL, name="Lee Aver", password=PASSWORD)
    Client().force_login(user)
    other = make_user()
    make_team(name="web", members={user: "ADMIN"})
    machine = Instance.objects.create(name="web-1", provider="ssh", status="RUNNING")
    make_key(user=user, name="script")
    make_key(user=user, name="agent", instance_id=machine.pk)
    for comment in (MAIL.upper(), "lee aver", "leaver@laptop", "somebody@else", None):
        SshKey.objects.create(instance=machine, fingerprint=f"SHA256:{comment}", comment=comment, key_type="ed25519")
    now = timezone.now()
    for name, event in (("seen", "reveal"), ("stale", "reveal"), ("unseen", None)):
        secret = Secret.objects.create(name=name, last_rotated_at=now + timedelta(hours=1) if name == "stale" else None)
        if event:
            record(actor=user.principal(), action="EXECUTE", resource="secret", resource_id=secret.pk, event=event)
    for name, members in (("both", [user.pk, other.pk]), ("alone", [user.pk])):
        Rotation.objects.create(name=name, starts_on="2026-01-01", hands_over_at="09:00", members=members)
    return user


def address(user):
    return f"/api/v1/admin/users/{user.pk}/off-board"


def test_the_plan_lists_all_and_changes_nothing(api, leaver):
    client = api()
    before = AuditEntry.objects.count()
    body = client.get(address(leaver)).json()
    assert {key["name"]: bool(key["instanceId"]) for key in body["apiKeys"]} == {"script": False, "agent": True}
    assert len(body["sessions"]) == 1 and body["teams"][0]["name"] == "web"
    assert {key["comment"]: key["recommended"] for key in body["sshKeys"]} == {
        MAIL.upper(): True, "lee aver": True, "leaver@laptop": False,
    }  # fmt: skip
    assert {one["name"]: one["recommended"] for one in body["secrets"]} == {"seen": True, "stale": False}
    assert {one["name"]: one["alone"] for one in body["duties"]} == {"both": False, "alone": True}
    assert (body["obstacle"], AuditEntry.objects.count()) == (None, before)


def test_everything_ends_and_each_act_is_an_entry(api, leaver):
    client = api()
    before = set(AuditEntry.objects.values_list("pk", flat=True))
    done = client.post(address(leaver)).json()
    assert done == {
        "apiKeys": 2, "sessions": 1, "sshKeys": 2, "teams": 1, "duties": 1, "secrets": 1, "deactivated": True,
    }  # fmt: skip
    leaver.refresh_from_db()
    assert not leaver.is_active and not Session.objects.filter(user=leaver).exists()
    assert not Membership.objects.filter(user=leaver).exists()
    listed = client.get("/api/v1/secrets").json()["secrets"]
    assert {one["name"] for one in listed if one["needsRotation"]} == {"seen"}
    assert SshKey.objects.exclude(revoked_at=None).count() == 2
    assert leaver.pk in Rotation.objects.get(name="alone").members
    assert leaver.pk not in Rotation.objects.get(name="both").members
    entries = AuditEntry.objects.exclude(pk__in=before)
    acts = sorted(entries.values_list("resource", "action"))
    assert acts == sorted(
        [("api_key", "DELETE")] * 2 + [("ssh_key", "UPDATE")] * 2
        + [("on_call_rotation", "UPDATE"), ("secret", "UPDATE"), ("session", "LOGOUT")]
        + [("team_member", "TEAM_REMOVE"), ("user", "EXECUTE"), ("user", "UPDATE")]
    )  # fmt: skip
    assert all(entry.user_id == client.user.pk for entry in entries)
    again = client.post(address(leaver)).json()
    assert again == dict.fromkeys(done, 0) | {"secrets": 1, "deactivated": False}


def test_only_what_is_chosen(api, leaver):
    some = dict.fromkeys(("revokeKeys", "endSessions", "leaveTeams", "leaveDuties", "deactivate"), False)
    unseen = Secret.objects.get(name="unseen").pk
    done = api().post(address(leaver), {**some, "sshKeyIds": [], "secretIds": [unseen]}).json()
    assert done == {
        "apiKeys": 0, "sessions": 0, "sshKeys": 0, "teams": 0, "duties": 0, "secrets": 1, "deactivated": False,
    }  # fmt: skip
    assert Session.objects.filter(user=leaver).exists()
    assert [s.name for s in Secret.objects.all() if s.needs_rotation] == ["unseen"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"sshKeyIds": ["nothing"]}, 404), ({"secretIds": ["nothing"]}, 404), ({"secretIds": ["\x00"]}, 422),
        ({"deactivate": "yes"}, 422), ({"sshKeyIds": "all"}, 422), ({"secretIds": [["x"]]}, 422), ([], 422),
    ],
)  # fmt: skip
def test_a_bad_wish_changes_nothing(api, leaver, body, status):
    before = AuditEntry.objects.count()
    assert api().post(address(leaver), body).status_code == status
    leaver.refresh_from_db()
    assert leaver.is_active and AuditEntry.objects.filter(resource="user", action="EXECUTE").count() == 0
    assert SshKey.objects.filter(revoked_at=None).count() == 5 and AuditEntry.objects.count() <= before + 1


def test_who_cannot_be_off_boarded(api):
    client = api()
    oneself = client.post(address(client.user))
    assert (oneself.status_code, oneself.json()["message"][:10]) == (400, "You cannot")
    last = make_key(role="ADMIN", name="service")[0].user
    last.kind = last.Kind.SERVICE
    last.save()
    assert client.post(address(last)).status_code == 409
    assert client.post("/api/v1/admin/users/nobody/off-board").status_code == 404
    assert api(role="OPERATOR").get(address(client.user)).status_code == 403
    with pytest.raises(CommandError, match="last active administrator") as refusal:
        call_command("users", "off-board", client.user.email, "--yes")
    assert refusal.value.returncode == 3
    client.user.refresh_from_db()
    assert client.user.is_active


def test_the_command(leaver):
    make_user(role="ADMIN")

    def run(*words):
        out = StringIO()
        call_command("users", "off-board", MAIL.upper(), *words, stdout=out)
        return out.getvalue()

    assert "rotate         seen" in run("--plan") and "nobody else is in it" in run("--plan")
    assert len(json.loads(run("--plan", "--json"))["apiKeys"]) == 2
    leaver.refresh_from_db()
    assert leaver.is_active
    assert "2 API keys revoked" in run("--yes")
    leaver.refresh_from_db()
    assert not leaver.is_active
    assert json.loads(run("--yes", "--json"))["deactivated"] is False
    with pytest.raises(CommandError) as refusal:
        call_command("users", "off-board", "nobody@example.org", "--plan")
    assert refusal.value.returncode == 4


def test_the_page(browser, leaver):
    page, path = browser("ADMIN"), f"/settings/users/{leaver.pk}/off-board/"
    assert f'href="{path}"' in page.get(f"/settings/users/{leaver.pk}/").text
    text = page.get(path).text
    assert "An agent uses it" in text and "Nobody else is in it" in text and "(perhaps)" in text
    assert "somebody@else" not in text and "somebody@else" in page.get(f"{path}?ssh=some").text
    refused = page.post(path, {"deactivate": "on"})
    assert refused.status_code == 422 and "Nothing was done" in refused.text
    leaver.refresh_from_db()
    assert leaver.is_active
    other = SshKey.objects.get(comment="somebody@else")
    given = {"deactivate": "on", "revoke_keys": "on", "ssh_key": other.pk, "confirm": f" {MAIL} "}
    answer = page.post(path, given, follow=True)
    assert "1 session" not in answer.text and "1 SSH key revoked, signing in switched off" in answer.text
    other.refresh_from_db()
    assert other.revoked_at
    assert browser("OPERATOR").get(path).status_code == 403
