"""Log files of a machine through its agent (contract: fleet console §7), and `log:subscribe` handed on (§32.1)."""

import pytest
from asgiref.sync import sync_to_async

from fleet.logfiles import services
from tests.factories import make_key, make_team
from tests.fleet.conftest import make_instance

pytestmark = [pytest.mark.django_db, pytest.mark.contract]
FILE = {"path": "var/log/a.log", "name": "a.log", "size_bytes": 7, "last_modified": "2026-01-01T00:00:00.000Z"}


@pytest.fixture
def answered(monkeypatch):
    """`answered(body)`: every agent answers so; the questions are kept."""
    asked = []

    def answer(body):
        monkeypatch.setattr(services.calling, "ask", lambda *question, **how: asked.append(question) or body)
        return asked

    return answer


def get(client, instance, path):
    return client.get(f"/api/v1/instances/{instance.pk}/logs/{path}")


def test_sources(api, instance, answered):
    answered({"sources": [FILE], "request_id": "r"})
    answer = get(api(role="VIEWER"), instance, "sources")
    wanted = {"path": "var/log/a.log", "name": "a.log", "sizeBytes": 7, "lastModified": FILE["last_modified"]}
    assert (answer.status_code, answer.json()) == (200, {"sources": [wanted]})


def test_lines_of_a_file(api, instance, answered):
    asked = answered({"lines": ["x"], "total_lines": 9})
    answer = get(api(role="VIEWER"), instance, "file?path=var/log/a;rm%20-rf.log&lines=1&offset=4")
    assert answer.json() == {"lines": ["x"], "totalLines": 9, "path": "var/log/a;rm -rf.log", "offset": 4}
    assert asked == [(instance.pk, "log:file", {"path": "var/log/a;rm -rf.log", "lines": 1, "offset": 4})]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("path=/etc/passwd", 400), ("path=../x", 400), ("path=a/../b", 400), ("path=a%00b", 400), ("", 400),
        (f"path={'x' * 513}", 400), ("path=a&lines=0", 422), ("path=a&lines=5001", 422), ("path=a&offset=0", 422),
    ],
)  # fmt: skip
def test_bad_questions_reach_no_agent(api, instance, answered, query, status):
    asked = answered({})
    assert get(api(role="VIEWER"), instance, f"file?{query}").status_code == status
    assert asked == []


def test_what_agents_cannot_show(api, instance, answered):
    viewer, hidden = api(role="VIEWER"), make_instance(name="hidden", team=make_team())
    assert get(viewer, instance, "sources").status_code == 503  # no agent is connected
    assert get(viewer, hidden, "sources").status_code == 404
    answered({"error": "there is no such log file, or it may not be seen"})
    assert get(viewer, instance, "file?path=x").status_code == 404
    for nonsense in ({"sources": [7]}, {"sources": [{"path": 1}]}, {}):
        answered(nonsense)
        assert get(viewer, instance, "sources").status_code == 502


def test_the_page_lists_files_and_shows_lines(browser, instance, answered):
    client = browser("VIEWER")
    path = f"/instances/{instance.pk}/files/"
    assert "is not connected" in client.get(path).content.decode()
    answered({"sources": [FILE]})
    assert 'href="?path=var%2Flog%2Fa.log"' in client.get(path).content.decode()
    asked = answered({"lines": ["<b>bold</b>"], "total_lines": 950})
    shown = client.get(f"{path}?path=var/log/a.log").content.decode()
    assert [question[2]["offset"] for question in asked[-2:]] == [1, 751]
    assert "&lt;b&gt;bold&lt;/b&gt;" in shown
    assert "offset=551" in shown


@pytest.mark.django_db(transaction=True)
async def test_following_a_file_is_handed_on_and_undone(connect, instance):
    operator = (await sync_to_async(make_key)(role="OPERATOR"))[1]
    viewer = (await sync_to_async(make_key)(role="VIEWER"))[1]
    async with connect("/ws/agent", operator, X_Instance_ID=instance.pk) as agent:
        await agent.say("heartbeat", {})
        await agent.heard("heartbeat:pong")
        async with connect("/ws", viewer) as page:
            await page.tell("logs", "log:subscribe", {"paths": ["*"]}, instanceId=instance.pk)
            await page.heard("ack")
            await page.tell("logs", "log:subscribe", {"paths": ["var/log/a.log"]}, instanceId=instance.pk)
            await page.heard("ack")
            assert (await agent.heard("log:subscribe"))["payload"] == {"paths": ["var/log/a.log"]}
        assert (await agent.heard("log:unsubscribe"))["payload"] == {"paths": ["var/log/a.log"]}
        assert (await agent.heard("log:subscribe"))["payload"] == {"paths": ["*"]}
