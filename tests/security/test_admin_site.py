"""Django's admin shows everything but secrets, and edits nothing past the services."""

import pytest
from django.contrib import admin
from django.test import Client

from security.audit.models import AuditEntry
from security.audit.services import record
from security.keys.models import ApiKey
from tests.factories import PASSWORD, make_key, make_team, make_user

pytestmark = pytest.mark.django_db


def signed_in(role):
    client = Client()
    client.user = make_user(role=role, password=PASSWORD)
    client.force_login(client.user)
    return client


def test_the_door():
    assert Client().get("/admin/", follow=True).redirect_chain[-1][0] in ("/login/?next=/admin/", "/setup/")
    for role in ("VIEWER", "OPERATOR"):
        assert signed_in(role).get("/admin/", follow=True).status_code == 403
    administrator = signed_in("ADMIN")
    assert administrator.get("/admin/").status_code == 200
    assert administrator.get("/admin/password_change/")["Location"] == "/account/"
    out = administrator.post("/admin/logout/")
    assert (out.status_code, out["Location"]) == (307, "/logout/")


def test_every_model_is_listed_and_searched():
    client, (key, _) = signed_in("ADMIN"), make_key()
    make_team(members={key.user: "VIEWER"})
    record(actor=None, action="CREATE", resource="thing", resource_id="1")
    for model in admin.site._registry:
        path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        assert client.get(path).status_code == 200, path
        assert client.get(f"{path}?q=x").status_code == 200, path
        assert client.get(f"{path}add/").status_code == 403, path


def test_no_secret_is_shown():
    client, (key, raw) = signed_in("ADMIN"), make_key()
    session = client.user.sessions.get()
    for path in (
        f"/admin/security/user/{client.user.pk}/change/", f"/admin/security/apikey/{key.pk}/change/",
        "/admin/security/apikey/", "/admin/security/user/", "/admin/security/session/",
    ):  # fmt: skip
        page = client.get(path)
        assert page.status_code == 200, path
        for secret in (client.user.password, key.digest, raw, session.session_key, session.session_data):
            assert secret not in page.text
    assert client.get(f"/admin/security/session/{session.session_key}/change/").status_code == 403


def test_what_is_shown_cannot_be_changed():
    client = signed_in("ADMIN")
    record(actor=None, action="CREATE", resource="thing", resource_id="1")
    entry = AuditEntry.objects.filter(resource="thing").get()
    for verb in ("change", "delete"):
        assert client.post(f"/admin/security/auditentry/{entry.pk}/{verb}/", {"action": "X"}).status_code == 403
    assert client.post(f"/admin/security/user/{client.user.pk}/change/", {"role": "VIEWER"}).status_code == 403


def test_actions_go_through_the_services():
    client, (key, _) = signed_in("ADMIN"), make_key()
    client.post("/admin/security/apikey/", {"action": "revoke", "_selected_action": [key.pk]})
    assert ApiKey.objects.get(pk=key.pk).revoked_at
    page = client.post(
        "/admin/security/user/",
        {"action": "deactivate", "_selected_action": [key.user.pk, client.user.pk]},
        follow=True,
    )
    key.user.refresh_from_db()
    assert not key.user.is_active
    assert "last active administrator" in page.text
    assert AuditEntry.objects.filter(user_email=client.user.email).count() == 2
