"""Secrets at rest: what is encrypted comes back, in its place only, over a change of key (contract: §25)."""

import base64
import os
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core.exceptions import ImproperlyConfigured

from config.env import ConfigurationFault, load
from security.vault.crypto import Unreadable, current_prefix, decrypt, encrypt, key_id_of, rewrap

OLD_BYTES, NEW_BYTES = bytes([1]) * 32, bytes([2]) * 32
OLD, NEW = base64.b64encode(OLD_BYTES).decode(), NEW_BYTES.hex()  # both spellings are accepted


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def single_key_token(text: str, context: str) -> str:
    """A token as versions before 2 wrote it, under OLD."""
    key_id, nonce = sha256(OLD_BYTES).hexdigest()[:8], os.urandom(12)
    bound = f"v1:{key_id}:{context}".encode()
    return f"v1:{key_id}:{b64(nonce + AESGCM(OLD_BYTES).encrypt(nonce, text.encode(), bound))}"


def reference_token(text: str, context: str = "") -> str:
    """A value as the compatible product stores it, under OLD; it knows no context."""
    nonce = os.urandom(12)
    sealed = AESGCM(OLD_BYTES).encrypt(nonce, text.encode(), None)
    return f"{b64(nonce)}:{b64(sealed[-16:])}:{b64(sealed[:-16])}"


FORMS = [lambda text, context: encrypt(text, context=context), single_key_token, reference_token]


@pytest.mark.parametrize("text", ["", "s3cret", "ünï ☂ \x00", "x" * 100_000])
@pytest.mark.parametrize("form", FORMS)
def test_round_trip(form, text, settings):
    settings.VAULT_KEY = OLD
    token = form(text, "alerts.channel:c1")
    assert decrypt(token, context="alerts.channel:c1") == text
    assert not text or text not in token


def test_the_same_text_never_looks_the_same():
    first, second = (encrypt("a", context="x").split(":") for _ in range(2))
    assert first[2] != second[2], "each token has a data key of its own"
    assert first[3] != second[3]


@pytest.mark.parametrize("form", FORMS[:2])
def test_a_token_opens_only_in_its_place(form, settings):
    settings.VAULT_KEY = OLD
    with pytest.raises(Unreadable, match="changed, or belongs to another"):
        decrypt(form("a", "alerts.channel:c1"), context="alerts.channel:c2")


@pytest.mark.parametrize("text", ["s", "se", "sec"])  # each length of padding
@pytest.mark.parametrize("form", FORMS)
def test_every_changed_character_is_noticed(form, text, settings):
    settings.VAULT_KEY = OLD
    token = form(text, "x")
    for place, old in enumerate(token):
        for new in {chr(ord(old) ^ 1), chr(ord(old) ^ 32), "A", "=", ":", "\x00", "ü"} - {old}:
            with pytest.raises(Unreadable) as fault:
                decrypt(token[:place] + new + token[place + 1 :], context="x")
            assert text not in fault.value.message.split(), fault.value.message
    for end in range(len(token)):
        with pytest.raises(Unreadable):
            decrypt(token[:end], context="x")


def test_parts_of_two_tokens_do_not_mix():
    one, two = (encrypt("a", context="x").split(":") for _ in range(2))
    with pytest.raises(Unreadable):
        decrypt(":".join([*one[:3], two[3]]), context="x")


@pytest.mark.parametrize(
    "token", ["", "x", "v1:a", "v3:a:b:c", "v2:{id}:", "v2:{id}::", "v2:{id}:%%%:%%%", "v2:{id}:AAAA:AAAA",
              "v1:{id}:AAAA", "v2:zzz:AAAA:AAAA", "a:b:c", "::", "v2:{id}:ü:ü"],
)  # fmt: skip
def test_what_is_no_token_is_told_so(token):
    with pytest.raises(Unreadable):
        decrypt(token.format(id=key_id_of(encrypt("x", context="x"))), context="x")


@pytest.mark.parametrize("form", FORMS)
def test_a_change_of_key(form, settings):
    settings.VAULT_KEY = OLD
    token = form("a", "x")
    settings.VAULT_KEY = f"{NEW}, {OLD}"
    assert decrypt(token, context="x") == "a"
    assert not token.startswith(current_prefix())
    fresh = rewrap(token, context="x")
    settings.VAULT_KEY = NEW
    assert fresh.startswith(current_prefix())
    assert decrypt(fresh, context="x") == "a"
    with pytest.raises(Unreadable, match="PHAROS_VAULT_KEY does not hold"):
        decrypt(token, context="x")
    with pytest.raises(Unreadable):
        rewrap(token, context="x")


def test_an_envelope_is_rewrapped_without_its_text_or_place(settings):
    settings.VAULT_KEY = OLD
    token = encrypt("a", context="x")
    settings.VAULT_KEY = f"{NEW},{OLD}"
    assert rewrap(token).split(":")[3] == token.split(":")[3], "the payload is not touched"
    settings.VAULT_KEY = OLD
    with pytest.raises(Unreadable, match="unknown form"):
        rewrap(single_key_token("a", "x"))


@pytest.mark.parametrize("key", ["", ",", "no base64!", b64(b"short"), f"{OLD},x", "ab" * 31])
def test_a_wrong_key_is_named_by_its_variable(settings, monkeypatch, key):
    settings.VAULT_KEY = key
    with pytest.raises(ImproperlyConfigured, match="PHAROS_VAULT_KEY") as fault:
        encrypt("a", context="x")
    assert "short" not in str(fault.value)
    if key.strip(","):
        monkeypatch.setenv("PHAROS_VAULT_KEY", key)
        with pytest.raises(ConfigurationFault, match="VAULT_KEY.*make one with: python3"):
            load()


@pytest.mark.parametrize("name", ["PHAROS_VAULT_KEY", "SECRET_VAULT_KEY"])
def test_the_key_has_two_names_and_production_needs_one(monkeypatch, name):
    for one in ("PHAROS_VAULT_KEY", "SECRET_VAULT_KEY"):
        monkeypatch.delenv(one, raising=False)
    monkeypatch.setenv("DATABASE_URL", "postgresql://x@127.0.0.1:1/x")
    with pytest.raises(ConfigurationFault, match="PHAROS_VAULT_KEY: must be set.*make one with: python3"):
        load()
    monkeypatch.setenv(name, f"{NEW},{OLD}")
    assert load().vault_key.get_secret_value() == f"{NEW},{OLD}"
