"""The command line of `pharos commands`: run something on machines, and see what was run. It needs no Django."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from config.client import FAILED, FINE, INTERRUPTED, NOT_FOUND, WRONG_USE, Client, ClientError, find_place
from config.terminal import harmless, put_json, put_table, say

CODES = """exit codes: 0 fine, 1 a command failed or could not run, 2 wrong use, 3 not allowed, 4 not found,
5 no server in reach, 130 interrupted (what runs goes on)"""
LOOK_S = 0.5
OPEN = ("PENDING", "RUNNING")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. What follows `--` is the machine's, not ours."""
    given = list(sys.argv[1:] if argv is None else argv)
    cut = given.index("--") if "--" in given else len(given)
    asked = parser().parse_args(given[:cut])
    asked.command = given[cut + 1 :]
    try:
        client = Client(find_place(url=asked.url, key_file=asked.key_file))
        return run(client, asked) if asked.act == "run" else show(client, asked)
    except ClientError as error:
        say(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(prog="pharos commands", description="Commands on machines.", epilog=CODES)
    parts = whole.add_subparsers(dest="act", required=True, metavar="run|list")
    running = _part(parts, "run", "run a command or a script", "pharos commands run web-1 web-2 -- df -h /srv")
    running.add_argument("where", nargs="+", help="names or ids of instances; the command follows --")
    running.add_argument("--script", type=Path, metavar="FILE", help="a script instead of a command")
    running.add_argument("--interpreter", help="what reads the script; /bin/bash unless given")
    running.add_argument("--timeout", type=float, metavar="S", help="seconds after which it is stopped")
    listing = _part(parts, "list", "what was run", "pharos commands list --status FAILED")
    listing.add_argument("--status", help="only those that are PENDING, RUNNING, SUCCEEDED, FAILED or TIMEOUT")
    listing.add_argument("--limit", type=int, default=20, help="how many, at most 100")
    return whole


def _part(parts: Any, name: str, help: str, example: str) -> argparse.ArgumentParser:
    part = parts.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}.", epilog=f"example: {example}")
    part.add_argument("--url", help="address of the server (PHAROS_URL, or url in the settings file)")
    part.add_argument("--key-file", help="file with the API key (or PHAROS_API_KEY, or api_key in the settings file)")
    part.add_argument("--json", action="store_true", help="the answer as JSON")
    return part


def run(client: Client, asked: argparse.Namespace) -> int:
    path, body, names = _order(client, asked)
    answer = client.call("POST", f"/api/v1/commands{path}", json=body, params={"async": "true"})
    rows = [one["execution"] for one in answer["results"]] if "results" in answer else [answer]
    if rows[0]["approval"]:
        say(f"It waits for approval until {rows[0]['approval']['until']}.")
    ended = [_follow(client, row["id"], None if asked.json else names[row["instanceId"]], len(rows)) for row in rows]
    if asked.json:
        put_json(ended)
    return FINE if all(row["status"] == "SUCCEEDED" for row in ended) else FAILED


def show(client: Client, asked: argparse.Namespace) -> int:
    filters = {"status": asked.status} if asked.status else {}
    found = client.get("/api/v1/commands/history", limit=asked.limit, **filters)["executions"]
    if asked.json:
        put_json(found)
        return FINE
    rows = [
        (one["status"], one["exitCode"], " ".join([one["command"], *one["args"]])[:60], one["instanceId"])
        + (one["createdAt"], one["id"])
        for one in found
    ]
    put_table(("STATUS", "EXIT", "COMMAND", "INSTANCE", "WHEN", "ID"), rows)
    return FINE


def _order(client: Client, asked: argparse.Namespace) -> tuple[str, dict[str, Any], dict[str, str]]:
    """Path and body of the request, and the names of the instances by id."""
    if bool(asked.script) == bool(asked.command):
        raise ClientError("Say what to run: pharos commands run web-1 -- uptime", exit_code=WRONG_USE)
    names = {_instance(client, name)["id"]: name for name in asked.where}
    body: dict[str, Any] = {"timeoutMs": round(asked.timeout * 1000)} if asked.timeout else {}
    if asked.script:
        try:
            body["script"] = asked.script.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as fault:
            raise ClientError(f"The script cannot be read: {fault}", exit_code=WRONG_USE) from None
        body |= {"interpreter": asked.interpreter} if asked.interpreter else {}
        return "/script", body | {"instanceIds": list(names)}, names
    body |= {"command": asked.command[0], "args": asked.command[1:]}
    if len(names) == 1:
        return "", body | {"instanceId": next(iter(names))}, names
    return "/bulk", body | {"instanceIds": list(names)}, names


def _instance(client: Client, name: str) -> dict[str, Any]:
    """The instance of that very name, else of that id. Raises ClientError."""
    found = client.get("/api/v1/instances", search=name, limit=100)["instances"]
    same = [one for one in found if name in (one["name"], one["id"]) and one["status"] != "DESTROYED"]
    if len(same) != 1:
        problem = "There is no" if not same else "More than one is an"
        raise ClientError(f"{problem} instance '{harmless(name)}'.", exit_code=NOT_FOUND if not same else WRONG_USE)
    return same[0]


def _follow(client: Client, execution_id: str, name: str | None, of_how_many: int) -> dict[str, Any]:
    """Wait until it is over, and print what it prints as it comes; nothing without a name."""
    shown = {"stdout": 0, "stderr": 0}
    if name and of_how_many > 1:
        say(f"== {harmless(name)} ==")
    while True:
        row = client.get(f"/api/v1/commands/{execution_id}")
        if name:
            for stream, target in (("stdout", sys.stdout), ("stderr", sys.stderr)):
                text = row[stream] or ""
                target.write(_printable(text[shown[stream] :]))
                target.flush()
                shown[stream] = len(text)
        if row["status"] not in OPEN:
            if name and row["stderr"] and not row["stderr"].endswith("\n"):
                sys.stderr.write("\n")
            return row
        time.sleep(LOOK_S)


def _printable(text: str) -> str:
    """Output without what could steer the terminal; line ends and tabs stay."""
    return "".join(letter if letter.isprintable() or letter in "\n\t\r" else "\ufffd" for letter in text)
