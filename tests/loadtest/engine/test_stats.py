"""The page of figures, its histograms, and the ring of exchanges below it."""

from math import ceil

from hypothesis import given, settings
from hypothesis import strategies as st

from loadtest.engine.capture import MAX_PAYLOAD_BYTES, Reservoir, Ring
from loadtest.engine.stats import (
    BUCKETS,
    RING_BYTES,
    Cell,
    Figures,
    Page,
    add,
    bucket,
    extremes,
    highest_us,
    lowest_us,
    percentiles,
)

TIMES = st.one_of(st.integers(0, 5_000), st.integers(0, 3_600_000_000))


def histogram(times: list[int]) -> memoryview:
    cells = memoryview(bytearray(8 * BUCKETS)).cast("Q")
    for us in times:
        cells[bucket(us)] += 1
    return cells


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


def test_figures_of_pages_are_added() -> None:
    pages = [Page.create(), Page.create()]
    for n, page in enumerate(pages, 1):
        page.counters[Cell.RESPONSES] = 10 * n
        page.counters[Cell.ERRORS] = n
        page.counters[Cell.STARTED_NS] = 100 * n
        page.counters[Cell.ENDED_NS] = 1000 * n
        page.statuses[200], page.statuses[302], page.statuses[500] = 7 * n, n, 2 * n
        page.statuses[0] = n
        page.close()
    figures = Figures(pages)
    assert (figures.completed, figures.succeeded) == (33, 24)
    assert figures.statuses == {0: 3, 200: 21, 302: 3, 500: 6}
    assert (figures.started_ns, figures.ended_ns) == (100, 2000)


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


def test_reservoir_is_fair_and_bounded() -> None:
    chosen = [0] * 100
    for _ in range(400):
        reservoir = Reservoir(10)
        for n in range(100):
            reservoir.offer(n)
        items = reservoir.items()
        assert len(items) == 10
        assert items == sorted(items)
        for n in items:
            chosen[n] += 1
    assert sum(chosen[:50]) > 1600  # 2,000 expected; 12 standard deviations below
    assert sum(chosen[50:]) > 1600
