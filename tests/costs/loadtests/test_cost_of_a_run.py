"""What a load test cost: the instances' share of their day, and that for a request."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from costs.ledger.models import CostEntry
from costs.loadtests.queries import cost_of, micros_between
from costs.money import MICROS
from tests.costs.spending import TODAY, ago, make_instance, spend

NOON = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def entry(day, usd: float, *, until: datetime, seconds: int) -> CostEntry:
    basis = {"spans": [{"s": seconds}]}
    return CostEntry(day=day, total_micros=round(usd * MICROS), counted_until=until, basis=basis)


def test_a_second_costs_the_same_all_day():
    whole = entry(TODAY, 24, until=NOON + 12 * HOUR, seconds=86_400)
    assert micros_between([whole], NOON, NOON + HOUR) == MICROS
    half = entry(TODAY, 24, until=NOON + 12 * HOUR, seconds=43_200)
    assert micros_between([half], NOON, NOON + HOUR) == 2 * MICROS, "it ran half of the day"


def test_over_midnight():
    midnight = NOON - 12 * HOUR
    first, second = (
        entry(ago(1), 24, until=midnight, seconds=86_400),
        entry(TODAY, 48, until=midnight + 12 * HOUR, seconds=43_200),
    )
    assert micros_between([first, second], midnight - HOUR, midnight + HOUR) == Decimal(1 + 4) * MICROS
    assert micros_between([second], midnight - HOUR, midnight + HOUR) is None, "the day before is not counted"


def test_what_is_not_counted_yet_is_unknown():
    so_far = entry(TODAY, 12, until=NOON, seconds=43_200)
    assert micros_between([so_far], NOON - HOUR, NOON) == MICROS
    assert micros_between([so_far], NOON - HOUR, NOON + HOUR) is None and micros_between([], NOON, NOON) == 0


@pytest.mark.django_db
def test_the_words_on_the_page_of_the_run():
    web, dark = make_instance(name="web"), make_instance(name="dark")
    spend(web, {TODAY: 24})
    found = cost_of([web], NOON, NOON + HOUR, 50_000)
    assert (found.whole, found.by_request) == ("1.00 USD", "20.00 USD for a million requests")
    (part,) = found.parts
    assert (part.name, part.text, part.url) == ("web", "1.00 USD", f"/costs/entries/?instance={web.pk}&day={TODAY}")
    assert cost_of([web], NOON, NOON + timedelta(seconds=18), 0).by_request == ""
    assert cost_of([web], NOON, NOON + timedelta(seconds=18), 10).whole == "0.005 USD"
    both = cost_of([web, dark], NOON, NOON + HOUR, 10)
    assert both.whole == both.by_request == "" and both.parts[1].text.startswith("not in the ledger yet")
