"""E-mail over SMTP, through a socket that the guarded client connected (contract: fleet console §11).

`PHAROS_EMAIL_URL` is `smtp://user:password@host:port` (TLS by STARTTLS where the server offers it) or `smtps://…`.
A password is never sent over a connection without TLS, unless the server runs on this machine.
"""

import contextlib
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from email.utils import formatdate
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from django.conf import settings

from alerts.channels.transports.messages import DeliveryFailed, Message
from config import outbound
from config.api.fields import milliseconds

TIMEOUT_S = 10  # for the connection and for each answer of the server
WHOLE_S = 30  # for everything together
PORTS = {"smtp": 25, "smtps": 465}
PREFIX = "[Sindri Alert]"


class _Guarded(smtplib.SMTP):
    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return outbound.connect(host, port, timeout_s=timeout)


class _GuardedTls(smtplib.SMTP_SSL):
    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self.context.wrap_socket(outbound.connect(host, port, timeout_s=timeout), server_hostname=host)


def send(config: dict[str, Any], message: Message) -> str:
    recipients = [message.recipient.email] if message.recipient else config["recipients"]
    if not settings.EMAIL_URL:
        raise DeliveryFailed("E-mail is not configured: PHAROS_EMAIL_URL is not set.", final=True)
    server = _server(settings.EMAIL_URL)
    try:
        with _session(server) as session:
            refused = session.send_message(_mail(config, message, recipients), settings.DEFAULT_FROM_EMAIL, recipients)
    except outbound.OutboundError as error:
        raise DeliveryFailed(str(error)) from error
    except smtplib.SMTPAuthenticationError as error:
        raise DeliveryFailed(f"{server.hostname} refused the user name or the password.") from error
    except smtplib.SMTPRecipientsRefused as error:
        raise DeliveryFailed(f"{server.hostname} refused every recipient.") from error
    except smtplib.SMTPResponseException as error:
        raise DeliveryFailed(f"{server.hostname} refused the mail with code {error.smtp_code}.") from error
    except ssl.SSLCertVerificationError as error:
        raise DeliveryFailed(f"The certificate of {server.hostname} is not valid: {error.verify_message}.") from error
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise DeliveryFailed(f"{server.hostname} did not take the mail: {type(error).__name__}.") from error
    if refused:
        # Another try would tell the others twice.
        raise DeliveryFailed(f"{server.hostname} took the mail, but not for {', '.join(refused)}.", final=True)
    return f"{server.hostname} took the mail for {len(recipients)} recipient{'s' if len(recipients) > 1 else ''}"


def _server(url: str) -> SplitResult:
    """The parts of the URL; its text is never told, since it holds a password."""
    try:
        server = urlsplit(url)
        known = server.scheme in PORTS and server.hostname and (server.port is None or server.port > 0)
    except ValueError:
        known = False
    if not known:
        raise DeliveryFailed("PHAROS_EMAIL_URL is not of the form smtp://user:password@host:port.", final=True)
    return server


@contextlib.contextmanager
def _session(server: SplitResult) -> Iterator[smtplib.SMTP]:
    """A greeted, protected and signed-in session that ends within its time whatever the server does."""
    host, port = server.hostname or "", server.port or PORTS[server.scheme]
    context = ssl.create_default_context()
    session: smtplib.SMTP = (
        _GuardedTls(timeout=TIMEOUT_S, context=context) if server.scheme == "smtps" else _Guarded(timeout=TIMEOUT_S)
    )
    session._host = host  # type: ignore[attr-defined]  # the name that STARTTLS checks the certificate against
    leash = threading.Timer(WHOLE_S, _cut, [session])
    leash.start()
    try:
        session.connect(host, port)
        session.ehlo_or_helo_if_needed()
        if server.scheme == "smtp" and session.has_extn("starttls"):
            session.starttls(context=context)
            session.ehlo()
        if server.username:
            if not isinstance(session.sock, ssl.SSLSocket) and not _this_machine(session):
                raise DeliveryFailed(f"{host} offers no TLS, and a password is not sent without it.", final=True)
            session.login(unquote(server.username), unquote(server.password or ""))
        yield session
        with contextlib.suppress(smtplib.SMTPException, OSError):
            session.quit()  # the mail has been taken; how the farewell goes changes nothing
    finally:
        leash.cancel()
        session.close()


def _cut(session: smtplib.SMTP) -> None:
    """End a session from outside; whoever waits for its server wakes up with an error."""
    with contextlib.suppress(OSError, AttributeError):  # it ended by itself at this very moment
        session.sock.shutdown(socket.SHUT_RDWR)


def _this_machine(session: smtplib.SMTP) -> bool:
    return ip_address(session.sock.getpeername()[0]).is_loopback


def _mail(config: dict[str, Any], message: Message, recipients: list[str]) -> EmailMessage:
    mail = EmailMessage()
    prefix = config.get("subject_prefix") or PREFIX
    mail["Subject"] = " ".join(f"{prefix} {message.severity}: {message.headline}".split())
    mail["From"] = settings.DEFAULT_FROM_EMAIL
    mail["To"] = ", ".join(recipients)
    mail["Date"] = formatdate(usegmt=True)
    mail["Message-ID"] = f"<{message.key.replace(':', '.')}@{settings.DEFAULT_FROM_EMAIL.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(
        f"{message.headline}\n\n{message.text}\n\n"
        f"Severity: {message.severity}\n"
        f"Status:   {message.status}\n"
        f"Rule:     {message.rule_name}\n"
        f"About:    {message.subject}\n"
        f"Fired at: {milliseconds(message.fired_at)}\n\n"
        f"{message.url}\n"
    )
    return mail
