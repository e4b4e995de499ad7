"""Every page in a real browser, empty and filled, light and dark, wide and on a phone."""

import json
import re
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.journeys.addresses import EMPTY, FILLED
from tests.support import product as products
from tests.support.console import Console, wait_for
from tests.support.filling import depth, exchange, lines, load, replay
from tests.support.pages import EMAIL, PASSWORD, PHONE, WIDE, Visit, grave_findings, sign_up
from tests.support.terminal import use_terminal

pytestmark = [pytest.mark.journey, pytest.mark.browser]

THEMES = ("light", "dark")
UNWEIGHED = ("api-document",)


@dataclass
class Site:
    """A running product with an administrator, whose signed-in browser is kept in `state`."""

    product: Any
    chromium: Any
    state: Any
    ids: dict[str, str]

    def context(self, *, signed_in: bool = True, **options: Any) -> Any:
        state = self.state if signed_in else None
        return self.chromium.new_context(color_scheme=THEMES[0], viewport=WIDE, storage_state=state, **options)

    def check(self, name: str, path: str, *, signed_in: bool = True, status: int = 200) -> None:
        """Look at one page: all that it must keep, in each theme, wide and on a phone."""
        context = self.context(signed_in=signed_in)
        try:
            visit = Visit(context.new_page(), self.product.url)
            visit.open(path.format_map(self.ids), status=status)
            for theme in THEMES:
                visit.page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # colours change at once
                rules = () if theme == THEMES[0] else ("color-contrast",)  # another theme changes colours only
                visit.check(weight=name not in UNWEIGHED, rules=rules)
                visit.shoot(f"{name}-{theme}")
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
    site.check("setup", link, signed_in=False)
    site.check("setup-hint", "/setup/", signed_in=False)
    site.state = sign_up(product, chromium)
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


BUDGET = {"name": "Everything", "amountUsd": 500, "period": "MONTHLY"}
SECRET = {"name": "SHOP_PASSWORD", "value": "planted-value", "scope": ["monitors"], "description": "of the shop"}


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
    rule_id = console.post("/api/v1/alerts/rules", rule, expect=201)["id"]
    monitor = {
        "name": "Front door",
        "schedule": "* * * * *",
        "tool": "http",
        "request": {"url": f"{console.url}/healthz", "samples": 2},
        "thresholds": {"latencyMs": 0.001},
    }
    monitor_id = console.post("/api/monitors", monitor, expect=201)["id"]
    agent = console.post("/api/agents", {"name": "Frankfurt", "location": "Germany"}, expect=201)["id"]
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
    loaded = load(console)
    line = lines(console, instance)
    command = {"instanceId": instance, "command": "sh", "args": ["-c", "echo one; echo two >&2"]}
    ran = console.post("/api/v1/commands", command, expect=201)
    depth(console, instance)
    weak = {"instanceId": instance, "fingerprint": "SHA256:weak", "keyType": "ssh-rsa", "keyBits": 1024}
    console.post("/api/v1/security/ssh-keys", weak, expect=201)
    rotation = {"instanceId": instance, "secretName": "payments", "secretType": "API key"}
    console.post("/api/v1/security/secrets", rotation, expect=201)
    return {
        "instance": instance,
        "silent": silent,
        "awaited": awaited,
        "monitor": monitor_id,
        "run": run,
        "agent": agent,
        "alert": alert_id,
        "rule": rule_id,
        "line": line,
        "command": ran["id"],
        **loaded,
        **replay(console),
        "budget": console.post("/api/v1/costs/budgets", BUDGET, expect=201)["id"],
        "signal": signal(console),
        "secret": console.post("/api/v1/secrets", SECRET, expect=201)["id"],
    }


def signal(console: Console) -> str:
    """A metric that runs."""
    body = {"name": "lift_speed", "rate": 2, "generator": {"type": "steady"}, "sink": {"type": "memory"}}
    return console.post("/api/signals/scenarios", body, expect=201)["id"]


@pytest.mark.parametrize("name", EMPTY)
def test_page_of_a_new_installation(empty: Site, name: str) -> None:
    empty.check(f"{name}-empty", EMPTY[name])


@pytest.mark.parametrize("name", FILLED)
def test_page(site: Site, name: str) -> None:
    site.check(name, FILLED[name])


def test_pages_without_a_session_and_of_what_is_not_there(site: Site) -> None:
    site.check("login", "/login/", signed_in=False)
    context = site.context()
    visit = Visit(context.new_page(), site.product.url)
    visit.open("/instances/unknown/", status=404)
    visit.shoot("not-found")
    context.close()


def test_sign_in_lists_details_and_forms_work_without_scripts(site: Site) -> None:
    context = site.context(signed_in=False, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.product.url}/instances/?q=silent")
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator("main [type=submit]").click()
    page.wait_for_url("**/instances/?q=silent")
    page.get_by_role("link", name="silent-1", exact=True).click()
    page.get_by_role("heading", name="silent-1", exact=True).wait_for()
    page.get_by_label("Account of").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login/**")
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
    page.wait_for_url(re.compile(r"/instances/[^/]+/$"), timeout=45_000)
    page.get_by_role("heading", name="new-machine", exact=True).wait_for()
    page.get_by_text("12.5 %").first.wait_for()
    context.close()


def test_demo_data_fills_a_new_installation_and_goes_again(empty: Site) -> None:
    """Overview → load demo data → charts move, a rule fires, a run passes and one fails; then nothing is left."""
    context = empty.context()
    page = context.new_page()
    page.goto(f"{empty.product.url}/")
    page.get_by_role("link", name="Load demo data").click()
    page.get_by_role("button", name="Load demo data").click()
    page.get_by_role("link", name="CPU above 90 % on demo-fra-db-1").first.wait_for(timeout=60_000)
    monitors = page.locator("#overview-monitors")
    monitors.get_by_role("row", name="Front page").get_by_text("Passing").wait_for(timeout=30_000)
    monitors.get_by_role("row", name="Checkout").get_by_text("Failing").wait_for(timeout=30_000)
    page.get_by_role("img", name=re.compile("^CPU, mean and highest.* lowest")).wait_for(timeout=60_000)
    empty.check("overview-demo", "/")
    empty.check("instances-demo", "/instances/")
    page.get_by_role("link", name="Remove", exact=True).click()
    page.get_by_role("button", name="Remove demo data").click()
    page.get_by_text("Demo data removed").wait_for(timeout=60_000)
    page.goto(f"{empty.product.url}/")
    page.get_by_text("No instances yet").wait_for()
    context.close()


def test_figures_move_by_themselves(site: Site) -> None:
    context = site.context()
    page = context.new_page()
    page.goto(site.product.url + FILLED["instance"].format_map(site.ids))
    page.get_by_role("button", name="Live", exact=True).wait_for()
    page.evaluate("window.same = true")
    before = page.locator("#instance-now").inner_text()
    moved = "(text) => document.querySelector('#instance-now').innerText !== text"
    page.wait_for_function(moved, arg=before, timeout=45_000)
    assert page.evaluate("window.same")  # the page was not loaded anew
    context.close()


def test_a_refused_call_becomes_a_mock_while_a_person_watches(site: Site) -> None:
    console, session = Console(site.product.url, site.product.new_key("OPERATOR")), site.ids["replay"]
    asked = exchange(session, "PATCH", "/limits?of=7")
    context = site.context()
    page = context.new_page()
    page.goto(f"{site.product.url}/replay/{session}/")
    page.get_by_role("button", name="Live", exact=True).wait_for()
    page.evaluate("window.same = true")
    console.post("/api/replay/v1/inject", asked, expect=599)
    page.get_by_role("rowheader", name="PATCH bank.example:8443/limits?of=7").wait_for(timeout=45_000)
    assert page.evaluate("window.same")  # the page was not loaded anew
    page.get_by_role("link", name="Make a mock of PATCH bank.example:8443/limits").press("Enter")
    page.get_by_text("The last rule is a proposal").wait_for()
    page.get_by_role("button", name="Save").press("Enter")
    page.get_by_text("Rules saved as revision").wait_for()
    console.post("/api/replay/v1/inject", asked, expect=200)
    row = page.locator("#replay-rules tr", has_text="PATCH bank.example/limits")
    row.get_by_role("cell", name="1", exact=True).wait_for(timeout=45_000)
    context.close()


def test_a_terminal_opens_comes_back_and_is_left_by_keyboard(site: Site) -> None:
    context = site.context()
    use_terminal(context, site.product.url, FILLED["instance-terminal"].format_map(site.ids))
    context.close()


def test_new_lines_come_in_while_following_and_keep_place_while_paused(site: Site) -> None:
    console, instance = Console(site.product.url, site.product.new_key("ADMIN")), site.ids["instance"]

    def write(level: str, message: str) -> None:
        line = {"instanceId": instance, "level": level, "source": "APP", "message": message}
        console.post("/api/v1/logs/ingest", line, expect=201)

    context = site.context()
    page = context.new_page()
    page.goto(f"{site.product.url}/logs/?q=level:error")
    page.get_by_role("button", name="Follow").click()
    page.get_by_text("Following", exact=True).wait_for()
    write("INFO", "not asked for")
    write("ERROR", "disk is full")
    page.locator("#log-lines").get_by_text("disk is full").first.wait_for(timeout=45_000)
    page.get_by_role("button", name="Pause").click()
    write("ERROR", "and still is")
    page.get_by_role("button", name="1 new line", exact=True).click(timeout=45_000)
    assert page.locator("#log-lines .log-text").first.inner_text() == "and still is"
    assert not page.locator("#log-lines").get_by_text("not asked for").count()
    box = page.locator(".log-bars").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 30)
    page.mouse.up()
    page.wait_for_url(re.compile(r"from=.+&to="))
    assert page.get_by_label("Time").locator("option:checked").inner_text() == "Between"
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


def test_a_revealed_value_goes_by_itself_unless_the_reader_prolongs(site: Site) -> None:
    context = site.context()
    try:
        page = context.new_page()
        page.clock.install()
        page.goto(f"{site.product.url}/secrets/{site.ids['secret']}/reveal/")
        page.get_by_label("Reason").fill("to see it")
        page.get_by_role("button", name="Reveal SHOP_PASSWORD").click()
        value = page.get_by_text(SECRET["value"], exact=True)
        value.wait_for()
        assert not grave_findings(page)
        page.get_by_role("button", name="Show 30 s longer").click()
        page.clock.fast_forward(45_000)
        page.get_by_text(re.compile("closes in 1[0-5] s")).wait_for()
        assert value.count() == 1
        page.clock.fast_forward(20_000)
        page.wait_for_url(f"**/secrets/{site.ids['secret']}/")
        assert value.count() == 0
    finally:
        context.close()
