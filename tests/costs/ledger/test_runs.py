"""The ledger's run: one entry for each instance and UTC day, and nothing twice (contract: fleet console §15, §34.1)."""

from datetime import timedelta
from decimal import Decimal

import pytest

from costs.ledger import services
from costs.ledger.models import CostEntry, DayTotal, LedgerRun, Subject
from costs.money import cents
from costs.pricing.models import PriceList
from fleet.instances.models import Instance
from tests.costs.making import DAY, GB, at, make_machine, sent, turn, whole_day
from tests.factories import make_team

pytestmark = pytest.mark.django_db


def only(**found):
    return CostEntry.objects.get(**found)


def parts(entry):
    return [cents(getattr(entry, f"{part}_micros")) for part in ("compute", "storage", "network", "total")]


@pytest.mark.storage
def test_the_worked_example_in_the_ledger():
    instance = make_machine()
    sent(instance, 5 * GB, 70 * GB, 10 * GB, 55 * GB)  # 65, then from 0 again 10, then 45: 120 GB in all
    whole_day()
    entry = only(day=DAY)
    assert parts(entry) == [Decimal("2.07"), Decimal("0.25"), Decimal("0.01"), Decimal("2.33")]
    assert (entry.source, entry.counted_until, entry.status) == ("estimated", at(day=1), "RUNNING")
    assert entry.basis["egress_gb"] == 120 and entry.basis["spans"][0]["prices"] == "fly-2026-11-01"
    total = DayTotal.objects.get(day=DAY)
    assert (total.total_micros, total.provider, total.entries) == (entry.total_micros, "fly", 1)


@pytest.mark.storage
def test_a_second_run_changes_nothing():
    make_machine()
    make_machine("web-2", team=make_team(name="payments"))
    whole_day()
    before = list(CostEntry.objects.order_by("day", "instance_id").values())
    sums = list(DayTotal.objects.order_by("day", "team_id").values_list("day", "team_id", "total_micros", "entries"))
    services.run(now=at(10 / 60, day=1))
    after = list(CostEntry.objects.order_by("day", "instance_id").values())
    assert after == before and len(after) == 4
    assert sums == list(
        DayTotal.objects.order_by("day", "team_id").values_list("day", "team_id", "total_micros", "entries")
    )


def test_hours_that_nobody_looked_are_made_up_for():
    make_machine()
    services.run(now=at(3))
    services.run(now=at(6, day=2))
    whole = only(day=DAY).total_micros
    assert cents(whole) == Decimal("2.32")
    assert only(day=DAY + timedelta(days=1)).total_micros == whole
    assert only(day=DAY + timedelta(days=2)).counted_until == at(6, day=2)


def test_a_day_is_counted_from_the_machine_s_beginning_to_its_end():
    instance = make_machine(since=at(6))
    services.run(now=at(8))
    turn(instance, "DESTROY", at(18), "DESTROYED")
    services.run(now=at(20))
    services.run(now=at(1, day=1))
    entry = only()
    assert entry.basis["spans"][0]["s"] == 12 * 3600
    assert cents(entry.compute_micros) == Decimal("1.03")


def test_a_machine_that_lived_between_two_runs_is_counted():
    instance = make_machine(since=at(1))
    turn(instance, "DEPLOY", at(1), "RUNNING")
    turn(instance, "DESTROY", at(1.5), "DESTROYED")
    services.run(now=at(2))
    assert only().basis["spans"][0]["s"] == 1800


def test_what_began_after_the_last_look_at_yesterday_is_counted_there():
    assert services.tend(now=at(23.2))
    make_machine(since=at(23.5))
    assert services.tend(now=at(0.2, day=1))
    assert dict(CostEntry.objects.values_list("day", "counted_until")) == {
        DAY: at(day=1),
        DAY + timedelta(days=1): at(0.2, day=1),
    }


def test_stops_and_resizes_within_a_day():
    instance = make_machine()
    services.run(now=at(1))
    turn(instance, "SUSPEND", at(6), "SUSPENDED")
    services.run(now=at(7))
    turn(instance, "RESUME", at(12), "RUNNING")
    services.run(now=at(12.5))
    Instance.objects.filter(pk=instance.pk).update(tags={"vm_size": "performance-4x"})
    services.run(now=at(10 / 60, day=1))
    spans = only(day=DAY).basis["spans"]
    assert [(span["status"], span["size"], span["s"] / 3600) for span in spans] == [
        ("RUNNING", "performance-2x", 6.5),
        ("SUSPENDED", "performance-2x", 6),
        ("RUNNING", "performance-4x", 11.5),
    ]
    assert spans[1]["compute"] == 0


def test_a_move_counts_where_the_machine_was_at_the_end_of_the_day_and_keeps_the_days_before():
    instance = make_machine(region="ams", team=make_team(name="payments"))
    whole_day()
    Instance.objects.filter(pk=instance.pk).update(region="fra", name="web-9", team=None)
    whole_day(1)
    places = dict(CostEntry.objects.values_list("day", "subject__region"))
    assert places[DAY] == "ams" and places[DAY + timedelta(days=1)] == "fra"
    assert set(Subject.objects.values_list("instance_name", "team_name")) == {("web-1", "payments"), ("web-9", None)}


def test_an_instance_that_is_deleted_keeps_its_costs():
    instance = make_machine()
    whole_day()
    Instance.objects.all().delete()
    services.run(now=at(5, day=1))
    assert CostEntry.objects.filter(instance_id=instance.pk).count() == 2


def test_a_provider_without_prices_is_left_out():
    make_machine("own", provider="ssh")
    make_machine("box", provider="docker")
    make_machine("lost", status="ERROR")
    whole_day()
    assert not CostEntry.objects.exists()


def test_other_prices_hold_from_their_day_on():
    make_machine()
    whole_day()
    document = {
        "provider": "fly",
        "name": "Fly",
        "currency": "USD",
        "valid_from": "2026-11-12",
        "source": "our contract",
        "as_of": "2026-11-01",
        "sizes": [{"id": "performance-2x", "name": "p", "vcpus": 2, "memory_gb": 4, "price_per_month": 30}],
        "storage": {"gb_per_month": 0},
        "network": {"egress_gb_free": 0, "egress_gb_price": 0},
    }
    PriceList.objects.create(provider="fly", version=1, valid_from="2026-11-12", document=document)
    services.run(now=at(6, day=3))
    totals = dict(CostEntry.objects.values_list("day", "compute_micros"))
    assert [cents(totals[DAY + timedelta(days=day)]) for day in range(3)] == [
        Decimal("2.07"),
        Decimal("2.07"),
        Decimal("1.00"),
    ]
    assert only(day=DAY + timedelta(days=2)).basis["spans"][0]["prices"] == "fly version 1 of 2026-11-12"


def test_the_turn_is_taken_once_an_hour_and_by_one(monkeypatch):
    followed = []
    monkeypatch.setattr(services, "_followers", [lambda now: 1 / 0, followed.append])
    make_machine()
    assert services.tend(now=at(8))
    assert not services.tend(now=at(8.1))
    assert services.tend(now=at(8.2))  # ten past eight has gone by
    assert not services.tend(now=at(9))
    assert followed == [at(8), at(8.2)]  # one that fails does not keep the next from its work
    assert LedgerRun.objects.get().finished_at is not None


def test_old_entries_are_dropped_with_what_only_they_needed(settings):
    settings.KEEP_DAYS = settings.KEEP_DAYS | {"costs": 100}
    make_machine()
    whole_day()
    assert services.prune(now=at(day=100)) == 0
    assert services.prune(now=at(day=102)) == 2
    assert not CostEntry.objects.exists() and not DayTotal.objects.exists() and not Subject.objects.exists()
