"""The bounds of what waits for the server."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from pharos_agent.backlog import Backlog


def sample(number: int, padding: int = 0) -> dict:
    return {"instance_id": "web-1", "timestamp": f"2026-01-01T00:00:{number:06}Z", "x": "x" * padding}


def held(backlog: Backlog) -> list[dict]:
    return backlog.peek(100_000)[1]


def kept(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "samples.jsonl"


def test_samples_leave_in_the_order_they_came() -> None:
    backlog = Backlog()
    for number in range(5):
        backlog.add(sample(number))
    upto, first = backlog.peek(2)
    assert first == [sample(0), sample(1)]
    assert len(backlog) == 5
    backlog.confirm(upto)
    assert held(backlog) == [sample(2), sample(3), sample(4)]


def test_the_oldest_go_when_there_are_too_many() -> None:
    backlog = Backlog(max_samples=3)
    for number in range(5):
        backlog.add(sample(number))
    assert held(backlog) == [sample(2), sample(3), sample(4)]
    assert backlog.dropped == 2


def test_the_oldest_go_when_memory_is_full() -> None:
    backlog = Backlog(max_memory_bytes=10_000)
    for number in range(100):
        backlog.add(sample(number, padding=930))
    assert 8 <= len(backlog) <= 10
    assert held(backlog)[-1] == sample(99, padding=930)


def test_confirming_samples_that_were_dropped_meanwhile_loses_no_other() -> None:
    backlog = Backlog(max_samples=3)
    for number in range(3):
        backlog.add(sample(number))
    upto, _ = backlog.peek(2)
    backlog.add(sample(3))  # drops 0
    backlog.confirm(upto)
    assert held(backlog) == [sample(2), sample(3)]


def test_a_sample_too_large_for_a_frame_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    backlog = Backlog()
    backlog.add(sample(0, padding=70_000))
    assert len(backlog) == 0
    assert "too large" in caplog.text


def test_the_file_holds_what_was_spilled(path: Path) -> None:
    backlog = Backlog(path)
    for number in range(3):
        backlog.add(sample(number))
        backlog.spill()
    assert kept(path) == [sample(0), sample(1), sample(2)]


def test_the_file_goes_when_all_has_arrived(path: Path) -> None:
    backlog = Backlog(path)
    backlog.add(sample(0))
    backlog.spill()
    backlog.confirm(backlog.peek(1)[0])
    assert not path.exists()


def test_the_file_stays_within_its_bound_and_keeps_the_newest(path: Path) -> None:
    backlog = Backlog(path, max_memory_bytes=30_000, max_file_bytes=50_000)
    for number in range(300):
        backlog.add(sample(number, padding=930))
        backlog.spill()
        assert sum(file.stat().st_size for file in path.parent.iterdir()) <= 50_000
    assert kept(path)[-1] == sample(299, padding=930)
    assert kept(path)[-len(backlog) :] == held(backlog)


def test_a_restart_goes_on_where_the_last_run_stopped(path: Path) -> None:
    backlog = Backlog(path, instance_id="web-1")
    for number in range(4):
        backlog.add(sample(number))
    backlog.confirm(backlog.peek(1)[0])
    backlog.save()
    again = Backlog(path, instance_id="web-1")
    assert held(again) == [sample(1), sample(2), sample(3)]
    again.add(sample(4))
    again.spill()
    assert kept(path) == [sample(1), sample(2), sample(3), sample(4)]


@pytest.mark.parametrize(
    "line", [b"{torn", b"[]", b"\xff\xfe", b"{}", b'{"instance_id":"web-2","timestamp":"t"}', b"[" * 50_000]
)
def test_unusable_lines_are_skipped(path: Path, line: bytes) -> None:
    good = json.dumps(sample(1)).encode()
    path.write_bytes(good + b"\n" + line + b"\n" + good + b"\n" + good[:20])
    backlog = Backlog(path, instance_id="web-1")
    assert held(backlog) == [sample(1), sample(1)]
    backlog.add(sample(2))
    backlog.spill()
    assert kept(path) == [sample(1), sample(1), sample(2)]


def test_a_file_that_grew_too_large_is_read_from_its_newest_end(path: Path) -> None:
    path.write_text("".join(json.dumps(sample(number, 930)) + "\n" for number in range(100)))
    backlog = Backlog(path, instance_id="web-1", max_file_bytes=10_000)
    assert 8 <= len(backlog) <= 10
    assert held(backlog)[-1] == sample(99, 930)


def test_nothing_is_written_on_a_nearly_full_disk(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    backlog = Backlog(path)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(total=1_000_000, free=50_000))
        for number in range(3):
            backlog.add(sample(number))
            backlog.spill()
        backlog.save()
    assert list(path.parent.iterdir()) == []
    assert caplog.text.count("the disk is nearly full") == 1
    assert len(backlog) == 3
    backlog.spill()  # there is room again
    assert kept(path) == [sample(0), sample(1), sample(2)]


def test_a_file_that_cannot_be_written_costs_only_the_copy(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.mkdir()  # neither a file can be made there nor this removed as one
    backlog = Backlog(path)
    backlog.add(sample(0))
    backlog.spill()
    backlog.save()
    assert held(backlog) == [sample(0)]
    backlog.confirm(backlog.peek(1)[0])
    assert len(backlog) == 0
    assert "kept in memory only" in caplog.text
    assert list(path.parent.iterdir()) == [path]
