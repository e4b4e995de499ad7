"""The pages of commands, without scripts."""

import pytest
from django.utils import timezone

from fleet.commands import dispatch, recording
from fleet.commands.models import Batch, Execution, Status
from fleet.commands.reports import Piece
from tests.factories import make_team, make_user
from tests.fleet.conftest import make_instance

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def sent(monkeypatch):
    """The batches that were handed to a worker."""
    batches = []
    monkeypatch.setattr("fleet.commands.tasks.send.delay", batches.append)
    return batches


def fill(**changes):
    return {"targets": "web-1", "command": "df -h '/srv data'", "timeout_s": 30, "working_dir": "", "env": ""} | changes


def test_a_command_for_one_instance_runs_from_the_form(browser, instance, sent):
    person = browser("DEVELOPER")
    assert "New command" in person.get("/commands/").content.decode()
    page = person.get(f"/commands/new/?instance={instance.pk}").content.decode()
    assert "web-1</textarea>" in page
    answer = person.post("/commands/new/", fill(env="A=1\nB_TOKEN=hush hush"), follow=True)
    batch = Batch.objects.get()
    assert answer.redirect_chain == [(f"/commands/{batch.pk}/", 302)]
    assert (batch.command, batch.args, batch.timeout_ms) == ("df", ["-h", "/srv data"], 30_000)
    assert sent == [batch.pk]
    page = answer.content.decode()
    assert "df -h &#x27;/srv data&#x27;" in page and "B_TOKEN=********" in page and "hush" not in page


def test_several_are_shown_before_they_run(browser, instance, sent):
    two = make_instance(name="web-2", tags={"role": "web"})
    person = browser("OPERATOR")
    given = fill(targets="web-1, role=web")
    page = person.post("/commands/new/", given).content.decode()
    assert "Run on 2 instances" in page and "web-2" in page and not Batch.objects.exists()
    assert (
        "2 instances: web-1, web-2"
        in person.get("/commands/new/targets/", {"targets": given["targets"]}).content.decode()
    )
    three = make_instance(name="web-3", tags={"role": "web"})
    confirmed = given | {"confirmed": f"{instance.pk},{two.pk}"}
    assert "Run on 3 instances" in person.post("/commands/new/", confirmed).content.decode()  # others than were shown
    person.post("/commands/new/", given | {"confirmed": f"{instance.pk},{two.pk},{three.pk}"})
    assert Execution.objects.count() == 3


def test_a_script_is_read_before_it_runs(browser, instance, sent):
    person = browser("DEVELOPER")
    given = {"kind": "script", "targets": "web-1", "script": "\necho <b>\n", "interpreter": "/bin/sh", "timeout_s": 60}
    page = person.post("/commands/new/", given)
    assert "echo &lt;b&gt;" in page.content.decode() and not Batch.objects.exists()
    person.post("/commands/new/", given | {"confirmed": instance.pk})
    batch = Batch.objects.get()
    assert batch.has_script
    assert "echo &lt;b&gt;" in person.get(f"/commands/{batch.pk}/").content.decode()
    assert "echo &lt;b&gt;" not in browser("VIEWER").get(f"/commands/{batch.pk}/").content.decode()


def test_faults_are_told_and_nothing_runs(browser, instance, sent):
    make_instance(name="hidden", team=make_team())
    person = browser("DEVELOPER")
    for changes, text in (
        ({"targets": "nothing"}, "No instance fits nothing"),
        ({"targets": "hidden"}, "No instance fits hidden"),
        ({"targets": " , "}, "Name at least one instance"),
        ({"command": "echo '"}, "A quotation mark is not closed"),
        ({"command": ""}, "This field is required"),
        ({"timeout_s": 301}, "less than or equal to 300"),
        ({"env": "=x"}, "A name has 1 to 256 characters"),
    ):
        answer = person.post("/commands/new/", fill(**changes))
        assert answer.status_code == 422, changes
        assert text in answer.content.decode(), changes
    make_instance(name="web-2")
    answer = person.post("/commands/new/", fill(targets="web-1,web-2"))  # bulk is for operators
    assert "OPERATOR role" in answer.content.decode()
    assert browser("VIEWER").get("/commands/new/").status_code == 403
    assert not Batch.objects.exists()


def test_the_page_tells_both_streams_apart_by_word(browser, instance, sent):
    person = browser("DEVELOPER")
    person.post("/commands/new/", fill())
    [message] = dispatch.claim(sent[0])
    row = Execution.objects.select_related("batch", "instance").get()
    for number, (stream, text) in enumerate([("stdout", "one\n"), ("stderr", "<oh>\n"), ("stdout", "two\n")]):
        recording.take_piece(
            row, Piece(command_id=message.body["command_id"], stream=stream, sequence=number, data=text)
        )
    page = person.get(f"/commands/{row.pk}/").content.decode()
    assert '<span class="output-name">stderr</span><pre>&lt;oh&gt;' in page and "Cancel" in page
    person.post(f"/commands/{row.batch_id}/cancel/")
    recording.finish(row.pk, Status.FAILED, fault="Cancelled by somebody", now=timezone.now())
    text = person.get(f"/commands/{row.pk}/output/")
    assert text.content.decode() == "one\n[stderr] <oh>\ntwo\n[platform] Cancelled by somebody\n"
    assert text["Content-Type"].startswith("text/plain") and "attachment" in text["Content-Disposition"]
    rows = person.get(f"/instances/{instance.pk}/commands/?state=failed").content.decode()
    assert f"/commands/{row.pk}/" in rows
    person.post(f"/commands/{row.batch_id}/again/")
    assert Batch.objects.count() == 2


def test_another_person_approves_on_the_page(browser, instance, settings, sent):
    settings.COMMANDS_NEED_APPROVAL = ["df"]
    asker, other = browser("OPERATOR"), browser("OPERATOR")
    assert "second person" in asker.post("/commands/new/", fill()).content.decode()
    asker.post("/commands/new/", fill(confirmed=instance.pk))
    batch = Batch.objects.get()
    assert sent == []
    assert "Approve and run" not in asker.get(f"/commands/{batch.pk}/").content.decode()
    assert asker.post(f"/commands/{batch.pk}/approve/").status_code == 403
    assert "Approve and run" in other.get(f"/commands/{batch.pk}/").content.decode()
    other.post(f"/commands/{batch.pk}/approve/", {"note": "fine"})
    assert sent == [batch.pk]
    assert "fine" in asker.get(f"/commands/{batch.pk}/").content.decode()


def test_strangers_see_nothing(browser, sent):
    hidden = make_instance(name="hidden", team=make_team())
    user = make_user(role="ADMIN")
    batch = Batch.objects.create(
        user=user, asked_by="x", command="secret-tool", timeout_ms=1, created_at=timezone.now()
    )
    row = Execution.objects.create(batch=batch, instance=hidden, created_at=timezone.now())
    person = browser("OPERATOR")
    for key in (batch.pk, row.pk):
        assert person.get(f"/commands/{key}/").status_code == 404
        assert person.get(f"/commands/{key}/output/").status_code == 404
        assert person.post(f"/commands/{key}/cancel/").status_code == 404
    assert "secret-tool" not in person.get("/commands/").content.decode()
