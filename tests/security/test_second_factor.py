"""The second factor: setting up, signing in with it, recovery codes, turning off, the setting that requires it."""

import re
from datetime import UTC, datetime
from io import StringIO

import pyotp
import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client

from security.accounts.models import Session
from security.audit.models import AuditEntry
from security.second_factor import codes, services
from security.second_factor.models import CodeGenerator, RecoveryCode
from tests.factories import PASSWORD, make_key, make_user
from tests.support.client import ApiClient

HERE = "/account/second-factor/"
NOON = datetime(2026, 5, 4, 12, 0, 1, tzinfo=UTC)
CODES = re.compile(r"<li><code>((?:[a-z2-9]{4}-){3}[a-z2-9]{4})</code></li>")


@pytest.mark.parametrize(("off", "valid"), [(-61, False), (-30, True), (0, True), (28, True), (31, True), (59, False)])
def test_codes_of_one_step_before_and_after_count(off, valid):
    secret = codes.new_secret()
    code = pyotp.TOTP(secret).at(int(NOON.timestamp()) + off)
    found = codes.step_of(secret, code, now=NOON)
    assert (found == (int(NOON.timestamp()) + off) // 30) if valid else found is None


@pytest.mark.parametrize("code", ["", "1", "12345", "1234567", "ü" * 6, "١٢٣٤٥٦", "000000\x00", "\ud800"])
def test_nonsense_is_no_code(code):
    assert codes.step_of("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", code, now=NOON) is None


def test_the_rfc_vector():
    """RFC 6238 appendix B, SHA-1 at 59 s, its last six digits."""
    at = datetime.fromtimestamp(59, tz=UTC)
    assert codes.step_of("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "287082", now=at) == 1


def test_the_picture_needs_no_style_and_no_script():
    picture = codes.picture_of(codes.address_of("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", email="someone@example.org"))
    assert picture.startswith("<svg") and "style" not in picture and "script" not in picture
    assert "GEZDGNBV" not in picture and "someone" not in picture


def test_recovery_codes_are_read_however_they_are_typed():
    (first, *others) = codes.new_recovery_codes()
    assert len({first, *others}) == 10
    digest = codes.digest_of(first, user_id="a")
    assert digest == codes.digest_of(f" {first.upper().replace('-', ' ')}", user_id="a")
    assert digest != codes.digest_of(first, user_id="b")


class Person:
    """Somebody in a browser, with an app on the phone."""

    def __init__(self, **fields):
        self.user = make_user(password=PASSWORD, **fields)
        self.client = Client()
        self.client.force_login(self.user)
        self.secret, self.recovery = "", []

    def set_up(self):
        self.client.post(HERE, {"verb": "begin"})
        page = self.client.get(HERE).text
        self.secret = re.search(r'id="secret">([A-Z2-7 ]+)<', page)[1].replace(" ", "")
        answer = self.client.post(HERE, {"verb": "confirm", "code": self.code()})
        self.recovery = CODES.findall(answer.text)
        assert len(self.recovery) == 10 and "no-store" in answer["Cache-Control"]
        return self

    def code(self):
        return pyotp.TOTP(self.secret).now()

    def enter(self, **more):
        """A fresh browser in which the password was given."""
        client = Client()
        answer = client.post("/login/", {"email": self.user.email, "password": PASSWORD, **more})
        assert answer["Location"] == "/login/code/"
        return client


@pytest.fixture
def clock(time_machine):
    time_machine.move_to(NOON, tick=False)
    return time_machine


@pytest.fixture
def person(db, clock):
    made = Person().set_up()
    clock.shift(60)
    return made


def test_signing_in_takes_both_steps(person):
    client = person.enter(next="/account/", remember="on")
    assert client.get("/account/").status_code == 302 and client.get("/api/v1/me").status_code == 401
    assert client.get("/api/auth/get-session").json() is None
    assert not Session.objects.filter(session_key=client.session.session_key, user=person.user).exists()
    before = client.session.session_key
    answer = client.post("/login/code/", {"code": f" {person.code()[:3]} {person.code()[3:]}"})
    assert (answer.status_code, answer["Location"]) == (302, "/account/")
    assert answer.cookies["sessionid"]["max-age"] == 7 * 86400 and client.session.session_key != before
    assert client.get("/account/").status_code == 200
    assert AuditEntry.objects.get(action="LOGIN").metadata == {"second_factor": "code"}


def test_a_code_opens_once_even_for_another_browser(person, clock):
    first, second = person.enter(), person.enter()
    code = person.code()
    assert first.post("/login/code/", {"code": code}).status_code == 302
    assert second.post("/login/code/", {"code": code}).status_code == 422
    clock.shift(-30)
    assert second.post("/login/code/", {"code": person.code()}).status_code == 422  # an older step
    clock.shift(60)
    assert second.post("/login/code/", {"code": person.code()}).status_code == 302


def test_a_recovery_code_opens_once(person):
    first, second = person.recovery[:2]
    assert person.enter().post("/login/code/", {"code": first.upper()}).status_code == 302
    assert person.enter().post("/login/code/", {"code": first}).status_code == 422
    assert person.enter().post("/login/code/", {"code": second}).status_code == 302
    assert "8 of 10" in person.client.get(HERE).text
    assert AuditEntry.objects.filter(action="LOGIN", metadata__second_factor="recovery code").count() == 2


def test_five_minutes_later_the_password_counts_no_more(person, clock):
    client = person.enter()
    clock.shift(301)
    assert client.post("/login/code/", {"code": person.code()})["Location"] == "/login/"
    assert client.get("/account/").status_code == 302
    assert Client().get("/login/code/")["Location"] == "/login/"


@pytest.mark.parametrize("change", ["password", "is_active"])
def test_what_ends_the_first_step(person, change):
    client = person.enter()
    person.user.set_password("another long phrase") if change == "password" else setattr(person.user, change, False)
    person.user.save()
    assert client.post("/login/code/", {"code": person.code()})["Location"] == "/login/"


def test_five_wrong_codes_lock_whoever_sends_them(person, clock):
    client = person.enter()
    wrong = [client.post("/login/code/", {"code": "000000"}).status_code for _ in range(5)]
    assert wrong == [422] * 5 and AuditEntry.objects.filter(metadata__step="second factor").count() == 5
    answer = person.enter().post("/login/code/", {"code": person.code()})
    assert (answer.status_code, "Wait five minutes" in answer.text) == (429, True)
    cache.clear()  # the lock fades by itself; the clock of the cache is not ours to move
    assert person.enter().post("/login/code/", {"code": person.code()}).status_code == 302


def test_setting_up_needs_the_right_code(db, clock):
    person = Person()
    assert "is off" in person.client.get(HERE).text
    assert person.client.post(HERE, {"verb": "confirm", "code": "123456"}).status_code == 422
    person.client.post(HERE, {"verb": "begin"})
    page = person.client.get(HERE).text
    assert "<svg" in page
    answer = person.client.post(HERE, {"verb": "confirm", "code": "000000"})
    assert answer.status_code == 422 and services.WRONG in answer.text
    assert Client().post("/login/", {"email": person.user.email, "password": PASSWORD})["Location"] == "/"
    person.client.post(HERE, {"verb": "forget"})
    assert not CodeGenerator.objects.exists()
    assert person.client.post(HERE, {"verb": "nonsense"}).status_code == 404


def test_no_second_generator_beside_one_that_counts(person):
    before = CodeGenerator.objects.get().sealed_secret
    person.client.post(HERE, {"verb": "begin"})
    assert CodeGenerator.objects.get().sealed_secret == before
    assert person.secret not in person.client.get(HERE).text.replace(" ", "")


def test_new_recovery_codes_end_the_old_ones(person):
    refused = person.client.post(HERE, {"verb": "renew", "renew-code": "000000"})
    assert refused.status_code == 422 and not CODES.findall(refused.text)
    fresh = CODES.findall(person.client.post(HERE, {"verb": "renew", "renew-code": person.code()}).text)
    assert len(set(fresh)) == 10 and not set(fresh) & set(person.recovery)
    assert person.enter().post("/login/code/", {"code": person.recovery[0]}).status_code == 422
    assert person.enter().post("/login/code/", {"code": fresh[0]}).status_code == 302


def test_turning_off_takes_password_and_code(person):
    for password, code in (("wrong", person.code()), (PASSWORD, "000000"), ("", ""), (PASSWORD, "\x00")):
        answer = person.client.post(HERE, {"verb": "off", "off-password": password, "off-code": code})
        assert answer.status_code == 422 and CodeGenerator.objects.exists()
    answer = person.client.post(HERE, {"verb": "off", "off-password": PASSWORD, "off-code": person.code()})
    assert answer.status_code == 302 and not CodeGenerator.objects.exists() and not RecoveryCode.objects.exists()
    assert Client().post("/login/", {"email": person.user.email, "password": PASSWORD})["Location"] == "/"
    acts = AuditEntry.objects.filter(resource="second_factor").order_by("at")
    assert [entry.action for entry in acts] == ["CREATE", "DELETE"]


def test_an_administrator_resets_it_but_not_the_own(person):
    admin = Person(role="ADMIN")
    path = f"/settings/users/{person.user.pk}/second-factor/"
    assert person.client.post(path).status_code == 403
    assert admin.client.get(path).status_code == 200 and CodeGenerator.objects.exists()
    assert admin.client.post(path).status_code == 302
    assert not CodeGenerator.objects.exists() and not RecoveryCode.objects.exists()
    entry = AuditEntry.objects.get(resource="second_factor", action="DELETE")
    assert entry.metadata["reset"] is True and entry.user_id == admin.user.pk
    assert admin.client.post(path).status_code == 409
    own = admin.client.post(f"/settings/users/{admin.user.pk}/second-factor/")
    assert own.status_code == 409 and "on your account page" in own.text


def test_the_command_line_helps_the_last_administrator(person):
    call_command("users", "reset-second-factor", person.user.email, stdout=StringIO())
    assert not CodeGenerator.objects.exists()
    assert AuditEntry.objects.get(resource="second_factor", action="DELETE").user_id is None
    for email in (person.user.email, "nobody@example.org"):
        with pytest.raises(CommandError):
            call_command("users", "reset-second-factor", email)


@pytest.mark.parametrize(
    ("setting", "role", "led"),
    [("none", "ADMIN", False), ("admins", "VIEWER", False), ("admins", "ADMIN", True), ("all", "VIEWER", True)],
)
def test_whoever_lacks_what_is_required_sets_it_up_first(settings, db, clock, setting, role, led):
    settings.REQUIRE_SECOND_FACTOR = setting
    person = Person(role=role)
    _, raw = make_key(user=person.user)
    answer = person.client.get("/account/")
    if not led:
        assert answer.status_code == 200
        return
    assert answer["Location"] == HERE
    assert person.client.get("/admin/", follow=True).redirect_chain[-1][0] == HERE
    refused = person.client.get("/api/v1/me")
    assert refused.status_code == 403 and "Set up a second factor first" in refused.json()["message"]
    assert person.client.get("/api/auth/get-session").json() is None
    assert person.client.post("/api/v1/ws/ticket", content_type="application/json").status_code == 403
    assert ApiClient(headers={"X-Api-Key": raw}).get("/api/v1/me").status_code == 200
    person.set_up()
    assert person.client.get("/account/").status_code == 200


def test_nothing_of_the_secret_is_kept_readable(person, caplog):
    admin = Person(role="ADMIN")
    page = admin.client.get(f"/admin/security/codegenerator/{person.user.pk}/change/").text
    page += admin.client.get("/admin/security/recoverycode/").text
    row = CodeGenerator.objects.get()
    told = page + caplog.text + str(list(AuditEntry.objects.values())) + str(list(RecoveryCode.objects.values()))
    assert person.secret not in told + row.sealed_secret and row.sealed_secret not in told
    assert not any(code in told for code in person.recovery)
