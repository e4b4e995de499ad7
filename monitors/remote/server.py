"""What the agent says to its server."""

from collections.abc import Iterable
from typing import Any

from config.client import Client, ClientError, Place
from config.version import VERSION
from monitors.agents import machine
from monitors.runs.output import Piece


class Refused(Exception):
    """The server does not know this token any more."""


class Server:
    """The calls of one agent, for one thread. Raises ClientError, and Refused when the token is worth nothing."""

    def __init__(self, url: str, token: str) -> None:
        self._client = Client(Place(url, token), timeout_s=15)
        self._agent = f"/api/agents/{agent_id(token)}"

    def beat(self, *, making: Iterable[str], tools: dict[str, str], capacity: int, uptime_s: float) -> list[str]:
        """The runs that shall be stopped."""
        figures = machine.figures()
        body = {
            "version": VERSION,
            "host": machine.host(),
            "tools": tools,
            "capacity": capacity,
            "activeRuns": list(making),
            "metrics": {
                "cpuPercent": figures["cpu_percent"],
                "memoryPercent": figures["memory_percent"],
                "memoryUsedMb": figures["memory_used_mb"],
                "loadAverage": figures["load_average"],
                "uptimeSeconds": round(uptime_s, 1),
            },
        }
        return list(self._call(f"{self._agent}/heartbeat", json=body)["cancel"])

    def claim(self) -> dict[str, Any] | None:
        """A run to make; None when none waits."""
        return self._call(f"{self._agent}/claim", json={})

    def log(self, run_id: str, piece: Piece) -> bool:
        """Hand in a piece of a log; False when the run shall be stopped."""
        offset, data = piece
        answer = self._call(
            f"/api/runs/{run_id}/log", data=data, params={"offset": offset}, headers={"Content-Type": "text/plain"}
        )
        return not answer["cancel"]

    def complete(self, run_id: str, body: dict[str, Any]) -> None:
        self._call(f"/api/runs/{run_id}/complete", json=body)

    def _call(self, path: str, **options: Any) -> Any:
        try:
            return self._client.call("POST", path, **options)
        except ClientError as error:
            if error.status in (401, 403):
                raise Refused(str(error)) from None
            raise


def agent_id(token: str) -> str:
    """The agent that a token is for: `pma-<48 hex digits>-<id>`. Raises ValueError for what is no token."""
    prefix, secret, agent = [*token.split("-", 2), "", ""][:3]
    if prefix != "pma" or len(secret) != 48 or not agent:
        raise ValueError("This is no token of an agent: it reads pma-…")
    return agent
