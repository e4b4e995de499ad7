"""The fleet in the support staff's admin."""

import pytest
from django.test import Client

from fleet.instances.models import Event
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def test_staff_look_but_do_not_touch(instance):
    event = Event.objects.create(instance=instance, type="CONNECT")
    browser = Client()
    browser.force_login(make_user(role="ADMIN", password="x"), backend="django.contrib.auth.backends.ModelBackend")
    for kind, row in (("instance", instance), ("event", event)):
        listing = browser.get(f"/admin/fleet/{kind}/?q=web")
        assert (listing.status_code, instance.name in listing.content.decode()) == (200, True)
        assert browser.get(f"/admin/fleet/{kind}/{row.pk}/change/").status_code == 200
        assert browser.get(f"/admin/fleet/{kind}/add/").status_code == 403
        assert browser.post(f"/admin/fleet/{kind}/{row.pk}/delete/", {"post": "yes"}).status_code == 403
