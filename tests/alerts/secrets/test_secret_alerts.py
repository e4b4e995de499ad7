"""Secrets that expire: rules of instances that ask for them, and a reminder for each (contract: fleet console §10)."""

from datetime import timedelta

import pytest

from alerts.evaluation import sources
from alerts.evaluation.services import evaluate
from alerts.incidents.models import Alert
from alerts.incidents.services import resolve
from alerts.notices.models import Notice
from alerts.secrets.services import look
from security.rotations.models import Rotation
from tests.alerts.conftest import NOW, make_channel, make_instance, make_rule, opened
from tests.factories import make_secret, make_team

pytestmark = pytest.mark.django_db


def in_days(days: float):
    return NOW + timedelta(days=days)


def rotated(instance, days_ago: int | None) -> None:
    row = Rotation(instance=instance, secret_name="db", secret_type="password", rotation_days=30)
    row.last_rotated_at = in_days(-days_ago) if days_ago is not None else None
    row.set_due()
    row.save()


def test_a_rule_fires_for_expired_secrets_and_overdue_rotations():
    expired, overdue, fine = (make_instance(name=name) for name in ("expired", "overdue", "fine"))
    for name in ("A", "B", "C", "D"):
        make_secret(name, "x", instance=expired, expires_at=in_days(-1))
    rotated(overdue, 31)
    make_secret("A", "x", instance=fine, expires_at=in_days(1))
    rotated(fine, 29)
    make_secret("GLOBAL", "x", expires_at=in_days(-1))
    rule = make_rule(type="SECURITY")
    rule.conditions = {"check": "secret_expired"}
    rule.save()
    assert sources.notice(rule) is None
    evaluate(now=NOW)
    said = {alert.instance: alert.message for alert in opened()}
    assert set(said) == {expired, overdue}
    assert "4 secrets expired: A, B, C and 1 more" in said[expired] and "1 rotation overdue: db" in said[overdue]
    expired.secrets.update(expires_at=None)
    rotated_row = Rotation.objects.get(instance=overdue)
    rotated_row.last_rotated_at = NOW
    rotated_row.set_due()
    rotated_row.save()
    evaluate(now=NOW + timedelta(minutes=1))
    assert not opened()


def test_each_secret_is_reminded_of_once_and_the_alert_ends_when_it_is_renewed(settings):
    settings.SECRET_REMIND_DAYS = 14
    team = make_team(name="Ops")
    web = make_instance(name="web-7", team=team)
    soon = make_secret("SOON", "x", instance=web, expires_at=in_days(9))
    over = make_secret("OVER", "x", expires_at=in_days(-1))
    make_secret("LATER", "x", expires_at=in_days(15))
    make_secret("NEVER", "x")
    make_channel(type="IN_APP", config={})
    look(now=NOW)
    look(now=NOW + timedelta(minutes=5))
    alerts = {alert.title: alert for alert in opened()}
    assert set(alerts) == {"Secret SOON of web-7 expires in 9 days", "Secret OVER has expired"}
    one = alerts["Secret SOON of web-7 expires in 9 days"]
    assert (one.source, one.type, one.severity, one.team_id) == ("security", "SECURITY", "MEDIUM", team.pk)
    assert one.labels["secret"] == "SOON" and Notice.objects.filter(alert=one, kind="fired").exists()
    assert alerts["Secret OVER has expired"].severity == "HIGH"
    resolve(alert=one, by="a person", now=NOW)
    look(now=NOW)
    assert [alert.title for alert in opened()] == ["Secret OVER has expired"], "a person has ended it"
    over.expires_at = in_days(100)
    over.save()
    soon.expires_at = in_days(12)
    soon.save()
    look(now=NOW)
    assert [alert.title for alert in opened()] == ["Secret SOON of web-7 expires in 12 days"], "this time is another"
    soon.delete()
    look(now=NOW)
    assert not opened()
    told = Alert.objects.values_list("events__text", flat=True)
    assert {"The secret was renewed", "The secret was deleted"} <= set(told)


def test_reminders_can_be_switched_off(settings):
    make_secret("OVER", "x", expires_at=in_days(-1))
    look(now=NOW)
    assert opened()
    settings.SECRET_REMIND_DAYS = 0
    look(now=NOW)
    assert not opened()
