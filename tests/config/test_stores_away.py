"""Redis or the database away: hints are lost, what needs them is answered with 503 and when to come back."""

import pytest
import redis
from django.core.cache import cache
from django.db import OperationalError

from config.cache import HintCache
from security.keys import services as keys
from tests.support.services import free_port


@pytest.fixture
def away(monkeypatch):
    """A cache whose Redis is not there."""
    monkeypatch.setattr(HintCache, "_away_until", 0.0)
    return HintCache(f"redis://127.0.0.1:{free_port()}/0", {"OPTIONS": {"socket_connect_timeout": 1}})


def test_hints_are_lost_and_work_goes_on(away):
    away.set("a", 1, 10)
    assert away.get("a", "nothing") == "nothing"
    assert (away.get_many(["a"]), away.set_many({"a": 1}), away.delete("a")) == ({}, [], False)
    for agreement in (lambda: away.add("a", 1, 10), lambda: away.incr("a")):
        with pytest.raises(redis.RedisError):
            agreement()
    with pytest.raises(redis.RedisError):
        away.ping()


@pytest.mark.django_db
def test_a_ticket_that_cannot_be_kept_is_not_given(api, monkeypatch, away):
    client = api("VIEWER")
    monkeypatch.setattr(cache._connections[cache._alias], "add", away.add)
    answer = client.post("/api/v1/ws/ticket", {})
    assert (answer.status_code, answer.json()["error"], answer["Retry-After"]) == (503, "Service Unavailable", "5")


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/v1/instances", "/api/monitors", "/api/v1/logs/stream", "/instances/"])
def test_without_the_database_the_answer_is_503(api, monkeypatch, path):
    client = api("VIEWER")

    def lost(*_, **__):
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(keys, "authenticate_key", lost)
    client.raise_request_exception = False
    answer = client.get(path)
    assert answer.status_code == 503
    if path.startswith("/api/"):
        assert answer["Retry-After"] == "5"
        assert "closed" not in answer.content.decode()
