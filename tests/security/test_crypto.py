"""Secrets at rest: what is encrypted comes back, in its place only, over a change of key."""

import base64

import pytest
from django.core.exceptions import ImproperlyConfigured

from security.vault.crypto import Unreadable, decrypt, encrypt, written_with_current_key

OLD, NEW = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2))


@pytest.mark.parametrize("text", ["", "s3cret", "ünï ☂ \x00", "x" * 100_000])
def test_round_trip(text):
    token = encrypt(text, context="alerts.channel:c1")
    assert decrypt(token, context="alerts.channel:c1") == text
    assert token.startswith("v1:") and (not text or text not in token)


def test_the_same_text_never_looks_the_same():
    assert encrypt("a", context="x") != encrypt("a", context="x")


def test_a_token_opens_only_in_its_place():
    token = encrypt("a", context="alerts.channel:c1")
    with pytest.raises(Unreadable, match="changed, or belongs to another"):
        decrypt(token, context="alerts.channel:c2")


def test_every_changed_byte_is_noticed():
    version, key_id, body = encrypt("secret", context="x").split(":")
    raw = base64.b64decode(body)
    for place in range(len(raw)):
        broken = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        with pytest.raises(Unreadable):
            decrypt(f"{version}:{key_id}:{base64.b64encode(broken).decode()}", context="x")


@pytest.mark.parametrize("token", ["", "x", "v1:a", "v2:a:b", "v1:{id}:", "v1:{id}:%%%", "v1:{id}:AAAA", "v1:{id}:ü"])
def test_what_is_no_token_is_told_so(token):
    key_id = encrypt("x", context="x").split(":")[1]
    with pytest.raises(Unreadable):
        decrypt(token.format(id=key_id), context="x")


def test_a_change_of_key(settings):
    settings.VAULT_KEY = OLD
    token = encrypt("a", context="x")
    settings.VAULT_KEY = f"{NEW}, {OLD}"
    assert decrypt(token, context="x") == "a"
    assert not written_with_current_key(token)
    assert written_with_current_key(fresh := encrypt("b", context="x"))
    settings.VAULT_KEY = NEW
    assert decrypt(fresh, context="x") == "b"
    with pytest.raises(Unreadable, match=token.split(":")[1]):
        decrypt(token, context="x")


@pytest.mark.parametrize("key", ["", ",", "no base64!", base64.b64encode(b"short").decode(), f"{OLD},x"])
def test_a_wrong_key_is_named_by_its_variable(settings, key):
    settings.VAULT_KEY = key
    with pytest.raises(ImproperlyConfigured, match="PHAROS_VAULT_KEY"):
        encrypt("a", context="x")
