"""Two runs side by side, and the report that is one file."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from loadtest.runs.drawing import Curve, line_chart, ticks_between
from tests.loadtest.pages.conftest import text

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("after", "word"),
    [
        ({"latency_ms": 20.0}, "Worse than the baseline"),
        ({"latency_ms": 5.0}, "Better than the baseline"),
        ({}, "No figure differs"),
    ],
)
def test_the_verdict_rests_on_the_figures(browser: Any, finished: Any, after: dict[str, float], word: str) -> None:
    a, b = finished(), finished(**after)
    answer = browser().get(f"/loadtest/compare/?a={a.pk}&b={b.pk}")
    assert word in text(answer)
    assert answer.content.decode().count('<svg class="plot"') == 5
    if after:
        assert "p95" in text(answer) and (
            "rose from 20 ms to 40 ms" in text(answer) or "fell from 20 ms" in text(answer)
        )


def test_ticked_runs_are_put_in_order_with_the_baseline_first(browser: Any, finished: Any) -> None:
    older, pinned = finished(), finished(pinned=True)
    answer = browser().get(f"/loadtest/compare/?run={older.pk}&run={pinned.pk}")
    assert answer["Location"] == f"/loadtest/compare/?a={pinned.pk}&b={older.pk}"


def test_a_comparison_of_little_says_so(browser: Any, finished: Any) -> None:
    viewer = browser()
    assert "Choose two runs" in text(viewer.get("/loadtest/compare/"))
    measured, waiting = finished(), finished(status="failed", report=None)
    page = text(viewer.get(f"/loadtest/compare/?a={measured.pk}&b={waiting.pk}"))
    assert "nothing to compare" in page
    assert viewer.get("/loadtest/compare/?a=unknown").status_code == 404
    assert "Choose two runs" in text(viewer.get(f"/loadtest/compare/?a={measured.pk}"))


class References(HTMLParser):
    """What a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [(tag, value) for name, value in attrs if name in ("src", "href", "srcset", "action") and value]
        assert tag not in ("script", "link", "iframe", "img", "object", "embed")


def test_the_report_is_one_file_that_fetches_nothing(browser: Any, finished: Any) -> None:
    run = finished(config={"comment": "<b>before</b>", "thresholds": {"latencyP95Ms": 15}})
    answer = browser().get(f"/loadtest/runs/{run.pk}/report.html")
    assert re.fullmatch(r'attachment; filename="list-items-[\d-]+\.html"', answer["Content-Disposition"])
    page = answer.content.decode()
    references = References()
    references.feed(page)
    assert not references.found and "@import" not in page and "url(" not in page
    assert "&lt;b&gt;before" in page and "Limits missed" in page and "500" in page
    assert page.count('<svg class="plot"') == 5 and "prefers-color-scheme: dark" in page


def test_a_report_of_an_unfinished_run_tells_what_is_known(browser: Any, active: Any) -> None:
    assert "Running" in text(browser().get(f"/loadtest/runs/{active().pk}/report.html"))


def test_axes_have_round_numbers() -> None:
    assert ticks_between(97) == [0, 25, 50, 75, 100]
    assert ticks_between(0.013) == pytest.approx([0, 0.005, 0.01, 0.015])
    assert ticks_between(0) == [0, 0.25, 0.5, 0.75, 1]


def test_a_gap_in_a_curve_is_not_bridged() -> None:
    drawn = line_chart("Rate", [Curve("sent", [(0, 1.0), (1, None), (2, 3.0)])], "/s")
    path = re.search(r'class="curve s1" d="([^"]*)"', drawn)[1]
    assert path.count("M") == 2 and "L" not in path
    assert "Rate: sent lowest 1 /s, highest 3 /s, last 3 /s." in drawn
