"""Redirects: judged like the first URL, bounded, and no secret goes along to others."""

import time
from ipaddress import ip_network

import pytest

from config import outbound
from config.outbound import BadUrl, Policy, Refused, TimedOut, Unreachable
from tests.support.listener import answer, listening, redirect, within

LOOPBACK = Policy(allow_loopback=True)


def fetch(listener, path="/", method="GET", **options):
    return outbound.request(method, listener.url(path), policy=LOOPBACK, **{"timeout_s": 5, **options})


def test_redirects_are_answers_unless_followed():
    with listening() as goal, listening(redirect(goal.url("/there"))) as server:
        assert fetch(server).status == 302
        assert goal.connections == 0
        reply = fetch(server, follow_redirects=True)
        assert (reply.status, reply.body, reply.redirects, reply.url) == (200, b"ok", 1, goal.url("/there"))


def test_a_redirect_to_a_forbidden_address_is_refused():
    """Another loopback address stands for the public one; the policy allows only that."""
    only = Policy(allow=(ip_network("127.0.0.2/32"),))
    with listening() as forbidden:
        for location in (
            forbidden.url("/secret"),
            f"//localhost:{forbidden.port}/",
            f"http://[::ffff:127.0.0.1]:{forbidden.port}/",
        ):
            with listening(redirect(location), address="127.0.0.2") as server, pytest.raises(Refused):
                outbound.request("GET", server.url(), policy=only, follow_redirects=True)
        assert forbidden.connections == 0


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "http://user@host.example/", "http://127.1/", "gopher://a/"]
)
def test_a_redirect_to_something_else_is_a_bad_url(location):
    with listening(redirect(location)) as server, pytest.raises(BadUrl):
        fetch(server, follow_redirects=True)


def test_redirects_end():
    with listening(redirect("/again")) as server:
        with pytest.raises(Unreachable, match="more than 3 times"):
            fetch(server, follow_redirects=True, max_redirects=3)
        assert server.connections == 4


def test_the_deadline_covers_all_redirects():
    def slow(connection, head):
        time.sleep(0.1)
        redirect("/again")(connection, head)

    with listening(slow) as server, within(2), pytest.raises(TimedOut):
        fetch(server, follow_redirects=True, max_redirects=50, timeout_s=0.35)


@pytest.mark.parametrize(
    ("status", "sent", "method", "body"),
    [
        ("301 Moved", "POST", b"GET", b""),
        ("302 Found", "POST", b"GET", b""),
        ("302 Found", "PUT", b"PUT", b"data"),
        ("303 See Other", "PUT", b"GET", b""),
        ("307 Again", "POST", b"POST", b"data"),
        ("308 Moved", "PATCH", b"PATCH", b"data"),
    ],
)
def test_method_and_body_after_a_redirect(status, sent, method, body):
    with listening() as goal, listening(redirect(goal.url(), status)) as server:
        fetch(server, method=sent, body="data", headers={"Content-Type": "text/plain"}, follow_redirects=True)
    head, _, received = goal.requests[0].partition(b"\r\n\r\n")
    assert (head.split()[0], received) == (method, body)
    assert (b"content-type" in head.lower()) == bool(body)


def test_secrets_stay_with_their_origin():
    headers = {"Authorization": "Bearer s", "X-Api-Key": "s", "Cookie": "s=1", "Accept": "text/plain"}
    with listening() as goal, listening(redirect(goal.url())) as server:
        fetch(server, headers=headers, follow_redirects=True)
    sent, followed = server.requests[0].lower(), goal.requests[0].lower()
    for name in (b"authorization", b"x-api-key", b"cookie"):
        assert name in sent
        assert name not in followed
    assert b"accept: text/plain" in followed


def test_secrets_stay_on_the_way_within_one_origin():
    def serve(connection, head):
        (answer() if b"GET /b" in head else redirect("/b"))(connection, head)

    with listening(serve) as server:
        fetch(server, "/a", headers={"X-Api-Key": "s"}, follow_redirects=True)
    assert [b"X-Api-Key: s" in request for request in server.requests] == [True, True]
