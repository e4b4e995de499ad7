"""Sizes that are larger than needed (contract: fleet console §17)."""

from datetime import timedelta

import pytest
import time_machine

from costs.pricing.queries import table_on
from costs.rightsizing.models import Recommendation
from costs.rightsizing.services import analyze, analyze_if_due
from costs.usage.queries import memory_p95
from fleet.instances.models import Instance
from fleet.metrics.recording import record
from fleet.metrics.samples import Beat, Sample
from fleet.metrics.services import roll_up
from tests.costs.spending import NOW, make_instance
from tests.factories import make_team

pytestmark = pytest.mark.django_db
URL = "/api/v1/costs/recommendations"
TOTAL = 8 * 1024**3


def sizes():
    return table_on("digitalocean", NOW.date()).ordered


def big():
    """A size that has a cheaper one of half its memory."""
    return next(size for size in sizes() if size.memory_gb == 8)


def watched(
    *, samples: int = 120, every_min: float = 1, cpu: float = 20, share: float = 0.3, peaks: int = 0, **fields
) -> Instance:
    """A machine of that size whose samples end 90 minutes ago; the oldest `peaks` of them use 90 % of the memory."""
    fields = {"provider": "digitalocean", "tags": {"vm_size": big().id}} | fields
    instance = make_instance(**fields)
    beats = []
    for number in range(samples):
        used = 0.9 if number >= samples - peaks else share
        sample = Sample(cpu_pct=cpu, mem_pct=100 * used, mem_used=int(used * TOTAL), mem_total=TOTAL, core_count=2)
        at = NOW - timedelta(minutes=90 + every_min * number)
        beats.append(Beat(instance_id=instance.pk, at=at, sample=sample))
    record(beats, now=NOW)
    return instance


def test_a_calm_machine_may_be_smaller():
    calm = watched()
    watched(cpu=40), watched(share=0.5), watched(samples=9), watched(status="SUSPENDED")
    watched(provider="docker"), watched(provider="ssh"), make_instance()
    roll_up()
    outcome = analyze(now=NOW)
    assert (outcome.analyzed, outcome.generated, outcome.skipped) == (7, 1, 6)
    advice = Recommendation.objects.get()
    assert (advice.instance, advice.current_tier, advice.samples) == (calm, big().id, 120)
    suggested = table_on("digitalocean", NOW.date()).size(advice.suggested_tier)
    assert 0.3 * 8 * 1.3 <= suggested.memory_gb < 8 and suggested.per_month < big().per_month
    assert advice.savings_micros == round((big().per_month - suggested.per_month) * 1_000_000)
    assert (advice.avg_cpu_percent, advice.confidence) == (20, 0.95)
    assert advice.avg_mem_percent == pytest.approx(30) and advice.needed_gb == pytest.approx(3.12)


def test_memory_must_hold_the_95th_percentile_and_30_percent_more():
    seldom, often = (watched(samples=40, every_min=30, peaks=peaks) for peaks in (2, 4))
    roll_up()
    analyze(now=NOW)
    assert set(Recommendation.objects.values_list("instance", flat=True)) == {seldom.pk}
    peaks = memory_p95(Instance.objects.all(), since=NOW - timedelta(days=30), until=NOW)
    assert peaks == {seldom.pk: int(0.3 * TOTAL), often.pk: int(0.9 * TOTAL)}


def test_confidence_is_by_samples():
    watched(samples=48)
    analyze(now=NOW)
    assert Recommendation.objects.get().confidence == 0.48


def test_what_no_longer_holds_goes_and_what_was_dismissed_stays_so(api):
    calm = watched()
    analyze(now=NOW)
    advice, operator = Recommendation.objects.get(), api("OPERATOR")
    assert operator.post(f"{URL}/{advice.pk}/dismiss").json()["dismissed"] is True
    assert operator.post(f"{URL}/{advice.pk}/dismiss").status_code == 200
    analyze(now=NOW + timedelta(hours=1))
    again = Recommendation.objects.get()
    assert (again.pk, again.dismissed) == (advice.pk, True) and again.generated_at > advice.generated_at
    Recommendation.objects.update(suggested_tier="another")
    analyze(now=NOW + timedelta(hours=1))
    assert not Recommendation.objects.get().dismissed, "another pair of sizes is another question"
    Instance.objects.filter(pk=calm.pk).update(status="STOPPED")
    analyze(now=NOW + timedelta(hours=2))
    assert not Recommendation.objects.exists()


def test_the_pass_is_made_once_a_day():
    assert analyze_if_due(NOW) and not analyze_if_due(NOW + timedelta(hours=1))
    assert analyze_if_due(NOW + timedelta(days=1))


@time_machine.travel(NOW, tick=False)
def test_over_http(api):
    team = make_team()
    shared, own = watched(), watched(team=team)
    operator, member = api("OPERATOR"), api("VIEWER", teams={team: "OPERATOR"})
    assert operator.post(f"{URL}/analyze").json() == {"analyzed": 2, "generated": 2, "skipped": 0}
    assert member.post(f"{URL}/analyze").status_code == 403
    (row,) = operator.get(URL).json()["recommendations"]
    assert row | {"instanceId": shared.pk, "currentTier": big().id, "avgCpuPercent": 20, "dismissed": False} == row
    assert row["savingsUsdMo"] == pytest.approx(row["currentUsdMo"] - row["suggestedUsdMo"])
    both = member.get(URL).json()
    assert both["totalSavingsUsdMo"] == 2 * row["savingsUsdMo"]
    hidden = next(one["id"] for one in both["recommendations"] if one["instanceId"] == own.pk)
    assert operator.post(f"{URL}/{hidden}/dismiss").status_code == 404
    assert member.post(f"{URL}/{row['id']}/dismiss").status_code == 403
    assert member.post(f"{URL}/{hidden}/dismiss").status_code == 200
    assert [one["instanceId"] for one in member.get(URL).json()["recommendations"]] == [shared.pk]
    assert len(member.get(URL, {"dismissed": "true"}).json()["recommendations"]) == 2
    assert operator.get(URL, {"dismissed": "maybe"}).status_code == 400
    assert operator.post(f"{URL}/{'x' * 129}/dismiss").status_code == 400
    assert operator.post(f"{URL}/none/dismiss").status_code == 404
