"""Following logs: the files that the configuration names, and the journal of systemd."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Any

from pharos_agent import loglines
from pharos_agent.logbuffer import LogBuffer
from pharos_agent.logs import readable
from pharos_agent.tailing import Tail
from pharos_agent.threads import in_thread

log = logging.getLogger(__name__)

POLL_S = 0.5
RESTART_S = 10.0
MOST_RULES = 200
MOST_EXTRAS = 20
MOST_ENTRY_BYTES = 1024 * 1024
JOURNAL = ("journalctl", "--follow", "--lines=0", "--output=json", "--no-pager")


class Choice:
    """Which of the configured files the server wants: all, until it says otherwise.

    It can only choose among what the configuration names; the last word about a path counts.
    """

    def __init__(self) -> None:
        self._rules: list[tuple[str, bool]] = []

    def reset(self) -> None:
        """A new connection begins with all."""
        self._rules = []

    def say(self, paths: Any, *, wanted: bool) -> None:
        """Take what `log:subscribe` or `log:unsubscribe` names: paths, patterns, or `*` for all."""
        given = [path for path in paths if isinstance(path, str)] if isinstance(paths, list) else []
        if "*" in given:
            given, self._rules = ["*"], []
        self._rules = [*self._rules, *((path[:1024], wanted) for path in given)][-MOST_RULES:]

    def __call__(self, path: str) -> bool:
        return next((wanted for pattern, wanted in reversed(self._rules) if fnmatchcase(path, pattern)), True)


class Extras:
    """Files beside the configured ones that are followed for as long as somebody looks at them."""

    def __init__(self) -> None:
        self._asked: Counter[str] = Counter()
        self._ever: set[str] = set()

    @property
    def are_used(self) -> bool:
        return bool(self._ever)

    @property
    def paths(self) -> list[str]:
        return list(self._asked)

    def add(self, path: str) -> None:
        if path in self._asked or len(self._asked) < MOST_EXTRAS:
            self._asked[path] += 1
            self._ever.add(path)

    def remove(self, path: str) -> None:
        self._asked[path] -= 1
        self._asked = +self._asked

    def clear(self) -> None:
        self._asked.clear()

    def wanted(self, path: str) -> bool | None:
        """Whether somebody looks at the file; None for a configured one."""
        return path in self._asked if path in self._ever else None


class Following:
    """Fills `buffer` for as long as `run` runs. While the server reads, what it cannot take yet stays in the files."""

    def __init__(self, patterns: Sequence[str], *, journal: bool, is_connected: Callable[[], bool]) -> None:
        self._patterns, self._journal, self._is_connected = patterns, journal, is_connected
        self.buffer, self.choice, self.extras = LogBuffer(), Choice(), Extras()

    def reset(self) -> None:
        """A new connection begins with what is configured."""
        self.choice.reset()
        self.extras.clear()

    def _wanted(self, path: str) -> bool:
        extra = self.extras.wanted(path)
        return self.choice(path) if extra is None else extra

    async def run(self) -> None:
        """Follow files and journal; never ends by itself."""
        work = [self._files()]
        if self._journal and (program := shutil.which(JOURNAL[0])):
            work.append(self._entries(program))
        elif self._journal:
            log.warning("there is no %s on this machine: the journal is not followed", JOURNAL[0])
        await asyncio.gather(*work, asyncio.Event().wait())

    async def _files(self) -> None:
        tail = Tail(self._patterns, beside=lambda: self.extras.paths)
        while True:
            more = False
            if (self._patterns or self.extras.are_used) and not self._must_wait():
                lines, more = await in_thread(tail.poll, self._wanted)
                for path, text in lines:
                    self.buffer.add(loglines.of_file(text, path))
            await asyncio.sleep(0 if more else POLL_S)

    def _must_wait(self) -> bool:
        return self._is_connected() and self.buffer.is_half_full

    async def _entries(self, program: str) -> None:
        """Follow the journal; when its program ends, begin anew after a while."""
        while True:
            process = await asyncio.create_subprocess_exec(
                program,
                *JOURNAL[1:],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=MOST_ENTRY_BYTES,
            )
            try:
                await self._read(process)
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
            log.warning("the journal's program ended with %s", readable(process.returncode))
            await asyncio.sleep(RESTART_S)

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        while True:
            while self._must_wait():
                await asyncio.sleep(POLL_S)
            try:
                raw = await process.stdout.readline()
            except ValueError:  # an entry of more than a mebibyte
                continue
            if not raw:
                await process.wait()
                return
            try:
                entry = json.loads(raw)
            except (ValueError, RecursionError):
                continue
            if isinstance(entry, dict) and self.choice("journal") and (line := loglines.of_journal(entry)):
                self.buffer.add(line)
