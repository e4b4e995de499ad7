"""Callers without a key from networks that the settings name, below `/api/loadtest` (contract: load testing §1)."""

from ipaddress import ip_network

import pytest

from config.env import Env
from loadtest.workspace.models import Collection
from security.audit.models import AuditEntry
from tests.factories import make_key, make_user
from tests.support.client import ApiClient

pytestmark = pytest.mark.django_db

BASE = "/api/loadtest"
OWN = "http://127.0.0.1:8000"


@pytest.fixture(autouse=True)
def near(settings):
    settings.LOADTEST_ANONYMOUS_FROM = [ip_network("127.0.0.0/8"), ip_network("::1/128")]
    settings.BASE_URL = OWN
    settings.CORS_ALLOWED_ORIGINS = ["http://localhost:5173"]
    settings.TRUSTED_PROXIES = []


def call(path=f"{BASE}/collections", *, peer="127.0.0.1", host="127.0.0.1:8000", **headers):
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    client = ApiClient(headers={"Host": host, **given}, REMOTE_ADDR=peer)
    return client.post(path, {"name": "A"}).status_code


def test_a_program_on_this_machine_may_do_everything_here():
    assert call() == 200
    client = ApiClient(headers={"Host": "localhost:8000"})
    assert client.post(f"{BASE}/config", {"workers": 2}).status_code == 200
    assert client.get(f"{BASE}/collections").status_code == 200


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1", "[::1]:8000", "127.5.5.5:1"])
@pytest.mark.parametrize("peer", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_loopback_in_all_its_spellings(host, peer):
    assert call(peer=peer, host=host) == 200


@pytest.mark.parametrize("path", ["/api/v1/instances", "/api/monitors", "/api/v1/me", "/api/loadtestx"])
def test_nothing_else_opens(path):
    assert ApiClient(headers={"Host": "localhost"}).get(path).status_code in (401, 404)
    assert ApiClient(headers={"Host": "localhost"}).get("/api/v1/me").status_code == 401


@pytest.mark.parametrize("peer", ["10.0.0.5", "192.0.2.1", "::2", "", "unix"])
def test_other_peers_need_a_key(peer):
    assert call(peer=peer) == 401


@pytest.mark.parametrize("header", ["X_Forwarded_For", "X_Forwarded_Host", "X_Real_Ip", "Forwarded", "Via"])
def test_an_unknown_proxy_vouches_for_nobody(header):
    assert call(**{header: "127.0.0.1"}) == 401


def test_a_trusted_proxy_tells_whom_it_asks_for(settings):
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.1/32")]
    assert call(peer="10.0.0.1", X_Forwarded_For="127.0.0.1") == 200
    assert call(peer="10.0.0.1", X_Forwarded_For="192.0.2.1") == 401
    assert call(peer="10.0.0.1", X_Forwarded_For="127.0.0.1, 192.0.2.1") == 401
    settings.TRUSTED_PROXIES = [ip_network("127.0.0.1/32")]
    assert call() == 401
    assert call(Via="1.1 proxy") == 401


@pytest.mark.parametrize(
    "host", ["evil.example.org", "evil.example.org:8000", "localhost.evil.example.org", "192.0.2.1", "x@127.0.0.1", ""]
)
def test_a_name_that_somebody_points_here_opens_nothing(host):
    assert call(host=host) in (400, 401)
    assert not Collection.objects.exists()


def test_our_own_name_is_ours(settings):
    settings.BASE_URL = "http://pharos.example.org:8000"
    assert call(host="pharos.example.org:8000") == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example.org", "null", "", "http://127.0.0.1:9999", "http://localhost:5174"]
)
def test_pages_of_other_sites_open_nothing(origin):
    assert call(Origin=origin) == 401


@pytest.mark.parametrize("origin", [OWN, "http://localhost:5173"])
def test_our_pages_and_allowed_origins_may(origin):
    assert call(Origin=origin) == 200


@pytest.mark.parametrize(
    ("site", "status"), [("cross-site", 401), ("same-site", 401), ("same-origin", 200), ("none", 200), ("other", 401)]
)
def test_what_the_browser_says_of_the_page(site, status):
    assert call(Sec_Fetch_Site=site) == status


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer wrong"},
        {"X_Api_Key": "wrong"},
        {"Authorization": "Basic eDp5"},
        {"Authorization": "Bearer "},
    ],
)
def test_whoever_shows_a_wrong_key_is_not_nobody(headers):
    assert call(**headers) == 401


def test_a_key_keeps_its_own_role():
    _, raw = make_key(user=make_user(role="VIEWER"))
    assert call(Authorization=f"Bearer {raw}") == 403


def test_the_audit_log_tells_from_where():
    assert call() == 200
    entry = AuditEntry.objects.get(resource="load_collection")
    assert (entry.user_name, entry.user_id, entry.ip_address) == ("anonymous at 127.0.0.1", "anonymous", "127.0.0.1")


def test_a_trusted_network(settings):
    settings.LOADTEST_ANONYMOUS_FROM = [ip_network("10.1.0.0/16")]
    assert call(peer="10.1.2.3", host="10.1.0.1:8000") == 200
    assert call(peer="10.1.2.3", host="evil.example.org") == 401
    assert call() == 401


def test_off_means_off(settings):
    settings.LOADTEST_ANONYMOUS_FROM = []
    assert call() == 401


@pytest.mark.parametrize(
    ("environment", "networks"),
    [
        ({}, ["127.0.0.0/8", "::1/128"]),
        ({"base_url": "http://localhost:8000"}, ["127.0.0.0/8", "::1/128"]),
        ({"base_url": "https://pharos.example.org"}, []),
        ({"trusted_proxies": "10.0.0.0/8"}, []),
        ({"REDIS_URL": "redis://localhost"}, []),
        ({"REDIS_URL": "redis://localhost", "loadtest_anonymous_from": "10.0.0.0/8"}, ["10.0.0.0/8"]),
        ({"loadtest_anonymous_from": "none"}, []),
    ],
)
def test_the_default_is_this_machine_alone_where_nothing_stands_in_front(monkeypatch, environment, networks):
    for name in ("REDIS_URL", "DATABASE_URL", "PHAROS_BASE_URL", "PHAROS_TRUSTED_PROXIES"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name if name.isupper() else f"PHAROS_{name.upper()}", value)
    assert [str(network) for network in Env().anonymous_from] == networks
