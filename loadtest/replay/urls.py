"""Routes of the app: `/api/replay`, the same at the root (`/v1`), and pages.

A slash may be doubled after the base, by clients that do not trim theirs; none is ever redirected.
"""

from django.urls import include, path, re_path

from config.api.routers import route
from loadtest.replay.captures import api as captures
from loadtest.replay.dataplane import api as dataplane
from loadtest.replay.sessions import api as sessions
from loadtest.replay.ui import captures as capture_pages
from loadtest.replay.ui import detail, tester
from loadtest.replay.ui import documents as editing
from loadtest.replay.ui import sessions as session_pages

_v1: list = [
    ("meta", sessions.Meta.as_view()),
    ("schemas/<name>", sessions.Schema.as_view()),
    ("sessions", sessions.Sessions.as_view()),
    ("sessions/<id>", sessions.OneSession.as_view()),
    ("sessions/<id>/stats", sessions.Stats.as_view()),
    ("sessions/<id>/state", sessions.State.as_view()),
    ("sessions/<id>/load-case", sessions.LoadCase.as_view()),
    ("sessions/<id>/rules", sessions.Rules.as_view()),
    ("sessions/<id>/policy", sessions.Policy.as_view()),
    ("sessions/<id>/fixtures/auth", sessions.Fixtures.as_view()),
    ("sessions/<id>/close", sessions.Close.as_view()),
    ("sessions/<id>/journal", sessions.Journal.as_view()),
    ("sessions/<id>/explain", sessions.Explain.as_view()),
    ("inject", dataplane.inject_door),
    ("traces", dataplane.traces_door),
    ("captures", captures.Captures.as_view()),
    ("captures/<id>", captures.OneCapture.as_view()),
]

at_the_root: list = [route(path, view) for path, view in _v1]
api_replay: list = [
    re_path(r"^/?v1/", include(at_the_root)),
    route("health", sessions.Health.as_view()),
    route("cases/import", captures.Import.as_view()),
    route("cases/<id>", captures.OneCapture.as_view()),
    route("captures/<id>/collection", captures.Collection.as_view()),
]
pages: list = [
    path("replay/", session_pages.sessions, name="replay"),
    path("replay/rows/", session_pages.rows, name="replay-rows"),
    path("replay/new/", session_pages.new, name="replay-new"),
    path("replay/captures/", capture_pages.captures, name="replay-captures"),
    path("replay/captures/import/", capture_pages.bring_in, name="replay-import"),
    path("replay/captures/<pk>/", capture_pages.capture, name="replay-capture"),
    path("replay/captures/<pk>/case/", capture_pages.file, {"form": "case"}, name="replay-capture-case"),
    path("replay/captures/<pk>/har/", capture_pages.file, {"form": "har"}, name="replay-capture-har"),
    path("replay/captures/<pk>/replay/", capture_pages.act, {"name": "replay"}, name="replay-capture-replay"),
    path("replay/captures/<pk>/collect/", capture_pages.act, {"name": "collection"}, name="replay-capture-collect"),
    path("replay/<pk>/", detail.session, name="replay-session"),
    path("replay/<pk>/parts/<name>/", detail.part, name="replay-session-part"),
    path("replay/<pk>/edit/<name>/", editing.edit, name="replay-edit"),
    path("replay/<pk>/try/", tester.tester, name="replay-try"),
    path("replay/<pk>/close/", session_pages.close, name="replay-close"),
]
