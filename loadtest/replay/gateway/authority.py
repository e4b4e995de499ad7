"""The gateway's own certificate authority: one for an installation, with a certificate for each intercepted host."""

import contextlib
import os
import socket
import ssl
import tempfile
from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

KEY = "ca.key"  # the private key, then the certificate
CA_LASTS, LEAF_LASTS = timedelta(days=3650), timedelta(days=397)  # browsers take no leaf that lasts longer
SKEW = timedelta(days=1)  # clocks differ
MOST_CONTEXTS = 256


class AuthorityFault(Exception):
    """The authority cannot be read or made; says why."""


def folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the authority lives: below PHAROS_DATA_DIR, else with the data of the person."""
    if data := environ.get("PHAROS_DATA_DIR"):
        return Path(data) / "gateway"
    home = environ.get("XDG_DATA_HOME") or Path(environ.get("HOME", "~")).expanduser() / ".local" / "share"
    return Path(home) / "pharos" / "gateway"


class Authority:
    """Signs certificates for hosts; the contexts made of them are kept, the least used are forgotten."""

    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self.certificate, self._key = certificate, key
        self._leaf_key = ec.generate_private_key(ec.SECP256R1())  # one for all hosts, in memory only
        self._contexts: OrderedDict[str, ssl.SSLContext] = OrderedDict()

    @classmethod
    def at(cls, place: Path) -> "Authority":
        """The authority of a folder, made there if there is none yet. Raises AuthorityFault."""
        try:
            if not (place / KEY).exists():
                _make(place)
            if (place / KEY).stat().st_mode & 0o077:
                raise AuthorityFault(f"Others can read {place / KEY}. Run: chmod 600 {place / KEY}")
            both = (place / KEY).read_bytes()
            key, certificate = serialization.load_pem_private_key(both, None), x509.load_pem_x509_certificate(both)
        except (OSError, ValueError) as fault:
            raise AuthorityFault(f"The certificate authority in {place} cannot be used: {fault}") from fault
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
            raise AuthorityFault(f"The key and the certificate in {place / KEY} do not belong together.")
        return cls(certificate, key)

    @property
    def pem(self) -> bytes:
        """The certificate for others to trust."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def context(self, host: str) -> ssl.SSLContext:
        """How to speak TLS in the name of a host."""
        if host in self._contexts:
            self._contexts.move_to_end(host)
            return self._contexts[host]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        with tempfile.NamedTemporaryFile(prefix="pharos-leaf-") as file:  # mode 0600; ssl reads files only
            file.write(_private(self._leaf_key) + self._leaf(host) + self.pem)
            file.flush()
            context.load_cert_chain(file.name)
        self._contexts[host] = context
        if len(self._contexts) > MOST_CONTEXTS:
            self._contexts.popitem(last=False)
        return context

    def _leaf(self, host: str) -> bytes:
        try:
            name: x509.GeneralName = x509.IPAddress(ip_address(host))
        except ValueError:
            name = x509.DNSName(host)
        builder = (
            _builder(f"{host[:64]}", self.certificate.subject, self._leaf_key, LEAF_LASTS)
            .add_extension(x509.SubjectAlternativeName([name]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _make(place: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Pharos gateway on {socket.gethostname()}"[:64])])
    others = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    usage = dict.fromkeys((*others, "encipher_only", "decipher_only"), False)
    certificate = (
        _builder(name, name, key, CA_LASTS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    _write(place / KEY, _private(key) + certificate.public_bytes(serialization.Encoding.PEM))


def _builder(
    name: str | x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, lasts: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) if isinstance(name, str) else name
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now - SKEW + lasts)
    )


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, never readable by others, and never over one that another process has just made."""
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    with contextlib.suppress(FileExistsError):
        os.link(partial, path)
    partial.unlink()
