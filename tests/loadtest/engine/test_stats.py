"""The page of figures, its histograms, and the ring of exchanges below it."""

import json
from math import ceil

from hdrh.histogram import HdrHistogram
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtest.engine.capture import MAX_PAYLOAD_BYTES, Ring
from loadtest.engine.figures import Figures
from loadtest.engine.hdr import HOUR_US, encoded
from loadtest.engine.histogram import (
    BUCKETS,
    add,
    bucket,
    dense,
    extremes,
    highest_us,
    lowest_us,
    percentiles,
    sparse,
    used,
)
from loadtest.engine.stats import FAULT_CELL, RING_BYTES, Cell, Fault, Page

TIMES = st.one_of(st.integers(0, 5_000), st.integers(0, 3_600_000_000))


def histogram(times: list[int]) -> list[int]:
    cells = memoryview(bytearray(8 * BUCKETS)).cast("Q")
    for us in times:
        cells[bucket(us)] += 1
    return used(cells)


@given(us=TIMES)
def test_bucket_keeps_three_digits(us: int) -> None:
    low, high = lowest_us(bucket(us)), highest_us(bucket(us))
    assert low <= us <= high
    assert high - low <= us / 1000


def test_buckets_follow_each_other_without_a_gap() -> None:
    assert all(highest_us(i) + 1 == lowest_us(i + 1) and bucket(lowest_us(i)) == i for i in range(BUCKETS - 1))
    assert bucket(1 << 60) == BUCKETS - 1


@settings(max_examples=100, deadline=None)
@given(times=st.lists(TIMES, min_size=1, max_size=200), share=st.floats(0.1, 100))
def test_percentiles_agree_with_the_sorted_list(times: list[int], share: float) -> None:
    rank = min(len(times), max(1, int(share / 100 * len(times) + 0.5)))
    true = sorted(times)[rank - 1]
    [found] = percentiles(add([histogram(times)]), [share])
    assert found == max(1, highest_us(bucket(true)))
    assert true <= found <= max(1, ceil(true * 1.001))
    low, high = extremes(add([histogram(times)]))
    assert low <= max(1, min(times)) <= low + low / 1000
    assert high >= max(times)


@settings(max_examples=50, deadline=None)
@given(a=st.lists(TIMES, max_size=50), b=st.lists(TIMES, max_size=50))
def test_histograms_of_workers_are_added(a: list[int], b: list[int]) -> None:
    shares = [50.0, 90.0, 99.9, 100.0]
    assert percentiles(add([histogram(a), histogram(b)]), shares) == percentiles(add([histogram(a + b)]), shares)


def test_nothing_measured() -> None:
    assert percentiles(add([histogram([])]), [50, 99]) == [0, 0]
    assert percentiles([], [50]) == [0]
    assert extremes(add([histogram([])])) == (0, 0)


@settings(max_examples=50, deadline=None)
@given(times=st.lists(TIMES, max_size=50))
def test_histograms_are_written_sparsely(times: list[int]) -> None:
    cells = histogram(times)
    assert dense(sparse(cells)) == cells[: max((bucket(us) + 1 for us in times), default=0)]


@settings(max_examples=30, deadline=None)
@given(times=st.lists(st.one_of(TIMES, st.just(10 * HOUR_US)), min_size=1, max_size=200))
def test_exported_as_hdr_histogram(times: list[int]) -> None:
    text = encoded(histogram(times))
    assert text.startswith("HISTFAAA")
    theirs = HdrHistogram.decode(text)
    assert theirs.get_total_count() == len(times)
    ours = HdrHistogram(1, HOUR_US, 3)
    for us in times:
        ours.record_value(min(max(1, us), HOUR_US))
    assert text == ours.encode().decode()
    shares = [50.0, 75.0, 90.0, 95.0, 99.0, 99.9]
    found = [theirs.get_value_at_percentile(share) for share in shares]
    assert found == percentiles(histogram([min(us, HOUR_US) for us in times]), shares)


def page_of(n: int) -> Page:
    page = Page.create()
    page.counters[Cell.RESPONSES] = 10 * n
    page.counters[Cell.ERRORS] = n
    page.counters[Cell.PUBLISHED_NS] = 2000 * n
    page.counters[Cell.ENDED_NS] = 1000 * n
    page.statuses[200], page.statuses[302], page.statuses[500] = 7 * n, n, 2 * n
    page.statuses[0] = page.faults[FAULT_CELL[Fault.TIMEOUT]] = n
    page.histograms["fast"][100 * n] = 8
    page.histograms["total"][5000] = page.histograms["connect"][5000] = 2 * n
    page.close()
    return page


def test_figures_of_pages_are_added() -> None:
    figures = Figures.of([page_of(1), page_of(2)], start_ns=500)
    assert (figures.completed, figures.succeeded) == (33, 24)
    assert figures.statuses == {0: 3, 200: 21, 302: 3, 500: 6}
    assert figures.faults == {Fault.TIMEOUT: 3}
    assert (figures.elapsed_ns, figures.lasted_ns, figures.workers) == (3500, 1500, 2)
    assert sparse(figures.latency()) == [100, 8, 200, 8, 5000, 6]
    assert sparse(figures.part("connect")) == [5000, 6]


def test_figures_travel_as_json_and_merge() -> None:
    pages = [page_of(n) for n in (1, 2, 3)]
    whole = Figures.of(pages)
    parts = [Figures.of(pages[:1]), Figures.of(pages[1:])]
    travelled = [Figures.load(json.loads(json.dumps(part.dump()))) for part in parts]
    assert travelled[1].counters == parts[1].counters
    merged = Figures.merge(travelled)
    assert merged.dump() == whole.dump()
    assert len(json.dumps(merged.dump())) < 2_000


@settings(max_examples=30, deadline=None)
@given(sizes=st.lists(st.lists(st.integers(0, MAX_PAYLOAD_BYTES), max_size=8), max_size=12))
def test_ring_gives_back_what_was_put(sizes: list[list[int]]) -> None:
    page = Page.create()
    page.close()
    ring, number = Ring(page), 0
    for batch in sizes:
        put = []
        for size in batch:
            number += 1
            put.append(({"n": number}, bytes([number % 256]) * size))
            ring.put(*put[-1])
        assert list(ring.take()) == put
    assert page.counters[Cell.RING_REFUSED] == 0


def test_full_ring_refuses_and_counts() -> None:
    page = Page.create()
    page.close()
    ring = Ring(page)
    for n in range(100):
        ring.put({"n": n}, b"x" * 100_000)  # cut at 64 KiB
    taken = list(ring.take())
    assert [facts["n"] for facts, _ in taken] == list(range(len(taken)))
    assert {len(payload) for _, payload in taken} == {MAX_PAYLOAD_BYTES}
    assert len(taken) == RING_BYTES // (MAX_PAYLOAD_BYTES + 17)
    assert page.counters[Cell.RING_REFUSED] == 100 - len(taken)
