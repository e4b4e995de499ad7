"""Price tables: those that ship, what one must look like, which one holds on which day. Plain rules."""

from copy import deepcopy
from decimal import Decimal

import pytest

from config.api.errors import Invalid
from costs.money import cents, micros, usd, wire
from costs.pricing.queries import shipped
from costs.pricing.shapes import PROVIDERS, read_document

GOOD = {
    "provider": "fly",
    "name": "Fly by contract",
    "currency": "USD",
    "valid_from": "2026-12-01",
    "source": "our contract",
    "as_of": "2026-11-01",
    "sizes": [
        {"id": "small", "name": "Small", "vcpus": 1, "memory_gb": 1, "price_per_hour": 0.01},
        {"id": "large", "name": "Large", "vcpus": 4, "memory_gb": 8, "price_per_month": 100},
    ],
    "storage": {"gb_per_month": 0.15},
    "network": {"egress_gb_free": 100, "egress_gb_price": 0.02},
}


def changed(path, value):
    """The good document with another value at a place; without it, if the value is None."""
    document = deepcopy(GOOD)
    *way, name = path
    place = document
    for step in way:
        place = place[step]
    if value is None:
        del place[name]
    else:
        place[name] = value
    return document


def test_a_table_ships_for_every_provider_with_at_least_three_sizes():
    tables = {table.provider: table for table in shipped()}
    assert set(tables) == set(PROVIDERS)
    assert all(len(table.sizes) >= 3 for table in tables.values())
    assert {name for name, table in tables.items() if not table.priced} == {"docker", "kubernetes"}
    assert all(table.source and table.notes and table.as_of <= table.valid_from for table in tables.values())


def test_the_formula_of_sandboxes():
    size = next(table for table in shipped() if table.provider == "e2b").size("e2b-2-4")
    assert size.per_hour == 2 * Decimal("0.0504") + 4 * Decimal("0.0162")
    assert cents(size.per_month) == cents(size.per_hour * 730) and size.price_source == "formula"


def test_a_region_has_its_own_price_or_is_marked():
    aws = next(table for table in shipped() if table.provider == "aws")
    size = aws.size("t3.micro")
    assert (size.hour_in("us-east-1"), size.hour_in("eu-west-1")) == (Decimal("0.0104"), Decimal("0.0114"))
    assert size.month_in("eu-west-1") == Decimal("0.0114") * 730
    uncertain = [aws.is_estimate(size, region) for region in (None, "us-east-1", "eu-west-1", "sa-east-1")]
    assert uncertain == [False, False, False, True]


def test_a_good_table_is_read_with_exact_prices():
    document = read_document(GOOD)
    assert document["sizes"][0]["price_per_hour"] == Decimal("0.01")


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        (("currency",), "EUR", "currency"),
        (("provider",), "moon", "provider"),
        (("sizes",), [], "sizes.non_field_errors"),
        (("sizes",), "many", "sizes.non_field_errors"),
        (("sizes", 1, "id"), "small", "sizes"),
        (("sizes", 0, "price_per_hour"), -0.01, "sizes.0.price_per_hour"),
        (("sizes", 0, "price_per_hour"), 5000, "sizes.0.price_per_hour"),
        (("sizes", 0, "price_per_hour"), "NaN", "sizes.0.price_per_hour"),
        (("sizes", 0, "price_per_hour"), None, "sizes.0.price_per_month"),
        (("sizes", 0, "price_per_month"), 700, "sizes.0.price_per_month"),
        (("sizes", 1, "price_source"), "none", "sizes.1.price_source"),
        (("sizes", 0, "vcpus"), -1, "sizes.0.vcpus"),
        (("sizes", 0, "memory_gb"), None, "sizes.0.memory_gb"),
        (("sizes", 0, "regional"), {"a\x00": 1}, "sizes.0.regional"),
        (("sizes", 0, "regional"), {"ams": -1}, "sizes.0.regional.ams"),
        (("storage",), None, "storage"),
        (("storage", "gb_per_month"), -0.1, "storage.gb_per_month"),
        (("network", "egress_gb_price"), 1e9, "network.egress_gb_price"),
        (("valid_from",), "soon", "valid_from"),
        (("valid_from",), "0001-01-01", "valid_from"),
        (("source",), None, "source"),
        (("prices",), {}, "prices"),
        (("name",), "a\x00b", "name"),
    ],
)
def test_each_fault_is_told_with_its_place(path, value, place):
    with pytest.raises(Invalid) as caught:
        read_document(changed(path, value))
    assert place.replace(".non_field_errors", "") in caught.value.details, caught.value.details


@pytest.mark.parametrize("document", [None, [], "text", 5, {}])
def test_what_is_no_table_is_refused(document):
    with pytest.raises(Invalid):
        read_document(document)


@pytest.mark.parametrize(
    ("amount", "shown"),
    [(2_066_667, 2.07), (5_000, 0.01), (4_999, 0.0), (-5_000, -0.01), (13_333, 0.01), (10**15 + 5_000, 1e9 + 0.01)],
)
def test_money_is_rounded_half_away_from_zero(amount, shown):
    assert wire(amount) == shown == float(cents(amount))
    assert micros(usd(amount)) == amount
