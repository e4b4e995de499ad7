"""The key-encryption keys: which are configured, and the ids by which tokens name them.

`VAULT_KEY` holds one or more keys of 32 bytes, in base64 or as 64 hexadecimal digits, separated by commas. The first
one writes, all of them read; so a key is changed by putting the new one in front (docs/vault.md).
"""

import base64
import binascii
import re
from functools import lru_cache
from hashlib import sha256

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

KEY_BYTES = 32
_HEX = re.compile(r"[0-9a-fA-F]{64}")


def configured() -> dict[str, AESGCM]:
    """Ciphers by key id, the writing one first. Raises ImproperlyConfigured."""
    return _ciphers(settings.VAULT_KEY)


def newest() -> tuple[str, AESGCM]:
    """Id and cipher of the key that writes."""
    return next(iter(configured().items()))


@lru_cache(maxsize=4)
def _ciphers(text: str) -> dict[str, AESGCM]:
    """The id of a key is the start of its SHA-256 and tells nothing of it."""
    found = {}
    for number, word in enumerate(filter(None, map(str.strip, text.split(","))), start=1):
        key = _bytes_of(word, number)
        found[sha256(key).hexdigest()[:8]] = AESGCM(key)
    if not found:
        raise ImproperlyConfigured("PHAROS_VAULT_KEY is empty")
    return found


def _bytes_of(word: str, number: int) -> bytes:
    if _HEX.fullmatch(word):
        return bytes.fromhex(word)
    try:
        key = base64.b64decode(word, validate=True)
    except (binascii.Error, ValueError):
        raise ImproperlyConfigured(f"PHAROS_VAULT_KEY: key {number} is neither base64 nor 64 hex digits") from None
    if len(key) != KEY_BYTES:
        raise ImproperlyConfigured(f"PHAROS_VAULT_KEY: key {number} has {len(key)} bytes, {KEY_BYTES} are needed")
    return key
