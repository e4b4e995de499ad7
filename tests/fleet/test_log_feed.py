"""Log lines on the browsers' sockets (contract: fleet console §32.1, §32.2)."""

import asyncio

import pytest
from django.utils import timezone

from fleet.live import consumers
from fleet.logs import services
from fleet.logs.entries import entry
from fleet.logs.models import Level, Source
from tests.factories import make_key, make_team
from tests.fleet.conftest import make_instance

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.contract, pytest.mark.asyncio]
SUBSCRIBE = {"channel": "system", "type": "subscribe", "data": {}}


@pytest.fixture
def viewer():
    return make_key(role="VIEWER")[1]


async def write(instance, *messages):
    made = [
        entry(timezone.now(), instance_id=instance.pk, level=Level.WARN, source=Source.APP, message=message)
        for message in messages
    ]
    await asyncio.to_thread(lambda: (services.accept(made), services.flush()))


async def heard(page):
    return await page.heard(lambda message: message.get("channel") == "logs")


async def hears_none(page):
    """No line comes before the answer to a question that is asked a little later."""
    await asyncio.sleep(0.2)
    await page.send(SUBSCRIBE | {"instanceId": "nobody"})
    message = await page.heard(lambda message: message.get("channel") == "logs" or message["type"] == "error")
    assert message["type"] == "error"


async def test_subscribers_get_each_line_once(connect, viewer, instance):
    async with connect("/ws", viewer) as page:
        await page.send(SUBSCRIBE | {"instanceId": instance.pk})
        await page.heard("ack")
        await write(instance, "one")
        line = await heard(page)
        assert (line["type"], line["instanceId"]) == ("log:line", instance.pk)
        assert (line["data"]["message"], line["data"]["level"]) == ("one", "WARN")
        await write(instance, "two", "three")
        batch = await heard(page)
        assert batch["type"] == "log:batch"
        assert [one["message"] for one in batch["data"]["lines"]] == ["two", "three"]


async def test_lines_alone_and_no_more_of_them(connect, viewer, instance):
    choose = {"channel": "logs", "type": "log:subscribe", "data": {"instanceId": instance.pk, "paths": ["*"]}}
    async with connect("/ws", viewer) as page:
        await page.send(choose)
        await hears_none(page)  # and what was said before is done
        await write(instance, "one")
        assert (await heard(page))["data"]["message"] == "one"
        await page.send(choose | {"type": "log:unsubscribe"})
        await hears_none(page)
        await write(instance, "two")
        await hears_none(page)


async def test_lines_of_another_team_are_refused_also_later(connect, viewer, instance, monkeypatch):
    monkeypatch.setattr(consumers, "FOLLOW_S", 0.05)
    hidden = await asyncio.to_thread(lambda: make_instance(name="hidden", team=make_team()))
    async with connect("/ws", viewer) as page:
        await page.tell("logs", "log:subscribe", {"instanceId": hidden.pk})
        assert (await page.heard("error"))["data"]["code"] == "FORBIDDEN"
        await page.send(SUBSCRIBE | {"instanceId": instance.pk})
        await page.heard("ack")
        instance.team_id = hidden.team_id
        await instance.asave(update_fields=["team"])
        await asyncio.sleep(0.3)
        await write(instance, "secret")
        await hears_none(page)


@pytest.mark.parametrize("paths", ["syslog", [5], [""], ["x" * 513], ["a"] * 51, None])
async def test_paths_that_are_none_are_refused(connect, viewer, instance, paths):
    async with connect("/ws", viewer) as page:
        await page.tell("logs", "log:subscribe", {"instanceId": instance.pk, "paths": paths})
        answer = await page.heard("error")
        assert (answer["channel"], answer["data"]["code"]) == ("logs", "INVALID_PAYLOAD")
