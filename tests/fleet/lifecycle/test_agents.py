"""What becomes of an agent whose instance is destroyed."""

import pytest
from asgiref.sync import sync_to_async

from fleet.instances.models import Instance
from fleet.lifecycle import services
from tests.factories import make_key

pytestmark = pytest.mark.django_db(transaction=True)


async def test_its_connection_ends_and_it_cannot_come_back(connect, instance):
    key = (await sync_to_async(make_key)(role="OPERATOR"))[1]
    async with connect("/ws/agent", key, X_Instance_ID=instance.pk) as agent:
        await agent.say("heartbeat", {})
        await agent.heard("heartbeat:pong")
        fresh = await Instance.objects.aget(pk=instance.pk)
        await sync_to_async(services.destroy)(instance=fresh, actor=None)
        assert await agent.closed() == (1008, "This instance was destroyed")
    async with connect("/ws/agent", key, X_Instance_ID=instance.pk) as agent:
        assert (await agent.closed())[0] == 1008
    assert (await Instance.objects.aget(pk=instance.pk)).status == "DESTROYED"
