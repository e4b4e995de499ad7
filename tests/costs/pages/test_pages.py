"""Pages of costs: each figure leads to what it is made of."""

import re
from datetime import date, timedelta

import pytest
import time_machine

from costs.budgets.models import Budget
from costs.ledger.models import CostEntry
from costs.money import MICROS
from costs.rightsizing.models import Recommendation
from tests.alerts.conftest import text
from tests.costs.spending import NOW, TODAY, ago, make_instance, spend
from tests.factories import make_team

pytestmark = pytest.mark.django_db
PAGES = ("", "entries/", "idle/", "budgets/", "right-sizing/", "sizes/", "idle/part/")


@pytest.fixture(autouse=True)
def at_now():
    with time_machine.travel(NOW, tick=False):
        yield


def make_budget(**fields) -> Budget:
    return Budget.objects.create(**{"name": "Production", "amount_micros": 100 * MICROS, "period": "MONTHLY"} | fields)


def make_advice(instance, **fields) -> Recommendation:
    fields = {
        "current_tier": "big", "suggested_tier": "small", "current_micros": 40 * MICROS,
        "suggested_micros": 15 * MICROS, "savings_micros": 25 * MICROS, "avg_cpu_percent": 9, "avg_mem_percent": 20,
        "needed_gb": 2.5, "samples": 90, "confidence": 0.9, "generated_at": NOW,
    } | fields  # fmt: skip
    return Recommendation.objects.create(instance=instance, **fields)


@pytest.mark.parametrize("role", ["VIEWER", "OPERATOR"])
def test_pages_without_anything(browser, role):
    client = browser(role)
    for page in PAGES:
        said = text(client.get(f"/costs/{page}"))
        assert "$" not in said.replace("$PHAROS_API_KEY", "") and "Traceback" not in said, page
    assert "unknown" in text(client.get("/costs/"))
    assert ("New budget" in text(client.get("/costs/budgets/"))) is (role == "OPERATOR")


def test_the_month_leads_to_its_entries_and_they_to_their_parts(browser):
    client, web, job = browser("VIEWER"), make_instance(region="fra"), make_instance(provider="aws")
    spend(web, {ago(back): 3 for back in range(25)} | {date(2026, 2, 3): 50})
    spend(job, {ago(back): 1.25 for back in range(1, 25)})
    page = client.get("/costs/")
    said = text(page)
    assert "This month 83.75 USD" in said, "20 days of 3.00 and 19 of 1.25"
    assert "Expected 131.75 USD" in said and "A usual day 4.25 USD" in said
    assert re.search(rf"{web.name} 57.00 USD .*?57.00 USD", said) or web.name in said
    for link in re.findall(r'href="(/costs/entries/[^"]*)"', page.content.decode()):
        assert client.get(link.replace("&amp;", "&")).status_code == 200, link
    found = text(client.get("/costs/entries/?provider=fly&from=2026-03-01&to=2026-03-20"))
    assert "60.00 USD in 20 entries" in found and job.name not in found
    assert "60.00 USD in 20 entries" in text(client.get("/costs/entries/?region=fra&from=2026-03-01&to=2026-03-20"))
    assert "25.00 USD in 20 entries" not in text(client.get("/costs/entries/?region=-&from=2026-03-01&to=2026-03-20"))
    entry = CostEntry.objects.get(instance_id=web.pk, day=TODAY)
    parts = text(client.get(f"/costs/entries/{entry.pk}/"))
    assert "Compute small" in parts and "90.00 USD" in parts and "1 d" in parts and "Estimate 3 USD" in parts
    assert client.get(f"/costs/entries/{2**70}/").status_code == client.get("/costs/entries/0/").status_code == 404


def test_what_the_address_says_wrongly_is_not_asked(browser):
    client = browser("VIEWER")
    for query in (
        "range=x&by=y&label=%00",
        "from=2026-99-99&to=%00&team=%00x",
        "day=0000",
        "to=0001-01-01",
        "from=9999-12-31",
        "page=x&hours=z",
    ):
        for page in PAGES:
            assert client.get(f"/costs/{page}?{query}").status_code == 200, (page, query)
    for query in ("provider=mars&size=x", "provider=aws&size=none", "provider=aws&disk_gb=NaN&size=t3.micro"):
        assert client.get(f"/costs/sizes/?{query}").status_code == 200, query


def test_a_budget_from_the_form_to_its_deletion(browser):
    client, web = browser("OPERATOR"), make_instance()
    spend(web, {ago(back): 3 for back in range(20)})
    given = {"name": "Web", "amount_usd": "70.00", "period": "MONTHLY", "instance_id": web.pk, "alert_threshold": "80"}
    page = client.post("/costs/budgets/new/", given, follow=True)
    budget = Budget.objects.get()
    assert budget.amount_micros == 70 * MICROS and budget.alert_threshold == 0.8
    said = text(page)
    assert "60.00 USD of 70.00 USD a month" in said and "at the usual pace on 24 Mar 2026" in said
    for wrong in ({"amount_usd": "0"}, {"alert_threshold": "101"}, {"instance_id": "none"}, {"name": ""}):
        assert client.post("/costs/budgets/new/", given | wrong).status_code == 422, wrong
    assert client.post(f"/costs/budgets/{budget.pk}/edit/", given | {"amount_usd": "20"}).status_code == 302
    assert "Exceeded" in text(client.get("/costs/")) and "since 7 Mar" in text(client.get("/costs/budgets/"))
    assert client.post(f"/costs/budgets/{budget.pk}/delete/").status_code == 302 and not Budget.objects.exists()


def test_advice_is_dismissed_and_looked_for(browser):
    advice, client = make_advice(make_instance(name="web-1")), browser("OPERATOR")
    said = text(client.get("/costs/right-sizing/"))
    assert "25.00 USD a month could be saved" in said and "web-1 big 40.00 USD small 15.00 USD" in said
    assert "Dismiss" not in text(browser("VIEWER").get("/costs/right-sizing/"))
    assert client.get(f"/costs/right-sizing/{advice.pk}/dismiss/").status_code == 405
    assert "is dismissed" in text(client.post(f"/costs/right-sizing/{advice.pk}/dismiss/", follow=True))
    assert "web-1" in text(client.get("/costs/right-sizing/?dismissed=true"))
    assert "could be smaller" in text(client.post("/costs/right-sizing/analyze/", follow=True))


def test_who_sees_what(browser):
    team = make_team()
    hidden = make_instance(name="secret", team=team)
    spend(hidden, {TODAY: 7})
    budget, advice = make_budget(name="hidden budget", instance=hidden), make_advice(hidden)
    entry = CostEntry.objects.get()
    member, outsider = browser("VIEWER", teams={team: "OPERATOR"}), browser("OPERATOR")
    addresses = (
        f"/costs/budgets/{budget.pk}/", f"/costs/budgets/{budget.pk}/edit/", f"/costs/entries/{entry.pk}/",
        f"/costs/instances/{hidden.pk}/",
    )  # fmt: skip
    for address in addresses:
        assert member.get(address).status_code == 200, address
        assert outsider.get(address).status_code == 404, address
    assert outsider.post(f"/costs/right-sizing/{advice.pk}/dismiss/").status_code == 404
    for page in PAGES:
        assert "secret" not in text(outsider.get(f"/costs/{page}")), page
    assert member.post("/costs/right-sizing/analyze/").status_code == 403
    viewer = browser("VIEWER")
    shared = make_budget(name="shared")
    for address in ("/costs/budgets/new/", f"/costs/budgets/{shared.pk}/edit/", f"/costs/budgets/{shared.pk}/delete/"):
        assert viewer.get(address).status_code == 403, address


def test_the_cost_of_an_instance(browser):
    web = make_instance(name="web-1", created_at=NOW - timedelta(days=60))
    spend(web, {ago(back): 2 for back in range(10)})
    said = text(browser("VIEWER").get(f"/costs/instances/{web.pk}/"))
    assert "Last 30 days 20.00 USD" in said and "Use Idle" in said and "60.00 USD a month" in said
    assert browser("VIEWER").get(f"/costs/instances/{web.pk}/trend/").json()["series"][0]["label"] == "Total"


def test_the_page_reads_a_fixed_number_of_rows(browser, django_assert_max_num_queries):
    client = browser("VIEWER")
    for _ in range(12):
        spend(make_instance(), {ago(back): 2 for back in range(3)})
        make_budget()
    client.get("/costs/")
    with django_assert_max_num_queries(34):
        client.get("/costs/")
