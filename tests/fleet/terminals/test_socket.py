"""`/ws/terminal/<session id>` (contract: fleet console §32.5)."""

import asyncio
import json
from datetime import timedelta
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async

from fleet.agents import calling
from fleet.terminals import consumers, output, services
from fleet.terminals.models import TerminalSession
from security.audit.models import AuditEntry
from tests.factories import make_key
from tests.fleet.conftest import make_instance
from tests.fleet.terminals.conftest import latest, put_out, shown, typed

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.contract]


async def test_a_session_from_opening_to_the_end_of_its_shell(agent, start, open_screen):
    async with agent() as machine:
        session = await start()
        async with open_screen(session) as screen:
            created = await machine.heard("terminal:create")
            assert created["session_id"] == str(session.pk)
            assert created["payload"] == {"session_id": str(session.pk), "cols": 80, "rows": 24}
            await put_out(machine, session, b"$ ")
            assert await screen.heard() == {"type": "data", "data": "$ "}
            await screen.send({"type": "data", "data": "echo ä\r"})
            assert await typed(machine) == "echo ä\r".encode()
            await screen.send({"type": "resize", "cols": 120, "rows": 40})
            resize = (await machine.heard("terminal:resize"))["payload"]
            assert resize == {"session_id": str(session.pk), "cols": 120, "rows": 40}
            await put_out(machine, session, b"bye\r\n")
            await machine.say("terminal:closed", {"session_id": str(session.pk), "exit_code": 3})
            assert (await screen.heard())["data"] == "bye\r\n"
            assert await screen.closed() == (1000, "the shell ended with 3")
    ended = await latest(session)
    assert (ended.status, ended.exit_code, ended.cols, ended.rows) == ("CLOSED", 3, 120, 40)


@pytest.mark.parametrize("raw", ["ls\r", "5", '{"type": "resize", "cols": "wide"}', '{"type":"data"}', "[1]", "\x03"])
async def test_other_text_is_typed_as_it_is(agent, start, open_screen, raw):
    async with agent() as machine, open_screen(await start()) as screen:
        await screen.send_text(raw)
        assert await typed(machine) == raw.encode()


async def test_a_large_paste_arrives_whole_and_in_order(agent, start, open_screen):
    text = "".join(f"line {number}\r" for number in range(10_000))
    async with agent() as machine, open_screen(await start()) as screen:
        await screen.send({"type": "data", "data": text})
        arrived = b""
        while len(arrived) < len(text):
            arrived += await typed(machine)
        assert arrived.decode() == text
        await screen.send_text("x" * (consumers.MOST_MESSAGE_BYTES + 1))
        assert (await screen.closed())[0] == 1009


async def test_characters_that_come_in_pieces_are_put_together(agent, start, open_screen):
    text = "añ€😀\x00\r\n"
    async with agent() as machine:
        session = await start()
        async with open_screen(session) as screen:
            for byte in text.encode():
                await put_out(machine, session, bytes([byte]))
            assert await shown(screen, len(text)) == text
            await put_out(machine, session, b"\xff.")
            assert await shown(screen, 2) == "\ufffd."


async def test_a_reconnect_shows_what_came_before_once(agent, start, open_screen):
    async with agent() as machine:
        session = await start()
        async with open_screen(session) as screen:
            await machine.heard("terminal:create")
            await put_out(machine, session, b"one\r\n\xe2\x82")
            await shown(screen, 5)
        assert (await latest(session)).status == "DISCONNECTED"
        await put_out(machine, session, b"\xac two\r\n")
        async with open_screen(session) as screen:
            assert await shown(screen, 12) == "one\r\n€ two\r\n"
            await put_out(machine, session, b"three")
            assert await shown(screen, 5) == "three"
            assert (await latest(session)).status == "ACTIVE"
            await screen.send({"type": "data", "data": "x"})
            message = await machine.heard(lambda frame: frame["type"].startswith("terminal:"))
            assert message["type"] == "terminal:input"  # and not a second terminal:create


async def test_the_replay_is_the_last_256_kib_from_a_new_line_on(agent, start, open_screen, settings):
    settings.TERMINAL_RECORDING = False
    block = b"".join(b"%07d\n" % number for number in range(8192))  # 64 KiB
    async with agent() as machine:
        session = await start()
        async with open_screen(session):
            await machine.heard("terminal:create")
        for _ in range(7):
            await put_out(machine, session, block)
        await put_out(machine, session, b"end")
        while (await latest(session)).output_bytes < 7 * len(block) + 3:
            await asyncio.sleep(0.01)
        async with open_screen(session) as screen:
            text = ""
            while not text.endswith("end"):
                text += (await screen.heard("data"))["data"]
    assert text[-11:] == "0008191\nend"
    assert output.REPLAY_BYTES - 8 <= len(text) <= output.REPLAY_BYTES + len(block)
    assert len(text.partition("\n")[0]) == 7
    kept = await session.output.acount()
    assert kept <= 6


async def test_what_no_event_told_is_read_from_the_rows(agent, start, open_screen, monkeypatch):
    monkeypatch.setattr(consumers, "LOOK_EVERY_S", 0.02)
    monkeypatch.setattr(consumers, "TOUCH_EVERY_S", 0)
    async with agent() as machine:
        session = await start()
        async with open_screen(session) as screen:
            await machine.heard("terminal:create")
            await put_out(machine, session, b"a")
            assert await shown(screen, 1) == "a"

            def unheard() -> None:
                output.TerminalOutput.objects.create(session=session, start=1, at=session.created_at, data=b"bc")

            await sync_to_async(unheard)()
            assert await shown(screen, 2) == "bc"


async def test_a_newer_window_takes_the_terminal_over(agent, start, open_screen):
    async with agent():
        session = await start()
        async with open_screen(session) as first:
            async with open_screen(session):
                assert (await first.closed())[0] == 4001
            await asyncio.sleep(0)
        assert (await latest(session)).status == "DISCONNECTED"


async def test_only_its_person_opens_a_session(agent, start, open_screen, connect, developer, instance):
    async with agent():
        session = await start()
        for role in ("DEVELOPER", "ADMIN"):
            raw_key = (await sync_to_async(make_key)(role=role))[1]
            async with open_screen(session, raw_key) as screen:
                assert (await screen.closed())[0] == 4004
        for name in (uuid4(), "no-uuid"):
            async with connect(f"/ws/terminal/{name}", developer[1]) as screen:
                assert (await screen.closed())[0] == 4004
        async with connect(f"/ws/terminal/{session.pk}", None) as screen:
            assert screen.refused


async def test_an_offline_agent_is_said_so(agent, start, open_screen):
    async with agent():
        session = await start()
    async with open_screen(session) as screen:
        assert "offline" in (await screen.heard("data"))["data"]
        assert (await screen.closed())[0] == 4503


async def test_an_agent_that_goes_is_noticed_and_its_shell_awaited(agent, start, open_screen, monkeypatch):
    monkeypatch.setattr(consumers, "LOOK_EVERY_S", 0.02)
    monkeypatch.setattr(calling, "RECEIPT_WITHIN_S", 0.3)
    async with agent() as machine:
        session = await start()
        screen = open_screen(session)
        page = await screen.__aenter__()
        await machine.heard("terminal:create")
    assert (await page.closed())[0] == 1001
    await screen.__aexit__(None, None, None)
    assert (await latest(session)).status == "DISCONNECTED"
    async with agent() as machine:
        await machine.say("terminal:sessions", {"session_ids": [str(session.pk)]})
        async with open_screen(session) as again:
            await put_out(machine, session, b"still here")
            assert await shown(again, 10) == "still here"


async def test_a_restarted_agent_ends_what_it_does_not_know(agent, start, open_screen):
    async with agent() as machine:
        session = await start()
        async with open_screen(session) as screen:
            await machine.heard("terminal:create")
            await machine.say("terminal:sessions", {"session_ids": []})  # told before the request for the shell came
            await put_out(machine, session, b"$")
            assert await shown(screen, 1) == "$"
            await TerminalSession.objects.aupdate(opened_at=session.created_at - timedelta(minutes=1))
            await machine.say("terminal:sessions", {"session_ids": ["11111111-2222-4333-8444-555555555555"]})
            assert await screen.closed() == (1001, "the agent was restarted, and its shells with it")
            close = await machine.heard("terminal:close")
            assert close["payload"] == {"session_id": "11111111-2222-4333-8444-555555555555"}


async def test_an_agent_speaks_for_its_own_sessions_only(agent, start, open_screen, connect):
    other = await sync_to_async(make_instance)(name="other")
    raw_key = (await sync_to_async(make_key)(role="OPERATOR"))[1]
    async with agent(), connect("/ws/agent", raw_key, X_Instance_ID=other.pk) as stranger:
        session = await start()
        async with open_screen(session):
            await put_out(stranger, session, b"forged")
            assert (await stranger.heard("terminal:close"))["payload"] == {"session_id": str(session.pk)}
            await stranger.say("terminal:closed", {"session_id": str(session.pk), "exit_code": 0})
            await stranger.say("terminal:sessions", {"session_ids": []})
            await stranger.say("terminal:output", {"session_id": "x", "data": "no base64!"})
            assert (await stranger.heard("error"))["data"]["code"] == "INVALID_PAYLOAD"
        row = await latest(session)
        assert (row.output_bytes, row.ended_at) == (0, None)


async def test_the_console_dialect_of_an_agent_works(agent, start, open_screen):
    async with agent() as machine:
        session = await start()
        async with open_screen(session) as screen:
            name = str(session.pk)
            await machine.tell("terminal", "terminal:data", {"sessionId": name, "data": "aGk="})
            assert await shown(screen, 2) == "hi"
            await machine.tell("terminal", "terminal:close", {"sessionId": name, "reason": "the host shuts down"})
            assert await screen.closed() == (1000, "the host shuts down")


async def test_opening_and_ending_are_in_the_audit_log(agent, start, open_screen, developer):
    async with agent() as machine:
        session = await start()
        async with open_screen(session) as screen:
            await machine.heard("terminal:create")
            await put_out(machine, session, b"12345")
            await shown(screen, 5)
            await sync_to_async(services.close)(instance=session.instance, session_id=session.pk, actor=developer[0])
            assert await screen.closed() == (1000, "closed by its user")
            assert (await machine.heard("terminal:close"))["session_id"] == str(session.pk)
    entries = AuditEntry.objects.filter(resource="terminal_session", resource_id=str(session.pk)).order_by("at")
    opened, ended = [entry async for entry in entries]
    assert (opened.action, opened.user_id, opened.metadata["instance"]) == ("CONNECT", developer[0].user.pk, "web-1")
    assert ended.action == "DISCONNECT"
    assert ended.metadata["reason"] == "closed by its user"
    assert (ended.metadata["output_bytes"], ended.metadata["recorded"]) == (5, True)
    assert "12345" not in json.dumps(ended.metadata["reason"])
