"""Encryption of secrets at rest: envelopes of AES-256-GCM, bound to the place where the secret is kept.

A token reads `v2:<key id>:<wrapped data key>:<payload>`, the last two in base64. A fresh data key encrypts the payload,
with the place as associated data; the key-encryption key of that id wraps the data key. So changing the
key-encryption key touches the wrap alone (`rewrap`), and needs neither the text nor its place.

Two older forms stay readable: `v1:<key id>:<sealed>`, encrypted with the key-encryption key itself, and
`<nonce>:<tag>:<ciphertext>` of the compatible product, which names neither key nor place (contract: fleet console §25).
"""

import base64
import binascii
import re
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from config.api.errors import Unavailable
from security.vault import keys

VERSION, SINGLE_KEY = "v2", "v1"
NONCE_BYTES, TAG_BYTES = 12, 16
_REFERENCE = re.compile(r"[A-Za-z0-9+/]{16}:[A-Za-z0-9+/]{22}==:[A-Za-z0-9+/]*={0,2}")


class Unreadable(Unavailable):
    """A stored secret that cannot be decrypted; nothing about its content is told."""


def encrypt(text: str, *, context: str) -> str:
    """The token for `text`. `context` names its place ("alerts.channel:<id>"); decrypting needs the same one."""
    data_key = secrets.token_bytes(keys.KEY_BYTES)
    payload = _sealed(AESGCM(data_key), text.encode(), f"{VERSION}:{context}")
    return f"{_wrapped(data_key)}:{_text_of(payload)}"


def decrypt(token: str, *, context: str) -> str:
    """The text of a token.

    Raises Unreadable when it is no token, its key is not configured, or it was changed or moved to another context.
    """
    match token.split(":"):
        case [version, key_id, wrap, payload] if version == VERSION:
            data_key = _unwrapped(key_id, wrap)
            return _readable(_opened(AESGCM(data_key), _bytes_of(payload), f"{VERSION}:{context}"))
        case [version, key_id, body] if version == SINGLE_KEY:
            return _readable(_opened(_cipher(key_id), _bytes_of(body), f"{SINGLE_KEY}:{key_id}:{context}"))
        case [nonce, tag, body] if _REFERENCE.fullmatch(token):
            return _readable(_opened_by_any(_bytes_of(nonce) + _bytes_of(body) + _bytes_of(tag)))
    raise Unreadable("A stored secret has an unknown form")


def rewrap(token: str, *, context: str | None = None) -> str:
    """The same secret under the newest key. Only the older forms need their context, and are encrypted anew.

    Raises Unreadable as `decrypt` does; a payload that was changed is noticed by whoever reads it next.
    """
    match token.split(":"):
        case [version, key_id, wrap, payload] if version == VERSION:
            _bytes_of(payload)
            return f"{_wrapped(_unwrapped(key_id, wrap))}:{payload}"
    if context is None:
        raise Unreadable("A stored secret has an unknown form")
    return encrypt(decrypt(token, context=context), context=context)


def current_prefix() -> str:
    """What every token starts with that needs no other key than the newest one."""
    return f"{VERSION}:{keys.newest()[0]}:"


def key_id_of(token: str) -> str | None:
    """The id of the key that a token needs; None for the form that names none, and for what is no token."""
    match token.split(":"):
        case [version, key_id, *_] if version in (VERSION, SINGLE_KEY):
            return key_id
    return None


def _wrapped(data_key: bytes) -> str:
    """`v2:<id of the newest key>:<data key under it>`; bound to the key's id alone."""
    key_id, cipher = keys.newest()
    return f"{VERSION}:{key_id}:{_text_of(_sealed(cipher, data_key, f'{VERSION}:{key_id}'))}"


def _unwrapped(key_id: str, wrap: str) -> bytes:
    return _opened(_cipher(key_id), _bytes_of(wrap), f"{VERSION}:{key_id}")


def _cipher(key_id: str) -> AESGCM:
    cipher = keys.configured().get(key_id)
    if cipher is None:
        known = key_id if re.fullmatch(r"[0-9a-f]{8}", key_id) else "of an unknown form"
        raise Unreadable(f"A stored secret needs the vault key {known}, which PHAROS_VAULT_KEY does not hold")
    return cipher


def _sealed(cipher: AESGCM, clear: bytes, bound: str) -> bytes:
    """Nonce, ciphertext and tag."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, clear, bound.encode())


def _opened(cipher: AESGCM, sealed: bytes, bound: str | None) -> bytes:
    try:
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound.encode() if bound else None)
    except (InvalidTag, ValueError):
        raise Unreadable("A stored secret was changed, or belongs to another object") from None


def _opened_by_any(sealed: bytes) -> bytes:
    """What the compatible product sealed: with whichever key, bound to no place."""
    for cipher in keys.configured().values():
        try:
            return _opened(cipher, sealed, None)
        except Unreadable:
            continue
    raise Unreadable("A stored secret was changed, or needs a vault key that PHAROS_VAULT_KEY does not hold")


def _bytes_of(text: str) -> bytes:
    """Base64 in its one canonical spelling: a changed character never goes unnoticed."""
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        found = None
    if found is None or _text_of(found) != text:
        raise Unreadable("A stored secret was changed, or belongs to another object")
    return found


def _text_of(sealed: bytes) -> str:
    return base64.b64encode(sealed).decode()


def _readable(clear: bytes) -> str:
    try:
        return clear.decode()
    except UnicodeDecodeError:
        raise Unreadable("A stored secret is no text") from None
