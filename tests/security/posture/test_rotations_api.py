"""Rotations over HTTP (contract: fleet console §23)."""

from datetime import timedelta

import pytest

from security.audit.models import AuditEntry
from security.rotations.models import Rotation
from tests.factories import make_team
from tests.security.posture.making import NOW, ago, make_instance, make_rotation

URL = "/api/v1/security/secrets"


@pytest.fixture
def frozen(time_machine):
    time_machine.move_to(NOW, tick=False)


def body(instance, **fields):
    return {"instanceId": instance.pk, "secretName": "payments", "secretType": "API key"} | fields


def test_overdue_first_then_what_is_due_next(api, frozen):
    vm = make_instance()
    later = make_rotation(vm, ago(1))
    sooner = make_rotation(vm, ago(30), rotation_days=31)
    late = make_rotation(vm, ago(30), rotation_days=29)
    never = make_rotation(vm)
    edge = make_rotation(vm, ago(10), rotation_days=10)
    make_rotation(make_instance(status="DESTROYED"))
    client = api(role="VIEWER")
    found = client.get(URL).json()
    assert [one["id"] for one in found["secrets"]] == [never.pk, late.pk, edge.pk, sooner.pk, later.pk]
    assert found["count"] == 5
    assert [one["isOverdue"] for one in found["secrets"]] == [True, True, False, False, False]
    assert found["secrets"][1] == {
        "id": late.pk, "instanceId": vm.pk, "instanceName": vm.name, "secretName": late.secret_name,
        "secretType": "API key", "lastRotated": "2026-01-31T12:00:00.000Z", "nextRotation": "2026-03-01T12:00:00.000Z",
        "rotationDays": 29, "isOverdue": True, "daysSinceRotation": 30,
    }  # fmt: skip
    assert found["secrets"][0]["daysSinceRotation"] is None and found["secrets"][0]["nextRotation"] is None
    assert client.get(f"{URL}?overdueOnly=true").json()["count"] == 2
    assert client.get(f"{URL}?overdueOnly=false").json()["count"] == 5
    paged = client.get(f"{URL}?limit=2&page=2&instanceId={vm.pk}").json()
    assert ([one["id"] for one in paged["secrets"]], paged["count"]) == ([edge.pk, sooner.pk], 5)
    for query in ("overdueOnly=yes", "limit=0", "limit=1001", "page=x"):
        assert client.get(f"{URL}?{query}").status_code == 422
    assert client.get(f"{URL}?instanceId=unknown").status_code == 404


def test_an_upsert_keeps_what_is_not_sent(api, frozen):
    vm, client = make_instance(), api(role="VIEWER")
    first = client.post(URL, body(vm, lastRotated="2026-02-28T13:00:00+01:00", rotationDays=1))
    assert first.status_code == 201
    key = first.json()["id"]
    assert first.json() == {"id": key, "instanceId": vm.pk, "secretName": "payments", "isOverdue": True}
    second = client.post(URL, body(vm, secretType="token", rotationDays=3))
    assert second.json() == {"id": key, "instanceId": vm.pk, "secretName": "payments", "isOverdue": False}
    row = Rotation.objects.get()
    assert (row.secret_type, row.rotation_days, row.last_rotated_at) == ("token", 3, ago(2))
    assert client.post(URL, body(vm, lastRotated=None)).json()["isOverdue"] is True
    assert client.post(URL, body(vm, secretName="other")).status_code == 201
    assert Rotation.objects.get(secret_name="other").rotation_days == 90
    actions = (
        AuditEntry.objects.filter(resource="secret_rotation").order_by("at", "pk").values_list("action", flat=True)
    )
    assert sorted(actions) == ["CREATE", "CREATE", "UPDATE", "UPDATE"]


def test_rotating_is_noted(api, frozen):
    row = make_rotation(make_instance())
    answer = api(role="VIEWER").post(f"{URL}/{row.pk}/rotate")
    assert answer.json() == {"id": row.pk, "lastRotated": "2026-03-02T12:00:00.000Z", "isOverdue": False}
    row.refresh_from_db()
    assert row.due_at == NOW + timedelta(days=90)
    assert AuditEntry.objects.get(resource="secret_rotation").metadata["act"] == "rotate"


@pytest.mark.parametrize(
    "wrong",
    [
        {"secretName": ""}, {"secretName": "x" * 257}, {"secretName": "a\x00b"}, {"secretName": 5},
        {"secretType": "x" * 65}, {"secretType": None}, {"rotationDays": 0}, {"rotationDays": 3651},
        {"rotationDays": "90"}, {"rotationDays": True}, {"rotationDays": 10**30}, {"lastRotated": "soon"},
        {"lastRotated": "2999-01-01T00:00:00Z"}, {"lastRotated": "0001-01-01T00:00:00+14:00"}, {"instanceId": []},
    ],
    ids=str,
)  # fmt: skip
def test_bad_input_is_refused(api, frozen, wrong):
    answer = api(role="VIEWER").post(URL, body(make_instance()) | wrong)
    assert answer.status_code == 422
    assert list(answer.json()["details"]["fieldErrors"]) == list(wrong)
    assert not Rotation.objects.exists()


def test_what_the_caller_does_not_see_is_missing(api):
    ours, theirs = make_team(), make_team()
    row = make_rotation(make_instance(team=theirs))
    client = api(role="OPERATOR", teams={ours: "OPERATOR"})
    assert client.get(URL).json() == {"secrets": [], "count": 0}
    assert client.get(f"{URL}?instanceId={row.instance_id}").status_code == 404
    assert client.post(f"{URL}/{row.pk}/rotate").status_code == 404
    assert client.post(URL, body(row.instance)).status_code == 404
    bound = api(role="OPERATOR", instance_id=make_instance().pk)
    assert bound.get(URL).json()["count"] == 0


def test_strict_roles_raise_the_doors(api, settings):
    settings.STRICT_ROLES = True
    team = make_team()
    row = make_rotation(make_instance(team=team))
    viewer = api(role="VIEWER", teams={team: "VIEWER"})
    assert viewer.post(f"{URL}/{row.pk}/rotate").status_code == 403
    assert viewer.post(URL, body(row.instance)).status_code == 403
    assert viewer.get(URL).json()["count"] == 1
    raised = api(role="VIEWER", teams={team: "OPERATOR"})
    assert raised.post(f"{URL}/{row.pk}/rotate").status_code == 200
    assert raised.post(URL, body(make_instance())).status_code == 403  # no team raises that person there
