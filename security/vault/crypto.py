"""Encryption of secrets at rest: AES-256-GCM, bound to the place where the secret is kept.

A token reads `v1:<key id>:<base64 of nonce and ciphertext>`. `VAULT_KEY` holds one or more keys (32 bytes in base64,
separated by commas): the first one writes, all of them read, so a key is changed by putting the new one in front.
"""

import base64
import binascii
import secrets
from functools import lru_cache
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from config.api.errors import Unavailable

VERSION = "v1"
NONCE_BYTES = 12
KEY_BYTES = 32


class Unreadable(Unavailable):
    """A stored secret that cannot be decrypted; nothing about its content is told."""


def encrypt(text: str, *, context: str) -> str:
    """The token for `text`. `context` names its place ("alerts.channel:<id>"); decrypting needs the same one."""
    key_id, cipher = next(iter(_keys(settings.VAULT_KEY).items()))
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = nonce + cipher.encrypt(nonce, text.encode(), _bound(key_id, context))
    return f"{VERSION}:{key_id}:{base64.b64encode(sealed).decode()}"


def decrypt(token: str, *, context: str) -> str:
    """The text of a token.

    Raises Unreadable when it is no token, its key is not configured, or it was changed or moved to another context.
    """
    match token.split(":"):
        case [version, key_id, body] if version == VERSION:
            pass
        case _:
            raise Unreadable("A stored secret has an unknown form")
    cipher = _keys(settings.VAULT_KEY).get(key_id)
    if cipher is None:
        raise Unreadable(f"A stored secret needs the vault key {key_id}, which PHAROS_VAULT_KEY does not hold")
    try:
        sealed = base64.b64decode(body, validate=True)
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _bound(key_id, context)).decode()
    except (InvalidTag, ValueError):
        raise Unreadable("A stored secret was changed, or belongs to another object") from None


def written_with_current_key(token: str) -> bool:
    """False for a token that should be encrypted anew because the key has changed."""
    return token.startswith(f"{VERSION}:{next(iter(_keys(settings.VAULT_KEY)))}:")


def _bound(key_id: str, context: str) -> bytes:
    return f"{VERSION}:{key_id}:{context}".encode()


@lru_cache(maxsize=4)
def _keys(configured: str) -> dict[str, AESGCM]:
    """Ciphers by key id, the writing one first. The id is the start of the key's SHA-256 and tells nothing of it."""
    keys = {}
    for number, text in enumerate(filter(None, map(str.strip, configured.split(","))), start=1):
        try:
            key = base64.b64decode(text, validate=True)
        except binascii.Error:
            raise ImproperlyConfigured(f"PHAROS_VAULT_KEY: key {number} is not base64") from None
        if len(key) != KEY_BYTES:
            raise ImproperlyConfigured(f"PHAROS_VAULT_KEY: key {number} has {len(key)} bytes, {KEY_BYTES} are needed")
        keys[sha256(key).hexdigest()[:8]] = AESGCM(key)
    if not keys:
        raise ImproperlyConfigured("PHAROS_VAULT_KEY is empty")
    return keys
