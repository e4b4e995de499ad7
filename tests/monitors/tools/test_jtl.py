"""Result files of JMeter, as its versions write them (contract: monitors §8.3)."""

import io
import statistics
import tracemalloc
from pathlib import Path

import pytest

from monitors.tools import samples
from monitors.tools.jmeter import jtl

STORED = Path(__file__).with_name("jtl")


def read(name: str, *, t_ms: float = 500, cut_off: bool = False) -> jtl.Table:
    with (STORED / f"{name}.jtl").open(encoding="utf-8", newline="") as file:
        return jtl.read(file, t_ms, cut_off=cut_off)


def test_version_5_6_with_transactions() -> None:
    table = read("5.6-with-transactions", t_ms=100)
    metrics = table.samples.metrics(table.elapsed_s)
    times = [120, 80, 700, 2100, 40]
    assert (metrics["samples"], metrics["failed"], metrics["errorRate"]) == (5, 2, 0.4)
    assert (metrics["min"], metrics["max"], metrics["avg"]) == (40, 2100, statistics.mean(times))
    assert (metrics["p50"], metrics["p95"], metrics["p99"]) == (120, pytest.approx(1820), pytest.approx(2044))
    assert metrics["apdex"] == (2 + 1 / 2) / 5  # 80 and 40 within T, 120 within 4T, two failed
    assert metrics["throughput"] == 5 / 3.04  # from the first start to the last end


def test_version_2_13_with_our_flags() -> None:
    table = read("2.13-with-flags")
    assert (table.samples.count, table.samples.failed, table.elapsed_s) == (3, 1, 2.0)
    assert table.samples.quantiles(0.5) == [30]


def test_version_2_13_without_a_header() -> None:
    table = read("2.13-headerless")
    assert (table.samples.count, table.samples.failed, table.elapsed_s) == (3, 1, 1.0)


def test_a_plan_that_generates_parent_samples_has_only_those() -> None:
    table = read("parent-samples-only")
    assert (table.samples.count, table.samples.failed, table.elapsed_s) == (2, 1, 0.9)


def test_columns_are_found_by_name() -> None:
    table = read("other-order")
    assert (table.samples.count, table.samples.failed, table.elapsed_s) == (2, 1, 0.017)


@pytest.mark.parametrize("name", ["header-only", "empty"])
def test_no_row_is_no_sample(name: str) -> None:
    table = read(name)
    assert (table.samples.count, table.elapsed_s) == (0, 0.0)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("no-success-column", "lacks the column success"),
        ("broken-row", "Line 3 of the result file cannot be read: elapsed is 'quick'"),
        ("cut-off", "Line 3 of the result file cannot be read: it has 3 of 4 columns"),
        ("dates", "Line 2 of the result file cannot be read: timeStamp is '2026/01/01 00:00:00'"),
        ("neither", "Line 2 of the result file cannot be read: success is 'maybe'"),
        ("headerless-of-14", "no header, and 14 columns instead of the 12"),
        ("xml", "is XML, not CSV"),
    ],
)
def test_what_cannot_be_read_is_told(name: str, says: str) -> None:
    with pytest.raises(jtl.BadResult, match=says.replace("(", r"\(")):
        read(name)


def test_the_last_row_of_a_killed_program_may_be_a_part() -> None:
    assert read("cut-off", cut_off=True).samples.count == 1
    with pytest.raises(jtl.BadResult):
        read("broken-row", cut_off=True)


@pytest.mark.parametrize(
    "text",
    [
        "timeStamp,elapsed,success\n" + "x" * (3 << 20),
        'timeStamp,elapsed,success\n1,2,"' + "x" * (3 << 20),
        "timeStamp,elapsed,success\n1,2,\x00true\n\n",
        "timeStamp,elapsed,success\n" + "9" * 500 + ",1,true\n1,1,true",
        "timeStamp,elapsed,success\n-5,1,true\n1,1,true",
        "timeStamp,elapsed,success\n\u0665,1,true\n1,1,true",
    ],
    ids=["endless line", "endless field", "NUL", "huge number", "negative", "other digits"],
)
def test_hostile_files(text: str) -> None:
    with pytest.raises(jtl.BadResult, match="Line"):
        jtl.read(io.StringIO(text, newline=""), 500)


def test_memory_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "MOST_KEPT", 5_000)

    class Endless(io.StringIO):
        """A hundred thousand rows, made as they are read."""

        rows = 0

        def readline(self, size: int | None = -1, /) -> str:
            self.rows += 1
            if self.rows == 1:
                return "timeStamp,elapsed,success\n"
            return f"{1_767_225_600_000 + self.rows},{self.rows % 1000},true\n" if self.rows < 100_002 else ""

    polls: list[int] = []
    tracemalloc.start()
    try:
        table = jtl.read(Endless(), 500, poll=lambda: polls.append(1))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert table.samples.count == 100_000 and len(polls) == 10
    assert table.samples.quantiles(0.5)[0] == pytest.approx(500, rel=0.01)
    assert most < 8 << 20
