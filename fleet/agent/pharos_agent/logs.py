"""Logs on stderr: one line an entry, never the key."""

from __future__ import annotations

import logging
import time

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


class OneLine(logging.Formatter):
    """Formats an entry, traceback included, as one line of UTC time, level and text, with the key masked."""

    def __init__(self, secret: str) -> None:
        super().__init__("%(asctime)sZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S")
        self.converter = time.gmtime
        self._secret = secret

    def format(self, record: logging.LogRecord) -> str:
        text = " | ".join(super().format(record).splitlines())
        return text.replace(self._secret, "***") if self._secret else text


def set_up(*, level: str, secret: str) -> None:
    """Send the agent's log entries of `level` and above to stderr; `secret` never appears in them."""
    handler = logging.StreamHandler()
    handler.setFormatter(OneLine(secret))
    logger = logging.getLogger("pharos_agent")
    logger.handlers[:] = [handler]
    logger.setLevel(LEVELS[level])
    logger.propagate = False


def readable(value: object, limit: int = 200) -> str:
    """Text from outside, made fit for a log line: printable characters only, at most `limit` of them."""
    return "".join(char if char.isprintable() else "?" for char in str(value)[:limit])
