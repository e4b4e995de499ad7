"""The command `pharos-agent`, and `run` for programs that embed the agent."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from typing import Any

from pharos_agent import logs
from pharos_agent.agent import run_agent
from pharos_agent.config import Config, ConfigError, load

log = logging.getLogger(__name__)

STOPPED, CRASHED, BAD_CONFIGURATION = 0, 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run the agent until SIGTERM or SIGINT. Exit code: 0 stopped, 1 crashed, 2 bad configuration."""
    try:
        config = load(argv)
    except ConfigError as exc:
        for fault in exc.faults:
            sys.stderr.write(f"pharos-agent: {fault}\n")
        return BAD_CONFIGURATION
    stop = threading.Event()

    def on_signal(*_: Any) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    logs.set_up(level=config.log_level, secret=config.key)
    if config.parent_pid:
        threading.Thread(target=_stop_with_parent, args=(config.parent_pid, stop), daemon=True).start()
    try:
        run(config, stop)
    except Exception:
        log.exception("the agent crashed")
        return CRASHED
    log.info("stopped")
    return STOPPED


def run(config: Config, stop: threading.Event) -> None:
    """Run the agent in the calling thread until `stop` is set; returns within two seconds of that.

    Sets no signal handlers and no logging. Raises if a part of the agent breaks.
    """
    if config.url.startswith("http://") and not config.is_loopback:
        log.warning("%s is not encrypted: the key can be read on the way", config.url)
    run_agent(config, stop)


def _stop_with_parent(parent_pid: int, stop: threading.Event) -> None:
    """Set `stop` once the process that started the agent has gone, even if it was killed."""
    while os.getppid() == parent_pid and not stop.wait(1.0):
        continue
    stop.set()
