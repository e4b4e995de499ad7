"""Keys that open accounts of this machine: what kind and whose, never the keys themselves."""

from __future__ import annotations

import base64
import binascii
import hashlib
from pathlib import Path
from typing import Any

from pharos_agent.installed.reading import Found, one_line, reason, text

MOST_BYTES = 1024 * 1024  # of one file
MOST_ACCOUNTS, MOST_KEYS = 5000, 1000
USUAL = (".ssh/authorized_keys", ".ssh/authorized_keys2")
KINDS = {
    "ssh-rsa": ("rsa", None), "ssh-dss": ("dsa", None), "ssh-ed25519": ("ed25519", 256),
    "ecdsa-sha2-nistp256": ("ecdsa", 256), "ecdsa-sha2-nistp384": ("ecdsa", 384), "ecdsa-sha2-nistp521": ("ecdsa", 521),
    "sk-ssh-ed25519@openssh.com": ("ed25519-sk", 256), "sk-ecdsa-sha2-nistp256@openssh.com": ("ecdsa-sk", 256),
}  # fmt: skip


def authorised(root: Path, found: Found) -> list[dict[str, Any]]:
    """The keys with the accounts that each opens; what cannot be read is in the notes."""
    keys: dict[str, dict[str, Any]] = {}
    patterns = _patterns(root)
    for account, home in _accounts(root):
        for pattern in patterns:
            path = root / pattern.replace("%u", account).replace("%h", home).replace("%%", "%").lstrip("/")
            if "%" not in pattern and not pattern.startswith("/"):
                path = root / home.lstrip("/") / pattern
            try:
                lines = text(path, MOST_BYTES).splitlines()
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as exc:
                found.note(f"ssh: keys of {account} cannot be read: {reason(exc)}")
                continue
            for line in lines:
                if (key := parsed(line)) and len(keys) < MOST_KEYS:
                    known = keys.setdefault(key["fingerprint"], {**key, "accounts": []})
                    if account not in known["accounts"] and len(known["accounts"]) < 50:
                        known["accounts"].append(account)
    return [keys[fingerprint] for fingerprint in sorted(keys)]


def parsed(line: str) -> dict[str, Any] | None:
    """One line of an `authorized_keys` file; None when it holds no key."""
    line = line.strip()
    if not line or line.startswith("#"):
        return None
    words = _words(line)
    for at, word in enumerate(words[:2]):  # options may stand before the kind
        if word not in KINDS or at + 1 >= len(words):
            continue
        try:
            blob = base64.b64decode(words[at + 1].split()[0], validate=True)
        except (binascii.Error, ValueError, IndexError):
            return None
        kind, bits = KINDS[word]
        digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
        comment = one_line(" ".join(words[at + 2 :]))[:256]
        size = bits or _bits(blob, {"rsa": 2, "dsa": 1}[kind])
        return {"fingerprint": f"SHA256:{digest}", "key_type": kind, "key_bits": size, "comment": comment or None}
    return None


def _words(line: str) -> list[str]:
    """The words of a line; spaces between quotes do not part them."""
    words, word, quoted, escaped = [], "", False, False
    for char in line:
        if char == '"' and not escaped:
            quoted = not quoted
        if char.isspace() and not quoted:
            words += [word] if word else []
            word = ""
        else:
            word += char
        escaped = char == "\\" and not escaped
    return words + [word] if word else words


def _bits(blob: bytes, number: int) -> int | None:
    """The length of the key's modulus: the field of that number in it (RFC 4253 §6.6)."""
    at = 0
    for index in range(number + 1):
        length = int.from_bytes(blob[at : at + 4], "big")
        field = blob[at + 4 : at + 4 + length]
        if len(field) != length or at + 4 > len(blob):
            return None
        at += 4 + length
        if index == number:
            return int.from_bytes(field, "big").bit_length() or None
    return None


def _patterns(root: Path) -> tuple[str, ...]:
    """Where the server of SSH looks, as far as its configuration can be read."""
    try:
        lines = text(root / "etc/ssh/sshd_config", 256 * 1024).splitlines()
    except OSError:
        return USUAL
    for line in lines:
        words = line.split()
        if len(words) > 1 and words[0].lower() == "authorizedkeysfile":
            return tuple(word for word in words[1:5] if word.lower() != "none")
    return USUAL


def _accounts(root: Path) -> list[tuple[str, str]]:
    """Names and homes of the machine's own accounts; directories of a network are not asked."""
    try:
        lines = text(root / "etc/passwd", 4 * 1024 * 1024).splitlines()
    except OSError:
        return []
    rows = [line.split(":") for line in lines[:MOST_ACCOUNTS]]
    return [(one_line(row[0])[:64], row[5]) for row in rows if len(row) >= 7 and row[0] and row[5] not in ("", "/")]
