"""Totals are the sums of their parts: summary = trends = breakdown = ledger (contract: fleet console §15)."""

from datetime import timedelta

import pytest
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.api.authentication import Principal
from costs.ledger import queries
from costs.ledger.models import PARTS, ClosedWeek, CostEntry, DayTotal, Subject
from costs.ledger.queries import Amount, Days, Scope
from costs.ledger.totals import close_weeks, sum_up
from costs.money import wire
from costs.reports import queries as reports
from tests.costs.making import DAY

DAYS = Days(DAY - timedelta(days=2), DAY + timedelta(days=12))  # from a Sunday to a Sunday: two weeks lie in it
SCOPES = (
    Scope(),
    Scope(provider="fly"),
    Scope(instance_id="a"),
    Scope(Principal(user=None, teams={"t1": "VIEWER"})),
)
AFTER = DAY + timedelta(days=30)
MICROS = st.one_of(st.integers(0, 40_000), st.integers(0, 10**12))
SUBJECTS = st.fixed_dictionaries(
    {
        "instance_id": st.sampled_from(["a", "b", "c", "d"]),
        "instance_name": st.sampled_from(["web", "db"]),
        "provider": st.sampled_from(["fly", "aws"]),
        "region": st.sampled_from([None, "ams", "fra"]),
        "team_id": st.sampled_from([None, "t1", "t2"]),
        "team_name": st.just(None),
        "labels": st.sampled_from([{}, {"env": "prod"}, {"env": "test", "app": "shop"}]),
    }
)
ENTRIES = st.lists(st.tuples(SUBJECTS, st.integers(-4, 14), st.tuples(MICROS, MICROS, MICROS, MICROS)), max_size=12)


def store(drawn, closed, changed):
    """The drawn fleet as a ledger; of two entries of an instance and day the first counts.

    `closed`: its weeks are over and summed up; `changed`: and then an entry became another one.
    """
    CostEntry.objects.all().delete()
    Subject.objects.all().delete()
    DayTotal.objects.all().delete()
    ClosedWeek.objects.all().delete()
    keys = Subject.keys_of({Subject.digest_of(facts): facts for facts, _, _ in drawn})
    entries = {}
    for facts, place, amounts in drawn:
        day = DAY + timedelta(days=place)
        values = {f"{part}_micros": amount for part, amount in zip(PARTS, amounts, strict=True)}
        entry = CostEntry(
            instance_id=facts["instance_id"], day=day, subject_id=keys[Subject.digest_of(facts)], **values
        )
        entry.total_micros, entry.counted_until = sum(amounts), f"{day}T23:00:00Z"
        entries.setdefault((entry.instance_id, day), entry)
    CostEntry.objects.bulk_create(entries.values())
    sum_up({day for _, day in entries})
    if closed:
        close_weeks(today=AFTER)
    if changed and entries:
        entry = CostEntry.objects.order_by("pk")[0]
        CostEntry.objects.filter(pk=entry.pk).update(
            compute_micros=entry.compute_micros + 7, total_micros=entry.total_micros + 7
        )
        sum_up({entry.day})


@pytest.mark.django_db
@pytest.mark.storage
def test_every_report_adds_up_to_the_ledger():
    @settings(
        max_examples=12,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(ENTRIES, st.booleans(), st.booleans())
    def holds(drawn, closed, changed):
        store(drawn, closed, changed)
        assert not (closed and drawn and not changed) or ClosedWeek.objects.exists()
        for scope in SCOPES:
            adds_up(scope)

    holds()


def adds_up(scope):
    """Everything that is asked of these days gives the sum of the entries in them."""
    expected = Amount()
    for entry in queries.entries(DAYS, scope):
        expected += queries.amount_of(entry)
    assert queries.total(DAYS, scope) == expected
    by_day = queries.daily_totals(DAYS, scope)
    assert sum(by_day.values(), Amount()) == expected
    assert set(by_day) == set(queries.entries(DAYS, scope).values_list("day", flat=True))
    for field in ("provider", "region", "team_id"):
        assert sum(queries.totals_by(field, DAYS, scope).values(), Amount()) == expected
    assert sum(queries.daily_totals_by("provider", DAYS, scope).values(), Amount()) == expected
    for by in ("instance", "team", "label:env"):
        groups = reports.breakdown(DAYS, scope, by=by)
        assert sum((group.amount for group in groups), Amount()) == expected
        assert len({group.key for group in groups}) == len(groups)
    totals = queries.subject_totals(DAYS, scope)
    assert sum(total for *_, total in totals) == expected.total
    assert queries.instance_count(DAYS, scope) == len({one for one, *_ in totals})
    shown = {row["instanceId"]: row["totalUsd"] for row in reports.by_instance(DAYS, scope)}
    sums = queries.entries(DAYS, scope).order_by().values_list("instance_id").annotate(Sum("total_micros"))
    assert shown == {instance: wire(int(total)) for instance, total in sums}
