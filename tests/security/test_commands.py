"""`keys` and `audit` on the command line (contract: fleet console §37)."""

import json
import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from security.audit.models import AuditEntry
from security.keys.models import ApiKey
from tests.support.client import ApiClient

pytestmark = pytest.mark.django_db


def run(*words):
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("role", ["VIEWER", "developer", "OPERATOR", "ADMIN"])
def test_create_prints_the_key_and_nothing_else(role):
    printed = run("keys", "create", "--name", "script", "--role", role, "--expires-days", "9")
    assert re.fullmatch(r"sk-[0-9a-f]{48}\n", printed)
    body = ApiClient(headers={"X-Api-Key": printed.strip()}).get("/api/v1/me").json()
    assert (body["role"], body["name"]) == (role.upper(), "script")
    assert ApiKey.objects.get().expires_at


@pytest.mark.parametrize(
    "words",
    [
        [], ["create"], ["create", "--name", "x"], ["create", "--name", "x", "--role", "KING"],
        ["create", "--name", "", "--role", "VIEWER"], ["create", "--name", "x" * 101, "--role", "VIEWER"],
        ["create", "--name", "x", "--role", "VIEWER", "--expires-days", "0"], ["revoke"], ["revoke", "sk-"],
        ["revoke", "sk-unknown"],
    ],
)  # fmt: skip
def test_wrong_use(words):
    with pytest.raises(CommandError):
        run("keys", *words)
    assert ApiKey.objects.count() == 0


def test_list_and_revoke():
    raw = run("keys", "create", "--name", "script", "--role", "VIEWER").strip()
    listed = run("keys", "list")
    assert raw[:10] in listed and raw not in listed and "script" in listed and "VIEWER" in listed
    assert "Revoked" in run("keys", "revoke", raw)
    assert ApiClient(headers={"X-Api-Key": raw}).get("/api/v1/me").status_code == 401
    assert run("keys", "list") == ""


def test_audit_verify():
    run("keys", "create", "--name", "script", "--role", "VIEWER")
    assert "2 entries checked" in run("audit", "verify")
    AuditEntry.objects.filter(number=2).update(user_name="somebody else")
    with pytest.raises(CommandError, match="Entry 2 was changed") as refusal:
        run("audit", "verify")
    assert refusal.value.returncode == 1
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("audit", "verify", "--json", stdout=out)
    assert (json.loads(out.getvalue())["ok"], json.loads(out.getvalue())["firstBad"]) == (False, 2)


def test_audit_export():
    run("keys", "create", "--name", "script", "--role", "VIEWER")
    [line] = run("audit", "export", "--resource", "api_key", "--from", "2020-01-01").splitlines()
    assert json.loads(line)["metadata"]["after"]["name"] == "script"
    assert AuditEntry.objects.filter(resource="audit_log", user_id=None).exists()
    assert run("audit", "export", "--format", "csv", "--to", "2020-01-01T00:00:00Z").startswith("number,id,timestamp")
    for wrong in ("yesterday", "2020-13-01", "2020-01-01T00:00:00"):
        with pytest.raises(CommandError):
            run("audit", "export", "--from", wrong)
