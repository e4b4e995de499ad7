"""Reading a public key as it stands in `authorized_keys` (RFC 4253 §6.6, RFC 4716)."""

import base64
import binascii
import struct
from dataclasses import dataclass
from hashlib import sha256

LONGEST = 16 * 1024  # characters of a line
CURVES = {"nistp256": 256, "nistp384": 384, "nistp521": 521}
NOT_ONE = "This is no public key. It is one line, such as: ssh-ed25519 AAAA… name@host"


@dataclass(frozen=True)
class PublicKey:
    """What is told of a key; `bits` is None where its kind has no length that matters."""

    type: str
    bits: int | None
    fingerprint: str
    comment: str


def read(line: str) -> PublicKey:
    """The key of a line without options. Raises ValueError with a sentence, which never repeats the line."""
    kind, _, rest = line.strip().partition(" ")
    encoded, _, comment = rest.strip().partition(" ")
    if "PRIVATE KEY" in line:
        raise ValueError("This is a private key. Give the public one; the file ends in .pub.")
    if len(line) > LONGEST or not encoded:
        raise ValueError(NOT_ONE)
    try:
        blob = base64.b64decode(encoded, validate=True)
        fields = _fields(blob)
        if fields[0].decode() != kind:
            raise ValueError
        bits = _bits(kind, fields)
    except (binascii.Error, struct.error, ValueError, IndexError):
        raise ValueError(NOT_ONE) from None
    digest = base64.b64encode(sha256(blob).digest()).decode().rstrip("=")
    return PublicKey(kind, bits, f"SHA256:{digest}", comment.strip()[:256])


def _fields(blob: bytes) -> list[bytes]:
    """The parts of a key: each a length of four bytes and so many bytes."""
    found, place = [], 0
    while place < len(blob):
        (length,) = struct.unpack_from(">I", blob, place)
        part = blob[place + 4 : place + 4 + length]
        if len(part) != length:
            raise ValueError
        found.append(part)
        place += 4 + length
    return found


def _bits(kind: str, fields: list[bytes]) -> int | None:
    """The length of an RSA modulus, of a DSA prime, of a curve."""
    if kind in ("ssh-rsa", "ssh-dss"):
        return int.from_bytes(fields[2 if kind == "ssh-rsa" else 1]).bit_length()
    if kind.startswith("ecdsa-"):
        return CURVES.get(fields[1].decode())
    return 256 if kind == "ssh-ed25519" else None
