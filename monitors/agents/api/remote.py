"""The side of `/api/agents` and `/api/runs` that agents call with their own tokens (contract: monitors §7.2)."""

from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.errors import TooLarge, Unauthorized
from config.api.pagination import FURTHEST, integer
from config.api.permissions import AGENT
from config.api.views import ApiView
from monitors.agents import beats, services
from monitors.agents.api.inputs import Completion, Heartbeat
from monitors.agents.models import Agent
from monitors.bodies import Json
from monitors.paths import known_uuid
from monitors.runs import remote
from monitors.runs.output import CHUNK_BYTES


class Token(BaseAuthentication):
    """The agent behind `Authorization: Bearer <agent token>`; keys of people open nothing here."""

    def authenticate(self, request: Request) -> tuple[None, Agent]:
        scheme, _, raw = request.headers.get("Authorization", "").partition(" ")
        agent = services.agent_of_token(raw.strip()) if scheme.lower() == "bearer" else None
        if agent is None:
            raise Unauthorized("The token of an agent is needed. Send it in the Authorization (Bearer) header.")
        return None, agent

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class OfItself(BasePermission):
    """A token speaks for its own agent; any other one is as if the token were unknown."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if view.kwargs.get("id", request.auth.pk) != request.auth.pk:
            raise Unauthorized("This token belongs to another agent")
        return True


class AgentSide(ApiView):
    """Not rate limited: an agent's pace is the server's own rule, and strangers get no further than the token."""

    roles = {"post": AGENT}
    rate_class = None
    authentication_classes = (Token,)
    permission_classes = (OfItself,)
    parser_classes: tuple[type[BaseParser], ...] = (Json,)


class Beat(AgentSide):
    """I am alive, this is how I am, these runs I make. The answer names runs to stop."""

    @extend_schema(request=Heartbeat, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, id: str) -> Response:
        sent, now = Heartbeat(data=request.data), timezone.now()
        sent.is_valid(raise_exception=True)
        told = sent.validated_data
        beats.beat_of(agent=request.auth, told=told, now=now)
        stop = remote.renew(agent=request.auth, making=told.get("active_runs", 0), now=now)
        return Response({"cancel": [str(key) for key in stop]})


class Claim(AgentSide):
    """200 with a run to make, which is then this agent's alone; 204 when none waits."""

    @extend_schema(request=None, responses={200: OpenApiTypes.OBJECT, 204: None})
    def post(self, request: Request, id: str) -> Response:
        job = remote.take_next(agent=request.auth, now=timezone.now())
        return Response(status=204) if job is None else Response(job)


class Chunk(BaseParser):
    """A piece of a log as it came, whatever its declared type."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> bytes:
        data = stream.read(CHUNK_BYTES + 1)
        if len(data) > CHUNK_BYTES:
            raise TooLarge(f"A piece of a log has at most {CHUNK_BYTES} bytes")
        return data


class Log(AgentSide):
    """Append to the log of a run; `offset` (in bytes of the whole output) makes sending twice harmless."""

    parser_classes = (Chunk,)

    @extend_schema(request={"text/plain": OpenApiTypes.STR}, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, pk: str) -> Response:
        run_id = known_uuid(pk, "Run")
        offset = integer(request, "offset", -1, 0, FURTHEST // 2)
        data = request.data if isinstance(request.data, bytes) else b""
        goes_on = remote.append_log(
            agent=request.auth, run_id=run_id, data=data, offset=None if offset < 0 else offset, now=timezone.now()
        )
        return Response({"cancel": not goes_on})


class Complete(AgentSide):
    """The end of a run. Sent again it changes nothing; `accepted` is then false."""

    @extend_schema(request=Completion, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, pk: str) -> Response:
        run_id = known_uuid(pk, "Run")
        sent = Completion(data=request.data)
        sent.is_valid(raise_exception=True)
        run, accepted = remote.complete(agent=request.auth, run_id=run_id, report=sent.report, now=timezone.now())
        return Response({"runId": str(run.pk), "status": run.status, "accepted": accepted})
