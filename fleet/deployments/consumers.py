"""The browsers' socket `/ws/deployments/<id>` (contract: fleet console §32.4)."""

from channels.db import database_sync_to_async

from config import live
from config.api.errors import ApiError
from fleet.deployments import progress, queries
from fleet.deployments.models import Status
from fleet.live.sockets import LiveConsumer

UNKNOWN = 4004


class DeploymentConsumer(LiveConsumer):
    """Where one deployment is, and each step from there on."""

    async def prepare(self) -> None:
        self._id = self.scope["url_route"]["kwargs"]["deployment_id"]
        self.subscription.add(progress.topic(self._id))

    async def opened(self) -> None:
        ask = database_sync_to_async(queries.get_visible)
        try:
            deployment = await ask(deployment_id=self._id, principal=self.principal)
        except ApiError as refusal:
            self.subscription.remove(progress.topic(self._id))
            await self.close(UNKNOWN, refusal.message[:120])
            return
        if deployment.status != Status.PENDING:
            await self.tell(progress.told(deployment))

    async def heard(self, raw: bytes) -> None:
        """Nothing that a browser says changes anything here."""

    async def forward(self, message: live.Message) -> None:
        await self.tell(message.event)
