"""E-mail through a real SMTP server on loopback."""

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult

from alerts.channels.models import Attempt, Notification
from alerts.channels.transports import mail
from alerts.incidents.services import resolve
from tests.alerts.conftest import NOW, fire_alert, make_channel, make_instance, make_rule, send_all
from tests.support.listener import drip, listening, within

pytestmark = pytest.mark.django_db


class Mailbox:
    """What the server took; `refuse` names recipients that it does not know."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], EmailMessage]] = []
        self.logins: list[tuple[str, str]] = []
        self.refuse: set[str] = set()

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address in self.refuse:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        self.mails.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=policy.default)))
        return "250 taken"

    def authenticate(self, server: SMTP, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        self.logins.append((data.login.decode(), data.password.decode()))
        right = data.password == b"p@ss word"
        return AuthResult(success=right, handled=right)


@contextlib.contextmanager
def mail_server(box: Mailbox, *, tls_at_once: ssl.SSLContext | None = None, **options: Any) -> Iterator[int]:
    """A server on its own event loop; yields its port. (aiosmtpd's controller cannot choose a free one.)"""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def listen() -> asyncio.Server:
        options_of_all = {"auth_require_tls": False, "authenticator": box.authenticate} | options
        return await loop.create_server(lambda: SMTP(box, **options_of_all), "127.0.0.1", 0, ssl=tls_at_once)

    server = asyncio.run_coroutine_threadsafe(listen(), loop).result(10)
    yield server.sockets[0].getsockname()[1]
    loop.call_soon_threadsafe(server.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


@pytest.fixture
def mailbox(settings) -> Iterator[Mailbox]:
    box = Mailbox()
    with mail_server(box) as box.port:
        settings.EMAIL_URL = f"smtp://127.0.0.1:{box.port}"
        settings.DEFAULT_FROM_EMAIL = "pharos@example.org"
        yield box


def alert_by_mail(**config: Any):
    config = {"recipients": ["ops@example.org", "lead@example.org"]} | config
    rule = make_rule(name="Busy", severity="CRITICAL", channels=[make_channel(type="EMAIL", config=config)])
    return fire_alert(make_instance(name="web-7"), rule=rule)


def test_a_mail_says_what_is_wrong_to_every_recipient(mailbox):
    alert = alert_by_mail()
    assert send_all(NOW) == [True]
    ((recipients, message),) = mailbox.mails
    assert recipients == ["ops@example.org", "lead@example.org"]
    assert message["Subject"] == "[Sindri Alert] CRITICAL: CPU above 90 % on web-7"
    assert message["From"] == "pharos@example.org" and message.get_content_type() == "text/plain"
    text = message.get_content()
    assert alert.message in text and f"/alerts/{alert.pk}/" in text
    assert Attempt.objects.get().success


def test_the_end_is_told_too_under_another_message_id(mailbox):
    alert = alert_by_mail(subject_prefix="[ours]")
    send_all(NOW)
    resolve(alert=alert, now=NOW)
    send_all(NOW)
    (_, first), (_, second) = mailbox.mails
    assert second["Subject"] == "[ours] CRITICAL: Resolved: CPU above 90 % on web-7"
    assert first["Message-ID"] != second["Message-ID"]


def test_without_a_mail_server_the_attempt_is_recorded_as_failed(settings):
    settings.EMAIL_URL = None
    alert_by_mail()
    assert send_all(NOW) == [False]
    attempt = Attempt.objects.get()
    assert not attempt.success and "PHAROS_EMAIL_URL is not set" in attempt.error


def test_it_signs_in_with_name_and_password_of_the_address(mailbox, settings):
    settings.EMAIL_URL = f"smtp://pharos:p%40ss%20word@127.0.0.1:{mailbox.port}"
    alert_by_mail()
    assert send_all(NOW) == [True]
    assert mailbox.logins == [("pharos", "p@ss word")]


def test_a_refused_password_fails_without_telling_it(mailbox, settings):
    settings.EMAIL_URL = f"smtp://pharos:wr0ng-secret@127.0.0.1:{mailbox.port}"
    alert_by_mail()
    assert send_all(NOW) == [False]
    error = Attempt.objects.get().error
    assert "refused the user name or the password" in error and "wr0ng" not in error
    assert not mailbox.mails


def test_every_recipient_refused_is_tried_again(mailbox):
    mailbox.refuse = {"ops@example.org", "lead@example.org"}
    alert_by_mail()
    assert send_all(NOW) == [False]
    mailbox.refuse = set()
    assert send_all(NOW + timedelta(seconds=10)) == [True]


def test_one_recipient_refused_is_told_and_not_sent_to_the_others_again(mailbox):
    mailbox.refuse = {"lead@example.org"}
    alert_by_mail()
    assert send_all(NOW) == [False]
    assert "not for lead@example.org" in Attempt.objects.get().error
    assert Notification.objects.get().state == "FAILED" and len(mailbox.mails) == 1


def test_the_mail_server_stands_under_the_outbound_policy(mailbox, settings):
    settings.OUTBOUND_ALLOW_LOOPBACK = False
    alert_by_mail()
    assert send_all(NOW) == [False]
    assert "not allowed as a target" in Attempt.objects.get().error and not mailbox.mails


@pytest.mark.parametrize("url", ["smtp://", "http://mail.example.org", "smtp://mail.example.org:port", "mail"])
def test_an_address_that_is_none_is_named_without_its_text(settings, url):
    settings.EMAIL_URL = url
    alert_by_mail()
    assert send_all(NOW) == [False]
    assert "is not of the form" in Attempt.objects.get().error


def test_a_server_that_drips_is_left_within_the_time(settings, monkeypatch):
    monkeypatch.setattr(mail, "WHOLE_S", 0.5)

    def serve(connection, head):
        drip(b"220-", b"x")(connection, head)

    with listening() as server:
        settings.EMAIL_URL = f"smtp://127.0.0.1:{server.port}"
        alert_by_mail()
        with within(5):
            assert send_all(NOW) == [False]
    assert Attempt.objects.get().error.startswith("127.0.0.1 did not take the mail")


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A key and a certificate for `localhost` that nobody has signed but itself."""
    from datetime import UTC, datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = tmp_path / "certificate.pem", tmp_path / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    kind = serialization.PrivateFormat.PKCS8
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption()))
    return paths


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
@pytest.mark.parametrize("trusted", [True, False])
def test_tls_is_used_and_its_certificate_checked(certificate, settings, monkeypatch, scheme, trusted):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    box = Mailbox()
    tls = {"tls_at_once": context} if scheme == "smtps" else {"tls_context": context, "require_starttls": True}
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with mail_server(box, **tls) as port:
        settings.EMAIL_URL = f"{scheme}://localhost:{port}"
        alert_by_mail()
        assert send_all(NOW) == [trusted], list(Attempt.objects.values_list("error", flat=True))
    assert len(box.mails) == trusted
