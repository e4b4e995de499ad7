"""Alerts in a real browser, by the keyboard alone: on call, planned work, a drill."""

import re
from collections.abc import Iterator
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.console import Console
from tests.support.keys import Keyboard
from tests.support.local_server import LocalServer
from tests.support.pages import PHONE, WIDE, Visit, grave_findings, sign_up

pytestmark = [pytest.mark.journey, pytest.mark.browser]

SOON_MS = 20_000
NUMBERS = count(7)


@pytest.fixture(scope="module")
def site(chromium: Any, embedded_product: Any) -> SimpleNamespace:
    """The product of the session, the session of its administrator, and a console beside it."""
    state = sign_up(embedded_product, chromium)
    console = Console(embedded_product.url, embedded_product.new_key("ADMIN"))
    return SimpleNamespace(url=embedded_product.url, state=state, console=console, chromium=chromium)


@pytest.fixture
def visit(site: SimpleNamespace) -> Iterator[Visit]:
    context = site.chromium.new_context(viewport=WIDE, storage_state=site.state)
    yield Visit(context.new_page(), site.url)
    context.close()


@pytest.fixture
def burning(site: SimpleNamespace, local_server: LocalServer) -> SimpleNamespace:
    """A machine that has just become too busy, a rule that told the channel so, and the notification."""
    name = f"web-{next(NUMBERS)}"
    console = site.console
    machine = console.post("/api/v1/instances", {"name": name, "provider": "ssh"}, expect=201)["id"]
    console.beat(machine, cpu=12)
    line = {"instanceId": machine, "level": "ERROR", "source": "APP", "message": "pool of workers is empty"}
    console.post("/api/v1/logs/ingest", line, expect=201)
    hook = {"name": f"hook {name}", "type": "SLACK", "config": {"webhook_url": f"{local_server.url}/hook/{name}"}}
    channel = console.post("/api/v1/alerts/channels", hook, expect=201)["id"]
    rule = {
        "name": f"Busy {name}", "type": "THRESHOLD", "severity": "CRITICAL", "instanceId": machine,
        "conditions": {"metric": "cpu_percent", "operator": "gt", "threshold": 90}, "channelIds": [channel],
        "cooldownSec": 0,
    }  # fmt: skip
    rule_id = console.post("/api/v1/alerts/rules", rule, expect=201)["id"]
    console.beat(machine, cpu=97)
    (told,) = local_server.wait(timeout_s=30)[0].json()["attachments"]
    link = told["title_link"].removeprefix(site.url)
    return SimpleNamespace(name=name, machine=machine, hook=hook["name"], rule=rule_id, link=link)


def looked_at(visit: Visit) -> None:
    """Readable for everybody, light and dark, and on a phone."""
    visit.check(weight=False)
    visit.page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    assert not grave_findings(visit.page)
    visit.page.emulate_media(color_scheme="light", reduced_motion="reduce")
    visit.page.set_viewport_size(PHONE)
    assert not visit.scrolls_sideways()
    visit.page.set_viewport_size(WIDE)


def test_who_is_on_call_sees_why_takes_it_and_sees_it_end(
    site: SimpleNamespace, visit: Visit, burning: SimpleNamespace
) -> None:
    """Journey J3: from the link in the notification the log lines are no click away."""
    page, keys = visit.page, Keyboard(visit.page)
    visit.open(burning.link)
    assert f"CPU on {burning.name}" in page.locator("#alert-now strong").inner_text()
    page.get_by_role("img", name=re.compile("CPU")).wait_for()
    lines = page.get_by_role("region", name=f"Last log lines of {burning.name}")
    lines.get_by_text("pool of workers is empty").wait_for()
    assert page.get_by_role("region", name=f"Last changes of {burning.name}").locator("li").count()

    keys.skip()
    keys.write(page.get_by_label("Note"), "Restarting the workers")
    keys.press(page.get_by_role("button", name="Acknowledge", exact=True))
    story = page.get_by_role("region", name="What happened")
    story.get_by_text("Restarting the workers").wait_for()
    page.evaluate("window.same = true")
    site.console.beat(burning.machine, cpu=5)
    page.locator("#alert-now").get_by_text("by itself").wait_for(timeout=SOON_MS)
    page.get_by_role("region", name="Who was told").get_by_text("Delivered").nth(1).wait_for(timeout=SOON_MS)
    assert page.evaluate("window.same")  # all of it came without a reload
    story.get_by_text(f"Told {burning.hook} of the end").wait_for()
    happened = [line.split()[0] for line in reversed(story.locator("li").all_inner_texts())]
    assert happened == ["Fired", "Told", "Acknowledged", "Resolved", "Told"]
    looked_at(visit)


def test_planned_work_is_silenced_from_where_it_is_seen(
    site: SimpleNamespace, visit: Visit, burning: SimpleNamespace, local_server: LocalServer
) -> None:
    """Journey J4, from the pages of an instance, a monitor and an alert."""
    page, keys = visit.page, Keyboard(visit.page)
    monitor = {"name": f"door {burning.name}", "schedule": "@daily", "tool": "http", "request": {"url": site.url}}
    watched = site.console.post("/api/monitors", monitor, expect=201)["id"]
    silence = page.get_by_role("link", name="Silence…", exact=True)
    matchers = page.get_by_label("Which alerts")
    for path, wanted in (
        (f"/monitors/{watched}/", f"monitor = door {burning.name}"),
        (f"/instances/{burning.machine}/", f"instance = {burning.name}"),
        (burning.link, f"instance = {burning.name}"),
    ):
        visit.open(path)
        keys.skip()
        keys.press(silence)
        matchers.wait_for()
        assert wanted in matchers.input_value().splitlines()

    keys.skip()
    keys.write(page.get_by_label("Reason"), f"New disks of {burning.name}")
    page.keyboard.press("Enter")
    page.get_by_text("Silence saved, hides 1 alert now.").wait_for()
    for path in ("/alerts/silences/", "/", "/monitors/", burning.link):
        visit.open(path)
        page.get_by_role("banner").get_by_role("link", name="1 silence").wait_for()
    page.locator("#alert-now").get_by_text(f"Silenced: New disks of {burning.name}").wait_for()

    local_server.clear()
    keys.press(page.get_by_role("banner").get_by_role("link", name="1 silence"))
    page.wait_for_url("**/alerts/silences/")
    keys.skip()
    keys.press(page.get_by_role("button", name=f"End the silence New disks of {burning.name}"))
    page.get_by_text("The silence is over.").wait_for()
    (again,) = local_server.wait(timeout_s=30)[0].json()["attachments"]
    assert again["title_link"].endswith(burning.link)
    assert not page.get_by_role("banner").get_by_role("link", name="silence").count()
    visit.check(weight=False)


def test_a_drill_shows_the_four_moments(site: SimpleNamespace, visit: Visit, burning: SimpleNamespace) -> None:
    """Journey J7: only the chosen channel hears of it."""
    page, keys = visit.page, Keyboard(visit.page)
    visit.open(f"/alerts/rules/{burning.rule}/")
    keys.skip()
    keys.press(page.get_by_role("link", name="Drill…"))
    page.wait_for_url("**/drill/")
    looked_at(visit)
    keys.skip()
    keys.press(page.get_by_role("checkbox", name=burning.hook), "Space")
    keys.press(page.get_by_role("button", name="Begin the drill"))
    page.get_by_role("heading", name=f"Drill: Busy {burning.name}").wait_for()
    moments = page.get_by_role("region", name="Four moments")
    moments.get_by_text("Passed").wait_for(timeout=SOON_MS)
    times = [re.search(r"at once|after [0-9.]+ m?s", line) for line in moments.locator("li").all_inner_texts()]
    assert len(times) == 4
    assert all(times)
    looked_at(visit)
