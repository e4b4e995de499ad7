"""Certificates are checked against the name, while the connection goes to the judged address."""

import datetime
import ipaddress
import socket
import ssl
import time
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from config import outbound
from config.outbound import Policy, TimedOut, TlsFailed, sockets
from tests.support.listener import listening

LOOPBACK = Policy(allow_loopback=True)
NAME = "secure.example"
DAY = datetime.timedelta(days=1)


class Authority:
    """A certificate authority of the tests' own."""

    def __init__(self, folder):
        self.folder, self.key = folder, ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test Authority")])
        self.path = folder / "authority.pem"
        self.path.write_bytes(self._signed(self.name, self.key, x509.BasicConstraints(True, None), -1, 90))

    def _signed(self, subject, key, extension, first_day, last_day):
        now = datetime.datetime.now(datetime.UTC)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self.name)
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now + first_day * DAY).not_valid_after(now + last_day * DAY)
        certificate = builder.add_extension(extension, critical=False).sign(self.key, hashes.SHA256())
        return certificate.public_bytes(serialization.Encoding.PEM)

    def server(self, *names, last_day=30, common_name="server"):
        """A server's TLS context with a certificate for the names; it notes the names that clients ask for."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        plain = serialization.NoEncryption()
        form = serialization.PrivateFormat.PKCS8
        path = self.folder / "server.pem"
        certificate = self._signed(subject, key, x509.SubjectAlternativeName(names), -60, last_day)
        path.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain) + certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        context.asked = []
        context.sni_callback = lambda _, name, __: context.asked.append(name)
        return context


@pytest.fixture
def authority(tmp_path, monkeypatch):
    """An authority that the client trusts, as an operator would make it: by SSL_CERT_FILE."""
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.path))
    sockets.tls_context.cache_clear()
    yield made
    sockets.tls_context.cache_clear()


@pytest.fixture(autouse=True)
def names(monkeypatch):
    def getaddrinfo(host, port, *args, **kwargs):
        assert host in (NAME, "other.example")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def fetch(server, host=NAME, **options):
    url = server.url(host=host, scheme="https")
    return outbound.request("GET", url, **{"policy": LOOPBACK, "timeout_s": 5, **options})


def test_the_name_is_kept_for_tls_and_host(authority):
    context = authority.server(x509.DNSName(NAME), last_day=30)
    with listening(tls=context) as server:
        reply = fetch(server)
    assert (reply.status, reply.body, reply.peer) == (200, b"ok", "127.0.0.1")
    assert context.asked == [NAME]
    assert f"Host: {NAME}:{server.port}".encode() in server.requests[0]
    assert reply.timings.tls_ms > 0
    assert 29.9 < reply.certificate_days_left(datetime.datetime.now(datetime.UTC)) <= 30


def test_a_certificate_for_another_name_fails(authority):
    with listening(tls=authority.server(x509.DNSName(NAME), common_name="other.example")) as server:
        with pytest.raises(TlsFailed, match="certificate of other.example is not valid: Hostname mismatch"):
            fetch(server, host="other.example")
        assert server.requests == []
        assert fetch(server, host="other.example", verify_tls=False).status == 200


def test_a_certificate_for_an_address(authority):
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    with listening(tls=authority.server(address, common_name=NAME)) as server:
        assert fetch(server, host="127.0.0.1").status == 200
        with pytest.raises(TlsFailed):
            fetch(server)


def test_an_expired_certificate_fails_and_is_told(authority):
    with listening(tls=authority.server(x509.DNSName(NAME), last_day=-2)) as server:
        with pytest.raises(TlsFailed, match="expired"):
            fetch(server)
        reply = fetch(server, verify_tls=False)
    assert -2.1 < reply.certificate_days_left(datetime.datetime.now(datetime.UTC)) < -1.9


def test_an_unknown_authority_fails(tmp_path):
    with listening(tls=Authority(tmp_path).server(x509.DNSName(NAME))) as server:
        with pytest.raises(TlsFailed, match="certificate of secure.example"):
            fetch(server)
        assert server.requests == []
        assert fetch(server, verify_tls=False).status == 200


def test_a_server_without_tls_fails():
    with socket.create_server(("127.0.0.1", 0)) as plain:

        def speak():
            connection, _ = plain.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"220 mail server ready\r\n")

        thread = Thread(target=speak, daemon=True)
        thread.start()
        with pytest.raises(TlsFailed, match="handshake with 127.0.0.1 failed: wrong version number"):
            outbound.request("GET", f"https://127.0.0.1:{plain.getsockname()[1]}/", policy=LOOPBACK)
        thread.join(timeout=5)


def test_a_handshake_that_hangs_is_left():
    began = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(TimedOut):
        outbound.request("GET", f"https://127.0.0.1:{silent.getsockname()[1]}/", policy=LOOPBACK, timeout_s=0.2)
    assert time.monotonic() - began < 2


def test_a_server_that_drips_through_tls_is_left(authority):
    def serve(connection, _):
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"a")
            time.sleep(0.02)

    began = time.monotonic()
    with listening(serve, tls=authority.server(x509.DNSName(NAME))) as server, pytest.raises(TimedOut):
        fetch(server, timeout_s=0.3)
    assert time.monotonic() - began < 2
