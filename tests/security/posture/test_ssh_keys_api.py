"""SSH keys and the server's own over HTTP (contract: fleet console §24)."""

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_private_key

from security.audit.models import AuditEntry
from security.ssh_keys import server_key
from security.ssh_keys.models import ServerKey, SshKey
from security.vault.columns import registered
from tests.factories import make_team
from tests.security.posture.making import NOW, ago, make_instance, make_ssh_key

URL = "/api/v1/security/ssh-keys"
SERVER = "/api/v1/security/server-key"


@pytest.fixture
def frozen(time_machine):
    time_machine.move_to(NOW, tick=False)


def body(instance, **fields):
    return {"instanceId": instance.pk, "fingerprint": "SHA256:abc", "keyType": "rsa"} | fields


def test_keys_are_listed_and_counted_as_they_stand_now(api, frozen):
    vm = make_instance()
    strong = make_ssh_key(vm, comment="someone", last_used_at=ago(1), expires_at=ago(-1))
    make_ssh_key(vm, key_type="ssh-rsa", key_bits=1024)
    expired = make_ssh_key(vm, key_type="dsa", expires_at=NOW)
    make_ssh_key(vm, revoked_at=ago(1), expires_at=ago(2))
    make_ssh_key(vm, seen_at=ago(3), gone_at=ago(2))
    make_ssh_key(make_instance(status="DESTROYED"))
    client = api(role="VIEWER")
    found = client.get(URL).json()
    assert found["summary"] == {
        "total": 5, "active": 2, "revoked": 2, "expired": 1, "weak": 2,
        "byType": {"ssh-ed25519": 3, "dsa": 1, "ssh-rsa": 1},
    }  # fmt: skip
    assert found["count"] == len(found["keys"]) == 5
    one = next(key for key in found["keys"] if key["id"] == strong.pk)
    assert one == {
        "id": strong.pk, "instanceId": vm.pk, "instanceName": vm.name, "fingerprint": strong.fingerprint,
        "comment": "someone", "keyType": "ssh-ed25519", "keyBits": 256, "status": "ACTIVE", "isWeak": False,
        "lastUsedAt": "2026-03-01T12:00:00.000Z", "createdAt": "2026-03-02T12:00:00.000Z",
        "expiresAt": "2026-03-03T12:00:00.000Z", "isExpired": False,
    }  # fmt: skip
    late = client.get(f"{URL}?status=EXPIRED&instanceId={vm.pk}").json()["keys"]
    assert [(key["id"], key["status"], key["isExpired"], key["isWeak"]) for key in late] == [
        (expired.pk, "EXPIRED", True, True)
    ]
    assert {key["status"] for key in client.get(f"{URL}?status=REVOKED").json()["keys"]} == {"REVOKED"}
    assert client.get(f"{URL}?status=expired").status_code == 422
    assert client.get(f"{URL}?instanceId={'x' * 129}").status_code == 422


def test_an_upsert_keeps_what_is_not_sent_and_revoked_stays_revoked(api, frozen):
    vm, client = make_instance(), api(role="VIEWER")
    first = client.post(URL, body(vm, keyBits=2048, comment="someone", expiresAt="2026-03-02T12:00:00Z"))
    key = first.json()["id"]
    assert (first.status_code, first.json()) == (
        201,
        {"id": key, "instanceId": vm.pk, "fingerprint": "SHA256:abc", "keyType": "rsa", "status": "EXPIRED"},
    )
    again = client.post(URL, body(vm, expiresAt=None, keyType="ssh-rsa"))
    assert again.json() | {"keyType": "ssh-rsa", "status": "ACTIVE"} == again.json()
    row = SshKey.objects.get()
    assert (row.pk, row.comment, row.key_bits, row.expires_at) == (key, "someone", 2048, None)
    assert client.post(f"{URL}/{key}/revoke").json() == {"id": key, "status": "REVOKED"}
    assert client.post(f"{URL}/{key}/revoke").json() == {"id": key, "status": "REVOKED"}
    assert client.post(URL, body(vm)).json()["status"] == "REVOKED"
    assert AuditEntry.objects.filter(resource="ssh_key", metadata__act="revoke").count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"fingerprint": ""}, {"fingerprint": "x" * 257}, {"comment": "x" * 257}, {"keyType": "x" * 33},
        {"keyBits": 255}, {"keyBits": 16385}, {"keyBits": "2048"}, {"expiresAt": "9999-12-31T23:59:59-14:00"},
        {"expiresAt": "9999-12-31T00:00:00Z"}, {"lastUsedAt": 5}, {"instanceId": None},
    ],
    ids=str,
)  # fmt: skip
def test_bad_input_is_refused(api, wrong):
    answer = api(role="VIEWER").post(URL, body(make_instance()) | wrong)
    assert (answer.status_code, list(answer.json()["details"]["fieldErrors"])) == (422, list(wrong))
    assert not SshKey.objects.exists()


def test_what_the_caller_does_not_see_is_missing(api, settings):
    theirs = make_team()
    row = make_ssh_key(make_instance(team=theirs))
    client = api(role="OPERATOR", teams={make_team(): "OPERATOR"})
    assert client.get(URL).json()["count"] == 0
    assert client.post(f"{URL}/{row.pk}/revoke").status_code == 404
    assert client.post(URL, body(row.instance)).status_code == 404
    settings.STRICT_ROLES = True
    assert api(role="VIEWER", teams={theirs: "VIEWER"}).post(f"{URL}/{row.pk}/revoke").status_code == 403
    assert api(role="VIEWER", teams={theirs: "OPERATOR"}).post(f"{URL}/{row.pk}/revoke").status_code == 200


def test_the_server_has_one_key_whose_private_part_stays(api):
    client, viewer = api(role="ADMIN"), api(role="VIEWER")
    assert viewer.get(SERVER).json() == {
        "exists": False, "publicKey": None, "message": "There is no server key yet."
    }  # fmt: skip
    assert server_key.private_key() is None
    assert api(role="OPERATOR").post(f"{SERVER}/generate").status_code == 403
    made = client.post(f"{SERVER}/generate")
    assert made.status_code == 201
    told = viewer.get(SERVER).json()
    assert told == made.json()
    assert (told["exists"], told["keyType"], set(told)) == (
        True,
        "ed25519",
        {"exists", "publicKey", "keyType", "comment"},
    )
    private = load_ssh_private_key(server_key.private_key().encode(), None)
    public = private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    assert told["publicKey"] == f"{public} {told['comment']}"
    assert "PRIVATE" not in ServerKey.objects.get().sealed_private_key
    assert "security.ServerKey.sealed_private_key" in map(str, registered())
    assert client.post(f"{SERVER}/generate").status_code == 409
    assert client.post(f"{SERVER}/generate", {"replace": "yes"}).status_code == 422
    other = client.post(f"{SERVER}/generate", {"replace": True})
    assert other.status_code == 201 and other.json()["publicKey"] != told["publicKey"]
    assert ServerKey.objects.count() == 1
    assert "PRIVATE" not in str(
        list(AuditEntry.objects.filter(resource="server_key").values_list("metadata", flat=True))
    )
