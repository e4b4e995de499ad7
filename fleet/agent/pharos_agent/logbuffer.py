"""Lines of logs on their way to the server: a bounded queue in memory, without a copy on disk."""

from __future__ import annotations

import asyncio
from collections import deque

from pharos_agent import loglines
from pharos_agent.frames import compact

MOST_LINES = 20_000
MOST_BYTES = 4 * 1024 * 1024
MOST_IN_FRAME = 500
MOST_FRAME_BYTES = 48 * 1024
HEAD = '{"protocol_version":"1.0","type":"log:batch","payload":{"instance_id":'


class LogBuffer:
    """Lines as JSON in the order in which they came. The oldest are dropped when it is full, and counted."""

    def __init__(self, *, most_lines: int = MOST_LINES, most_bytes: int = MOST_BYTES) -> None:
        self._most_lines, self._most_bytes = most_lines, most_bytes
        self._lines: deque[bytes] = deque()
        self._bytes = 0
        self._first = 0  # number of the oldest line held
        self.dropped = 0
        self.changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._lines)

    @property
    def is_half_full(self) -> bool:
        return 2 * len(self._lines) > self._most_lines or 2 * self._bytes > self._most_bytes

    def add(self, line: bytes) -> None:
        self._lines.append(line)
        self._bytes += len(line)
        while len(self._lines) > self._most_lines or self._bytes > self._most_bytes:
            self._pop()
            self.dropped += 1
        self.changed.set()

    def frame(self, instance_id: str) -> tuple[int, int, str]:
        """The oldest lines as one `log:batch` frame, after what `confirm` wants: their end and the drops told of."""
        head = HEAD + compact(instance_id) + ',"lines":['
        lines = [loglines.about_dropped(self.dropped)] if self.dropped else []
        size, count = len(head) + 8 + sum(map(len, lines)), 0
        for line in self._lines:
            size += len(line) + 1
            if count == MOST_IN_FRAME or size > MOST_FRAME_BYTES:
                break
            lines.append(line)
            count += 1
        return self._first + count, self.dropped, f"{head}{b','.join(lines).decode()}]}}}}"

    def confirm(self, upto: int, dropped: int) -> None:
        """Forget the lines before number `upto`, and drops that were told: the server has read of them."""
        self.dropped -= dropped
        while self._lines and self._first < upto:
            self._pop()

    def _pop(self) -> None:
        self._bytes -= len(self._lines.popleft())
        self._first += 1
