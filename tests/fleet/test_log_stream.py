"""Following logs (contract: fleet console §8, SSE format)."""

import asyncio
import json

import pytest
from django.test import AsyncClient

from fleet.logs import services
from tests.factories import make_team
from tests.fleet.conftest import make_instance

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.contract]


@pytest.fixture
def viewer(api):
    client = api("VIEWER")
    client.key = {"Authorization": f"Bearer {client.raw_key}"}
    return client


def lines(instance, *messages):
    return {"entries": [{"instanceId": instance.pk, "level": "INFO", "source": "APP", "message": m} for m in messages]}


class Reader:
    """A stream that was opened: `next()` gives `(id, data)` of the next event."""

    def __init__(self, answer):
        assert answer.status_code == 200, answer.content
        assert answer["Content-Type"] == "text/event-stream"
        self.chunks, self.waiting = answer.streaming_content, []

    async def next(self):
        while not self.waiting:
            text = (await asyncio.wait_for(anext(self.chunks), 8)).decode()
            self.waiting += [block for block in text.split("\n\n")[:-1] if not block.startswith(":")]
        fields = dict(line.split(": ", 1) for line in self.waiting.pop(0).split("\n"))
        return fields.get("id"), json.loads(fields["data"])


async def test_lines_come_as_they_are_stored_and_a_reader_resumes(viewer, instance):
    path = f"/api/v1/instances/{instance.pk}/logs/stream"
    reader = Reader(await AsyncClient().get(path, headers=viewer.key))
    number, hello = await reader.next()
    assert (number, hello["type"], hello["instanceId"]) == (None, "connected", instance.pk)
    await asyncio.to_thread(viewer.post, "/api/v1/logs/ingest/batch", lines(instance, "one", "two"), format="json")
    number, first = await reader.next()
    assert (number, first["message"]) == (first["id"], "one")
    second = (await reader.next())[1]
    await reader.chunks.aclose()
    await asyncio.to_thread(viewer.post, "/api/v1/logs/ingest/batch", lines(instance, "three"), format="json")
    again = Reader(await AsyncClient().get(path, headers=viewer.key | {"Last-Event-ID": second["id"]}))
    assert (await again.next())[1]["type"] == "connected"
    assert (await again.next())[1]["message"] == "three"
    await again.chunks.aclose()


async def test_several_instances_and_a_ticket(viewer, instance):
    other = await asyncio.to_thread(make_instance, name="web-2")
    ticket = (await asyncio.to_thread(viewer.post, "/api/v1/ws/ticket")).json()["ticket"]
    query = f"instanceIds={instance.pk},{other.pk}&ticket={ticket}"
    reader = Reader(await AsyncClient().get(f"/api/v1/logs/stream?{query}"))
    assert (await reader.next())[1]["type"] == "connected"
    await asyncio.to_thread(viewer.post, "/api/v1/logs/ingest/batch", lines(other, "theirs"), format="json")
    assert (await reader.next())[1]["instanceId"] == other.pk
    await reader.chunks.aclose()


async def test_who_may_not_follow(api, viewer):
    hidden = await asyncio.to_thread(lambda: make_instance(team=make_team()))
    for path, status in (
        ("/api/v1/logs/stream", 400),
        (f"/api/v1/logs/stream?instanceIds={hidden.pk}", 404),
        (f"/api/v1/instances/{hidden.pk}/logs/stream", 404),
    ):
        assert (await AsyncClient().get(path, headers=viewer.key)).status_code == status
    assert (await AsyncClient().get(f"/api/v1/logs/stream?instanceIds={hidden.pk}")).status_code == 401


async def test_a_reader_that_is_too_slow_is_told(viewer, instance, monkeypatch):
    reader = Reader(await AsyncClient().get(f"/api/v1/instances/{instance.pk}/logs/stream", headers=viewer.key))
    await reader.next()
    for _ in range(40):
        await asyncio.to_thread(viewer.post, "/api/v1/logs/ingest/batch", lines(instance, "x"), format="json")
    await asyncio.sleep(0.1)
    assert (await reader.next())[1] == {"type": "overflow"}
    with pytest.raises(StopAsyncIteration):
        await reader.next()


@pytest.fixture(autouse=True)
def settled():
    yield
    services.flush()
