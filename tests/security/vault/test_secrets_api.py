"""`/api/v1/secrets` (contract: fleet console §25)."""

import base64
from datetime import timedelta

import pytest
from django.utils import timezone

from security.audit.models import AuditEntry
from security.vault.models import Secret, SecretVersion
from security.vault.services import KEPT_VERSIONS, forget_deployed
from tests.factories import make_team, make_user
from tests.fleet.conftest import make_instance

pytestmark = pytest.mark.django_db
URL = "/api/v1/secrets"
VALUE = "planted-v4lue-☂"


def made(client, **fields):
    answer = client.post(URL, {"name": "DB_PASSWORD", "value": VALUE} | fields)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_secret_lives_and_its_value_is_told_by_nothing_but_value(api):
    admin = api("ADMIN")
    ends = (timezone.now() + timedelta(days=2, hours=1)).isoformat()
    told = [made(admin, type="API_KEY", scope=["monitors"], expiresAt=ends, description="of the shop")]
    secret = told[0]
    at = f"{URL}/{secret['id']}"
    assert secret | {"name": "DB_PASSWORD", "type": "API_KEY", "instanceId": None, "scope": ["monitors"],
                     "isExpired": False, "daysUntilExpiry": 3, "createdBy": admin.user.pk,
                     "lastRotatedAt": None, "version": 1} == secret  # fmt: skip
    told.append(admin.get(URL).json())
    assert told[-1]["secrets"] == told[-1]["data"] == [secret]
    told.append(admin.put(at, {"description": None, "expiresAt": None, "name": "ignored"}).json())
    assert (told[-1]["description"], told[-1]["expiresAt"], told[-1]["daysUntilExpiry"]) == (None, None, None)
    assert told[-1]["name"] == "DB_PASSWORD"
    told.append(admin.post(f"{at}/rotate", {"value": VALUE + "2"}).json())
    assert told[-1]["version"] == 2 and told[-1]["lastRotatedAt"]
    told.append(admin.put(at, {"value": VALUE + "3"}).json())
    revealed = admin.get(f"{at}/value?reason=pager")
    assert revealed.json() == {"value": VALUE + "3"} and revealed["Cache-Control"] == "no-store"
    entry = AuditEntry.objects.filter(action="EXECUTE").get()
    assert (entry.resource, entry.resource_id) == ("secret", secret["id"])
    assert (entry.metadata["event"], entry.metadata["reason"]) == ("reveal", "pager")
    told.append(admin.get(at).json())
    assert told[-1]["lastReadAt"]
    told.append(admin.delete(at).json())
    assert told[-1] == {"message": "Secret deleted", "id": secret["id"], "name": "DB_PASSWORD"}
    assert admin.get(at).status_code == 404 and not SecretVersion.objects.exists()
    kept = list(AuditEntry.objects.values())
    assert VALUE not in str(told) + str(kept)
    assert [one["action"] for one in kept if one["resource"] == "secret"] == [
        "CREATE", "UPDATE", "UPDATE", "UPDATE", "EXECUTE", "DELETE",
    ]  # fmt: skip


def test_versions_and_roll_back(api):
    admin = api("ADMIN")
    at = f"{URL}/{made(admin, value='1')['id']}"
    for number in range(2, KEPT_VERSIONS + 3):
        admin.post(f"{at}/rotate", {"value": str(number)})
    kept = admin.get(f"{at}/versions").json()
    assert [one["number"] for one in kept["versions"]] == list(range(KEPT_VERSIONS + 2, 2, -1))
    assert kept["version"] == KEPT_VERSIONS + 2
    assert admin.post(f"{at}/roll-back", {"version": 3}).json()["version"] == 3
    assert admin.get(f"{at}/value").json() == {"value": "3"}
    assert admin.post(f"{at}/roll-back", {"version": 3}).status_code == 409
    assert admin.post(f"{at}/roll-back", {"version": 2}).status_code == 404
    assert admin.post(f"{at}/roll-back", {"version": "3"}).status_code == 400
    assert admin.post(f"{at}/rotate", {"value": "new"}).json()["version"] == KEPT_VERSIONS + 3
    assert admin.get(f"{at}/value").json() == {"value": "new"}


def test_a_name_is_there_once_for_all_and_once_for_each_instance(api):
    admin, one, two = api("ADMIN"), make_instance(), make_instance(name="web-2")
    for place in ({}, {"instanceId": one.pk}, {"instanceId": two.pk}):
        made(admin, **place)
        again = admin.post(URL, {"name": "DB_PASSWORD", "value": "x"} | place)
        assert (again.status_code, again.json()["error"]) == (409, "Conflict")
    assert Secret.objects.count() == SecretVersion.objects.count() == 3
    found = admin.get(f"{URL}?instanceId={one.pk}&type=ENV_VAR").json()
    assert [row["instanceId"] for row in found["secrets"]] == [one.pk]
    assert admin.get(f"{URL}?type=FILE").json()["total"] == 0


@pytest.mark.parametrize("role", ["VIEWER", "DEVELOPER", "OPERATOR"])
def test_roles(api, role):
    secret, client = made(api("ADMIN")), api(role)
    at, may = f"{URL}/{secret['id']}", role == "OPERATOR"
    assert client.get(URL).status_code == client.get(at).status_code == 200
    assert client.get(f"{at}/versions").status_code == 200
    assert client.get(f"{at}/value").status_code == 403
    assert client.put(at, {"description": "x"}).status_code == (200 if may else 403)
    assert client.post(f"{at}/rotate", {"value": "x"}).status_code == (200 if may else 403)
    assert client.post(f"{at}/roll-back", {"version": 1}).status_code == (200 if may else 403)
    assert client.post(URL, {"name": "N", "value": "x"}).status_code == (201 if may else 403)
    assert client.delete(at).status_code == (200 if may else 403)
    assert not AuditEntry.objects.filter(action="EXECUTE").exists()


def test_teams_raise_and_hide_but_never_reveal(api):
    team = make_team()
    instance = make_instance(team=team)
    secret = made(api("ADMIN"), instanceId=instance.pk)
    at = f"{URL}/{secret['id']}"
    stranger, member = api("OPERATOR"), api("VIEWER", teams={team: "ADMIN"})
    for answer in (
        stranger.get(at), stranger.get(f"{at}/versions"), stranger.put(at, {"value": "x"}), stranger.delete(at),
        stranger.post(URL, {"name": "A", "value": "x", "instanceId": instance.pk}),
        stranger.post(URL, {"name": "A", "value": "x", "instanceId": "nobody"}),
    ):  # fmt: skip
        assert answer.status_code == 404, answer.text
    assert stranger.get(URL).json()["total"] == 0
    assert member.post(f"{at}/rotate", {"value": "x"}).status_code == 200
    made(member, name="MORE", instanceId=instance.pk)
    assert member.post(URL, {"name": "GLOBAL", "value": "x"}).status_code == 403
    assert member.get(f"{at}/value").status_code == 403
    own = api(user=make_user(role="OPERATOR"), instance_id=make_instance(name="web-2").pk)
    assert own.get(URL).json()["total"] == 0 and own.get(at).status_code == 404


BAD = [
    {}, [], {"name": "A"}, {"name": "A", "value": ""}, {"name": "A", "value": 5}, {"name": "A", "value": None},
    {"name": "", "value": "x"}, {"name": "a b", "value": "x"}, {"name": "ä", "value": "x"},
    {"name": "x" * 257, "value": "x"}, {"name": "A", "value": "x" * 65_537}, {"name": "A", "value": "☂" * 30_000},
    {"name": "A\x00", "value": "x"}, {"name": "A", "value": "x", "type": "NONE"},
    {"name": "A", "value": "x", "scope": "monitors"}, {"name": "A", "value": "x", "scope": ["x"] * 51},
    {"name": "A", "value": "x", "scope": [1]}, {"name": "A", "value": "x", "expiresAt": "soon"},
    {"name": "A", "value": "x", "description": "x" * 513},
]  # fmt: skip


def test_bad_input_is_a_fault_of_family_a_and_stores_nothing(api):
    admin = api("ADMIN")
    for body in BAD:
        answer = admin.post(URL, body)
        assert (answer.status_code, answer.json()["error"]) == (400, "Bad Request"), body
        assert answer.json()["details"]["fieldErrors"] or answer.json()["details"]["formErrors"]
    for query in ("type=x", "limit=0", "page=x", f"instanceId={'x' * 129}"):
        assert admin.get(f"{URL}?{query}").status_code == 400
    assert admin.get(f"{URL}/{'x' * 129}").status_code == admin.get(f"{URL}/a%00b").status_code == 400
    assert admin.get(f"{URL}/nothing/value").status_code == 404
    secret = made(admin, value=" \n x\t\n" + "y" * 65_000)
    assert admin.get(f"{URL}/{secret['id']}/value").json()["value"].startswith(" \n x\t\n"), "kept as it was sent"
    assert admin.get(f"{URL}/{secret['id']}/value?reason={'x' * 501}").status_code == 400
    assert Secret.objects.count() == AuditEntry.objects.filter(action="EXECUTE").count() == 1


def test_what_was_changed_moved_or_lost_its_key_is_unreadable(api, settings, caplog):
    admin = api("ADMIN")
    first, second = (made(admin, name=name, value=f"{VALUE}-{name}")["id"] for name in "AB")
    tokens = dict(SecretVersion.objects.values_list("secret_id", "sealed_value"))
    broken = tokens[first][:-6] + ("A" if tokens[first][-6] != "A" else "B") + tokens[first][-5:]
    for token in (tokens[second], broken, "", "v2:", "x" * 5000, "v9" + tokens[first][2:]):
        SecretVersion.objects.filter(secret_id=first).update(sealed_value=token)
        answer = admin.get(f"{URL}/{first}/value")
        assert (answer.status_code, answer.json()["error"]) == (503, "Service Unavailable")
        assert "stored secret" in answer.json()["message"] and VALUE not in answer.text + caplog.text
    SecretVersion.objects.filter(secret_id=first).update(sealed_value=tokens[first])
    key_id = tokens[first].split(":")[1]
    settings.VAULT_KEY = base64.b64encode(bytes(32)).decode()
    answer = admin.get(f"{URL}/{first}/value")
    assert answer.status_code == 503 and f"needs the vault key {key_id}" in answer.json()["message"]
    assert not AuditEntry.objects.filter(action="EXECUTE").exists(), "nothing was revealed"
    assert admin.get(f"{URL}/{first}").status_code == 200


def test_secrets_go_with_their_instance(api):
    admin, instance = api("ADMIN"), make_instance(status="STOPPED")
    made(admin, name="KEPT", instanceId=instance.pk, scope=["deployments"])
    made(admin, name="DEPLOYED", instanceId=instance.pk, scope=["deployment"])
    assert forget_deployed(instance_id=instance.pk) == 1
    assert list(Secret.objects.values_list("name", flat=True)) == ["KEPT"]
    instance.delete()
    assert not Secret.objects.exists() and not SecretVersion.objects.exists()
