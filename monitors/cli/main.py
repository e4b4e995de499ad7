"""The command line of `pharos monitors`: what is asked for, and the exit code."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from config.client import FINE, INTERRUPTED, Client, ClientError, find_place
from config.terminal import say
from monitors.cli import acts
from monitors.remote import main as agent

CODES = """exit codes: 0 fine, 1 the run did not pass, 2 wrong use, 3 not allowed, 4 not found, 5 no server in reach,
130 interrupted"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    arguments = parser().parse_args(argv)
    try:
        if arguments.act == "agent":
            return agent.main(arguments)
        place = find_place(url=arguments.url, key_file=arguments.key_file)
        return acts.ACTS[arguments.act](Client(place), arguments)
    except ClientError as error:
        say(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has seen enough
        sys.stderr.close()
        return FINE


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(prog="pharos monitors", description="Monitors of a Pharos server.", epilog=CODES)
    parts = whole.add_subparsers(dest="act", required=True, metavar="list|run|logs|agent")
    listing = _part(parts, "list", "all monitors and how they are", "pharos monitors list --status fail")
    listing.add_argument("--status", help="only those whose newest result is this: pass, fail, error, timeout")
    listing.add_argument("--search", help="only those with this in their name")
    run = _part(parts, "run", "run a monitor now", "pharos monitors run 'Front page' --wait")
    run.add_argument("monitor", help="its name or its id")
    run.add_argument("--wait", action="store_true", help="until the run is over; its result is the exit code")
    run.add_argument("--queue", action="store_true", help="behind a run that is going on, instead of failing")
    run.add_argument("--timeout", type=_seconds, metavar="S", help="with --wait: give up after so many seconds")
    logs = _part(parts, "logs", "the log of a run", "pharos monitors logs 'Front page' --follow")
    logs.add_argument("monitor", help="a monitor's name or id (its newest run), or a run's id")
    logs.add_argument("--follow", "-f", action="store_true", help="until the run is over")
    logs.add_argument("--tail", type=_lines, metavar="N", help="only the last N lines")
    agent.add_arguments(parts.add_parser("agent", help="make runs on this machine"))
    return whole


def _part(parts: Any, name: str, help: str, example: str) -> argparse.ArgumentParser:
    part = parts.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}.", epilog=f"example: {example}")
    part.add_argument("--url", help="address of the server (PHAROS_URL, or url in the settings file)")
    part.add_argument("--key-file", help="file with the API key (or PHAROS_API_KEY, or api_key in the settings file)")
    part.add_argument("--json", action="store_true", help="the answer as JSON")
    return part


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value <= 86_400:
        raise argparse.ArgumentTypeError("a number of seconds up to a day")
    return value


def _lines(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 10_000:
        raise argparse.ArgumentTypeError("a number from 1 to 10000")
    return value


if __name__ == "__main__":
    sys.exit(main())
