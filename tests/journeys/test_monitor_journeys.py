"""Monitors in a real browser: one written and tried with the keyboard alone, an agent that joins, the public's page."""

import json
import re
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import product as products
from tests.support.console import Console
from tests.support.pages import PHONE, WIDE, Visit, sign_up

pytestmark = [pytest.mark.journey, pytest.mark.browser]

SCRIPT = """import http from 'k6/http';
export const options = { iterations: 2 };
export default function () {
  http.get(__ENV.TARGET);
  console.log('asked once');
}
"""


@pytest.fixture(scope="module")
def site(chromium: Any) -> Iterator[Any]:
    """A new product, and what opens a page of it as its administrator."""
    with products.embedded() as product:
        state = sign_up(product, chromium)

        def visit(path: str, *, signed_in: bool = True, theme: str = "light") -> Visit:
            context = chromium.new_context(
                viewport=WIDE, color_scheme=theme, storage_state=state if signed_in else None
            )
            shown = Visit(context.new_page(), product.url)
            shown.open(path)
            return shown

        visit.product = product
        yield visit


def test_a_monitor_is_written_tried_and_saved_without_a_pointer(site: Any) -> None:
    """Journey J5."""
    visit, url = site("/monitors/"), site.product.url
    page = visit.page

    def press(role: str, name: str) -> None:
        page.get_by_role(role, name=name, exact=True).press("Enter")

    press("link", "New monitor")
    press("link", "k6 script")
    page.get_by_role("textbox", name="Name", exact=True).type("Front door")
    script = page.locator("#id_script")
    script.focus()
    page.keyboard.insert_text(SCRIPT)
    assert page.locator(".editor pre").inner_text().split() == ["1", "2", "3", "4", "5", "6", "7"]
    page.get_by_label("Parameters", exact=False).and_(page.locator("textarea")).type(f"TARGET={url}/healthz")
    press("button", "every hour")
    page.get_by_text("At 0 minutes past the hour").or_(page.get_by_text("Every hour")).first.wait_for()
    assert page.locator("#schedule-preview li").count() == 5
    press("button", "every minute")
    page.locator("#schedule-preview").get_by_text("Every minute").wait_for()
    page.get_by_label("Slowest 95 % within, ms").type("60000")

    press("button", "Try it now")
    trial = page.locator("#trial")
    trial.get_by_text("asked once").first.wait_for(timeout=45_000)
    trial.get_by_text("Every limit was kept.").wait_for(timeout=45_000)
    console = Console(url, site.product.new_key("ADMIN"))
    assert console.get("/api/monitors") == []
    visit.check(weight=False)

    press("button", "Save")
    page.get_by_role("heading", name="Front door", exact=True).wait_for()
    assert len(console.get("/api/monitors")) == 1
    page.evaluate("window.same = true")
    page.locator("#monitor-runs").get_by_text("schedule", exact=True).wait_for(timeout=80_000)
    assert page.evaluate("window.same")  # it came by itself
    page.context.close()


def test_an_agent_that_joins_turns_the_waiting_page_into_its_own(site: Any) -> None:
    page = site("/agents/add/").page
    page.get_by_role("textbox", name="Name", exact=True).fill("Tokyo")
    page.get_by_role("button", name="Make token").press("Enter")
    command = page.locator("section[aria-labelledby=way-shell] code").inner_text()
    token = re.search(r"PHAROS_MONITOR_TOKEN=(\S+)", command)[1]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    beat = json.dumps({"capacity": 2, "version": "1"}).encode()
    request = urllib.request.Request(f"{site.product.url}/api/agents/tokyo/heartbeat", beat, headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200
    page.wait_for_url(re.compile(r"/agents/tokyo/$"), timeout=45_000)
    page.get_by_text("Tokyo is online.").wait_for()
    page.context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_public_sees_what_was_chosen_for_it(site: Any, theme: str) -> None:
    console = Console(site.product.url, site.product.new_key("ADMIN"))
    monitor = {"name": f"probe {theme}", "schedule": "@daily", "tool": "http"}
    console.post("/api/monitors", monitor | {"request": {"url": f"{console.url}/healthz"}}, expect=201)
    page = site("/settings/status-page/").page
    page.get_by_label("Monitor", exact=True).select_option(label=f"probe {theme}")
    page.get_by_role("button", name="Add to the page").press("Enter")
    page.get_by_label("Public name").fill(f"Shop {theme}")
    page.get_by_role("button", name="Save").press("Enter")
    page.get_by_role("checkbox", name="On", exact=True).check()
    page.get_by_role("button", name="Save", exact=True).press("Enter")
    page.get_by_text("The page is public").wait_for()
    page.context.close()
    public = site("/status/", signed_in=False, theme=theme)
    public.check()
    public.shoot(f"public-status-{theme}")
    assert public.page.get_by_role("heading", name=f"Shop {theme}").is_visible()
    assert "probe" not in public.page.content()
    public.page.set_viewport_size(PHONE)
    assert not public.scrolls_sideways()
    public.page.context.close()
