"""Secrets in all the forms in which a request may hold them (contract: load testing §6)."""

from loadtest.composing.compose import compose
from loadtest.composing.secrets import secrets_in
from loadtest.composing.variables import Scopes

SECRET = 'a b"é&/='
SCOPES = Scopes(environment={"s": {"value": SECRET, "secret": True}, "open": {"value": "shown", "secret": False}})


def hidden(text, secrets):
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "*")
    return text


def test_every_form_on_the_wire_is_known():
    definition = {
        "method": "POST",
        "url": "http://a.test/{{open}}?u={{s}}",
        "params": {"p": "{{s}}"},
        "headers": {"X": "{{s}}"},
        "body": {"type": "json", "content": {"k": "{{s}}"}},
        "auth": {"mode": "basic", "username": "me", "password": "pw {{s}}"},
    }
    sent = compose(definition, SCOPES)
    secrets = secrets_in(SCOPES, definition["auth"])
    told = hidden(f"{sent.url} {sent.headers} {sent.body.decode()}", secrets)
    assert "http://a.test/shown?u=*&p=* " in told and '{"k":"*"}' in told and "Basic *" in told
    for part in ("a%20b", 'a b"', 'a b\\"', "pw "):
        assert part not in told


def test_credentials_of_every_auth_are_secrets():
    inherited = {"mode": "apikey", "key": "id", "value": "k3y k3y", "in": "query"}
    found = secrets_in(SCOPES, {"mode": "bearer", "token": "tok-{{open}}"}, inherited, None, "no object", {"mode": 5})
    assert {"tok-shown", "k3y k3y", "k3y%20k3y", SECRET} <= set(found)
    assert "id" not in found and "" not in found
