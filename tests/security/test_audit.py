"""The audit log proves that nobody touched it (contract: fleet console §30)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from unittest.mock import patch

import pytest
from django.db import close_old_connections, connections, transaction
from django.utils import timezone

from security.audit import chain, walking
from security.audit.models import AuditEntry, AuditHead
from security.audit.services import record
from security.audit.tasks import prune
from security.audit.walking import Verdict, verify
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def write(count, **fields):
    for number in range(count):
        record(actor=None, action="CREATE", resource="thing", resource_id=str(number), **fields)
    chain.seal_pending()


def test_an_untouched_log_is_whole():
    write(1200, after={"a": 1.5, "b": [1e20, -0.0, "ü\x00"], "deep": {"password": "x"}})
    assert verify() == Verdict(checked=1200, ok=True)


def test_an_empty_log_is_whole_until_somebody_exists():
    assert verify() == Verdict(checked=0, ok=True)
    make_user()
    assert not verify().ok


@pytest.mark.parametrize(
    "change",
    [
        {"action": "DELETE"},
        {"user_email": "other@example.org"},
        {"metadata": {"after": {"n": 2}}},
        {"metadata": None},
        {"at": timezone.now() - timedelta(days=1)},
        {"ip_address": "10.0.0.1"},
        {"seal": "0" * 64},
        {"id": "c" + "0" * 24},
    ],
)
def test_an_edited_entry_is_named(change):
    write(9, after={"n": 1})
    AuditEntry.objects.filter(number=5).update(**change)
    verdict = verify()
    assert (verdict.ok, verdict.first_bad, verdict.checked) == (False, 5, 4)


@pytest.mark.parametrize(("cut", "first_bad"), [([1], 1), ([4], 4), ([4, 5, 6], 4), ([8, 9], 8), ([9], 9)])
def test_a_deleted_entry_is_named(cut, first_bad):
    write(9)
    AuditEntry.objects.filter(number__in=cut).delete()
    assert verify().first_bad == first_bad


def test_deleting_everything_shows():
    write(3)
    AuditEntry.objects.all().delete()
    assert verify().first_bad == 1
    AuditHead.objects.all().delete()
    make_user()
    assert not verify().ok


def test_swapped_entries_show():
    write(9)
    AuditEntry.objects.filter(number=3).update(number=100)
    AuditEntry.objects.filter(number=4).update(number=3)
    AuditEntry.objects.filter(number=100).update(number=4)
    assert verify().first_bad == 3


def test_seals_are_what_they_were_when_the_log_was_begun(settings):
    """Every stored chain would be broken by another spelling of what is sealed."""
    settings.SECRET_KEY = "a key for this test only"
    at = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=timezone.get_fixed_timezone(120))
    entry = AuditEntry(id="c1", action="UPDATE", resource="thing", metadata={"b": [1.5, "ü"], "a": None}, at=at)
    assert chain.mark(entry) == "b3c306842c6196bbca545a21c083992dfe63b1a1ec98c4d418c0462da7f0869a"


def test_a_walk_goes_on_when_retention_overtakes_it():
    write(30)
    with patch.object(walking, "STEP", 10):
        place = walking.step(walking.Place())
        assert (place.checked, place.number) == (10, 11)
        chain.prune(before=AuditEntry.objects.get(number=16).at)
        place = walking.step(place)
        assert (place.checked, place.number) == (20, 26)
        AuditEntry.objects.filter(number=27).update(action="DELETE")
        assert walking.step(place).first_bad == 27


@pytest.mark.parametrize("number", [0, 10, 50])
def test_a_forged_entry_shows(number):
    write(9)
    AuditEntry.objects.create(
        number=number, action="CREATE", resource="x", at=timezone.now(), seal="0" * 64, metadata=None
    )
    assert verify().first_bad == number


def test_a_forged_unsealed_entry_is_never_sealed():
    write(3)
    for seal in ("0" * 64, None):
        AuditEntry.objects.create(action="CREATE", resource="x", at=timezone.now(), seal=seal)
    write(2)
    verdict = verify()
    assert (verdict.ok, verdict.checked) == (False, 5)
    assert "did not write" in verdict.reason


def test_an_entry_that_was_changed_before_its_sealing_shows():
    record(actor=None, action="CREATE", resource="thing", resource_id="1")
    AuditEntry.objects.update(action="DELETE")
    assert not verify().ok


def test_the_record_of_the_ends_cannot_be_moved():
    write(9)
    AuditEntry.objects.filter(number__gt=7).delete()
    seventh = AuditEntry.objects.get(number=7)
    AuditHead.objects.update(last_number=7, last_seal=seventh.seal)
    assert not verify().ok
    AuditHead.objects.all().delete()
    assert verify().first_bad == 1


def test_retention_keeps_the_rest_verifiable():
    now = timezone.now()
    write(9)
    assert chain.prune(before=now - timedelta(days=1)) == 0
    cut = AuditEntry.objects.get(number=6).at
    assert chain.prune(before=cut) == 5
    assert verify() == Verdict(checked=4, ok=True)
    AuditEntry.objects.filter(number=6).delete()  # beyond retention
    assert verify().first_bad == 6


def test_retention_may_drop_everything_and_the_log_goes_on():
    write(1100)
    assert chain.prune(before=timezone.now()) == 1100
    assert verify() == Verdict(checked=0, ok=True)
    write(2)
    assert verify() == Verdict(checked=2, ok=True)


def test_retention_stops_at_an_entry_that_is_young():
    write(9)
    AuditEntry.objects.filter(number=3).update(at=timezone.now() + timedelta(days=1))
    assert chain.prune(before=timezone.now()) == 2


def test_no_secret_and_no_endless_text_is_kept():
    key = "sk-" + "0123456789abcdef" * 3
    record(
        actor=None,
        action="UPDATE",
        resource="thing",
        resource_id="1",
        before={"apiKey": "a-secret", "name": "n" * 5000, "list": [{"newPassword": "a-secret"}]},
        after={"note": f"called with {key}", "private_key": "a-secret", "key": "a-secret", "hasPassword": True},
    )
    text = str(AuditEntry.objects.get().metadata)
    assert "a-secret" not in text and key not in text
    assert "hasPassword': True" in text and len(text) < 2500


@pytest.mark.django_db(transaction=True)
def test_writers_at_the_same_moment_make_one_chain():
    """Each writer updates two rows in an order of its own around its entries: nobody waits for another's chain."""
    users = [make_user(), make_user()]

    def writer(number):
        close_old_connections()
        try:
            for turn in range(5):
                with transaction.atomic():
                    record(actor=None, action="CREATE", resource="thing", resource_id=f"{number}.{turn}")
                    type(users[0]).objects.filter(pk=users[(number + turn) % 2].pk).update(name=str(number))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(writer, range(8)))
    assert AuditEntry.objects.filter(number=None).count() == 0  # sealed by the writers themselves
    assert verify() == Verdict(checked=40, ok=True)


def test_what_is_rolled_back_leaves_no_entry():
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        record(actor=None, action="CREATE", resource="thing", resource_id="1")
        raise ZeroDivisionError
    assert AuditEntry.objects.count() == 0


def test_the_tick_drops_what_is_older_than_the_audit_is_kept(settings, time_machine):
    write(3)
    time_machine.move_to(timezone.now() + timedelta(days=settings.KEEP_DAYS["audit"] + 1))
    write(2)
    prune()
    assert verify() == Verdict(checked=2, ok=True)
    assert AuditEntry.objects.count() == 2
