"""Fixtures that all tests share. Fixtures of one app live in its own conftest."""

from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import pytest

from tests.support.client import ApiClient
from tests.support.local_server import LocalServer


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that use no database are `pure`: one run of them says all."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        marked = any(item.get_closest_marker(name) for name in ("django_db", "storage", "contract"))
        if not marked and not {"db", "transactional_db"} & fixtures:
            item.add_marker("pure")


@pytest.fixture(autouse=True)
def fresh_cache() -> None:
    """Limits, pulses and the like must not reach the next test."""
    from django.core.cache import cache

    cache.clear()


@pytest.fixture
def api(db: None) -> Callable[..., ApiClient]:
    """`api(role="OPERATOR")` is a client with a new user's key; `api(role=None)` carries none.

    `user` takes an existing user, `teams` maps teams to the roles in them; all else goes to `make_key`.
    """
    from security.accounts.models import Membership
    from tests.factories import make_key, make_user

    def client(role: str | None = "ADMIN", *, user: Any = None, teams: dict | None = None, **key: Any) -> ApiClient:
        if role is None:
            return ApiClient()
        user = user or make_user(role=role)
        for team, role_there in (teams or {}).items():
            Membership.objects.create(team=team, user=user, role=role_there)
        row, raw = make_key(user=user, **key)
        made = ApiClient(headers={"Authorization": f"Bearer {raw}"})
        made.user, made.key, made.raw_key = user, row, raw
        return made

    return client


@pytest.fixture
def browser(db: None) -> Callable[..., Any]:
    """`browser("OPERATOR")` is a browser without scripts in which a new person of that role is signed in.

    `teams` maps teams to the roles in them.
    """
    from django.test import Client

    from security.accounts.models import Membership
    from tests.factories import make_user

    def signed_in(role: str = "VIEWER", *, teams: dict | None = None) -> Client:
        client, user = Client(), make_user(role=role)
        for team, role_there in (teams or {}).items():
            Membership.objects.create(team=team, user=user, role=role_there)
        client.force_login(user)
        return client

    return signed_in


@pytest.fixture
def local_server() -> Iterator[LocalServer]:
    """A web server on loopback that answers as told; see `tests.support.local_server`."""
    server = LocalServer()
    yield server
    server.close()


@pytest.fixture
def eager_tasks(settings: Any) -> Iterator[None]:
    """Tasks run at once where they are sent, and their errors reach the test."""
    from config.celery import app

    before = app.conf.task_always_eager, app.conf.task_eager_propagates
    app.conf.task_always_eager = app.conf.task_eager_propagates = True
    yield
    app.conf.task_always_eager, app.conf.task_eager_propagates = before


@pytest.fixture(autouse=True, scope="session")
def quick_emptying() -> Iterator[None]:
    """Tests that commit leave an empty database; Django's own way misses unmanaged tables, and is slow."""
    from django.test import TransactionTestCase

    from tests.support.emptying import empty_tables

    with patch.object(TransactionTestCase, "_fixture_teardown", empty_tables):
        yield


@pytest.fixture(scope="session")
def servers() -> Iterator[dict[str, str]]:
    """DATABASE_URL and REDIS_URL of real servers: the given ones, else throw-away ones."""
    from tests.support import services

    with services.servers() as urls:
        yield urls


@pytest.fixture(scope="session")
def embedded_product() -> Iterator[Any]:
    """`pharos up` for the whole session. Tests that kill or stop it start their own."""
    from tests.support import product

    with product.embedded() as running:
        yield running


@pytest.fixture(scope="session")
def production_product(servers: dict[str, str]) -> Iterator[Any]:
    """The processes of the production shape for the whole session. Tests that kill some start their own."""
    from tests.support import product

    with product.production(servers) as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A headless Chromium driven by Playwright: `chromium.new_page()`.

    It ends with the module: while it runs, its event loop is in the way of asynchronous tests.
    """
    from playwright.sync_api import sync_playwright

    from tests.support import services

    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=services.chromium(),
            # Chromium's own sandbox does not work for root, as in containers; the pages are our own.
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
        )
        yield browser
        browser.close()
