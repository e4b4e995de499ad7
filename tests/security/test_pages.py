"""Setup, sign-in, account, settings and audit pages, as a browser without scripts sees them."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from security.accounts.models import Session, Team, User
from security.accounts.services import setup_link
from security.audit.models import AuditEntry
from security.keys.models import ApiKey
from tests.factories import PASSWORD, make_key, make_team, make_user
from tests.support.client import ApiClient

pytestmark = pytest.mark.django_db
SETUP = {"email": "First@example.org", "password": PASSWORD, "again": PASSWORD, "name": "First", "time_zone": ""}
WRONG = "The e-mail address or the password is wrong"


def browser(role="ADMIN", **fields):
    client = Client()
    client.user = make_user(role=role, password=PASSWORD, **fields)
    client.force_login(client.user)
    return client


def token():
    return parse_qs(urlsplit(setup_link()).query)["token"][0]


class TestSetup:
    def test_every_page_leads_there_while_nobody_exists(self, client):
        answer = client.get("/settings/users/", follow=True)
        assert answer.redirect_chain[-1][0] == "/setup/"
        assert "printed a setup link" in answer.text
        assert "<form" not in answer.text

    def test_first_administrator(self, client):
        link = setup_link()
        assert client.get(link).status_code == 200
        answer = client.post("/setup/", SETUP | {"token": token(), "time_zone": "Europe/Berlin"})
        assert (answer.status_code, answer["Location"]) == (302, "/")
        user = User.objects.get()
        assert (user.email, user.role, user.time_zone) == ("first@example.org", "ADMIN", "Europe/Berlin")
        assert client.get("/account/").status_code == 200  # signed in already
        assert client.get(link).status_code == 404
        assert client.post("/setup/", SETUP | {"email": "b@example.org", "token": "x"}).status_code == 404
        assert setup_link() is None
        assert [one.action for one in AuditEntry.objects.order_by("at")] == ["CREATE", "LOGIN"]

    def test_a_wrong_token_makes_nobody(self, client):
        for wrong in ("", "x", token()[:-1], token() + "0", "ü"):
            assert client.post("/setup/", SETUP | {"token": wrong}).status_code in (200, 403)
        assert User.objects.count() == 0

    def test_service_users_do_not_close_it(self, client):
        from security.keys.services import create_service_key

        create_service_key(name="script", role="ADMIN")
        assert client.get(setup_link()).status_code == 200

    @pytest.mark.parametrize(
        "change",
        [{"email": "none"}, {"again": "other"},
         {"password": "short", "again": "short"}, {"time_zone": "Mars"}, {"name": "x" * 129}],
    )  # fmt: skip
    def test_bad_input_is_told_and_kept(self, client, change):
        answer = client.post("/setup/", SETUP | {"token": token()} | change)
        assert answer.status_code == 422
        assert "Not saved" in answer.text
        assert User.objects.count() == 0


class TestSignIn:
    def post(self, client, email, password, **more):
        return client.post("/login/", {"email": email, "password": password, **more})

    def test_in_and_out(self, client):
        user = make_user(password=PASSWORD)
        assert client.get("/account/")["Location"] == "/login/?next=/account/"
        answer = self.post(client, f" {user.email.upper()}", PASSWORD, next="/account/", remember="on")
        assert (answer.status_code, answer["Location"]) == (302, "/account/")
        assert answer.cookies["sessionid"]["max-age"] == 7 * 86400
        assert answer.cookies["sessionid"]["httponly"] and answer.cookies["sessionid"]["samesite"] == "Lax"
        session = Session.objects.get()
        assert (session.user, session.ip_address) == (user, "127.0.0.1")
        assert client.get("/logout/").status_code == 405
        assert client.post("/logout/")["Location"] == "/login/"
        assert client.get("/account/").status_code == 302
        assert [one.action for one in AuditEntry.objects.order_by("at")] == ["LOGIN", "LOGOUT"]

    def test_without_remember_the_session_ends_with_the_browser(self, client):
        user = make_user(password=PASSWORD)
        assert self.post(client, user.email, PASSWORD).cookies["sessionid"]["max-age"] == ""

    def test_the_message_never_tells_what_was_wrong(self, client):
        user, off = make_user(password=PASSWORD), make_user(password=PASSWORD, is_active=False)
        texts = {
            re.sub(r'value="[^"]*"|hx-headers=\'[^\']*\'', "", self.post(client, email, word).text)
            for email, word in [
                (user.email, "wrong"), ("nobody@example.org", "wrong"), (off.email, PASSWORD),
                (make_user().email, PASSWORD),
            ]
        }  # fmt: skip
        assert len(texts) == 1 and WRONG in texts.pop()
        entries = AuditEntry.objects.filter(action="LOGIN")
        assert {one.metadata["outcome"] for one in entries} == {"failed"}
        assert "nobody@" not in str(list(entries.values())) and "n•••@example.org" in str(list(entries.values()))

    @pytest.mark.parametrize(
        "target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "\\\\evil.example"]
    )
    def test_it_never_leads_elsewhere(self, client, target):
        user = make_user(password=PASSWORD)
        assert self.post(client, user.email, PASSWORD, next=target)["Location"] == "/"

    def test_lock_out_after_five_failures(self, client):
        user = make_user(password=PASSWORD)
        statuses = [self.post(client, user.email, "wrong").status_code for _ in range(5)]
        assert statuses == [200, 200, 200, 200, 429]
        locked = self.post(client, user.email, PASSWORD)
        assert (locked.status_code, "Too many failed tries" in locked.text) == (429, True)
        assert Session.objects.count() == 0
        other = make_user(password=PASSWORD)
        assert self.post(client, other.email, PASSWORD).status_code == 302

    def test_many_names_from_one_address_are_slowed_down(self, client):
        make_user()
        statuses = [self.post(client, f"n{number}@example.org", "wrong").status_code for number in range(31)]
        assert statuses[-1] == 429 and 429 not in statuses[:25]

    def test_forms_need_the_token_of_the_page(self):
        make_user()
        strict = Client(enforce_csrf_checks=True)
        assert self.post(strict, "a@example.org", "x").status_code == 403


class TestAccount:
    def test_preferences(self):
        client = browser()
        form = {"name": "Renamed", "time_zone": "Asia/Tokyo", "theme": "dark"}
        assert client.post("/account/", form).status_code == 302
        page = client.get("/account/").text
        assert "Preferences saved" in page and 'data-theme="dark"' in page and "JST" in page
        assert client.post("/account/", form | {"theme": "pink"}).status_code == 422

    def test_password(self):
        client, other = browser(), Client()
        other.force_login(client.user)
        form = {"current_password": PASSWORD, "new_password": "a fresh long phrase", "again": "a fresh long phrase"}
        assert client.post("/account/password/", form | {"current_password": "x"}).status_code == 422
        assert client.post("/account/password/", form | {"again": "x"}).status_code == 422
        short = client.post("/account/password/", form | {"new_password": "eleven char", "again": "eleven char"})
        assert short.status_code == 422 and "12 to 128 characters" in short.text
        assert client.post("/account/password/", form).status_code == 302
        assert client.get("/account/").status_code == 200
        assert other.get("/account/").status_code == 302

    def test_sessions(self):
        client, other = browser(), Client()
        other.force_login(client.user)
        assert client.get("/account/").text.count("This one") == 1
        theirs = Session.objects.exclude(session_key=client.session.session_key).get()
        assert client.post(f"/account/sessions/{theirs.public_id}/end/").status_code == 302
        assert other.get("/account/").status_code == 302
        assert client.post(f"/account/sessions/{theirs.public_id}/end/").status_code == 404

    def test_all_other_sessions_end_at_once(self):
        client, others = browser(), [Client(), Client()]
        for other in others:
            other.force_login(client.user)
        assert "2 sessions ended" in client.post("/account/sessions/end-others/", follow=True).text
        assert "End all others" not in client.get("/account/").text
        assert [other.get("/account/").status_code for other in others] == [302, 302]
        assert AuditEntry.objects.filter(action="LOGOUT").count() == 2
        assert browser().post(f"/account/sessions/{client.session['id']}/end/").status_code == 404

    def test_own_keys(self):
        client = browser(role="VIEWER")
        page = client.post("/account/keys/", {"name": "script", "days": "30"})
        raw = re.search(r"sk-[0-9a-f]{48}", page.text)[0]
        assert "no-store" in page["Cache-Control"]
        assert ApiClient(headers={"X-Api-Key": raw}).get("/api/v1/me").status_code == 200
        assert raw not in client.get("/account/keys/").text
        key = ApiKey.objects.get()
        assert client.post("/account/keys/", {"name": "x", "role": "ADMIN"}).status_code == 422
        rotated = client.post(f"/account/keys/{key.pk}/rotate/", {"overlap": "24"})
        assert re.search(r"sk-[0-9a-f]{48}", rotated.text)[0] != raw
        assert client.get(f"/account/keys/{key.pk}/revoke/").status_code == 200
        assert client.post(f"/account/keys/{key.pk}/revoke/").status_code == 302
        assert ApiClient(headers={"X-Api-Key": raw}).get("/api/v1/me").status_code == 401
        stranger, _ = make_key()
        assert client.post(f"/account/keys/{stranger.pk}/revoke/").status_code == 404


class TestSettings:
    def test_users(self):
        client = browser()
        form = {"name": "New", "email": "new@example.org", "role": "OPERATOR", "password": "a long enough phrase"}
        assert client.post("/settings/users/new/", form | {"password": "x"}).status_code == 422
        assert client.post("/settings/users/new/", form).status_code == 302
        assert "already" in client.post("/settings/users/new/", form).text
        user = User.objects.get(email="new@example.org")
        assert "new@example.org" in client.get("/settings/users/?search=NEW@&role=OPERATOR").text
        assert "No user matches" in client.get("/settings/users/?search=nobody").text
        path = f"/settings/users/{user.pk}/"
        assert client.post(path, form | {"role": "VIEWER", "password": ""}).status_code == 302
        user.refresh_from_db()
        assert (user.role, user.is_active, user.check_password("a long enough phrase")) == ("VIEWER", False, True)
        assert client.get(f"{path}delete/").status_code == 200
        assert client.post(f"{path}delete/").status_code == 302
        assert client.get(path).status_code == 404

    def test_the_last_administrator_stays(self):
        client = browser()
        path = f"/settings/users/{client.user.pk}/"
        answer = client.post(path, {"name": "x", "email": client.user.email, "role": "VIEWER", "is_active": "on"})
        assert (answer.status_code, "last active administrator" in answer.text) == (422, True)
        assert client.post(f"{path}delete/").status_code == 409

    def test_keys(self):
        client = browser()
        other, _ = make_key(name="from elsewhere")
        page = client.post("/settings/keys/", {"name": "pipeline", "role": "DEVELOPER", "days": ""})
        raw = re.search(r"sk-[0-9a-f]{48}", page.text)[0]
        assert ApiClient(headers={"X-Api-Key": raw}).get("/api/v1/me").json()["role"] == "DEVELOPER"
        assert "from elsewhere" in page.text
        assert client.post(f"/settings/keys/{other.pk}/revoke/").status_code == 302
        assert "from elsewhere" not in client.get("/settings/keys/").text.split("<table")[1]

    def test_teams(self):
        client, user = browser(), make_user(name="Member")
        assert client.post("/settings/teams/", {"name": "web"})["Location"].startswith("/settings/teams/")
        team = Team.objects.get()
        path = f"/settings/teams/{team.pk}/"
        assert client.post("/settings/teams/", {"name": "web"}).status_code == 422
        for form, role in [
            ({"verb": "add", "role": "DEVELOPER"}, "DEVELOPER"), ({"verb": "change", "role": "OPERATOR"}, "OPERATOR"),
            ({"verb": "change", "role": "KING"}, "OPERATOR"), ({"verb": "nonsense"}, "OPERATOR"),
        ]:  # fmt: skip
            assert client.post(f"{path}members/", form | {"user": user.pk}).status_code == 302
            assert team.memberships.get(user=user).role == role
        client.post(f"{path}members/", {"verb": "remove", "user": user.pk})
        assert not team.memberships.exists()
        assert "There is no such user" in client.post(f"{path}members/", {"verb": "remove"}, follow=True).text
        assert client.post(f"{path}delete/").status_code == 302
        assert client.get(path).status_code == 404

    @pytest.mark.parametrize("path", ["users/", "users/new/", "keys/", "teams/", "security/"])
    def test_others_are_told_which_role_it_needs(self, path):
        answer = browser(role="OPERATOR").get(f"/settings/{path}")
        assert (answer.status_code, "ADMIN role" in answer.text) == (403, True)

    def test_rules_in_force_name_their_variables(self, settings):
        settings.KEEP_DAYS = settings.KEEP_DAYS | {"audit": 1}
        settings.REQUIRE_SECOND_FACTOR, settings.RATE_READS, settings.AGENT_KEY = "none", 0, "a-shared-key"
        client = browser()

        def words(path):
            return " ".join(re.sub(r"<[^>]+>", " ", client.get(path).text).split())

        assert "Audit entries 1 day PHAROS_KEEP_AUDIT_DAYS" in words("/settings/retention/")
        policy = words("/settings/security/")
        assert "Second factor is required of nobody PHAROS_REQUIRE_SECOND_FACTOR" in policy
        assert "People with a second factor 0 of 1" in policy and "no limit PHAROS_RATE_READS" in policy
        assert "a-shared-key" not in client.get("/settings/security/").text
        assert "Retention" in words("/settings/")
        assert 'data-label="Second factor"><span class="muted">off' in client.get("/settings/users/").text

    def test_a_role_in_a_team_opens_no_settings(self):
        client = browser(role="VIEWER")
        make_team(members={client.user: "ADMIN"})
        assert client.get("/settings/users/").status_code == 403
        assert client.get("/audit/").status_code == 403
        assert client.get("/settings/").status_code == 200


class TestAudit:
    def test_filter_and_details(self):
        client = browser()
        client.post("/settings/teams/", {"name": "web <b>"})
        page = client.get("/audit/?resource=team&action=CREATE").text
        assert "web &lt;b&gt;" in page and "Entry " in page
        assert "No entry matches" in client.get("/audit/?resource=nothing").text
        assert client.get("/audit/?start=nonsense&page=nonsense").status_code == 200
        assert "No entry matches" in client.get("/audit/?end=2000-01-01").text

    def test_before_and_after_the_program_and_the_way_to_the_thing(self):
        client = browser()
        client.post("/settings/teams/", {"name": "web"}, headers={"User-Agent": "Mozilla Firefox/1 Linux"})
        team = Team.objects.get()
        ApiClient(headers={"X-Api-Key": make_key(user=client.user)[1]}).put(
            f"/api/v1/admin/teams/{team.pk}", {"name": "web", "description": "new <words>"}
        )
        page = client.get("/audit/?resource=team").text
        assert f'href="/settings/teams/{team.pk}/"' in page and "Firefox on Linux" in page
        changed, same = page.split('class="differs"')[1].split("</tr>")[:2]
        assert "new &lt;words&gt;" in changed and "changed" in changed and "web" in same and "changed" not in same
        team.delete()
        assert f'href="/settings/teams/{team.pk}/"' not in client.get("/audit/?resource=team").text

    def test_verify(self):
        client = browser()
        client.post("/settings/teams/", {"name": "web"})
        assert "The log is whole" in client.post("/audit/verify/", follow=True).text
        AuditEntry.objects.update(action="DELETE")
        assert "tampered" in client.post("/audit/verify/", follow=True).text
