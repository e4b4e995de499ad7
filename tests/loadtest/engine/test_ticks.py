"""Every tick adds up, whenever it is taken: what a loop publishes is read as one."""

import threading
from typing import Any

import pytest

from loadtest.engine.figures import Figures
from loadtest.engine.plan import Mode
from loadtest.engine.stats import FAULT_CELL, Cell, Fault, Page
from loadtest.engine.supervisor import run
from tests.loadtest.engine.conftest import spec_for


@pytest.fixture
def page() -> Any:
    made = Page.create()
    yield made
    made.close()


def test_ticks_add_up_at_every_moment(serve: Any) -> None:
    ticks: list[dict[str, Any]] = []
    spec = spec_for(serve().url, mode=Mode.CONSTANT_CONCURRENCY, concurrency=8, duration_s=0.6)
    run(spec, workers=1, tick_s=0.01, on_tick=ticks.append)
    assert len(ticks) > 10 and ticks[-1]["totalRequests"] > 0
    for tick in ticks:
        assert tick["totalRequests"] == tick["totalSuccess"] + tick["totalErrors"] == sum(tick["statusCodes"].values())
        assert tick["backpressure"] == tick["requestsSent"] - tick["totalRequests"] and tick["totalErrors"] >= 0


def test_a_reader_waits_for_the_end_of_writing(page: Page) -> None:
    page.counters[Cell.EDITION] = 1
    page.statuses[200] = 7

    def end() -> None:
        page.counters[Cell.RESPONSES] = 7
        page.counters[Cell.EDITION] = 2

    timer = threading.Timer(0.002, end)
    timer.start()
    figures = Figures.of([page])
    timer.join()
    assert (figures.completed, figures.succeeded) == (7, 7)


def test_a_loop_that_died_while_it_wrote_is_read_as_it_is(page: Page) -> None:
    page.counters[Cell.EDITION], page.counters[Cell.ERRORS] = 1, 2
    page.statuses[0], page.faults[FAULT_CELL[Fault.TIMEOUT]] = 2, 2
    figures = Figures.of([page])
    assert (figures.statuses, figures.faults) == ({0: 2}, {Fault.TIMEOUT: 2})
