"""Every page in a real browser, empty and filled, light and dark, wide and on a phone."""

import json
import re
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support import product as products
from tests.support.console import Console, wait_for
from tests.support.pages import PHONE, WIDE, Visit

pytestmark = [pytest.mark.journey, pytest.mark.browser]

EMAIL, PASSWORD = "first@example.org", "correct horse battery staple"
THEMES = ("light", "dark")
# Names of pages by their addresses; {…} is filled in with what `fill` has made.
EMPTY = {
    "overview": "/",
    "instances": "/instances/",
    "instance-add": "/instances/add/",
    "monitors": "/monitors/",
    "alerts": "/alerts/",
    "alert-rules": "/alerts/rules/",
    "alert-channels": "/alerts/channels/",
}
FILLED = {
    "overview": "/",
    "instances": "/instances/",
    "instances-none-found": "/instances/?q=nothing-like-this",
    "instance": "/instances/{instance}/",
    "instance-metrics": "/instances/{instance}/metrics/",
    "instance-silent": "/instances/{silent}/",
    "instance-connect": "/instances/{awaited}/connect/",
    "instance-remove": "/instances/{instance}/remove/",
    "monitors": "/monitors/",
    "monitor": "/monitors/{monitor}/",
    "monitor-new": "/monitors/new/",
    "monitor-edit": "/monitors/{monitor}/edit/",
    "run": "/runs/{run}/",
    "alerts": "/alerts/",
    "alert": "/alerts/{alert}/",
    "alert-rules": "/alerts/rules/",
    "alert-rule-new": "/alerts/rules/new/",
    "alert-channels": "/alerts/channels/",
    "alert-channel-new": "/alerts/channels/new/",
    "account": "/account/",
    "account-keys": "/account/keys/",
    "settings": "/settings/",
    "settings-users": "/settings/users/",
    "settings-user-new": "/settings/users/new/",
    "settings-teams": "/settings/teams/",
    "settings-keys": "/settings/keys/",
    "status": "/settings/status/",
    "audit": "/audit/",
    "api-docs": "/api/docs/",
    "api-document": "/api/docs/monitors/",
}
UNWEIGHED = ("api-document",)


@dataclass
class Site:
    """A running product with an administrator, whose signed-in browser is kept in `state`."""

    product: Any
    chromium: Any
    state: Any
    ids: dict[str, str]

    def context(self, theme: str = "light", *, signed_in: bool = True, **options: Any) -> Any:
        state = self.state if signed_in else None
        return self.chromium.new_context(color_scheme=theme, viewport=WIDE, storage_state=state, **options)

    def check(self, name: str, path: str, theme: str, *, signed_in: bool = True, status: int = 200) -> None:
        """Look at one page: all that it must keep, wide and on a phone."""
        context = self.context(theme, signed_in=signed_in)
        try:
            visit = Visit(context.new_page(), self.product.url)
            visit.open(path.format_map(self.ids), status=status)
            visit.check(weight=name not in UNWEIGHED)
            visit.shoot(f"{name}-{theme}")
            if theme == "light":  # the layout is the same in both
                visit.page.set_viewport_size(PHONE)
                visit.page.wait_for_timeout(150)
                visit.shoot(f"{name}-phone")
                assert not visit.scrolls_sideways()
                assert not visit.faults
        finally:
            context.close()


def set_up(product: Any, chromium: Any) -> Site:
    """Follow the setup link as the first person does; every first page is looked at on the way."""
    site = Site(product, chromium, None, {})
    link = product.setup_link().removeprefix(product.url)
    for theme in THEMES:
        site.check("setup", link, theme, signed_in=False)
        site.check("setup-hint", "/setup/", theme, signed_in=False)
    context = site.context(signed_in=False)
    page = context.new_page()
    page.goto(product.url + link)
    for label, text in (("E-mail address", EMAIL), ("Password", PASSWORD), ("Password again", PASSWORD)):
        page.get_by_label(label, exact=True).fill(text)
    page.locator("main [type=submit]").click()
    page.wait_for_url(product.url + "/")
    site.state = context.storage_state()
    context.close()
    return site


@pytest.fixture(scope="module")
def empty(chromium: Any) -> Iterator[Site]:
    with products.embedded() as product:
        yield set_up(product, chromium)


@pytest.fixture(scope="module")
def site(chromium: Any) -> Iterator[Site]:
    """With this machine's own agent, and one of everything."""
    with products.embedded(agent=True, PHAROS_OFFLINE_AFTER_S="20") as product:
        site = set_up(product, chromium)
        site.ids = fill(Console(product.url, product.new_key("ADMIN"), live_url=product.live_url))
        yield site


def fill(console: Console) -> dict[str, str]:
    """The machine that reports, one that fell silent, one that is awaited; a breach that became an alert."""
    silent = console.post("/api/v1/instances", {"name": "silent-1", "provider": "ssh"}, expect=201)["id"]
    console.beat(silent, cpu=12.5)
    awaited = console.post("/api/v1/instances", {"name": "awaited-1", "provider": "ssh"}, expect=201)["id"]
    channel = {"name": "hook", "type": "WEBHOOK", "config": {"url": f"{console.url}/healthz"}}
    console.post("/api/v1/alerts/channels", channel, expect=201)
    rule = {
        "name": "Busy",
        "type": "THRESHOLD",
        "severity": "CRITICAL",
        "conditions": {"metric": "cpu_percent", "operator": "gte", "threshold": 0},
    }
    console.post("/api/v1/alerts/rules", rule, expect=201)
    monitor = {
        "name": "Front door",
        "schedule": "* * * * *",
        "tool": "http",
        "request": {"url": f"{console.url}/healthz", "samples": 2},
        "thresholds": {"latencyMs": 0.001},
    }
    monitor_id = console.post("/api/monitors", monitor, expect=201)["id"]
    run = console.post(f"/api/monitors/{monitor_id}/run", expect=202)["runId"]
    wait_for("the run", lambda: console.get(f"/api/runs/{run}")["status"] == "fail", timeout_s=60)

    def local() -> str:
        rows = console.get("/api/v1/instances")["instances"]
        return next((row["id"] for row in rows if row["id"] not in (silent, awaited) and row["lastHeartbeat"]), "")

    def alert() -> str:
        rows = console.get("/api/v1/alerts")["alerts"]
        return next((row["id"] for row in rows if row["instanceId"]), "")

    instance = wait_for("this machine", local, timeout_s=60)
    alert_id = wait_for("an alert", alert, timeout_s=60)
    silence = f"/api/v1/instances/{silent}"
    wait_for("silence", lambda: console.get(silence)["status"] == "ERROR", timeout_s=90)
    return {
        "instance": instance,
        "silent": silent,
        "awaited": awaited,
        "monitor": monitor_id,
        "run": run,
        "alert": alert_id,
    }


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", EMPTY)
def test_page_of_a_new_installation(empty: Site, name: str, theme: str) -> None:
    empty.check(f"{name}-empty", EMPTY[name], theme)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", FILLED)
def test_page(site: Site, name: str, theme: str) -> None:
    site.check(name, FILLED[name], theme)


@pytest.mark.parametrize("theme", THEMES)
def test_pages_without_a_session_and_of_what_is_not_there(site: Site, theme: str) -> None:
    site.check("login", "/login/", theme, signed_in=False)
    context = site.context(theme)
    visit = Visit(context.new_page(), site.product.url)
    visit.open("/instances/unknown/", status=404)
    visit.shoot(f"not-found-{theme}")
    context.close()


def test_sign_in_lists_details_and_forms_work_without_scripts(site: Site) -> None:
    context = site.context(signed_in=False, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.product.url}/instances/?q=silent")
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator("main [type=submit]").click()
    assert page.url.endswith("/instances/?q=silent")
    page.get_by_role("link", name="silent-1").click()
    assert page.get_by_role("heading", name="silent-1", exact=True).is_visible()
    page.get_by_label("Account of").click()
    page.get_by_role("button", name="Sign out").click()
    assert "/login/" in page.url
    context.close()


def test_a_new_machine_turns_the_waiting_page_into_its_own(site: Site) -> None:
    context = site.context()
    page = context.new_page()
    page.goto(f"{site.product.url}/instances/add/")
    page.get_by_label("Name", exact=True).fill("new-machine")
    page.get_by_label("Labels").fill("role=web")
    page.get_by_role("button", name="Make key").click()
    page.get_by_text("Waiting for first contact").wait_for()
    page.get_by_role("button", name="Live", exact=True).wait_for()
    command = page.locator("section[aria-labelledby=way-http] code").inner_text()
    url = re.search(r"http://\S+/heartbeats", command)[0]
    key, body = re.search(r"sk-[0-9a-f]{48}", command)[0], re.search(r"\{.*\}", command)[0]
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, body.encode(), headers), timeout=10) as answer:
        assert json.load(answer) == {"accepted": True}
    page.wait_for_url(re.compile(r"/instances/[^/]+/$"), timeout=3000)
    page.get_by_role("heading", name="new-machine", exact=True).wait_for()
    page.get_by_text("12.5 %").first.wait_for()
    context.close()


def test_figures_move_by_themselves(site: Site) -> None:
    context = site.context()
    page = context.new_page()
    page.goto(site.product.url + FILLED["instance"].format_map(site.ids))
    page.get_by_role("button", name="Live", exact=True).wait_for()
    page.evaluate("window.same = true")
    before = page.locator("#instance-now").inner_text()
    moved = "(text) => document.querySelector('#instance-now').innerText !== text"
    page.wait_for_function(moved, arg=before, timeout=20_000)
    assert page.evaluate("window.same")  # the page was not loaded anew
    context.close()


def test_keyboard_alone_reaches_the_content_and_other_pages(site: Site) -> None:
    context = site.context()
    page = context.new_page()
    page.goto(site.product.url + "/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.keyboard.press("g")
    page.keyboard.press("i")
    page.wait_for_url("**/instances/")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/instances/[^/]+/$"))
    context.close()
