"""Bills: all of one or nothing, line by line, beside what was estimated (contract: fleet console §15)."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from costs.billing import services
from costs.billing.lines import Unreadable, read
from costs.ledger import services as ledger
from costs.ledger.models import CostEntry, DayTotal
from costs.money import cents
from tests.costs.making import DAY, at, make_machine, whole_day

HEADER = "ResourceId,ChargePeriodStart,ChargePeriodEnd,BilledCost,BillingCurrency,ServiceCategory,ChargeCategory,SkuId"
TODAY = at(day=10)


def line(
    resource="web-1", day="2026-11-10", cost="2.50", *, until=None, currency="USD", part="Compute", more="Usage,a"
):
    until = until or str(DAY.fromisoformat(day) + timedelta(days=1))
    return f"{resource},{day},{until},{cost},{currency},{part},{more}"


@pytest.fixture
def bill(tmp_path):
    """`bill(line(), ...)` is a file with these lines."""

    def write(*lines, header=HEADER):
        path = tmp_path / "bill.csv"
        path.write_text("\n".join([header, *lines]) + "\n")
        return path

    return write


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (line(cost="-1"), "below zero"),
        (line(cost="lots"), "no amount"),
        (line(cost="NaN"), "no amount"),
        (line(cost="1e30"), "above 1000000"),
        (line(cost=""), "no amount"),
        (line(currency="EUR"), "The currency is EUR"),
        (line(resource=""), "ResourceId"),
        (line(until="2026-11-10"), "not after"),
        (line(until="2036-11-10"), "longer than"),
        ("web-1,soon,2026-11-11,1,USD,Compute,Usage,a", "ISO 8601"),
        (line(day="2026-11-20"), "not over yet"),
    ],
)
def test_lines_that_make_no_sense_are_named(bill, wrong, said):
    lines, faults = read(bill(line(), wrong), today=TODAY)
    assert [fault.line for fault in faults] == [3] and said in faults[0].text
    assert [one.number for one in lines] == [2]


def test_doubles_and_overlaps_are_named_with_the_other_line(bill):
    day, later = line(), line(day="2026-11-12")
    path = bill(day, later, day, line(day="2026-11-11", until="2026-11-14"), line(part="Storage"))
    _, faults = read(path, today=TODAY)
    assert {(fault.line, fault.text) for fault in faults} == {
        (4, "This charges the same for the same time as line 2."),
        (3, "This overlaps the time of line 5."),
    }


@pytest.mark.parametrize("header", ["ResourceId,BilledCost", "\x00", ""])
def test_what_is_no_bill_is_refused(bill, header):
    with pytest.raises(Unreadable):
        read(bill(line(), header=header), today=TODAY)


@pytest.mark.django_db
@pytest.mark.storage
def test_a_bill_takes_the_place_of_the_estimate_and_keeps_it(bill):
    instance = make_machine()
    whole_day()
    estimate = CostEntry.objects.get(day=DAY).total_micros
    path = bill(line(cost="2.50"), line(cost="0.30", part="Storage"), line(cost="-0.10", more="Credit,a"))
    taken = services.take_in(path, now=TODAY)
    assert (taken.reconciled, taken.new, cents(taken.billed)) == (1, 0, Decimal("2.70"))
    entry = CostEntry.objects.get(day=DAY)
    assert (entry.source, entry.estimated_micros, cents(entry.storage_micros)) == (
        "reconciled",
        estimate,
        Decimal("0.30"),
    )
    assert cents(entry.compute_micros) == Decimal("2.40")
    assert entry.basis["bill"] == {"file": "bill.csv", "lines": [2, 3, 4]} and entry.basis["spans"]
    assert DayTotal.objects.get(day=DAY).total_micros == entry.total_micros
    assert services.take_in(path, now=TODAY).unchanged == 1
    ledger.run(now=at(5, day=2))
    assert CostEntry.objects.get(day=DAY).total_micros == entry.total_micros
    assert CostEntry.objects.filter(instance_id=instance.pk).count() == 3


@pytest.mark.django_db
def test_a_bill_of_months_is_spread_over_its_days_exactly(bill):
    make_machine(since=at(day=9))
    services.take_in(bill(line(day="2026-11-01", until="2026-11-08", cost="10.00")), now=TODAY)
    totals = list(CostEntry.objects.order_by("day").values_list("total_micros", "source"))
    assert len(totals) == 7 and sum(total for total, _ in totals) == 10_000_000
    assert {source for _, source in totals} == {"actual"}
    ledger.run(now=TODAY)  # days that only a bill knows are no reason to estimate those after them
    assert not CostEntry.objects.filter(day__gt="2026-11-07", day__lt="2026-11-19").exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((line(), line("stranger")), {3: "no instance"}),
        ((line(), line("twin")), {3: "more than one instance"}),
        ((line(), line(cost="-9", more="Credit,b")), {3: "The credits"}),
        ((line(day="2026-11-11"), line(cost="x")), {3: "no amount"}),
    ],
)
def test_nothing_is_half_imported(bill, lines, said):
    make_machine()
    make_machine("twin", status="ERROR")
    make_machine("twin")
    whole_day()
    before = list(CostEntry.objects.order_by("pk").values())
    with pytest.raises(services.Refused) as caught:
        services.take_in(bill(*lines), now=TODAY)
    assert {fault.line for fault in caught.value.faults} == set(said)
    assert all(said[fault.line] in fault.text for fault in caught.value.faults)
    assert list(CostEntry.objects.order_by("pk").values()) == before


@pytest.mark.django_db
def test_another_amount_for_a_billed_day_needs_a_word(bill):
    make_machine()
    whole_day()
    services.take_in(bill(line(cost="2.50")), now=TODAY)
    again = bill(line(cost="3.00"))
    with pytest.raises(services.Refused) as caught:
        services.take_in(again, now=TODAY)
    assert "billed with 2.50 USD already" in caught.value.faults[0].text
    assert services.take_in(again, replace=True, now=TODAY).replaced == 1


@pytest.mark.django_db
def test_the_command_tells_every_fault_and_what_came_of_it(bill, capsys):
    make_machine()
    whole_day()
    with pytest.raises(CommandError, match="Nothing was imported: 2 faults"):
        call_command("costs", "import", str(bill(line("a"), line("b"))))
    assert "line 3: The resource 'b' is no instance here." in capsys.readouterr().err
    call_command("costs", "import", str(bill(line("a"), line())), "--skip-unknown")
    assert "1 lines, 1 left out. Days of instances: 1 reconciled" in capsys.readouterr().out
    call_command("costs", "summary", "--from", "2026-11-10", "--to", "2026-11-10", "--json")
    assert json.loads(capsys.readouterr().out)["totalUsd"] == 2.5
    with pytest.raises(CommandError, match="the first one first"):
        call_command("costs", "summary", "--from", "2026-11-10", "--to", "2026-11-09")
