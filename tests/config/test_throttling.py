"""Whom a request is counted for (contract: fleet console §1.8)."""

from ipaddress import ip_network

import pytest
from django.core.cache import cache
from django.test import RequestFactory

from config.api.throttling import count, peer_address
from tests.support.client import ApiClient

pytestmark = pytest.mark.storage  # counts in memory, and in Redis
PROXY = [ip_network("10.0.0.0/8"), ip_network("::1/128")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # nobody trusts this peer
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1"),  # the first one was written by the client
        ("10.0.0.1", "198.51.100.1, 10.0.0.2", "198.51.100.1"),  # two proxies
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", " , ,", "10.0.0.1"),
        ("::1", "2001:db8::7", "2001:db8::7"),
        ("10.0.0.1", "nonsense", "nonsense"),
        ("", "198.51.100.1", ""),
    ],
)
def test_peer_address(settings, peer, forwarded, expected):
    settings.TRUSTED_PROXIES = PROXY
    request = RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=forwarded)
    assert peer_address(request) == expected


@pytest.mark.django_db
class TestLimits:
    URL = "/api/v1/version"

    def test_keys_behind_one_address_do_not_share(self, api, settings):
        settings.RATE_READS = 1
        first, second = api(), api()
        assert [first.get(self.URL).status_code, first.get(self.URL).status_code] == [200, 429]
        assert second.get(self.URL).status_code == 200

    def test_two_keys_of_one_user_share(self, api, settings):
        settings.RATE_READS = 1
        first = api()
        assert first.get(self.URL).status_code == 200
        assert api(user=first.user).get(self.URL).status_code == 429

    def test_a_forged_header_escapes_nothing(self, db, settings):
        settings.RATE_READS = 1
        client = ApiClient()
        statuses = [
            client.get(self.URL, headers={"X-Forwarded-For": f"198.51.100.{number}"}).status_code for number in range(3)
        ]
        assert statuses == [401, 429, 429]

    def test_bad_keys_are_counted_for_their_address(self, db, settings):
        settings.RATE_READS = 1
        statuses = [
            ApiClient(headers={"X-Api-Key": f"wrong {number}"}).get(self.URL).status_code for number in range(2)
        ]
        assert statuses == [401, 429]

    def test_reads_and_writes_are_counted_apart(self, api, settings):
        settings.RATE_READS, settings.RATE_WRITES = 1, 1
        client = api()
        assert client.get(self.URL).status_code == 200
        assert client.post("/api/v1/ws/ticket").status_code == 200
        assert client.post("/api/v1/ws/ticket").status_code == 429

    def test_refusals_carry_the_headers(self, api, settings):
        settings.RATE_READS = settings.RATE_WRITES = 5
        for answer in (
            ApiClient().get(self.URL),
            api(role="VIEWER").get("/api/v1/admin/users"),
            api().get("/api/v1/admin/users/x"),
            api().post("/api/v1/admin/users", {}),
        ):  # fmt: skip
            assert answer.status_code >= 400
            assert (answer["X-RateLimit-Limit"], answer["X-RateLimit-Remaining"]) == ("5", "4")

    def test_no_limit(self, api, settings):
        settings.RATE_READS = 0
        assert "X-RateLimit-Limit" not in api().get(self.URL)

    def test_health_is_never_limited(self, db, settings):
        settings.RATE_READS = 1
        assert {ApiClient().get("/health").status_code for _ in range(5)} <= {200, 503}


def test_a_cache_that_does_not_answer_refuses_nobody(monkeypatch):
    def away(*args, **kwargs):
        raise ConnectionError("the cache is away")

    monkeypatch.setattr(cache, "add", away)
    assert count("reads", "user:1", 5)[:2] == (5, 5)
