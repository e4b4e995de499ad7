"""Pages of secrets: no value on any of them but on the one that reveals it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from alerts.search.queries import find
from security.audit.models import AuditEntry
from security.vault import services
from security.vault.models import Secret, SecretVersion
from tests.factories import make_team, make_user
from tests.fleet.conftest import make_instance

pytestmark = pytest.mark.django_db
VALUE = "planted-v4lue<b>"


def stored(**fields):
    return services.create(actor=None, **{"name": "DB_PASSWORD", "value": VALUE} | fields)


def test_a_secret_from_the_form_to_the_end(browser):
    operator = browser("OPERATOR")
    form = {
        "name": "TLS.KEY",
        "value": "a\r\nb\r\n",
        "type": "CERTIFICATE",
        "scope": "monitors",
        "last_day": "2030-01-31",
    }
    at = operator.post("/secrets/new/", form)["Location"]
    secret = Secret.objects.get()
    assert at == f"/secrets/{secret.pk}/" and secret.versions.get().value == "a\nb\n"
    assert secret.expires_at == datetime(2030, 2, 1, tzinfo=UTC)
    again = operator.post("/secrets/new/", form)
    assert again.status_code == 422 and "already a secret named TLS.KEY" in again.text
    secret.scope = ["monitors", "deployment"]
    secret.expires_at += timedelta(hours=5)
    secret.save()
    assert 'value="2030-02-01"' in operator.get(f"{at}edit/").text
    edited = {"description": "of the shop", "scope": ["channels"], "last_day": "2030-02-01"}
    assert operator.post(f"{at}edit/", edited).status_code == 302
    before, secret = secret.expires_at, Secret.objects.get()
    assert (secret.scope, secret.description) == (["channels", "deployment"], "of the shop")
    assert secret.expires_at == before, "what was not changed stays exact"
    operator.post(f"{at}rotate/", {"value": VALUE})
    assert operator.post(f"{at}rotate/", {"value": ""}).status_code == 422
    page = operator.get(at).text
    assert "Roll back to version 1" in page and "Roll back to version 2" not in page and VALUE not in page
    assert operator.get(f"{at}versions/9/").status_code == 404
    assert "instead of version 2" in operator.get(f"{at}versions/1/").text
    assert operator.post(f"{at}versions/1/")["Location"] == at
    assert operator.post(f"{at}versions/1/").status_code == 409
    assert Secret.objects.get().version == 1
    assert operator.post(f"{at}delete/", {"name": "tls.key"}).status_code == 422
    assert operator.post(f"{at}delete/", {"name": "TLS.KEY"})["Location"] == "/secrets/"
    assert not Secret.objects.exists()


def test_reveal_asks_why_and_tells_the_audit_first(browser):
    secret, admin = stored(), browser("ADMIN")
    at = f"/secrets/{secret.pk}/reveal/"
    assert VALUE not in admin.get(at).text
    assert admin.post(at, {"reason": " "}).status_code == 422
    assert not AuditEntry.objects.filter(action="EXECUTE").exists()
    shown = admin.post(at, {"reason": "pager"})
    assert "planted-v4lue&lt;b&gt;" in shown.text and "no-store" in shown["Cache-Control"]
    assert AuditEntry.objects.get(action="EXECUTE").metadata["reason"] == "pager"
    SecretVersion.objects.update(sealed_value="v2:00000000:AAAA:AAAA")
    refused = admin.post(at, {"reason": "pager"})
    assert refused.status_code == 503 and "needs the vault key 00000000" in refused.text
    assert AuditEntry.objects.filter(action="EXECUTE").count() == 1
    for path in ("", "edit/", "rotate/", "delete/", "versions/1/"):
        assert admin.get(f"/secrets/{secret.pk}/{path}").status_code == 200


def test_roles_and_teams(browser):
    team = make_team()
    secret = stored(instance_id=make_instance(team=team).pk)
    at = f"/secrets/{secret.pk}/"
    doors = [f"{at}edit/", f"{at}rotate/", f"{at}delete/", f"{at}versions/1/"]
    outsider, member, lead = browser("OPERATOR"), browser(teams={team: "VIEWER"}), browser(teams={team: "ADMIN"})
    assert {outsider.get(path).status_code for path in (at, *doors)} == {404}
    assert "DB_PASSWORD" not in outsider.get("/secrets/").text
    assert member.get(at).status_code == 200 and "Rotate" not in member.get(at).text
    assert {member.get(path).status_code for path in (*doors, "/secrets/new/")} == {403}
    assert {lead.get(path).status_code for path in (*doors, "/secrets/new/")} == {200}
    assert lead.get(f"{at}reveal/").status_code == lead.post(f"{at}reveal/", {"reason": "x"}).status_code == 403
    assert lead.post("/secrets/new/", {"name": "GLOBAL", "value": "x", "type": "FILE"}).status_code == 422
    assert Secret.objects.count() == 1


def test_the_list_is_filtered_and_never_holds_a_value(browser):
    now, instance = timezone.now(), make_instance()
    stored(name="A_OLD", expires_at=now - timedelta(days=1))
    stored(name="B_SOON", expires_at=now + timedelta(days=3), type="API_KEY")
    stored(name="C_OWN", instance_id=instance.pk)
    stored(name="D_ASKED", description="of the shop")
    Secret.objects.filter(name="D_ASKED").update(rotation_asked_at=now)
    viewer = browser("VIEWER")
    for query, names in {
        "": "ABCD", "state=expired": "A", "state=expiring": "B", "state=asked": "D", "state=current": "BCD",
        "type=API_KEY": "B", "q=shop": "D", "q=web-1": "C", "q=%00": "ABCD", "type=x&state=x&page=x": "ABCD",
        "q=zzz": "",
    }.items():  # fmt: skip
        page = viewer.get(f"/secrets/?{query}")
        assert [row.name[0] for row in page.context["page"]] == list(names), query
        assert VALUE not in page.text and "v2:" not in page.text
    of_one = viewer.get(reverse("ui:instance-secrets", args=[instance.pk]))
    assert [row.name for row in of_one.context["page"]] == ["C_OWN"] and "Secrets of web-1" in of_one.text
    assert viewer.get("/secrets/instance/nothing/").status_code == 404
    assert "1 of its own" in viewer.get(f"/instances/{instance.pk}/").text


def test_search_finds_names_that_the_reader_may_see():
    stored(name="SHOP_KEY")
    stored(name="SHOP_TOKEN", instance_id=make_instance(team=make_team()).pk)
    found = {group.kind: [hit.name for hit in group.hits] for group in find("shop", make_user().principal())}
    assert found["Secrets"] == ["SHOP_KEY"]
    assert not find(VALUE, make_user(role="ADMIN").principal())


def test_support_sees_no_value(browser):
    secret, admin = stored(), browser("ADMIN")
    version = secret.versions.get()
    for path in (f"secret/{secret.pk}/change/", f"secretversion/{version.pk}/change/", "secretversion/?q=DB"):
        page = admin.get(f"/admin/security/{path}")
        assert page.status_code == 200
        assert VALUE not in page.text and version.sealed_value not in page.text and "v2:" not in page.text
