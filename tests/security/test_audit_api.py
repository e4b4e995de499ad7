"""`GET /api/v1/audit` and the verification (contract: fleet console §30)."""

import csv
import io
import json
from unittest.mock import patch

import pytest
from django.db.utils import IntegrityError
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from security.audit import exporting, links, tasks, verifying, walking
from security.audit.models import AuditEntry, Verification
from security.audit.services import record

pytestmark = pytest.mark.django_db
URL = "/api/v1/audit"


def test_list(api):
    client = api()
    client.post("/api/v1/admin/teams", {"name": "web"}, headers={"User-Agent": "tests"})
    body = client.get(f"{URL}?resource=team").json()
    entry = body["logs"][0]
    assert body["total"] == 1 and body["logs"] == body["data"]
    assert (entry["userId"], entry["userEmail"], entry["action"]) == (client.user.pk, client.user.email, "CREATE")
    assert (entry["ipAddress"], entry["userAgent"]) == ("127.0.0.1", "tests")
    assert entry["metadata"]["after"]["name"] == "web"
    assert entry["timestamp"].endswith("Z")


def test_filters(api):
    client = api()
    for number in range(3):
        record(actor=None, action="UPDATE", resource="thing", resource_id=str(number), team_id="t1")
    for query, total in {
        "resource=thing": 3, "resource=thing&resource_id=1": 1, "team_id=t1&action=UPDATE": 3, "team_id=t2": 0,
        "resource=thing&from=2000-01-01T00:00:00Z": 3, "resource=thing&to=2000-01-01T00:00:00Z": 0,
        "resource=thing&limit=200": 3, "resource=thing&to=2999-01-01T00:00:00%2B02:00": 3,
        f"user_id={client.user.pk}": 0,
    }.items():  # fmt: skip
        assert client.get(f"{URL}?{query}").json()["total"] == total, query


@pytest.mark.parametrize(
    "query", ["from=yesterday", "limit=201", "page=0", f"action={'x' * 65}", f"resource_id={'x' * 129}", "from=0000"]
)
def test_bad_queries(api, query):
    assert api().get(f"{URL}?{query}").status_code == 422


def test_nobody_writes_it(api):
    client = api()
    for method in (client.post, client.put, client.patch, client.delete):
        assert method(URL).status_code == 405
    assert api(role="OPERATOR").get(URL).status_code == 403


class TestVerification:
    def test_a_short_log_at_once(self, api):
        client = api()
        for _ in range(3):
            record(actor=None, action="UPDATE", resource="thing", resource_id="1")
        answer = client.post(f"{URL}/verify")
        good = answer.json()
        assert (answer.status_code, good["ok"], good["firstBad"], good["state"]) == (200, True, None, "DONE")
        assert client.get(f"{URL}/verify/{good['id']}").json() == good
        AuditEntry.objects.filter(number=good["checked"]).update(resource_id="2")
        bad = client.post(f"{URL}/verify").json()
        assert (bad["ok"], bad["firstBad"], bad["checked"]) == (False, good["checked"], good["checked"] - 1)
        assert client.get(f"{URL}/verify/unknown").status_code == 404
        assert api(role="OPERATOR").post(f"{URL}/verify").status_code == 403

    def test_a_long_one_in_turns_that_anybody_can_go_on_with(self, api):
        """What a lost worker has walked is not walked again, and who asks meanwhile gets the same."""
        client = api()
        for number in range(25):
            record(actor=None, action="UPDATE", resource="thing", resource_id=str(number))
        with (
            patch.object(walking, "STEP", 10),
            patch.object(verifying, "AT_ONCE_S", 0),
            patch.object(tasks, "verifying"),
        ):
            first = client.post(f"{URL}/verify")
            assert (first.status_code, first.json()["state"], first.json()["ok"]) == (202, "RUNNING", None)
            assert client.post(f"{URL}/verify").json()["id"] == first.json()["id"]
            found = Verification.objects.get()
            assert verifying._move(found, timezone.now()) and (found.checked, found.number) == (10, 11)
            stale = Verification.objects.get()
            assert verifying._move(found, timezone.now()) and found.checked == 20
            assert not verifying._move(stale, timezone.now())  # the other worker was quicker
            assert client.get(f"{URL}/verify/{found.pk}").json()["checked"] == 20
            record(actor=None, action="UPDATE", resource="thing", resource_id="late")
            walking.seal_pending()
            assert verifying.walk(stale, seconds=5) is False  # it looks at the row, and goes on from there next time
            assert verifying.walk(stale, seconds=5)
        done = client.get(f"{URL}/verify/{found.pk}").json()
        assert (done["state"], done["ok"]) == ("DONE", True) and done["checked"] == AuditEntry.objects.count()
        with pytest.raises(IntegrityError):
            Verification.objects.filter(pk=found.pk).update(is_running=True)

    def test_what_got_lost_is_sent_again(self, api):
        now = timezone.now()
        found = Verification.objects.create(started_at=now, moved_at=now)
        with patch.object(tasks.walk_on, "apply_async") as sent:
            verifying.tend(now=now)
            assert not sent.called
            verifying.tend(now=now + 2 * verifying.LOST_AFTER)
        assert sent.call_args.args == ((found.pk,),)
        tasks.walk_on(found.pk)
        found.refresh_from_db()
        assert not found.is_running


class TestExport:
    def test_lines(self, api):
        client = api()
        for number in range(3):
            record(actor=None, action="UPDATE", resource="thing", resource_id=str(number), before={"n": 1}, after={})
        with patch.object(exporting, "AT_ONCE", 2):
            answer = client.get(f"{URL}/export?resource=thing")
            rows = [json.loads(line) for line in answer.getvalue().decode().splitlines()]
        assert [row["resourceId"] for row in rows] == ["2", "1", "0"]
        assert rows[0]["metadata"] == {"before": {"n": 1}, "after": {}} and rows[0]["timestamp"].endswith("Z")
        assert "attachment" in answer["Content-Disposition"] and answer["Cache-Control"] == "no-store"
        entry = client.get(f"{URL}?resource=audit_log").json()["logs"][0]
        assert (entry["action"], entry["userId"]) == ("EXECUTE", client.user.pk)
        assert entry["metadata"] == {"export": "jsonl", "filter": {"resource": "thing"}, "entries": 3}

    @pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
    def test_no_cell_is_a_formula(self, api, begin):
        evil = f'{begin}HYPERLINK("x")\n,"'
        record(actor=None, action="UPDATE", resource="thing", resource_id=evil)
        text = api().get(f"{URL}/export?format=csv&resource=thing").getvalue().decode()
        [row] = csv.DictReader(io.StringIO(text, newline=""))
        assert row["resource_id"] == f"'{evil}" and row["user_id"] == ""

    def test_bounds_and_bad_queries(self, api, browser):
        client = api()
        for _ in range(3):
            record(actor=None, action="UPDATE", resource="thing", resource_id="1")
        with patch.object(exporting, "MOST", 2):
            refused = client.get(f"{URL}/export?resource=thing")
            assert refused.status_code == 422 and "pharos audit export" in refused.json()["message"]
            page = browser("ADMIN").get("/audit/export.csv?resource=thing", follow=True)
            assert "which has no limit" in page.text and "A file holds at most 2" in page.text
        assert not AuditEntry.objects.filter(resource="audit_log").exists()
        for query in ("format=xml", "from=yesterday", f"action={'x' * 65}"):
            assert client.get(f"{URL}/export?{query}").status_code == 422
        assert api(role="OPERATOR").get(f"{URL}/export").status_code == 403
        assert len(browser("ADMIN").get("/audit/export.jsonl?resource=thing").getvalue().splitlines()) == 3


def test_every_home_of_a_thing_is_a_page():
    """A name that is misspelt would break the page of the log."""
    for resource, home in links.homes().items():
        try:
            assert reverse(home.page, args=["x"])
        except NoReverseMatch:
            assert reverse(home.page, args=["6f7a3a1c-2c5e-4b6f-9d52-0a4d8c1f2b3e"]), resource
