"""Budgets tell people once in a period that their threshold was crossed, counted at a real receiver."""

from datetime import UTC, datetime, timedelta

import pytest

from alerts.budgets.services import look
from alerts.evaluation.services import evaluate
from alerts.inbox.models import InboxEntry
from alerts.incidents.models import Alert, Status
from costs.budgets import services
from costs.budgets.models import Budget
from costs.money import MICROS
from tests.alerts.conftest import make_channel, make_rule, send_all
from tests.alerts.test_mail import mailbox  # noqa: F401 - a fixture
from tests.costs.spending import NOW, TODAY, ago, make_instance, spend
from tests.factories import make_user

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
NEXT_MONTH = datetime(2026, 4, 2, 12, 0, tzinfo=UTC)
MAIL = {"recipients": ["money@example.org"]}


@pytest.fixture
def inbox_and_mail(mailbox):  # noqa: F811
    make_channel(type="IN_APP", config={})
    make_channel(type="EMAIL", config=MAIL)
    make_channel(type="EMAIL", config=MAIL, enabled=False)
    make_channel("http://127.0.0.1:9/never")
    return mailbox


def make_budget(**fields) -> Budget:
    fields = {"name": "Production", "amount_micros": 100 * MICROS, "period": "MONTHLY"} | fields
    return Budget.objects.create(**fields)


def told(mails, now: datetime) -> int:
    """Look, deliver, and count what has arrived in all."""
    look(now=now)
    send_all(now + timedelta(minutes=5))
    return len(mails.mails)


def test_one_notification_for_a_period_and_crossing(inbox_and_mail):
    reader, web = make_user(), make_instance()
    spend(web, {ago(5): 79.99})
    budget = make_budget()
    assert told(inbox_and_mail, NOW) == 0 and not Alert.objects.exists()
    spend(web, {ago(4): 0.01})
    assert [told(inbox_and_mail, NOW + number * HOUR) for number in range(3)] == [1, 1, 1], "once"
    ((recipients, mail),) = inbox_and_mail.mails
    assert recipients == MAIL["recipients"]
    assert mail["Subject"] == "[Sindri Alert] MEDIUM: Budget Production is nearly used up"
    words = "80.00 USD of 100.00 USD (80 %) for the whole fleet since 2026-03-01 (UTC), until 2026-03-31."
    assert words in mail.get_content()
    assert list(InboxEntry.objects.values_list("user", flat=True)) == [reader.pk]
    spend(web, {ago(3): 40})
    assert told(inbox_and_mail, NOW + 4 * HOUR) == 1, "used up in the same period is no second crossing"
    alert = Alert.objects.get()
    assert (alert.type, alert.source, alert.status) == ("COST", "costs", Status.ACTIVE)
    budget.refresh_from_db()
    assert budget.alerted_for.isoformat() == "2026-03-01"

    assert told(inbox_and_mail, NEXT_MONTH) == 1, "the end of a month is no news"
    assert Alert.objects.get().status == Status.RESOLVED
    spend(web, {NEXT_MONTH.date(): 120})
    assert told(inbox_and_mail, NEXT_MONTH + HOUR) == 2
    assert "HIGH: Budget Production is exceeded" in inbox_and_mail.mails[1][1]["Subject"]


def test_another_amount_or_threshold_is_another_crossing(inbox_and_mail, api):
    make_user()
    spend(make_instance(), {TODAY: 50})
    budget, operator = make_budget(), api("OPERATOR")
    path = f"/api/v1/costs/budgets/{budget.pk}"
    assert told(inbox_and_mail, NOW) == 0
    assert operator.patch(path, {"alertThreshold": 0.5}).status_code == 200
    assert told(inbox_and_mail, NOW + HOUR) == 1
    operator.patch(path, {"name": "Same question"})
    assert told(inbox_and_mail, NOW + 2 * HOUR) == 1
    operator.patch(path, {"amountUsd": 60})
    assert told(inbox_and_mail, NOW + 3 * HOUR) == 2 and Alert.objects.open().count() == 1
    operator.patch(path, {"amountUsd": 1000})
    assert told(inbox_and_mail, NOW + 4 * HOUR) == 2 and not Alert.objects.open().exists()


def test_of_two_workers_one_tells(inbox_and_mail):
    spend(make_instance(), {TODAY: 90})
    budget, other = make_budget(), make_budget(name="Other", amount_micros=1000 * MICROS)
    assert [services.claim(budget, now=NOW) for _ in range(2)] == [True, False]
    Budget.objects.filter(pk=other.pk).update(amount_micros=1)
    assert not services.claim(other, now=NOW), "it asks something else by now"


def test_a_deleted_budget_ends_its_alert(inbox_and_mail):
    spend(make_instance(), {TODAY: 90})
    budget = make_budget()
    look(now=NOW)
    budget.delete()
    look(now=NOW + HOUR)
    assert Alert.objects.get().status == Status.RESOLVED


def test_cost_rules_read_the_ledger():
    web, idle = make_instance(last_seen_at=NOW), make_instance(last_seen_at=NOW)
    spend(web, {ago(10): 30, TODAY: 20})
    cost = {"budget_usd": 50, "period": "monthly", "threshold_percent": 100}
    rules = {
        name: make_rule(type="COST", instance=instance, conditions=cost | more)
        for name, instance, more in (
            ("fleet", None, {}),
            ("web", web, {}),
            ("today", web, {"period": "daily"}),
            ("unknown", idle, {"budget_usd": 1}),
        )
    }
    for rule in rules.values():
        rule.conditions = {name: rule.conditions[name] for name in cost}
        rule.save()
    evaluate(now=NOW)
    assert {alert.rule for alert in Alert.objects.open()} == {rules["fleet"], rules["web"]}
    assert Alert.objects.get(rule=rules["web"]).metadata["spentUsd"] == 50
