"""Settings and health over HTTP (contract: load testing §2, §3)."""

import pytest

from config.version import VERSION
from loadtest.workspace import configuration
from loadtest.workspace.models import Setting
from loadtest.workspace.registry import ENTRIES, REGISTRY
from tests.loadtest.workspace.conftest import BASE
from tests.support.client import ApiClient

pytestmark = [pytest.mark.django_db, pytest.mark.storage]

REFERENCE = (
    "workers", "maxConnections", "defaultTimeout", "contextPoolSize", "statsInterval", "liveTickIntervalMs",
    "liveRetentionMs",
)  # fmt: skip


@pytest.fixture
def admin(api):
    return api("ADMIN")


@pytest.fixture
def config(admin):
    """`config(body)` posts and gives status and answer."""

    def post(body):
        answer = admin.post(f"{BASE}/config", body)
        return answer.status_code, answer.json()

    return post


def test_every_setting_comes_twice_in_the_order_of_the_table(api):
    body = api("VIEWER").get(f"{BASE}/config").json()
    keys = [entry.key for entry in ENTRIES]
    assert len(keys) == 27 and list(body) == ["entries", *keys]
    assert [entry["key"] for entry in body["entries"]] == keys
    assert body["liveTickIntervalMs"] == 100 and body["scriptEnableConsole"] is True
    entry = body["entries"][keys.index("liveTickIntervalMs")]
    assert entry | {"description": ""} == {
        "key": "liveTickIntervalMs", "value": "100", "type": "integer", "label": "Live Metrics Tick Interval (ms)",
        "description": "", "category": "observability", "default": "100", "min": "10", "max": "1000",
        "updatedAt": 0, "requiresRestart": False, "unit": "ms",
    }  # fmt: skip
    assert "min" not in body["entries"][keys.index("scriptEnableConsole")]


@pytest.mark.parametrize("key", REFERENCE)
def test_bounds_are_included(config, key):
    entry = REGISTRY[key]
    for bound, beyond, words in ((entry.min, entry.min - 1, "at least"), (entry.max, entry.max + 1, "at most")):
        status, body = config({"entries": {key: str(bound)}})
        assert (status, body["success"], body[key]) == (200, True, bound)
        assert config({key: beyond}) == (400, {"error": f"'{key}' must be {words} {bound} (got {beyond})"})
        assert configuration.value(key) == bound


@pytest.mark.parametrize(
    "body", [{"entries": {"workers": "4"}}, {"key": "workers", "value": 4}, {"workers": 4}, {"workers": 4.0}]
)
def test_three_shapes_of_a_change(config, body):
    status, answer = config(body)
    assert status == 200 and answer["workers"] == 4 and answer["entries"][0]["value"] == "4"
    assert configuration.value("workers") == 4 and configuration.values()["workers"] == 4


@pytest.mark.parametrize("value", [4.7, "4.7", "12abc", True, None, [], {}, "", " 4", "1e3", "٤", "9" * 50, 1e300])
def test_what_is_no_integer_is_refused(config, value):
    status, answer = config({"workers": value, "liveRetentionMs": 5})
    assert status == 400 and answer["error"].startswith("'workers' must be ")
    assert not Setting.objects.exists()


def test_booleans(config):
    for value, wanted in ((False, False), ("true", True), ("false", False), (True, True)):
        assert config({"scriptEnableConsole": value})[1]["scriptEnableConsole"] is wanted
        assert configuration.value("scriptEnableConsole") is wanted
    for value in (1, 0, "TRUE", "yes", None):
        assert config({"scriptEnableConsole": value})[0] == 400


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "No updates provided"), ({"entries": {}}, "No updates provided"),
        ({"workers": 5, "nope": 1}, "Unknown configuration key 'nope'"),
        ({"entries": [1]}, "'entries' must be an object"), ({"key": "workers"}, "'key' and 'value'"),
        ({"key": 5, "value": 5}, "'key' and 'value'"), ({"workers": 5, "liveTickIntervalMs": 5000}, "at most 1000"),
        ([], "must be a JSON object"),
    ],
)  # fmt: skip
def test_all_or_nothing(config, body, text):
    status, answer = config(body)
    assert status == 400 and text in answer["error"]
    assert not Setting.objects.exists()


def test_only_what_changed_is_dated(config):
    config({"workers": 3})
    first = config({"liveRetentionMs": 5})[1]
    second = config({"workers": 3, "liveRetentionMs": 6})[1]
    dated = [{entry["key"]: entry["updatedAt"] for entry in body["entries"]} for body in (first, second)]
    assert dated[0]["workers"] == dated[1]["workers"] > 0
    assert dated[1]["liveRetentionMs"] >= dated[0]["liveRetentionMs"] > 0 == dated[1]["defaultTimeout"]


def test_settings_need_an_administrator(api):
    assert api("OPERATOR").post(f"{BASE}/config", {"workers": 3}).status_code == 403
    assert api("VIEWER").get(f"{BASE}/config").status_code == 200


def test_health_asks_no_database_and_knows_changes_at_once(
    admin, django_assert_num_queries, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        admin.post(f"{BASE}/config", {"workers": 7})
    with django_assert_num_queries(0):
        answer = ApiClient().get(f"{BASE}/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "version": VERSION, "workers": 7})


def test_health_finds_its_settings_again_after_the_cache_was_lost(admin):
    from django.core.cache import cache

    from loadtest.workspace.tasks import remember_configuration

    admin.post(f"{BASE}/config", {"workers": 9})
    cache.clear()
    remember_configuration()
    assert ApiClient().get(f"{BASE}/health").json()["workers"] == 9
