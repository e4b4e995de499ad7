"""Month end in a real browser, by the keyboard alone: what was spent, what it is made of, what to do about it."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.console import Console
from tests.support.keys import Keyboard
from tests.support.pages import PHONE, WIDE, Visit, grave_findings, sign_up

pytestmark = [pytest.mark.journey, pytest.mark.browser]
NAME, DAYS, BILLED = "month-end-web", 40, "3.25"
HEAD = "ResourceId,ChargePeriodStart,ChargePeriodEnd,BilledCost,BillingCurrency,ServiceCategory,ChargeCategory"


@pytest.fixture(scope="module")
def site(chromium: Any, embedded_product: Any, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A machine that is larger than it needs to be, its bill of forty days, and a budget."""
    state = sign_up(embedded_product, chromium)
    console = Console(embedded_product.url, embedded_product.new_key("ADMIN"))
    machine = {"name": NAME, "provider": "digitalocean", "tags": {"vm_size": "s-4vcpu-8gb"}}
    instance = console.post("/api/v1/instances", machine, expect=201)["id"]
    for number in range(12):
        console.beat(instance, cpu=5 + number)
    bill = bill_of(instance, tmp_path_factory.mktemp("bill"))
    embedded_product.pharos("costs", "import", str(bill))
    budget = {"name": "Month end", "amountUsd": 1000, "period": "MONTHLY", "instanceId": instance}
    console.post("/api/v1/costs/budgets", budget, expect=201)
    return SimpleNamespace(url=embedded_product.url, state=state, instance=instance, chromium=chromium)


def bill_of(instance: str, folder: Path) -> Path:
    """Whole days before today, each with one charge."""
    today = datetime.now(UTC).date()
    lines = [HEAD]
    for back in range(1, DAYS + 1):
        day = today - timedelta(days=back)
        since, until = (f"{one}T00:00:00Z" for one in (day, day + timedelta(days=1)))
        lines.append(f"{instance},{since},{until},{BILLED},USD,Compute,Usage")
    path = folder / "bill.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def looked_at(visit: Visit) -> None:
    """Readable for everybody, light and dark, and on a phone."""
    visit.check(weight=False)
    visit.page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    assert not grave_findings(visit.page)
    visit.page.set_viewport_size(PHONE)
    assert not visit.scrolls_sideways()
    visit.page.emulate_media(color_scheme="light", reduced_motion="reduce")
    visit.page.set_viewport_size(WIDE)


def written(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def test_month_end(site: SimpleNamespace) -> None:
    """Journey J8: each figure leads to what it is made of, and advice is acted on."""
    context = site.chromium.new_context(viewport=WIDE, storage_state=site.state)
    visit = Visit(context.new_page(), site.url)
    page, keys = visit.page, Keyboard(visit.page)
    yesterday = datetime.now(UTC).date() - timedelta(days=1)

    visit.open("/costs/?range=30")
    page.get_by_role("img", name="Cost by day").wait_for()
    for heading in ("Budgets", "Top movers", "How the forecast is made", "Idle instances"):
        page.get_by_role("heading", name=heading, exact=True).wait_for()
    page.locator("#idle-part").get_by_text("idle for 48 h").or_(page.get_by_text("in all,")).first.wait_for()
    looked_at(visit)

    keys.skip()
    keys.press(page.get_by_text("Each day and what it is made of"))
    keys.press(page.get_by_role("link", name=written(yesterday), exact=True))
    page.get_by_role("heading", name="Entries", exact=True).wait_for()
    keys.skip()
    keys.press(page.get_by_role("link", name=f"{written(yesterday)} of {NAME}"))
    page.get_by_role("heading", name=f"{NAME} on {written(yesterday)}").wait_for()
    page.get_by_text(f"{BILLED} USD, actual").wait_for()
    looked_at(visit)

    visit.open("/costs/")
    keys.skip()
    keys.press(page.get_by_role("link", name="Month end", exact=True))
    page.get_by_role("heading", name="What was spent").wait_for()
    page.get_by_text("of 1,000.00 USD a month").wait_for()

    visit.open("/costs/")
    keys.skip()
    keys.press(page.get_by_role("link", name="Right-sizing", exact=True))
    page.get_by_role("heading", name="Right-sizing", exact=True).wait_for()
    page.wait_for_load_state("load")
    keys.skip()
    keys.press(page.get_by_role("button", name="Analyse now"))
    page.get_by_text("could be smaller").first.wait_for()
    row = page.get_by_role("row", name=NAME)
    row.get_by_role("link", name="s-4vcpu-8gb").wait_for()
    keys.skip()
    keys.press(page.get_by_role("button", name=f"Dismiss the advice for {NAME}"))
    page.get_by_text(f"The advice for {NAME} is dismissed").wait_for()
    assert row.count() == 0
    context.close()
