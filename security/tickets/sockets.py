"""Who opens a WebSocket, and that nobody keeps one longer than allowed (contract: fleet console §29, §32)."""

import asyncio
import json
from contextlib import suppress
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from django.conf import settings
from django.http import parse_cookie

from config.api import scopes
from config.api.authentication import Principal
from config.api.envelopes import as_api_error, render
from config.api.errors import ApiError, NotFound, Unauthorized
from config.api.permissions import NO_KEY
from security.keys import refusals
from security.keys import services as keys
from security.tickets import services as tickets
from security.tickets.watch import on_end

POLICY_VIOLATION = 1008
CLEAN_UP_S = 5


class SocketPrincipal:
    """ASGI middleware: sets `scope["principal"]`, or answers the upgrade with 401 or 403.

    A ticket decides alone, then a key header, then the session cookie (from our own pages only). The socket is
    closed within 5 s when the key, session or user behind it ends.
    """

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: dict, receive: Any, send: Any) -> None:
        try:
            principal = await database_sync_to_async(principal_of)(scope)
        except Exception as fault:
            refusal = as_api_error(fault, None)
            if refusal is None:
                raise
            await refuse(refusal, scope, receive, send)
            return
        scope["principal"] = principal
        await self._run(scope, receive, send)

    async def _run(self, scope: dict, receive: Any, send: Any) -> None:
        ending: asyncio.Task | None = None

        async def send_while_open(message: dict) -> None:
            if ending is None:
                await send(message)

        async def cut_off() -> None:
            with suppress(OSError):  # the other side has left already
                await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": "Access has ended"})
            # The server now tells the application that the socket is gone; it cleans up and returns.
            await asyncio.sleep(CLEAN_UP_S)
            running.cancel()

        def end() -> None:
            nonlocal ending
            ending = ending or asyncio.ensure_future(cut_off())

        running = asyncio.current_task()
        try:
            with on_end(scope["principal"], end):
                await self._application(scope, receive, send_while_open)
        except asyncio.CancelledError:
            if ending is None or not ending.done():  # the server stops, or the one who waits for us
                raise
        finally:
            if ending is not None:
                ending.cancel()


async def unknown_path(scope: dict, receive: Any, send: Any) -> None:
    """404 on the upgrade."""
    await refuse(NotFound(f"No route for WebSocket {scope['path']}"), scope, receive, send)


def principal_of(scope: dict) -> Principal:
    """The caller of an upgrade; raises Unauthorized, and Forbidden for a key whose scopes do not cover the socket."""
    needed = scopes.needed_for_socket(scope["path"])
    headers = {name.decode("latin-1").title(): value.decode("latin-1") for name, value in scope["headers"]}
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    if "apiKey" in query:
        raise Unauthorized("A key in the address ends up in logs. Send it in a header, or ask for a ticket.")
    claim = refusals.claim_of(scope["path"], headers.get("X-Instance-Id"))
    if "ticket" in query:
        try:
            return tickets.redeem(query["ticket"][0], scope=needed)
        except Unauthorized:
            refusals.note_claim(claim)
            raise
    if raw := keys.key_from_headers(headers):
        return keys.authenticate_key(raw, scope=needed, claim=claim)
    cookie = parse_cookie(headers.get("Cookie", "")).get(settings.SESSION_COOKIE_NAME)
    if cookie and (principal := keys.principal_of_cookie(cookie)):
        if not keys.from_our_pages(headers.get("Origin"), headers.get("Host")):
            raise Unauthorized("The page that opened this socket belongs to another site")
        return principal
    raise Unauthorized(NO_KEY)


async def refuse(error: ApiError, scope: dict, receive: Any, send: Any) -> None:
    """Answer the upgrade itself with the error; a server that cannot do so closes with 1008."""
    await receive()  # websocket.connect
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        reason = HTTPStatus(error.status).phrase
        await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": reason})
        return
    status, body, extra = render(error, SimpleNamespace(path=scope["path"], method="GET", headers={}))
    pairs = {"content-type": "application/json", **{name.lower(): value for name, value in extra.items()}}
    headers = [(name.encode(), value.encode()) for name, value in pairs.items()]
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": json.dumps(body).encode()})
