"""The score, weak keys, and public keys as people paste them: pure rules."""

import base64
import struct

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from security.posture.score import score
from security.ssh_keys.models import SshKey
from security.ssh_keys.public import read


@pytest.mark.parametrize(
    ("by_severity", "overdue", "weak", "parts", "total", "grade"),
    [
        ({"HIGH": 1, "MEDIUM": 1}, 1, 0, (45, 20, 15), 80, "B"),  # the contract's own example
        ({}, 0, 0, (60, 25, 15), 100, "A"),
        ({"UNKNOWN": 50}, 0, 0, (60, 25, 15), 100, "A"),
        ({"HIGH": 1}, 0, 0, (50, 25, 15), 90, "A"),
        ({"LOW": 1, "MEDIUM": 1}, 0, 1, (53, 25, 10), 88, "B"),
        ({"HIGH": 1}, 3, 0, (50, 10, 15), 75, "B"),
        ({"CRITICAL": 1, "HIGH": 2}, 0, 0, (20, 25, 15), 60, "C"),
        ({"CRITICAL": 3}, 0, 0, (0, 25, 15), 40, "D"),
        ({"CRITICAL": 9, "LOW": 900}, 9, 9, (0, 0, 0), 0, "F"),
    ],
)
def test_points_and_grade(by_severity, overdue, weak, parts, total, grade):
    found = score(by_severity=by_severity, overdue=overdue, weak_active=weak)
    assert (found.vulnerabilities, found.secret_rotation, found.ssh_keys) == parts
    assert (found.total, found.grade) == (total, grade)


@pytest.mark.parametrize(
    ("key_type", "bits", "weak"),
    [
        ("ssh-dss", 1024, True), ("DSA", None, True), ("dss", 3072, True),
        ("ssh-rsa", 1024, True), ("rsa", 2047, True), ("RSA", 2048, False), ("ssh-rsa", None, False),
        ("ssh-ed25519", 256, False), ("ecdsa-sha2-nistp256", 256, False), ("rsa-sha2-512", 1024, False),
    ],
)  # fmt: skip
def test_weak_keys(key_type, bits, weak):
    assert SshKey(key_type=key_type, key_bits=bits).is_weak is weak


def line_of(private) -> str:
    return private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


@pytest.mark.parametrize(
    ("private", "kind", "bits"),
    [
        (ed25519.Ed25519PrivateKey.generate(), "ssh-ed25519", 256),
        (ec.generate_private_key(ec.SECP384R1()), "ecdsa-sha2-nistp384", 384),
        (rsa.generate_private_key(65537, 2048), "ssh-rsa", 2048),
    ],
)
def test_a_public_key_is_read(private, kind, bits):
    key = read(f"  {line_of(private)} someone@laptop, the old one \n")
    assert (key.type, key.bits, key.comment) == (kind, bits, "someone@laptop, the old one")
    assert key.fingerprint.startswith("SHA256:") and len(key.fingerprint) == 50


def test_the_fingerprint_is_that_of_ssh_keygen():
    blob = struct.pack(">I", 11) + b"ssh-ed25519" + struct.pack(">I", 32) + bytes(32)
    key = read(f"ssh-ed25519 {base64.b64encode(blob).decode()}")
    assert key.fingerprint == "SHA256:kmYcvdi2GkPeWxB6XLjrZB8JHsy2Hm8luHMFp9GMvqk"


@pytest.mark.parametrize(
    "line",
    [
        "", "ssh-ed25519", "ssh-ed25519 !!!!", "ssh-ed25519 AAAA", "ssh-rsa AAAAC3NzaC1lZDI1NTE5", "x " + "A" * 20_000,
        "ssh-rsa " + base64.b64encode(struct.pack(">I", 7) + b"ssh-rsa").decode(),
        "ssh-rsa " + base64.b64encode(struct.pack(">I", 2**31) + b"ssh-rsa").decode(),
        "ssh-\udcff AAAA", "ecdsa-x " + base64.b64encode(struct.pack(">I", 7) + b"ecdsa-x\0\0\0\1\xff").decode(),
    ],
)  # fmt: skip
def test_what_is_no_public_key_is_refused(line):
    with pytest.raises(ValueError, match="no public key"):
        read(line)


def test_a_private_key_is_refused_without_repeating_it():
    with pytest.raises(ValueError, match="private key") as refusal:
        read("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1r\n")
    assert "b3Blbn" not in str(refusal.value)
