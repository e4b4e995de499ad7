"""The product's application, with `/stock` beside it: the way of the Channels documentation, without any check."""

from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.layers import get_channel_layer
from channels.routing import ProtocolTypeRouter

from config.asgi import application as product

GROUP = "readers"


class Stock(AsyncJsonWebsocketConsumer):
    channel_layer_alias = "stock"
    groups = [GROUP]

    async def told(self, event: dict) -> None:
        await self.send_json(event["message"])

    async def receive_json(self, content: dict) -> None:
        """One client publishes; the layer lives in this process only."""
        await get_channel_layer("stock").group_send(GROUP, {"type": "told", "message": content})


stock = Stock.as_asgi()


async def socket(scope: dict, receive: object, send: object) -> None:
    await (stock if scope["path"] == "/stock" else product)(scope, receive, send)


application = ProtocolTypeRouter({"http": product, "websocket": socket, "lifespan": product})
