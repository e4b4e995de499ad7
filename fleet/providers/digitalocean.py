"""Droplets of DigitalOcean over its documented API (https://docs.digitalocean.com/reference/api/)."""

import json
import time
from typing import Any

from django.conf import settings

from config import outbound
from fleet.providers.base import (
    ACTION_TIMEOUT_S,
    BACKUP,
    DESTROY,
    RESUME,
    SUSPEND,
    Archive,
    Driver,
    DriverFailed,
    Order,
)

CALL_S = 15.0
GRACE_S = 30.0  # for a clean shutdown, after which the power is cut
PAUSE_S = 1.0
GIGABYTE = 1_000_000_000


class DigitalOceanDriver(Driver):
    """Shuts a droplet down (or cuts its power), switches it on, deletes it, and makes snapshots as backups."""

    name, title, target_label = "digitalocean", "DigitalOcean", "id of the droplet"

    @classmethod
    def check_target(cls, target: str) -> None:
        if not (target.isascii() and target.isdigit() and len(target) <= 20):
            raise ValueError("The id of a droplet is a number.")

    @property
    def lacking(self) -> str | None:
        if not settings.DIGITALOCEAN_TOKEN:
            return "DigitalOcean is not set up: PHAROS_DIGITALOCEAN_TOKEN is missing."
        return None if self.machine.target else "It is not told which droplet the instance is."

    def possible(self) -> frozenset[str]:
        return frozenset({SUSPEND, RESUME, DESTROY, BACKUP})

    def suspend(self) -> None:
        if self._droplet()["status"] == "off":
            return
        try:
            self._do("shutdown", GRACE_S)
        except DriverFailed:
            self._do("power_off", ACTION_TIMEOUT_S)

    def resume(self) -> None:
        if self._droplet()["status"] != "active":
            self._do("power_on", ACTION_TIMEOUT_S)

    def destroy(self) -> None:
        """Its snapshots stay."""
        _call("DELETE", self._path(), fine=(404,))

    def backup(self, order: Order) -> Archive:
        """A snapshot, which the provider keeps; it is compressed as the provider likes."""
        before = {str(one["id"]) for one in self._snapshots()}
        self._do("snapshot", order.timeout_s, name=order.label)
        fresh = [one for one in self._snapshots() if str(one["id"]) not in before and one["name"] == order.label]
        if not fresh:
            raise DriverFailed("DigitalOcean reports no snapshot, although the action has ended")
        size = fresh[0].get("size_gigabytes")
        return Archive(
            place=f"digitalocean snapshot {fresh[0]['id']}",
            size_bytes=int(size * GIGABYTE) if isinstance(size, int | float) else None,
        )

    def _path(self, *more: str) -> str:
        return "/".join(["/v2/droplets", self.machine.target, *more])

    def _droplet(self) -> dict[str, Any]:
        return _call("GET", self._path())["droplet"]

    def _snapshots(self) -> list[dict[str, Any]]:
        return _call("GET", self._path("snapshots") + "?per_page=200")["snapshots"]

    def _do(self, type: str, timeout_s: float, **more: str) -> None:
        """Ask for an action and wait until it has ended."""
        ends_at = time.monotonic() + timeout_s
        action = _call("POST", self._path("actions"), {"type": type, **more})["action"]
        while action["status"] == "in-progress":
            if time.monotonic() > ends_at:
                raise DriverFailed(f"DigitalOcean did not end the action {type} within {timeout_s:g} s")
            time.sleep(PAUSE_S)
            action = _call("GET", f"/v2/actions/{action['id']}")["action"]
        if action["status"] != "completed":
            raise DriverFailed(f"DigitalOcean could not do the action {type}: it ended as {action['status']}")


def _call(method: str, path: str, body: dict[str, Any] | None = None, *, fine: tuple[int, ...] = ()) -> Any:
    """The decoded answer; None for an empty one. Raises DriverFailed; the token is in no text."""
    headers = {"Authorization": f"Bearer {settings.DIGITALOCEAN_TOKEN}", "Content-Type": "application/json"}
    try:
        reply = outbound.request(
            method,
            settings.DIGITALOCEAN_URL + path,
            headers=headers,
            body=json.dumps(body) if body else None,
            timeout_s=CALL_S,
        )
    except outbound.OutboundError as error:
        raise DriverFailed(str(error)) from None
    if reply.status in fine or (reply.status < 300 and not reply.body):
        return None
    try:
        answer = json.loads(reply.body)
        if reply.status < 300:
            return answer
        text = str(answer.get("message") or "")[:300]
    except (ValueError, AttributeError):
        text = ""
    raise DriverFailed(f"DigitalOcean answers with status {reply.status}" + (f": {text}" if text else ""))
