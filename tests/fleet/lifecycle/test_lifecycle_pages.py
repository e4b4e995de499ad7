"""What the pages of an instance offer, and what their forms do."""

import pytest

from fleet.lifecycle import working
from fleet.lifecycle.models import Backup, Operation
from tests.fleet.conftest import make_instance

pytestmark = pytest.mark.django_db


@pytest.fixture
def instance(machine):
    return make_instance(provider="docker")


def test_only_what_is_possible_is_offered(browser, instance, machine):
    url = f"/instances/{instance.pk}/"
    page = browser("OPERATOR").get(url).content.decode()
    assert all(f"{url}{part}/" in page for part in ("suspend", "backup", "destroy", "remove"))
    assert f"{url}destroy/" not in browser("VIEWER").get(url).content.decode()
    machine.can = {"suspend"}
    page = browser("OPERATOR").get(url).content.decode()
    assert f"{url}suspend/" in page
    assert f"{url}backup/" not in page
    assert f"{url}destroy/" not in page


def test_destroy_wants_the_name(browser, instance, machine):
    person, url = browser("OPERATOR"), f"/instances/{instance.pk}/destroy/"
    assert "back_up_first" in person.get(url).content.decode()
    wrong = person.post(url, {"name": "web-2"})
    assert (wrong.status_code, "Type web-1 to go on." in wrong.content.decode()) == (400, True)
    assert machine.done == []
    person.post(url, {"name": "web-1"})
    assert machine.done == [("destroy", "web-1")]


def test_backup_first(browser, instance, machine):
    person = browser("OPERATOR")
    person.post(f"/instances/{instance.pk}/destroy/", {"name": "web-1", "back_up_first": "on"})
    page = person.get(f"/instances/{instance.pk}/").content.decode()
    assert "Backup, then destruction" in page
    assert f"/instances/{instance.pk}/destroy/" not in page
    working.carry_out(Operation.objects.get().pk)
    assert [what[0] for what in machine.done] == ["backup", "destroy"]


def test_a_backup_is_asked_for_and_listed(browser, instance, machine):
    person = browser("OPERATOR")
    person.post(f"/instances/{instance.pk}/backup/", {"label": "before the move", "compression": "none"})
    working.carry_out(Operation.objects.get().pk)
    page = person.get(f"/instances/{instance.pk}/parts/backups/").content.decode()
    assert "before the move" in page
    assert "Completed" in page
    assert Backup.objects.get().compression == "none"


def test_a_failure_is_told(browser, instance, machine):
    machine.fails = {"suspend"}
    page = browser("OPERATOR").post(f"/instances/{instance.pk}/suspend/", follow=True).content.decode()
    assert "The machine refuses to suspend" in page
