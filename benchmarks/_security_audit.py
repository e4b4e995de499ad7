"""A million entries of the audit log, generated, and how long it takes to prove that nobody touched them.

ENTRIES makes it fewer, for a quick look; the promise shrinks with them.
"""

import os
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks import _stack

ENTRIES = 1_000_000
AT_ONCE = 5000
MOST_S = 60.0


def measure(entries: int = ENTRIES) -> dict[str, Any]:
    """Generate the log and verify it as `pharos audit verify` does. Seconds of wall time, and peak memory in MiB."""
    import psutil

    from security.audit import walking

    made = _timed(lambda: make(entries))
    process = psutil.Process()
    before, peak = process.memory_info().rss, 0

    def look(_: walking.Place) -> None:
        nonlocal peak
        peak = max(peak, process.memory_info().rss)

    cpu = sum(process.cpu_times()[:2])
    started = time.perf_counter()
    verdict = walking.verify(progress=look)
    took = time.perf_counter() - started
    cpu = sum(process.cpu_times()[:2]) - cpu
    assert verdict.ok and verdict.checked == entries, verdict
    mib = max(0, peak - before) / 2**20
    return {"entries": entries, "made_s": made, "took_s": took, "cpu_s": cpu, "mib": mib, "found_s": _broken(entries)}


def make(entries: int) -> None:
    """Entries as the product writes and seals them, in bulk: an update with both sides, by a person with a browser."""
    from security.audit import chain
    from security.audit.models import AuditEntry, AuditHead

    AuditEntry.objects.all().delete()
    AuditHead.objects.all().delete()
    at, seal, rows = datetime(2026, 1, 1, tzinfo=UTC), "", []
    for number in range(1, entries + 1):
        side = {"name": f"web-{number % 500}", "provider": "ssh", "region": "eu", "tags": {"env": "prod"}}
        row = AuditEntry(
            number=number, user_id="u" * 25, user_email="bench@example.org", user_name="Bench", action="UPDATE",
            resource="instance", resource_id=f"i{number % 500}", ip_address="192.0.2.7", user_agent="Firefox",
            metadata={"before": side, "after": side | {"region": "us"}}, at=at + timedelta(seconds=number),
        )  # fmt: skip
        row.seal = seal = chain.sealed(row, number, seal)
        rows.append(row)
        if len(rows) == AT_ONCE or number == entries:
            AuditEntry.objects.bulk_create(rows)
            rows = []
    head = AuditHead(last_number=entries, last_seal=seal)
    head.head_seal = chain.head_seal(head)
    head.save()


def _broken(entries: int) -> float:
    """Seconds until an edit in the last entry is found."""
    from security.audit import walking
    from security.audit.models import AuditEntry

    AuditEntry.objects.filter(number=entries).update(action="DELETE")
    started = time.perf_counter()
    verdict = walking.verify()
    assert verdict.first_bad == entries, verdict
    return time.perf_counter() - started


def _timed(work: Any) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    """Generate, verify, print; exits 1 when the promise is missed."""
    _stack.prepare("config.settings")
    entries = int(os.environ.get("ENTRIES", ENTRIES))
    found = measure(entries)
    promised = MOST_S * entries / ENTRIES
    good = found["took_s"] <= promised
    print(f"{entries:,} entries verified in {found['took_s']:.1f} s, {found['cpu_s']:.1f} s of CPU of this process,")
    each = 1e6 * found["took_s"] / entries
    print(f"  {each:.0f} µs each, {found['mib']:.0f} MiB more memory; made in {found['made_s']:.0f} s")
    print(f"an edit in the last entry found in {found['found_s']:.1f} s")
    print(f"{'kept' if good else 'MISSED'}: {found['took_s'] / promised:.2f} of the {promised:.0f} s promised")
    if not good:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
