"""HTTP with a Docker Engine, over its Unix socket or TCP. One request a connection; a deadline for all of it."""

import contextlib
import json
import socket
import ssl
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from django.conf import settings

from config import outbound
from fleet.providers.base import DriverFailed

API = "/v1.40"  # Docker 19.03 and later
MAX_ANSWER = 4 * 1024 * 1024


class EngineFailed(DriverFailed):
    """The engine answered with an error; `status` is that of HTTP."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"Docker answers: {text}" if text else f"Docker answers with status {status}")
        self.status = status


def path(*parts: str, **query: Any) -> str:
    """A path of the API with each part quoted."""
    found = "/".join(["", *(quote(part, safe="") for part in parts)])
    return f"{API}{found}?{urlencode(query)}" if query else API + found


def call(method: str, address: str, *, timeout_s: float, fine: tuple[int, ...] = ()) -> Any:
    """The decoded answer, None for an empty one. A status of `fine` is no failure. Raises DriverFailed."""
    with _answer(method, address, timeout_s) as answer:
        body = answer.read(MAX_ANSWER)
        if answer.status >= 400 and answer.status not in fine:
            raise EngineFailed(answer.status, _message(body))
        try:
            return json.loads(body) if body and answer.status < 300 else None
        except ValueError:
            raise DriverFailed("What answers at the address of Docker is no Docker Engine") from None


@contextlib.contextmanager
def stream(address: str, *, timeout_s: float) -> Iterator[HTTPResponse]:
    """An answer to be read piece by piece. Raises DriverFailed."""
    with _answer("GET", address, timeout_s) as answer:
        if answer.status >= 400:
            raise EngineFailed(answer.status, _message(answer.read(MAX_ANSWER)))
        yield answer


@contextlib.contextmanager
def _answer(method: str, address: str, timeout_s: float) -> Iterator[HTTPResponse]:
    connection = HTTPConnection("docker", timeout=timeout_s)
    try:
        connection.sock = _socket(timeout_s)
        connection.request(method, address, headers={"Host": "docker", "Connection": "close"})
        yield connection.getresponse()
    except TimeoutError:
        raise DriverFailed(f"Docker did not answer within {timeout_s:g} s") from None
    except (OSError, HTTPException) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        raise DriverFailed(f"Docker cannot be reached: {why}") from None
    finally:
        connection.close()


def _socket(timeout_s: float) -> socket.socket:
    address = urlsplit(settings.DOCKER_HOST)
    if address.scheme == "unix":
        plain = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        plain.settimeout(timeout_s)
        plain.connect(address.path)
        return plain
    host, folder = address.hostname or "", settings.DOCKER_CERT_PATH
    try:
        plain = outbound.connect(host, address.port or (2376 if folder else 2375), timeout_s=timeout_s)
    except outbound.OutboundError as error:
        raise DriverFailed(str(error)) from None
    if not folder:
        return plain
    context = ssl.create_default_context(cafile=f"{folder}/ca.pem")
    context.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")
    return context.wrap_socket(plain, server_hostname=host)


def _message(body: bytes) -> str:
    try:
        text = json.loads(body).get("message", "")
    except (ValueError, AttributeError):
        return ""
    return " ".join(str(text).split())[:300]
