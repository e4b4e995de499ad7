"""The pages of replay: sessions, rules, the tester, captures."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from loadtest.replay.captures.models import Capture
from loadtest.replay.sessions import journal
from loadtest.replay.sessions.models import Entry, Session
from loadtest.workspace.models import SavedRequest
from tests.loadtest.pages.conftest import text
from tests.loadtest.replay.conftest import STRICT, ask, case, put_rules, report, rule, span, start

pytestmark = pytest.mark.django_db
SECRET = '{"user": "<script>alert(1)</script>"}'


@pytest.fixture
def person(browser: Any) -> Any:
    return browser("OPERATOR")


def edit(person: Any, session: str, document: Any, name: str = "rules") -> Any:
    revision = Session.objects.get(pk=session).revision
    content = document if isinstance(document, str) else json.dumps(document)
    return person.post(f"/replay/{session}/edit/{name}/", {"content": content, "revision": revision})


def test_session_is_opened_listed_and_closed_by_a_person(person: Any, browser: Any) -> None:
    assert "stands in for the services" in text(person.get("/replay/"))
    address = person.post("/replay/new/", {"mode": "replay", "strict": "on"}).url
    session = Session.objects.get()
    assert address == f"/replay/{session.pk}/" and session.policy["externalHttp"] == "strict"
    page = text(person.get(address))
    assert "What no rule answers is refused" in page and "There is no rule yet" in page
    assert f"pharos gateway --forward --session {session.pk}" in page
    assert session.pk in text(person.get("/replay/")) and session.pk in text(person.get("/replay/rows/"))
    assert person.post("/replay/new/", {"mode": "play"}).status_code == 422
    viewer = browser("VIEWER")
    assert "Edit rules" not in text(viewer.get(address))
    for path in ("/replay/new/", f"{address}close/", f"{address}edit/rules/", "/replay/captures/import/"):
        assert viewer.get(path).status_code == viewer.post(path).status_code == 403, path
    assert "cannot be opened again" in text(person.get(f"{address}close/"))
    assert person.post(f"{address}close/").url == address
    page = text(person.get(address))
    assert "Closed" in page and "Edit rules" not in page and "Nothing was asked" in page
    assert session.pk in text(person.get("/replay/?tab=closed")) and session.pk not in text(person.get("/replay/"))
    assert person.post(f"{address}close/").url == address, "a second close is told, not an error page"
    assert [person.get(f"{address}{path}").status_code for path in ("try/", "edit/rules/")] == [404, 404]
    assert person.get("/replay/sess_unknown/").status_code == person.get("/replay/%00/").status_code == 404


def test_journal_rules_and_refusals_are_shown_as_they_come(person: Any, operator: Any) -> None:
    session = start(operator, policy=STRICT)
    rules = [
        rule(path="/ledger", id="ledger", consume="once"),
        rule(id="below", hostSuffix="bank.example", priority=-1),
    ]
    put_rules(operator, session, *rules)
    ask(operator, session, path="/ledger?x=1")
    ask(operator, session, path="/<b>pay</b>", method="POST")
    ask(operator, session, path="/<b>pay</b>", method="POST")
    journal.writer.flush(5)
    page = person.get(f"/replay/{session}/")
    body, words = page.content.decode(), text(page)
    assert "<b>pay</b>" not in body and "/&lt;b&gt;pay&lt;/b&gt;" in body
    assert "ledger session, number 1 path=/ledger mock, once (spent) 0 1" in words
    assert f'data-live-topic="replay:{session}"' in body
    for name, told in {"now": "Refused 2", "rules": "hostSuffix=bank.example", "journal": "Passed on"}.items():
        assert told in text(person.get(f"/replay/{session}/parts/{name}/")), name
    misses = text(person.get(f"/replay/{session}/parts/misses/"))
    assert "POST bank.example/&lt;b&gt;pay&lt;/b&gt; 2" in misses and "Make a mock" in misses
    assert person.get(f"/replay/{session}/parts/nothing/").status_code == 404
    assert "GET bank.example" not in text(person.get(f"/replay/{session}/parts/journal/?result=refused"))


def test_half_characters_break_no_page_and_survive_the_editor(person: Any, operator: Any) -> None:
    half = "x\ud800"
    session = start(operator)
    put_rules(operator, session, rule(path=f"/{half}", id=half, body=half))
    operator.post(f"/api/replay/v1/sessions/{session}/load-case", case(case_id=half))
    for path in ("", "parts/rules/", "parts/now/", "try/"):
        assert person.get(f"/replay/{session}/{path}").status_code == 200, path
    tried = person.post(f"/replay/{session}/try/", {"method": "GET", "path": "/x", "direction": "outbound"})
    assert "x?: does not match" in text(tried)
    page = person.get(f"/replay/{session}/edit/rules/")
    before = Session.objects.get().rules
    assert before["rules"][0]["id"] == half and edit(person, session, page.context["content"]).status_code == 302
    assert Session.objects.get().rules == before
    content = json.dumps(case(span("extract", status=200, host=half), case_id=half))
    address = person.post("/replay/captures/import/", {"content": content}).url
    assert person.get(address).status_code == person.get(f"{address}?at=0.0").status_code == 200
    assert person.get("/replay/captures/").status_code == person.get("/replay/").status_code == 200


def test_pages_cost_a_fixed_number_of_statements(
    person: Any, operator: Any, django_assert_max_num_queries: Any
) -> None:
    session = start(operator, policy=STRICT)
    put_rules(operator, session, *(rule(path=f"/{n}") for n in range(60)))
    for n in range(40):
        ask(operator, session, path=f"/{n % 2 * 99}")
    journal.writer.flush(5)
    with django_assert_max_num_queries(20):
        page = person.get(f"/replay/{session}/")
    assert text(page).count("bank.example/99") > 20
    with django_assert_max_num_queries(16):
        person.get("/replay/")


def test_mock_is_made_of_a_refused_request(person: Any, operator: Any) -> None:
    session = start(operator, policy=STRICT)
    put_rules(operator, session, rule(path="/other", id="kept"))
    ask(operator, session, path="/pay?x=1", method="PUT", host="Bank.example:8443")
    journal.writer.flush(5)
    [entry] = Entry.objects.all()
    page = person.get(f"/replay/{session}/edit/rules/?mock={entry.pk}")
    document = json.loads(page.context["content"])
    assert [one.get("id") for one in document["rules"]] == ["kept", None]
    assert document["rules"][1]["when"] == {
        "direction": "outbound", "method": "PUT", "host": "bank.example", "path": "/pay"
    }  # fmt: skip
    assert edit(person, session, document).status_code == 302
    assert ask(operator, session, path="/pay?x=1", method="PUT", host="Bank.example:8443").status_code == 200
    assert person.get(f"/replay/{session}/edit/rules/?mock=99999999").status_code == 404
    assert person.get(f"/replay/{session}/edit/rules/?mock=x").status_code == 404


def test_editor_names_the_place_of_each_fault_and_keeps_what_was_typed(person: Any, operator: Any) -> None:
    session = start(operator)
    answer = edit(person, session, {"version": 1, "rules": [rule(), rule(hots="x"), {"when": {}}]})
    assert answer.status_code == 422
    words = text(answer)
    assert (
        "rules[1].when.hots unknown key" in words
        and "rules[2].then is required" in words
        and "&quot;hots&quot;" in words
    )
    assert "line 2, column 1" in text(edit(person, session, '{"rules":\n]'))
    assert "rules" in text(edit(person, session, "5")) and edit(person, session, "NaN").status_code == 422
    assert "externalHttp is none of" in text(edit(person, session, {"externalHttp": "no"}, "policy"))
    assert edit(person, session, {"externalHttp": "strict"}, "policy").status_code == 302
    assert Session.objects.get().policy == {"externalHttp": "strict"}
    stale = person.post(f"/replay/{session}/edit/rules/", {"content": '{"rules": []}', "revision": "1"})
    assert stale.status_code == 422 and "was changed since" in text(stale)
    assert person.get(f"/replay/{session}/edit/case/").status_code == 404


def test_tester_says_who_answers_and_which_predicate_failed(person: Any, operator: Any, browser: Any) -> None:
    session = start(operator, policy=STRICT)
    put_rules(operator, session, rule(id="pay", path="/pay", method="POST", headers={"Accept": "text/plain"}))
    form = {
        "method": "POST",
        "host": "bank.example",
        "path": "/pay",
        "direction": "outbound",
        "headers": "Accept: text/html",
    }
    words = text(browser("VIEWER").post(f"/replay/{session}/try/", form))
    assert "pay: does not match" in words and "headers.Accept text/plain text/html ▲ No" in words
    assert "No rule answers, and the policy does not let the request pass" in words
    assert "pay decides: mock" in text(person.post(f"/replay/{session}/try/", form | {"headers": "accept: text/plain"}))
    assert Session.objects.get().strict_misses == 0, "trying counts nothing"
    answer = person.post(f"/replay/{session}/try/", form | {"headers": "no header"})
    assert answer.status_code == 422 and "Line 1 is no header" in text(answer)
    ask(operator, session, path="/pay", method="POST")
    journal.writer.flush(5)
    entry = Entry.objects.get()
    page = person.get(f"/replay/{session}/try/?entry={entry.pk}")
    assert 'value="bank.example"' in page.content.decode() and "headers.Accept text/plain nothing" in text(page)
    for query in ("entry=0", "entry=x", "capture=nothing&at=0.0"):
        assert person.get(f"/replay/{session}/try/?{query}").status_code == 404, query


def test_capture_is_viewed_downloaded_tried_and_replayed(person: Any, operator: Any) -> None:
    session = start(operator, "capture")
    report(operator, session, body=SECRET, more={"http.request.header.authorization": "Bearer s3cret"})
    report(operator, session, direction="inbound", host="shop.example", path="/cart", status=201, body=None)
    assert person.post(f"/replay/{session}/close/").url == f"/replay/captures/{session}/"
    assert session in text(person.get("/replay/captures/"))
    page = person.get(f"/replay/captures/{session}/?at=0.0")
    body, words = page.content.decode(), text(page)
    assert "<script>alert" not in body and "s3cret" not in body and "[REDACTED]" in words
    assert "GET bank.example/ledger outbound" in words and "shop.example/cart inbound – 201" in words
    for place in ("9.0", "0.9", "x", "0"):
        assert person.get(f"/replay/captures/{session}/?at={place}").status_code == 404, place
    for form, key in (("case", "traces"), ("har", "log")):
        answer = person.get(f"/replay/captures/{session}/{form}/")
        assert key in json.loads(b"".join(answer.streaming_content)) and "attachment" in answer["Content-Disposition"]
    address = person.post(f"/replay/captures/{session}/replay/").url
    replaying = Session.objects.get(mode="replay")
    assert address == f"/replay/{replaying.pk}/"
    assert ask(operator, replaying.pk).status_code == 200
    assert ask(operator, replaying.pk, path="/unknown").status_code == 599
    assert ask(operator, replaying.pk, direction="inbound", host="shop.example", path="/cart").status_code == 404
    assert "Try against" in text(person.get(f"/replay/captures/{session}/?at=0.0"))
    tried = text(person.get(f"/replay/{replaying.pk}/try/?capture={session}&at=0.0"))
    assert "Answer as it was captured decides: replay" in tried
    assert "/loadtest/?collection=" in person.post(f"/replay/captures/{session}/collect/").url
    assert SavedRequest.objects.get().url == "http://shop.example/cart", "inbound requests become the load"
    assert person.get(f"/replay/captures/{session}/replay/").status_code == 405


def test_har_is_imported_and_what_is_wrong_is_told(person: Any) -> None:
    entries = [
        {"request": {"method": "GET", "url": f"http://bank.example/{n}"}, "response": {"status": status, "content": {}}}
        for n, status in enumerate([200] * 60 + [0])
    ]
    upload = SimpleUploadedFile("a.har", json.dumps({"log": {"entries": entries}}).encode())
    address = person.post("/replay/captures/import/", {"file": upload}).url
    capture = Capture.objects.get()
    page = text(person.get(address))
    assert capture.trace_count == 60 and "1 could not be used; the first, entry 60: the response has status 0" in page
    assert "bank.example/49" in page and "bank.example/50" not in page
    assert "bank.example/59" in text(person.get(f"{address}?page=2"))
    document = case(span("extract", status=200), case_id="pasted")
    assert person.post("/replay/captures/import/", {"content": json.dumps(document)}).status_code == 302
    assert "pasted" in text(person.get("/replay/captures/"))
    for content, told in {
        "": "Choose a file",
        "{": "line 1, column 2",
        "5": "object",
        '{"version": "1", "caseId": "c"}': "traces is required",
    }.items():
        answer = person.post("/replay/captures/import/", {"content": content})
        assert answer.status_code == 422 and told in text(answer), content
    broken = SimpleUploadedFile("a.har", b"\xff\xfe\x00")
    assert "not text in UTF-8" in text(person.post("/replay/captures/import/", {"file": broken}))
    assert Capture.objects.count() == 2
    empty = case(case_id="empty")
    address = person.post("/replay/captures/import/", {"content": json.dumps(empty)}).url
    assert "Replay this case" not in text(person.get(address)) and "Nothing was captured" in text(person.get(address))
