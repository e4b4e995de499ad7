"""What `pharos monitors list|run|logs` do."""

import argparse
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from config.client import FAILED, FINE, NOT_FOUND, WRONG_USE, Client, ClientError
from config.terminal import COLOURS, coloured, harmless, put, put_json, put_table, say

PAGE = 200
LOOK_S = 1.0
SEAM = 400  # characters by which a log that has lost its middle is joined on


def list_monitors(client: Client, asked: argparse.Namespace) -> int:
    found = _monitors(client, status=asked.status or "", search=asked.search or "")
    if asked.json:
        put_json(found)
        return FINE
    rows = [
        (one["lastStatus"] or ("never run" if one["enabled"] else "paused"), one["name"], one["tool"], one["schedule"])
        + (one["lastRun"], one["id"])
        for one in found
    ]
    put_table(("STATE", "NAME", "TOOL", "SCHEDULE", "LAST RUN", "ID"), rows, state=0)
    return FINE


def run_monitor(client: Client, asked: argparse.Namespace) -> int:
    monitor = _monitor(client, asked.monitor)
    body = {"queue": True} if asked.queue else {}
    run_id = client.post(f"/api/monitors/{monitor['id']}/run", body)["runId"]
    if not asked.wait:
        put_json({"runId": run_id, "status": "queued"}) if asked.json else put(run_id)
        return FINE
    run = _wait(client, run_id, asked.timeout)
    if asked.json:
        put_json(run)
    else:
        _put_result(monitor["name"], run)
    return FINE if run["status"] == "pass" else FAILED


def show_logs(client: Client, asked: argparse.Namespace) -> int:
    run = _run(client, asked.monitor)
    path = f"/api/runs/{run['id']}/logs"
    shown = client.get(path, **({"tail": asked.tail} if asked.tail else {})) or ""
    if asked.json:
        put_json({"runId": run["id"], "status": run["status"], "log": shown})
        return FINE
    put(_printable(shown), end="")
    if asked.follow:
        shown = shown if asked.tail is None else client.get(path) or ""
        while run["completedAt"] is None:
            time.sleep(LOOK_S)
            run = client.get(f"/api/runs/{run['id']}")  # before the log, so that its last lines are seen
            whole = client.get(path) or ""
            put(_printable(_new_part(shown, whole)), end="")
            shown = whole
    return FINE


ACTS: dict[str, Callable[[Client, argparse.Namespace], int]] = {
    "list": list_monitors,
    "run": run_monitor,
    "logs": show_logs,
}


def _monitors(client: Client, **filters: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        page = client.get("/api/monitors", limit=PAGE, offset=len(found), **filters)
        found += page
        if len(page) < PAGE:
            return found


def _monitor(client: Client, name: str) -> dict[str, Any]:
    """The monitor of that id or that very name. Raises ClientError for none, or for more than one."""
    if _is_uuid(name):
        return client.get(f"/api/monitors/{name}")
    same = [one for one in _monitors(client, search=name) if one["name"] == name]
    if not same:
        raise ClientError(f"There is no monitor '{harmless(name)}'.", exit_code=NOT_FOUND)
    if len(same) > 1:
        ids = "\n".join(f"  {one['id']}  {one['schedule']}" for one in same)
        raise ClientError(f"{len(same)} monitors have this name. Take an id:\n{ids}", exit_code=WRONG_USE)
    return same[0]


def _run(client: Client, name: str) -> dict[str, Any]:
    """The run of that id, else the newest one of a monitor."""
    if _is_uuid(name):
        try:
            return client.get(f"/api/runs/{name}")
        except ClientError as error:
            if error.exit_code != NOT_FOUND:
                raise
    monitor = _monitor(client, name)
    newest = client.get(f"/api/monitors/{monitor['id']}/runs", limit=1)
    if not newest:
        raise ClientError(f"'{harmless(monitor['name'])}' has not run yet.", exit_code=NOT_FOUND)
    return newest[0]


def _wait(client: Client, run_id: str, timeout_s: float | None) -> dict[str, Any]:
    end, status = time.monotonic() + (timeout_s or float("inf")), None
    while True:
        run = client.get(f"/api/runs/{run_id}")
        if run["status"] != status:
            status = run["status"]
            say(f"{run_id} {status}")
        if run["completedAt"]:
            return run
        if time.monotonic() > end:
            raise ClientError(f"The run is not over after {timeout_s:g} s; it goes on.", exit_code=FAILED)
        time.sleep(LOOK_S)


def _put_result(name: str, run: dict[str, Any]) -> None:
    metrics = run["metrics"] or {}
    figures = [f"p95 {metrics['p95']:g} ms", f"errors {metrics['errorRate']:.2%}"] if metrics else []
    took = f"{run['durationMs'] / 1000:.1f} s" if run["durationMs"] is not None else None
    parts = [coloured(run["status"], COLOURS.get(run["status"])), harmless(name), took, *figures]
    put("  ".join(part for part in parts if part))
    for breach in run["thresholdBreaches"]:
        put(f"  {harmless(breach['message'])}")
    if run["error"]:
        put(f"  {run['error']['code']}: {harmless(run['error']['message'])}")


def _new_part(shown: str, whole: str) -> str:
    """What a log holds beyond what was shown, also after its middle was left out."""
    if whole.startswith(shown):
        return whole[len(shown) :]
    seam = shown[-SEAM:]
    place = whole.rfind(seam)
    return whole[place + len(seam) :] if place >= 0 else whole[-SEAM * 100 :]


def _printable(text: str) -> str:
    """A log without what could steer the terminal; line ends and tabs stay."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "\ufffd" for letter in text)


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
