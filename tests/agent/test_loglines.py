"""How lines of files and entries of the journal become lines of the platform."""

import json

import pytest
from pharos_agent import loglines
from pharos_agent.logbuffer import MOST_FRAME_BYTES, LogBuffer


def told(text: str) -> dict:
    line = json.loads(loglines.of_file(text, "/var/log/a.log"))
    assert (line.pop("path"), line.pop("source")) == ("/var/log/a.log", "APP")
    return line


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("2026-01-01 ERROR it broke", "ERROR"),
        ("nginx: [warn] low on memory", "warn"),
        ('time=1 level="fatal" msg=x', "fatal"),
        ("an error happened", None),
        ("DEBUGGER started", None),
    ],
)
def test_the_level_of_plain_text(text: str, level: str) -> None:
    line = told(text)
    assert (line.get("level"), line["message"]) == (level, text)
    assert line["ts"].endswith("Z")


def test_an_object_keeps_its_fields() -> None:
    fields = {"level": "warn", "msg": "slow", "time": "2026-01-02T03:04:05.123456789Z", "user": {"id": 7}, "n": None}
    assert told(json.dumps(fields)) == {
        "level": "warn", "message": "slow", "ts": "2026-01-02T03:04:05.123Z",
        "metadata": {"user": {"id": 7}, "n": None},
    }  # fmt: skip
    pino = told('{"level":50,"message":"x","time":1767323045123}')
    assert (pino["level"], pino["ts"], pino.get("metadata")) == ("ERROR", "2026-01-02T03:04:05.123Z", None)
    assert told('{"time":"yesterday","msg":"x"}')["metadata"] == {"time": "yesterday"}
    assert told('{"ts":"2026-01-02T03:04:05","msg":"x"}')["metadata"] == {"ts": "2026-01-02T03:04:05"}


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1',
        "{" * 5000,
        '{"a":NaN}',
        '{"msg":"\\ud800"}',
        '{"msg":["x"]}',
        '{"ts":1e400,"x":1e999}',
        '{"level":true}',
    ],
)
def test_odd_text_is_kept_and_can_be_sent(text: str) -> None:
    line = told(text)
    assert line["message"] in (text, "?")
    json.dumps(line, allow_nan=False).encode()


@pytest.mark.parametrize("text", ["\x01" * 60_000, "ü" * 60_000, json.dumps({"msg": "x", "deep": ["ab"] * 20_000})])
def test_a_huge_line_fits_into_a_frame(text: str) -> None:
    buffer = LogBuffer()
    buffer.add(loglines.of_file(text, "/" + "p" * 4000))
    frame = buffer.frame("web-1")[2]
    assert len(frame.encode()) <= MOST_FRAME_BYTES
    assert len(json.loads(frame)["payload"]["lines"]) == 1


def test_entries_of_the_journal() -> None:
    entry = {
        "MESSAGE": "started", "PRIORITY": "4", "__REALTIME_TIMESTAMP": "1767323045123456",
        "_SYSTEMD_UNIT": "nginx.service", "_PID": "7",
    }  # fmt: skip
    assert json.loads(loglines.of_journal(entry) or b"") == {
        "level": "WARN", "message": "started", "source": "SYSTEM", "path": "journal",
        "ts": "2026-01-02T03:04:05.123Z", "metadata": {"unit": "nginx.service", "pid": "7"},
    }  # fmt: skip
    assert (
        json.loads(loglines.of_journal({"MESSAGE": [104, 105, 255], "PRIORITY": "x"}) or b"")["message"] == "hi\ufffd"
    )
    assert loglines.of_journal({"MESSAGE": None}) is None


def test_a_full_buffer_drops_the_oldest_and_tells_how_many_once() -> None:
    buffer = LogBuffer(most_lines=10)
    for number in range(25):
        buffer.add(loglines.of_file(f"line {number}", "/a"))
    upto, dropped, frame = buffer.frame("web-1")
    lines = json.loads(frame)["payload"]["lines"]
    assert lines[0]["message"].startswith("15 log lines were dropped")
    assert [line["message"] for line in lines[1:]] == [f"line {number}" for number in range(15, 25)]
    buffer.confirm(upto, dropped)
    assert (len(buffer), buffer.dropped) == (0, 0)
