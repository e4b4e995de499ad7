"""What one socket has shown of a shell: bytes that come in any pieces become text, each byte once."""

import codecs

from fleet.terminals.output import Shown

SKIPPED = "\r\n[… earlier output was skipped …]\r\n"


class Screen:
    """Decodes UTF-8 over the borders of pieces. `position` is the number of bytes shown or skipped so far."""

    def __init__(self) -> None:
        self.position = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def take(self, shown: Shown) -> str:
        """The text to send for these bytes; empty when they were shown before."""
        text, data = "", shown.data
        if shown.start > self.position:
            self._decoder.reset()
            data = data.lstrip(bytes(range(0x80, 0xC0))) if self.position or shown.start else data
            text = SKIPPED if self.position else ""
        elif shown.start < self.position:
            data = data[self.position - shown.start :]
        end = shown.start + len(shown.data)
        if end <= self.position:
            return ""
        self.position = end
        return text + self._decoder.decode(data)
