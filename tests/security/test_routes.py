"""Every route of the URL conf declares a role, and holds it against no key, bad keys and each role.

The routes are read from the URL conf, so a new one is under test as soon as it exists.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from config.api.permissions import AGENT, ANYONE, RANK, ROLES
from tests.factories import make_key, make_user
from tests.support.client import ApiClient

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
KNOWN = {ANYONE, AGENT, *ROLES}
UUID = "00000000-0000-4000-8000-000000000000"
SAMPLES = {"uuid": UUID, "int": "1"}


@dataclass(frozen=True)
class Route:
    path: str
    view: Any
    method: str
    role: str | None

    @property
    def is_page(self) -> bool:
        under_api = self.path.startswith("/api/") and not self.path.startswith("/api/docs")  # those are pages
        return not hasattr(self.view, "cls") and not under_api

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"


def walk(patterns: list, prefix: str = "") -> list[tuple[str, URLPattern]]:
    found = []
    for pattern in patterns:
        here = prefix + sample(pattern.pattern)
        if isinstance(pattern, URLResolver):
            found += walk(pattern.url_patterns, here)
        else:
            found.append((here, pattern.callback))
    return found


def sample(pattern: Any) -> str:
    """A path that matches a pattern; its parameters mean nothing that exists."""
    text = re.sub(r"\(\?P<\w+>[^)]*\)", "unknown", str(pattern)).replace("\\", "").replace("/?$", "")
    text = text.removeprefix("^").removeprefix("/?").removesuffix("$")
    return re.sub(r"<(?:(\w+):)?\w+>", lambda match: SAMPLES.get(match[1], "unknown"), text)


def routes_of(path: str, view: Any) -> list[Route]:
    """One route for each method that the view answers, with the role it declares for it."""
    if cls := getattr(view, "cls", None):
        actions = getattr(view, "actions", None) or {
            name: name for name in cls.http_method_names if name not in ("head", "options") and hasattr(cls, name)
        }
        return [Route(path, view, method, cls.roles.get(action)) for method, action in actions.items()]
    roles = getattr(view, "roles", None) or getattr(getattr(view, "view_class", None), "roles", {"get": None})
    return [Route(path, view, method, role) for method, role in roles.items()]


EVERY = walk(get_resolver().url_patterns, "/")
ROUTES = [route for path, view in EVERY if not path.startswith("/admin/") for route in routes_of(path, view)]
NEVER = {"/api/loadtest/shutdown"}  # refused to everybody, by its contract
API = [route for route in ROUTES if not route.is_page and route.path not in NEVER]
PAGES = [route for route in ROUTES if route.is_page and route.role != ANYONE]
ADMIN_SITE = sorted({path for path, _ in EVERY if path.startswith("/admin/")})


def call(client: Client, route: Route) -> int:
    body = None if route.method == "get" else {}
    return getattr(client, route.method)(route.path, body).status_code


def test_the_walk_sees_the_product():
    paths = {route.path for route in ROUTES}
    assert {"/health", "/api/v1/me", "/api/v1/instances/unknown", "/settings/users/", "/"} <= paths
    assert len(API) > 60 and len(PAGES) > 20 and len(ADMIN_SITE) > 20


def test_every_route_declares_a_role():
    assert [str(route) for route in ROUTES if route.role not in KNOWN] == []


def bad_key(route: Route, api: Any) -> ApiClient:
    """A client with an unknown, an expired or a revoked key: one of them for each route, since one place judges all."""
    match API.index(route) % 3:
        case 0:
            return ApiClient(headers={"X-Api-Key": "sk-" + "0" * 48})
        case 1:
            return api(role="ADMIN", expires_at=timezone.now() - timedelta(seconds=1))
    revoked = api(role="ADMIN")
    type(revoked.key).objects.filter(pk=revoked.key.pk).update(revoked_at=timezone.now())
    return revoked


@pytest.mark.parametrize("route", API, ids=str)
def test_an_api_route_holds_its_role(route, api):
    nobody = call(ApiClient(), route)
    if route.role == ANYONE:
        assert nobody not in (401, 403)
        return
    assert nobody == 401
    if route.role == AGENT:  # no key of a person opens it; what an agent's token may is its slice's test
        assert {call(api(role=role), route) for role in ROLES} == {401}
        return
    unknown = 403 if route.path.startswith(("/api/replay/", "/v1/")) else 401  # its clients tell the two apart
    assert call(bad_key(route, api), route) == unknown
    for role in ROLES:
        status = call(api(role=role), route)
        allowed = RANK[role] >= RANK[route.role]
        assert (status not in (401, 403)) if allowed else (status == 403), (role, status)
        assert status < 500 or status == 503, (role, status)


def signed_in(role: str) -> Client:
    client = Client(headers={"Origin": "http://testserver"})
    client.force_login(make_user(role=role))
    return client


@pytest.mark.parametrize("path", sorted({route.path for route in PAGES}))
def test_a_page_holds_its_role(path):
    """All methods of one address, with the same people: to read first, since a write may sign them out."""
    make_user()  # with nobody there every page leads to the setup
    people = {role: signed_in(role) for role in ROLES}
    for route in sorted((route for route in PAGES if route.path == path), key=lambda route: route.method):
        answer = getattr(Client(), route.method)(path)
        if answer.status_code == 405:
            continue  # the other method of this view is under test too
        assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/login/")
        assert getattr(ApiClient(headers={"X-Api-Key": "wrong"}), route.method)(path).status_code in (302, 401)
        for role, client in people.items():
            answer = getattr(client, route.method)(path)
            allowed = RANK[role] >= RANK[route.role]
            assert (answer.status_code == 403) is not allowed, (route.method, role, answer.status_code)
            assert not answer.get("Location", "").startswith("/login/"), (route.method, role)
            assert answer.status_code < 500, (route.method, role, answer.status_code)


def model_of(path: str) -> str:
    """The part of an address of the admin site that names a model; "" for those that belong to none."""
    return path.split("/")[3] if path.count("/") > 3 else ""


@pytest.mark.parametrize("model", sorted({model_of(path) for path in ADMIN_SITE}))
def test_the_admin_site_is_for_administrators(model):
    make_user()
    operator, admin = signed_in("OPERATOR"), signed_in("ADMIN")
    for path in (path for path in ADMIN_SITE if model_of(path) == model):
        assert Client().get(path, follow=True).redirect_chain[-1][0].startswith("/login/")
        assert operator.get(path, follow=True).status_code == 403
        assert admin.get(path).status_code < 500


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/nothing", "/nothing", "/api/v1/instances/a/b/c/d"])
def test_unknown_paths_tell_nothing_to_a_bad_key(path):
    _, raw = make_key()
    assert ApiClient(headers={"X-Api-Key": raw}).get(path).status_code == 404
    bad = ApiClient(headers={"X-Api-Key": "wrong"}).get(path)
    assert bad.status_code == (401 if path.startswith("/api/") else 404)
