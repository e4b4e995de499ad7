"""What k6 tells while it runs: points of measurement, and the lines of its log (contract: monitors §8.2)."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from monitors.tools.lines import Lines
from monitors.tools.samples import Samples

_POINT = b'{"metric":"http_req_duration","type":"Point"'
_LONGEST_TEXT = 1000


class _Tags(msgspec.Struct):
    expected_response: str = ""
    status: str = ""
    error_code: str = ""

    @property
    def ok(self) -> bool:
        """As k6 judged the answer; a script can switch that off, then an answer below 400 is good."""
        if self.expected_response:
            return self.expected_response == "true"
        return not self.error_code and "200" <= self.status < "400"


class _Data(msgspec.Struct):
    value: float
    tags: _Tags


class _Point(msgspec.Struct):
    data: _Data


class Points(Lines):
    """Reads the stream of points and keeps the times of HTTP requests."""

    def __init__(self, t_ms: float) -> None:
        super().__init__(self._line)
        self.samples = Samples(t_ms)
        self._decode = msgspec.json.Decoder(_Point).decode

    def _line(self, line: bytes) -> None:
        if line.startswith(_POINT):
            try:
                data = self._decode(line).data
            except msgspec.DecodeError:  # the last line of a killed program
                return
            self.samples.add(data.value, data.tags.ok)


class _Message(msgspec.Struct):
    msg: str
    level: str = ""
    source: str = ""
    error: str = ""


class Messages(Lines):
    """Turns k6's log lines, JSON so that uncaught exceptions can be told apart, back into the text of the log."""

    def __init__(self, write: Callable[[bytes], None], *, folder: Path) -> None:
        super().__init__(self._line)
        self._write = write
        self._prefix = f"file://{folder}/"
        self._decode = msgspec.json.Decoder(_Message).decode
        self.exceptions = 0
        self.last_error = ""
        self.last_words = ""
        self.said = ""  # why the script itself failed or ended the test

    def _line(self, line: bytes) -> None:
        if not line.startswith(b'{"'):
            self._plain(line)
            return
        try:
            message = self._decode(line)
        except msgspec.DecodeError:
            self._plain(line)
            return
        text = message.msg.rstrip("\n") + (f": {message.error}" if message.error else "")
        text = text.replace(self._prefix, "")
        self.exceptions += message.source == "stacktrace"
        if message.level in ("error", "fatal"):
            self.last_error = text[:_LONGEST_TEXT]
        for opening in ("test aborted: ", "test marked as failed: "):
            if message.source != "console" and text.startswith(opening):
                self.said = text[:_LONGEST_TEXT]
        self._write(text.encode() + b"\n")

    def _plain(self, line: bytes) -> None:
        self.last_words = line[:_LONGEST_TEXT].decode(errors="replace")
        self._write(line + b"\n")
