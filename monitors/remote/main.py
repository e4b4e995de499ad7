"""The command `pharos monitors agent`."""

import argparse
import ctypes
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

from config.client import FINE, NOT_ALLOWED, WRONG_USE, ClientError, checked_url
from config.env import ConfigurationFault, Env, load

PR_SET_DUMPABLE = 4
LOG_FORMAT = "%(asctime)s %(levelname)s %(message)s"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "Makes runs of monitors on this machine for a Pharos server. Ends by SIGTERM or Ctrl-C."
    parser.epilog = "example: PHAROS_MONITOR_TOKEN=pma-... pharos monitors agent --url https://pharos.example.org"
    parser.add_argument("--url", help="address of the server (PHAROS_URL)")
    parser.add_argument("--token-file", help="file with the agent's token (or PHAROS_MONITOR_TOKEN)")
    parser.add_argument("--token", help="the token itself; other users can read it, so rather use the variable")
    parser.add_argument("--capacity", type=int, help="runs at once (MONITOR_MAX_CONCURRENT); default: cores")


def main(arguments: argparse.Namespace) -> int:
    """Run the agent. Exit code: 0 stopped, 2 wrong configuration, 3 the server does not know the token."""
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, stream=sys.stderr)
    try:
        env = load()
        url, token = _place(arguments)
        capacity = arguments.capacity or env.monitor_max_concurrent or os.cpu_count() or 1
        if not 1 <= capacity <= 1000:
            raise ClientError("--capacity is a number from 1 to 1000.", exit_code=WRONG_USE)
    except (ConfigurationFault, ClientError) as fault:
        sys.stderr.write(f"{fault}\n")
        return WRONG_USE
    _hide_environment()
    configure(env)
    return _run(url, token, capacity)


def _place(arguments: argparse.Namespace) -> tuple[str, str]:
    from monitors.remote.server import agent_id

    url = arguments.url or os.environ.get("PHAROS_URL")
    if not url:
        raise ClientError("Which server? Set PHAROS_URL or give --url.", exit_code=WRONG_USE)
    try:
        token = Path(arguments.token_file).read_text(encoding="utf-8").strip() if arguments.token_file else None
        token = token or arguments.token or os.environ.get("PHAROS_MONITOR_TOKEN", "")
        agent_id(token)
    except (OSError, ValueError) as fault:
        raise ClientError(f"The token cannot be used: {fault}", exit_code=WRONG_USE) from None
    return checked_url(url), token


def configure(env: Env) -> None:
    """The few settings that tools look at. There is no database, and no app is loaded."""
    from django.conf import settings

    settings.configure(
        USE_TZ=True,
        TIME_ZONE="UTC",
        OUTBOUND_ALLOW=env.outbound_allow,
        OUTBOUND_ALLOW_LOOPBACK=False,
        MONITOR_TARGET_DENY=env.monitor_target_deny,
        MONITOR_ALLOW_UNSANDBOXED=env.monitor_allow_unsandboxed,
        CHROMIUM=env.chromium,
        DATA_DIR=env.data_dir.resolve(),  # hidden from tools
    )


def _hide_environment() -> None:
    """Scripts may run as our own user: they must not read the token in /proc/<our id>/environ."""
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def _run(url: str, token: str, capacity: int) -> int:
    from monitors.remote.agent import Agent
    from monitors.remote.server import Refused, Server, agent_id

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    log = logging.getLogger("monitors.remote")
    if url.startswith("http://") and urlsplit(url).hostname not in ("127.0.0.1", "::1", "localhost"):
        log.warning("%s is not encrypted: the token can be read on the way", url)
    log.info("agent %s of %s", agent_id(token), url)
    try:
        Agent(lambda: Server(url, token), capacity=capacity, stop=stop).run()
    except Refused as refusal:
        log.error("the server refuses this agent: %s", refusal)
        return NOT_ALLOWED
    log.info("stopped")
    return FINE
