"""Sessions over HTTP, the same below both mounts (contract: traffic replay §5)."""

from typing import Any

from django.utils import timezone
from rest_framework.response import Response

from config.api.errors import NotFound
from config.api.permissions import ANYONE, OPERATOR, VIEWER
from config.version import REPLAY_SCHEMAS, REPLAY_SPEC, VERSION
from loadtest.replay.captures.services import path_of
from loadtest.replay.dataplane import explaining
from loadtest.replay.documents import schemas
from loadtest.replay.sessions import journal, queries, services
from loadtest.replay.sessions.models import Entry, Result, Session
from loadtest.replay.views import (
    NUMBER,
    OBJECT,
    ReplayView,
    as_object,
    content,
    documented,
    json_object,
    json_value,
    part,
    shape,
    small,
    text,
)  # fmt: skip

CHANGED = shape(sessionId=text(), sessionRevision=NUMBER)


class Health(ReplayView):
    """The process serves. Nothing that it leans on is looked at."""

    roles = {"get": ANYONE}
    rate_class, authentication_classes, for_gateways = None, (), True

    @documented()
    def get(self, request: Any) -> Response:
        return Response(
            {"status": "ok", "version": VERSION, "specVersion": REPLAY_SPEC, "schemaVersion": REPLAY_SCHEMAS}
        )


class Meta(ReplayView):
    """What this server speaks."""

    roles = {"get": VIEWER}
    for_gateways = True

    @documented()
    def get(self, request: Any) -> Response:
        return Response(
            {
                "runtimeVersion": VERSION,
                "specVersion": REPLAY_SPEC if self.wire else "v1",
                "schemaVersion": REPLAY_SCHEMAS,
                "supportedSchemas": list(schemas.NAMES),
            }
        )


class Schema(ReplayView):
    """One of the JSON Schemas by which documents are checked."""

    roles = {"get": VIEWER}

    @documented()
    def get(self, request: Any, name: str) -> Response:
        found = schemas.schema(name)
        if found is None:
            raise NotFound(f"No schema '{name[:64]}'")
        return Response(found)


class Sessions(ReplayView):
    """Open sessions, newest first; POST makes one."""

    roles = {"get": VIEWER, "post": OPERATOR}

    @documented(query=("limit", "offset"))
    def get(self, request: Any) -> Response:
        rows = Session.objects.open().visible_to(request.auth).order_by("-created_at", "-id")[part(request)]
        return Response({"sessions": [queries.listed(row, wire=self.wire) for row in rows]})

    @documented(body=shape(mode=text("capture, replay or generate"), policy=OBJECT), answer=CHANGED, status=201)
    def post(self, request: Any) -> Response:
        body = json_object(request)
        session = services.create(mode=body.get("mode"), policy=body.get("policy"), actor=request.auth)
        return Response(queries.listed(session, wire=self.wire), status=200 if self.wire else 201)


class OneSession(ReplayView):
    """One open session."""

    roles = {"get": VIEWER}

    @documented()
    def get(self, request: Any, id: str) -> Response:
        session = queries.get_open(session_id=id, principal=request.auth)
        return Response(queries.shown(session, wire=self.wire))


class Stats(ReplayView):
    """The counters of a session, nested and at the top."""

    roles = {"get": VIEWER}

    @documented()
    def get(self, request: Any, id: str) -> Response:
        session = queries.get_open(session_id=id, principal=request.auth)
        told = queries.head(session, wire=self.wire) | {"mode": session.mode}
        return Response(told | {"stats": queries.stats(session)} | queries.counters(session))


class State(ReplayView):
    """A session with its rules as they were given."""

    roles = {"get": VIEWER}

    @documented()
    def get(self, request: Any, id: str) -> Response:
        return Response(queries.state(queries.get_open(session_id=id, principal=request.auth), wire=self.wire))


class LoadCase(ReplayView):
    """Replaces the case that a session replays."""

    roles = {"post": OPERATOR}

    @documented(body=OBJECT, answer=CHANGED)
    def post(self, request: Any, id: str) -> Response:
        queries.get_open(session_id=id, principal=request.auth)
        session, case = services.load_case(session_id=id, document=json_object(request), actor=request.auth)
        told = {"traceCount": case.trace_count, "caseId": case.case_id, "ruleCount": case.rule_count}
        return Response(queries.head(session, wire=self.wire) | told)


class Rules(ReplayView):
    """Replaces a session's rules."""

    roles = {"post": OPERATOR}

    @documented(body=OBJECT, answer=CHANGED)
    def post(self, request: Any, id: str) -> Response:
        queries.get_open(session_id=id, principal=request.auth)
        body = json_value(request)
        document = body if isinstance(body, list) else as_object(body)
        session = services.set_rules(session_id=id, document=document, actor=request.auth)
        return Response(queries.head(session, wire=self.wire) | {"ruleCount": session.rule_count})


class Policy(ReplayView):
    """Replaces a session's policy."""

    roles = {"post": OPERATOR}

    @documented(body=OBJECT, answer=CHANGED)
    def post(self, request: Any, id: str) -> Response:
        queries.get_open(session_id=id, principal=request.auth)
        session = services.set_policy(session_id=id, document=json_object(request), actor=request.auth)
        return Response(queries.head(session, wire=self.wire))


class Fixtures(ReplayView):
    """Replaces a session's fixtures, whose values nobody reads again."""

    roles = {"post": OPERATOR}

    @documented(body=OBJECT, answer=CHANGED)
    def post(self, request: Any, id: str) -> Response:
        queries.get_open(session_id=id, principal=request.auth)
        session, count = services.set_fixtures(session_id=id, document=json_object(request), actor=request.auth)
        return Response(queries.head(session, wire=self.wire) | {"fixtureCount": small(count)})


class Close(ReplayView):
    """Ends a session; that of a capture becomes a case."""

    roles = {"post": OPERATOR}

    @documented(query=("out",))
    def post(self, request: Any, id: str) -> Response:
        if content(request).strip():
            json_object(request)
        wish, now = request.query_params.get("out", ""), timezone.now()
        session, capture = services.close(session_id=id, actor=request.auth, wish=wish, now=now)
        told: dict[str, Any] = {"sessionId": session.pk, "closed": True}
        if capture is not None:
            told |= {"casePath": path_of(capture, wish=wish, now=now), "traceCount": small(capture.trace_count)}
        return Response(told)


class Journal(ReplayView):
    """What was asked of a session and who answered, newest first; `?result=miss` and the like choose."""

    roles = {"get": VIEWER}

    @documented(query=("limit", "offset", "result"))
    def get(self, request: Any, id: str) -> Response:
        session = queries.get_open(session_id=id, principal=request.auth)
        rows = Entry.objects.filter(session=session).order_by("-id")
        if (result := request.query_params.get("result")) in Result.values:
            rows = rows.filter(result=result)
        uses = [
            {"rule": key, "hits": small(use.hits), "spent": use.spent_at is not None}
            for key, use in sorted(queries.uses_of(session).items())
        ]
        entries = [journal.shown(row) for row in rows[part(request)]]
        return Response(queries.head(session, wire=self.wire) | {"rules": uses, "entries": entries})


class Explain(ReplayView):
    """Which rule would answer a request, and why the others would not; `entry` names a line of the journal."""

    roles = {"post": VIEWER}

    @documented(body=shape(entry=text(), method=text(), host=text(), path=text(), headers=OBJECT, body=text()))
    def post(self, request: Any, id: str) -> Response:
        session = queries.get_open(session_id=id, principal=request.auth)
        body = json_object(request)
        asked = explaining.of_journal(session, body["entry"]) if "entry" in body else explaining.described(body)
        found = explaining.report(session, asked)
        return Response(found | queries.head(session, wire=self.wire))
