"""How amounts come about: the worked example of the contract, and whatever happens in a day (fleet console §15)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from costs.ledger.accrual import DayCount, Machine, rate_of, stretches, turn_of
from costs.money import cents, micros, share
from costs.pricing.queries import shipped
from fleet.instances.models import Status

NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)
MIDNIGHT = NOON.replace(hour=0)
FLY = next(table for table in shipped() if table.provider == "fly")
EXAMPLE = Machine(region=None, size_id="performance-2x", disk_gb=Decimal(50), egress_gb=Decimal(120))


def counted(*parts, machine=EXAMPLE):
    """A day of these stretches: hours and the status in them."""
    count, start = DayCount(MIDNIGHT.date(), MIDNIGHT, parts[0][1]), MIDNIGHT
    for hours, status in parts:
        end = start + timedelta(hours=hours)
        count.add(start, end, status, rate_of(machine, FLY), machine.region)
        start = end
    return count


def test_the_worked_example_to_the_cent():
    rate = rate_of(EXAMPLE, FLY)
    assert [cents(part) for part in (rate.compute, rate.storage, rate.network)] == [
        Decimal("62.00"),
        Decimal("7.50"),
        Decimal("0.40"),
    ]
    assert cents(rate.compute + rate.storage + rate.network) == Decimal("69.90")
    day = counted((24, Status.RUNNING))
    parts = (day.compute_micros, day.storage_micros, day.network_micros)
    assert [cents(part) for part in parts] == [Decimal("2.07"), Decimal("0.25"), Decimal("0.01")]
    assert cents(sum(parts)) == Decimal("2.33")


def test_counting_in_pieces_gives_what_the_whole_day_gives():
    whole, pieces = counted((24, Status.RUNNING)), counted(*[(0.5, Status.RUNNING)] * 48)
    assert (pieces.compute_micros, pieces.storage_micros, pieces.network_micros) == (
        whole.compute_micros,
        whole.storage_micros,
        whole.network_micros,
    )
    assert len(pieces.spans) == 1


def test_time_that_was_counted_is_not_counted_again():
    day = counted((6, Status.RUNNING))
    before = day.compute_micros
    day.add(MIDNIGHT, MIDNIGHT + timedelta(hours=6), Status.RUNNING, rate_of(EXAMPLE, FLY), None)
    assert day.compute_micros == before == share(micros(Decimal(62)), 6 * 3600)


@pytest.mark.parametrize("status", [Status.STOPPED, Status.SUSPENDED])
def test_a_machine_at_rest_costs_its_disk_only(status):
    day = counted((24, status))
    assert (day.compute_micros, day.network_micros) == (0, 0)
    assert cents(day.storage_micros) == Decimal("0.25")


@pytest.mark.parametrize("status", [Status.UNKNOWN, Status.DEPLOYING, Status.ERROR, Status.DESTROYED])
def test_other_states_cost_nothing(status):
    assert not counted((24, status)).billed


def test_another_size_within_the_day_counts_from_then_on():
    day = counted((12, Status.RUNNING))
    bigger = rate_of(Machine(region=None, size_id="performance-4x", disk_gb=Decimal(50)), FLY)
    day.add(NOON, NOON + timedelta(hours=12), Status.RUNNING, bigger, None)
    assert day.compute_micros == micros(Decimal(62) / 60) + micros(Decimal(124) / 60)
    assert [span["size"] for span in day.spans] == ["performance-2x", "performance-4x"]


@pytest.mark.parametrize(
    ("cores", "memory", "size"),
    [
        (None, None, "shared-cpu-1x"),  # nothing is known: the least that it can be
        (1, 0.45, "shared-cpu-1x-512mb"),
        (2, 3.8, "shared-cpu-2x-4gb"),
        (8, 15.6, "performance-8x"),
        (96, 700, "performance-16x"),  # larger than all that is on the list
    ],
)
def test_a_size_that_nobody_told_is_the_cheapest_that_covers_the_machine(cores, memory, size):
    assert rate_of(Machine(region=None, cores=cores, memory_gb=memory), FLY).size == size


def test_an_unknown_size_on_the_label_is_not_believed():
    rate = rate_of(Machine(region=None, size_id="enormous", cores=1, memory_gb=2), FLY)
    assert rate.size == "shared-cpu-1x-2gb"


def test_a_disk_that_was_never_reported_counts_as_20_gib():
    rate = rate_of(Machine(region=None, size_id="performance-2x"), FLY)
    assert (cents(rate.storage), rate.disk_told) == (Decimal("3.00"), False)


def history(*turns, known=None, current=Status.RUNNING, hours=24):
    until = MIDNIGHT + timedelta(hours=hours)
    found = stretches([turn_of(*one) for one in turns], since=MIDNIGHT, until=until, known=known, current=current)
    return [(day.day, (end - start) / timedelta(hours=1), status) for day, start, end, status in found]


def test_stretches_are_cut_at_turns_and_midnights():
    suspended = ("SUSPEND", NOON, None)
    assert history(suspended, current=Status.SUSPENDED, hours=30) == [
        (10, 12, Status.RUNNING),
        (10, 12, Status.SUSPENDED),
        (11, 6, Status.SUSPENDED),
    ]


def test_a_removal_ends_in_the_state_that_it_tells():
    assert history(("DESTROY", NOON, None), current=Status.DESTROYED)[-1] == (10, 12, Status.DESTROYED)
    stopped = ("DESTROY", NOON, {"final_status": "STOPPED"})
    assert history(stopped, current=Status.STOPPED) == [(10, 12, Status.RUNNING), (10, 12, Status.STOPPED)]


def test_what_a_registration_ends_cost_nothing():
    assert history(("DEPLOY", NOON, None)) == [(10, 12, Status.UNKNOWN), (10, 12, Status.RUNNING)]


def test_a_change_that_no_history_tells_counts_since_the_last_look():
    assert history(known=Status.RUNNING, current=Status.STOPPED) == [(10, 24, Status.STOPPED)]
