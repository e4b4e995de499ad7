"""What a log keeps, and what it never shows (contract: monitors §5.4)."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from monitors.runs import logs, retention, services
from monitors.runs.logs import HEAD_BYTES, TAIL_BYTES, LogWriter
from monitors.runs.masking import Masker
from monitors.runs.models import LogChunk, Run, Status
from monitors.runs.output import CHUNK_BYTES

KIB = 1024


@pytest.fixture
def run(create: Any) -> Run:
    return services.add(monitor=create(), trigger="manual", now=timezone.now())


@pytest.mark.django_db
@pytest.mark.parametrize("flush_every", [1, 7, 10_000])
def test_first_and_last_bytes_are_kept(run: Run, flush_every: int) -> None:
    writer = LogWriter(run.pk, [])
    line = ("π" * 499 + "\n").encode()  # 999 bytes
    for number in range(3000):
        writer.write(f"{number:08d} ".encode() + line)
        if number % (flush_every * 50) == 0:
            writer.flush()
    writer.flush(last=True)
    text = logs.read(run.pk)
    head, _, rest = text.partition("\n[runner] … ")
    marker, _, tail = rest.partition("\n")
    assert head.startswith("00000000 ") and HEAD_BYTES - 4 <= len(head.encode()) < HEAD_BYTES + 4
    assert TAIL_BYTES - 4 <= len(tail.encode()) <= TAIL_BYTES
    assert tail.endswith(line.decode()) and "00002999 " in tail
    left_out = int(marker.split()[0])
    assert left_out + len(head.encode()) + len(tail.encode()) == 3000 * (9 + 999)
    stored = sum(LogChunk.objects.values_list("size", flat=True))
    assert stored <= HEAD_BYTES + TAIL_BYTES + CHUNK_BYTES


@pytest.mark.django_db
def test_a_short_log_is_whole(run: Run, operator: Any) -> None:
    writer = LogWriter(run.pk, [])
    writer.write(b"caf\xc3")
    writer.write(b"\xa9 \xff\x00 done\nno end")
    writer.note("over")
    assert writer.flush() and not writer.flush(last=True)
    path = f"/api/runs/{run.pk}/logs"
    assert operator.get(path).content.decode() == "café \ufffd\ufffd done\nno end\n[runner] over\n"
    assert operator.get(f"{path}?tail=1").content == b"[runner] over\n"
    assert operator.get(f"{path}?tail=10000").content == operator.get(path).content
    for bad in ("0", "10001", "x", "-1"):
        assert operator.get(f"{path}?tail={bad}").status_code == 400


@pytest.mark.django_db
def test_memory_is_bounded_between_two_flushes(run: Run) -> None:
    writer = LogWriter(run.pk, [])
    for _ in range(100):
        writer.write(b"x" * 100 * KIB)
        assert len(writer._pending) <= HEAD_BYTES + TAIL_BYTES
    writer.flush(last=True)
    assert len(logs.read(run.pk)) <= HEAD_BYTES + TAIL_BYTES + 200


SECRETS = st.lists(st.text(alphabet="abc\n&", min_size=4, max_size=8), min_size=1, max_size=4)


@given(SECRETS, st.lists(st.text(alphabet="abcx\n&", max_size=12), max_size=20), st.data())
def test_no_secret_comes_through_however_it_is_cut(secrets: list[str], words: list[str], data: Any) -> None:
    stream = "".join(word + data.draw(st.sampled_from(["", *secrets])) for word in words)
    masker, shown = Masker(secrets), ""
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        shown += masker.feed(stream[:size])
        stream = stream[size:]
    shown += masker.finish()
    assert not any(secret in shown for secret in secrets)


def test_what_is_no_secret_is_not_held_back() -> None:
    masker = Masker(["tiger-42"])
    assert masker.feed("hello ti") == "hello "
    assert masker.feed("me") == "time"
    assert masker.feed("tiger-42!") == "********!"


@pytest.mark.django_db
def test_old_logs_and_runs_go(run: Run, create: Any, settings: Any) -> None:
    now = timezone.now()
    run = services.claim(run_id=run.pk, now=now)
    writer = LogWriter(run.pk, [])
    writer.write(b"hello\n")
    writer.flush(last=True)
    services.finish(run=run, status=Status.PASS, now=now)
    retention.prune(now=now + timedelta(days=29))
    assert LogChunk.objects.exists()
    retention.prune(now=now + timedelta(days=31))
    assert not LogChunk.objects.exists() and Run.objects.exists()
    retention.prune(now=now + timedelta(days=399))
    assert Run.objects.exists()
    retention.prune(now=now + timedelta(days=401))
    assert not Run.objects.exists()


@pytest.mark.django_db
def test_script_versions_that_nobody_needs_go(create: Any, operator: Any) -> None:
    from monitors.monitors.models import Script
    from tests.monitors.conftest import encoded, k6_monitor

    monitor = create(k6_monitor("// 1"))
    used = services.add(monitor=monitor, trigger="manual", now=timezone.now())
    for number in (2, 3):
        operator.patch(f"/api/monitors/{monitor.pk}", {"scriptContent": encoded(f"// {number}")})
    retention.prune(now=timezone.now())
    assert set(Script.objects.values_list("version", flat=True)) == {used.script.version, 3}
