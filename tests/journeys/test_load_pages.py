"""A load test before a release, in a real browser and by keyboard alone: from a request to a report in one file."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import product as products
from tests.support.pages import PHONE, WIDE, Visit, grave_findings, sign_up

pytestmark = [pytest.mark.journey, pytest.mark.browser]

RUN_S = 3


@pytest.fixture(scope="module")
def product() -> Iterator[Any]:
    with products.embedded() as running:
        yield running


@pytest.fixture(scope="module")
def session(product: Any, chromium: Any) -> Any:
    """What a browser keeps in which the first administrator is signed in."""
    return sign_up(product, chromium)


def press(page: Any, role: str, name: Any, **options: Any) -> None:
    page.get_by_role(role, name=name, **options).press("Enter")


def start(page: Any) -> str:
    """Press Start and wait until the run has ended; its address."""
    press(page, "button", "Start")
    page.wait_for_url(re.compile(r"/loadtest/runs/run_\d+/$"))
    page.get_by_role("button", name="Stop").wait_for()
    page.get_by_text("Every limit was kept").wait_for(timeout=60_000)
    return page.url


def rows_after(page: Any, *, points: int) -> int:
    """How many points a chart holds after so many more came, by its table."""
    page.get_by_text("View as table").first.press("Enter")
    page.evaluate(
        """(count) => { for (let n = 0; n < count; n += 1) {
          const points = { sent: [[Date.now() / 1000 + n, n]] };
          document.dispatchEvent(new CustomEvent("live:load-chart-rate", { detail: { points } }));
        } }""",
        points,
    )
    page.wait_for_function("() => document.querySelector('figure.chart tbody').rows.length > 1000")
    return page.locator("figure.chart").first.locator("tbody tr").count()


def test_a_request_becomes_a_load_test_with_a_report(
    product: Any, session: Any, chromium: Any, local_server: Any, tmp_path: Path
) -> None:
    local_server.answer("/shop", body=b'{"items": []}', headers={"Content-Type": "application/json"})
    context = chromium.new_context(viewport=WIDE, storage_state=session)
    page = context.new_page()
    visit = Visit(page, product.url)
    visit.open("/loadtest/")

    # Send it, save it.
    page.get_by_label("Address", exact=True).fill(f"{local_server.url}/shop")
    page.keyboard.press("Control+Enter")
    page.get_by_text("200 OK").wait_for()
    assert "items" in page.get_by_role("region", name="Body of the answer").inner_text()
    page.get_by_role("tab", name="Body").first.press("ArrowLeft")
    assert page.get_by_role("tab", name="Headers").first.get_attribute("aria-selected") == "true"
    page.get_by_role("textbox", name="Name", exact=True).fill("Shop front")
    page.get_by_label("Name of the new collection").fill("Shop")
    page.keyboard.press("Control+s")
    page.get_by_text("Shop front is saved.").wait_for()
    page.get_by_role("navigation", name="Collections").get_by_role("link", name="Shop front").wait_for()
    assert "request=req_" in page.url
    page.get_by_label("Description").evaluate("(field) => { field.value = 'kept'; }")
    with page.expect_response("**/loadtest/requests/save/"):
        page.keyboard.press("Control+s")
    assert page.get_by_label("Collection", exact=True).evaluate("(field) => field.selectedOptions[0].text") == "Shop"
    assert page.locator("#tree summary", has_text="Shop").count() == 1  # no second collection of that name
    visit.check()
    visit.shoot("journey-workspace")

    # Load it and watch the charts move.
    press(page, "button", "Load…")
    page.get_by_role("radio", name=re.compile("Constant rate")).press("Space")
    page.get_by_role("spinbutton", name="Requests per second").fill("40")
    page.get_by_label("Duration").fill(f"{RUN_S}s")
    page.get_by_text(f"{40 * RUN_S} requests in {RUN_S} s").wait_for()
    page.get_by_label("95 % of the requests within").fill("2000")
    press(page, "button", "Start")
    page.get_by_role("button", name="Stop").wait_for()
    legend = page.locator("figure.chart .chart-legend").first
    seen = set()
    while page.get_by_role("button", name="Stop").count():
        seen.add(legend.inner_text())
        page.wait_for_timeout(100)
    page.get_by_text("Every limit was kept").wait_for(timeout=60_000)
    assert len(seen) >= 4, seen  # the newest figures stand in the legend
    assert len([one for one in local_server.requests if one.path == "/shop"]) == 40 * RUN_S + 1
    assert f"of {40 * RUN_S}" in page.locator("#load-now").inner_text()
    visit.shoot("journey-run")

    # Keep it as the baseline, do it again, compare.
    press(page, "button", "Pin as baseline")
    press(page, "link", "Run again")
    assert page.get_by_role("spinbutton", name="Requests per second").input_value() == "40"
    again = start(page)
    press(page, "link", "Compare with baseline")
    page.get_by_role("heading", name=re.compile("baseline|No figure differs")).wait_for()
    assert page.locator("svg.plot").count() == 5

    # The report opens from a file, without the product and without the net.
    page.goto(again)
    with page.expect_download() as download:
        press(page, "link", "Report")
    file = tmp_path / "report.html"
    download.value.save_as(file)
    assert not visit.faults
    context.close()
    for theme in ("light", "dark"):
        offline = chromium.new_context(color_scheme=theme, viewport=WIDE, offline=True)
        page = offline.new_page()
        asked: list[str] = []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.goto(file.as_uri())
        assert asked == [file.as_uri()]
        assert page.get_by_role("heading", name="Shop front").is_visible()
        assert not grave_findings(page)
        page.set_viewport_size(PHONE)
        assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        offline.close()


def test_a_run_is_stopped_from_its_page_and_late_visitors_see_all_of_it(
    product: Any, session: Any, chromium: Any, local_server: Any
) -> None:
    context = chromium.new_context(viewport=WIDE, storage_state=session)
    page = context.new_page()
    page.goto(f"{product.url}/loadtest/")
    page.get_by_label("Address", exact=True).fill(f"{local_server.url}/long")
    press(page, "button", "Load…")
    page.get_by_label("In flight", exact=True).fill("2")
    page.get_by_label("Duration").fill("10m")
    press(page, "button", "Start")
    page.locator("[data-stream-state]", has_text="Live").wait_for()
    page.wait_for_timeout(1500)
    late = context.new_page()
    late.goto(page.url)
    told = "JSON.parse(document.querySelector('figure.chart script').textContent).series[0].points.length"
    assert late.evaluate(told) >= 5 > page.evaluate(told)  # what had been before it came
    assert rows_after(late, points=6000) <= 2010
    press(late, "button", "Stop")
    late.get_by_text("The run is stopped.").wait_for()
    page.locator(".run-bar .chip", has_text="Stopped").wait_for()  # by itself
    assert page.get_by_role("button", name="Stop").count() == 0
    context.close()
