"""Who may open a WebSocket and how long it lives (contract: fleet console §29, §32)."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.db import connections
from django.test import Client
from django.utils import timezone

from config.api.authentication import Principal
from config.api.errors import Unauthorized
from security.accounts import services as accounts
from security.accounts import teams
from security.keys import services as keys
from security.tickets import services as tickets
from security.tickets.sockets import SocketPrincipal, unknown_path
from security.tickets.watch import watch
from tests.factories import PASSWORD, make_key, make_team, make_user

pytestmark = pytest.mark.django_db(transaction=True)


async def echo(scope, receive, send):
    """An application that accepts, says who it talks to, and stays until the socket is gone."""
    await receive()
    await send({"type": "websocket.accept"})
    principal = scope["principal"]
    await send({"type": "websocket.send", "text": json.dumps([principal.user.email, principal.role])})
    while (await receive())["type"] != "websocket.disconnect":
        pass


application = SocketPrincipal(echo)


def upgrade(app, path, headers=None, extensions=("websocket.http.response",)):
    path, _, query = path.partition("?")
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in (headers or {}).items()]
    scope = {"type": "websocket", "path": path, "query_string": query.encode(), "headers": raw}
    return ApplicationCommunicator(app, scope | {"extensions": dict.fromkeys(extensions, {})})


async def connect(path="/ws", headers=None, app=application):
    """Who the socket is of, and the open communicator; or the status of a refusal and its body."""
    socket = upgrade(app, path, headers)
    await socket.send_input({"type": "websocket.connect"})
    message = await socket.receive_output(3)
    if message["type"] == "websocket.http.response.start":
        body = json.loads((await socket.receive_output(1))["body"])
        await socket.wait()
        return message["status"], body
    assert message["type"] == "websocket.accept"
    return json.loads((await socket.receive_output(1))["text"]), socket


async def leave(socket):
    await socket.send_input({"type": "websocket.disconnect", "code": 1000})
    await socket.wait()


def in_thread(function):
    """Database work beside the event loop, in a connection that is closed again."""

    async def run(*args, **kwargs):
        def work():
            try:
                return function(*args, **kwargs)
            finally:
                connections.close_all()

        return await asyncio.get_running_loop().run_in_executor(None, work)

    return run


class TestTicket:
    def test_contract(self, api):
        answer = api(role="VIEWER").post("/api/v1/ws/ticket")
        assert answer.status_code == 200
        assert len(bytes.fromhex(answer.json()["ticket"])) == 32 and answer.json()["expires_in"] == 30
        assert api(role=None).post("/api/v1/ws/ticket").status_code == 401

    def test_a_ticket_works_once_whoever_is_first(self, api):
        client = api()
        ticket = client.post("/api/v1/ws/ticket").json()["ticket"]

        def redeem(_):
            try:
                return tickets.redeem(ticket)
            except Unauthorized:
                return None
            finally:
                connections.close_all()

        with ThreadPoolExecutor(8) as pool:
            winners = list(filter(None, pool.map(redeem, range(8))))
        assert [winner.user for winner in winners] == [client.user]

    def test_a_ticket_lasts_30_seconds(self, api, time_machine):
        ticket = api().post("/api/v1/ws/ticket").json()["ticket"]
        if settings.REDIS_URL:
            pytest.skip("Redis keeps its own time")
        time_machine.move_to(timezone.now() + timedelta(seconds=31))
        with pytest.raises(Unauthorized):
            tickets.redeem(ticket)

    def test_a_ticket_gives_no_more_than_is_left(self, api):
        client = api(role="ADMIN")
        ticket, lower = (client.post("/api/v1/ws/ticket").json()["ticket"] for _ in range(2))
        client.user.role = "VIEWER"
        client.user.save()
        assert tickets.redeem(lower).role == "VIEWER"
        keys.revoke(key=client.key)
        with pytest.raises(Unauthorized):
            tickets.redeem(ticket)

    @pytest.mark.parametrize("text", ["", "x", "0" * 64, "ü" * 64, "a" * 100_000])
    def test_nonsense(self, text):
        with pytest.raises(Unauthorized):
            tickets.redeem(text)

    def test_of_a_browser_and_of_the_shared_agent(self, client, settings):
        user = make_user(password=PASSWORD)
        client.force_login(user)
        ticket = client.post("/api/v1/ws/ticket", content_type="application/json").json()["ticket"]
        assert tickets.redeem(ticket).session_id == client.session["id"]
        settings.AGENT_KEY = "shared"
        answer = Client().post("/api/v1/ws/ticket", headers={"X-Api-Key": "shared"})
        assert tickets.redeem(answer.json()["ticket"]).is_agent


class TestUpgrade:
    async def test_ticket_then_header_then_cookie(self, api, client):
        by_key = await in_thread(api)(role="OPERATOR")
        person = await in_thread(make_user)(password=PASSWORD)
        await in_thread(client.force_login)(person)
        ticket = await in_thread(lambda: tickets.issue(keys.authenticate_key(by_key.raw_key)))()
        cookie = {"Cookie": f"sessionid={client.cookies['sessionid'].value}", "Host": "here", "Origin": "http://here"}
        header = {"Authorization": f"Bearer {by_key.raw_key}"}

        who, socket = await connect(f"/ws?ticket={ticket}", cookie)
        assert who == [by_key.user.email, "OPERATOR"]
        await leave(socket)
        for more in (header, {"X-Api-Key": by_key.raw_key}):
            who, socket = await connect(headers=cookie | more)
            assert who == [by_key.user.email, "OPERATOR"]
            await leave(socket)
        who, socket = await connect(headers=cookie)
        assert who == [person.email, "VIEWER"]
        await leave(socket)

    async def test_refusals(self, api, client):
        good = (await in_thread(api)()).raw_key
        await in_thread(client.force_login)(await in_thread(make_user)(password=PASSWORD))
        cookie = {"Cookie": f"sessionid={client.cookies['sessionid'].value}", "Host": "here"}
        for path, headers in [
            ("/ws", {}),
            ("/ws", {"Authorization": "Bearer wrong"}),
            ("/ws", cookie | {"Authorization": "Bearer wrong", "Origin": "http://here"}),
            ("/ws?ticket=wrong", {"Authorization": f"Bearer {good}"}),
            (f"/ws?apiKey={good}", {}),
            (f"/ws?apiKey={good}", {"Authorization": f"Bearer {good}"}),
            ("/ws", cookie),
            ("/ws", cookie | {"Origin": "null"}),
            ("/ws", cookie | {"Origin": "http://evil.example"}),
            ("/ws", cookie | {"Origin": "http://here.evil.example"}),
            ("/ws", {"Cookie": "sessionid=unknown", "Origin": "http://here", "Host": "here"}),
            ("/ws", {"Authorization": "Bearer ü\xff"}),
        ]:
            status, body = await connect(path, headers)
            assert (status, body["error"]) == (401, "Unauthorized"), (path, headers)

    async def test_a_server_without_the_extension_closes(self):
        socket = upgrade(application, "/ws", extensions=())
        await socket.send_input({"type": "websocket.connect"})
        answer = await socket.receive_output(3)
        assert (answer["type"], answer["code"]) == ("websocket.close", 1008)

    async def test_unknown_path(self, api):
        key = (await in_thread(api)()).raw_key
        app = SocketPrincipal(unknown_path)
        assert (await connect("/nothing", {"X-Api-Key": key}, app))[0] == 404
        assert (await connect("/nothing", app=app))[0] == 401


class TestEnd:
    @pytest.mark.parametrize("end", ["revoke", "expire", "deactivate", "demote", "join", "delete"])
    async def test_a_socket_closes_within_five_seconds(self, end, api, monkeypatch):
        if end != "revoke":  # that one shows the real pace
            monkeypatch.setattr("security.tickets.watch.EVERY_S", 0.05)
        client = await in_thread(api)(role="DEVELOPER", expires_at=timezone.now() + timedelta(days=1))
        _, socket = await connect(headers={"X-Api-Key": client.raw_key})
        other = await in_thread(api)()
        _, bystander = await connect(headers={"X-Api-Key": other.raw_key})
        await in_thread(
            {
                "revoke": lambda: keys.revoke(key=client.key),
                "expire": lambda: type(client.key).objects.filter(pk=client.key.pk).update(expires_at=timezone.now()),
                "deactivate": lambda: accounts.update_user(user=client.user, actor=None, is_active=False),
                "demote": lambda: accounts.update_user(user=client.user, actor=None, role="VIEWER"),
                "join": lambda: teams.add_member(
                    team=make_team(), user_id=client.user.pk, actor=Principal(other.user, "ADMIN")
                ),
                "delete": lambda: accounts.delete_user(user=client.user, actor=None),
            }[end]
        )()
        assert await socket.receive_output(5) == {
            "type": "websocket.close", "code": 1008, "reason": "Access has ended",
        }  # fmt: skip
        assert await bystander.receive_nothing(0.1)
        await leave(socket)
        await leave(bystander)

    async def test_a_socket_ends_with_its_session(self, client, monkeypatch):
        monkeypatch.setattr("security.tickets.watch.EVERY_S", 0.05)
        user = await in_thread(make_user)(password=PASSWORD)
        await in_thread(client.force_login)(user)
        cookie = {"Cookie": f"sessionid={client.cookies['sessionid'].value}", "Host": "here", "Origin": "http://here"}
        _, socket = await connect(headers=cookie)
        await in_thread(client.post)("/logout/")
        assert (await socket.receive_output(5))["type"] == "websocket.close"
        await leave(socket)

    async def test_a_stream_can_watch_too(self, monkeypatch):
        monkeypatch.setattr("security.tickets.watch.EVERY_S", 0.05)
        user = await in_thread(make_user)()
        key, raw = await in_thread(make_key)(user=user)
        principal = await in_thread(keys.authenticate_key)(raw)
        async with watch(principal) as ended, watch(principal) as second:
            await in_thread(keys.revoke)(key=key)
            await asyncio.wait_for(ended.wait(), 5)
            await asyncio.wait_for(second.wait(), 0.1)

    async def test_what_no_change_tells_of_is_found_when_all_are_looked_up(self, monkeypatch):
        monkeypatch.setattr("security.tickets.watch.EVERY_S", 0.05)
        key, raw = await in_thread(make_key)()
        principal = await in_thread(keys.authenticate_key)(raw)
        async with watch(principal) as ended:
            await asyncio.sleep(0.3)
            await in_thread(key.delete)()
            await asyncio.sleep(0.3)
            assert not ended.is_set()
            monkeypatch.setattr("security.tickets.watch.EVERYTHING_EVERY_S", 0.1)
            await asyncio.wait_for(ended.wait(), 5)

    async def test_a_failing_database_closes_nothing(self, monkeypatch):
        _, raw = await in_thread(make_key)()
        principal = await in_thread(keys.authenticate_key)(raw)
        calls = []

        def broken(principals):
            calls.append(len(principals))
            raise OSError("the database is away")

        monkeypatch.setattr("security.tickets.watch.still_standing", broken)
        monkeypatch.setattr("security.tickets.watch.EVERY_S", 0.05)
        async with watch(principal) as ended:
            await asyncio.sleep(0.4)
            assert not ended.is_set()
        assert len(calls) > 2

    async def test_one_look_serves_everything_that_is_open(self, monkeypatch, django_assert_max_num_queries):
        from security.tickets.queries import still_standing

        made = [await in_thread(make_key)() for _ in range(30)]
        principals = [await in_thread(keys.authenticate_key)(raw) for _, raw in made]

        def look():
            with django_assert_max_num_queries(5):
                return still_standing(principals)

        from asgiref.sync import sync_to_async

        assert await sync_to_async(look)() == [True] * 30
