"""`/api/agents` for people (contract: monitors §7)."""

from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.errors import Invalid, NotFound
from config.api.fields import seconds
from config.api.pagination import OffsetPagination, integer
from config.api.permissions import ADMIN, VIEWER
from config.api.views import ApiView
from monitors.agents import joining, queries, services
from monitors.agents.api.inputs import NewAgent
from monitors.agents.load import Load, load_of, loads_of
from monitors.agents.models import DEFAULT, Agent
from monitors.bodies import Json


def about(agent: Agent, load: Load) -> dict[str, Any]:
    return {
        "id": agent.pk,
        "name": agent.name,
        "status": load.status,
        "lastHeartbeat": seconds(load.heartbeat_at),
        "location": agent.location,
        "version": load.version,
        "tools": load.tools,
        "capacity": load.capacity,
        "activeRuns": load.active_runs,
    }


def get_agent(slug: str) -> Agent:
    agent = services.get_agent(slug)
    if agent is None:
        raise NotFound(f"Agent '{slug[:64]}' not found")
    return agent


class AgentsView(ApiView):
    """Base of these routes: a JSON object comes in, the monitors' rate limit holds."""

    rate_class = "monitors"
    parser_classes = (Json,)


class Agents(AgentsView):
    """The agents, `default` among them always; a new one."""

    roles = {"get": VIEWER, "post": ADMIN}

    def get(self, request: Request) -> Response:
        services.default_agent()
        pages, now = OffsetPagination(), timezone.now()
        agents = pages.paginate_queryset(Agent.objects.current().order_by("pk"), request, self)
        loads = loads_of(agents, now)
        return pages.get_paginated_response([about(agent, loads[agent.pk]) for agent in agents])

    @extend_schema(request=NewAgent, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        """201 with the token, shown once, and the command that starts the agent."""
        sent = NewAgent(data=request.data)
        sent.is_valid(raise_exception=True)
        agent, token = services.create(actor=request.auth, request=request, **sent.validated_data)
        return Response(_with_token(request, agent, token), status=201)


class OneAgent(AgentsView):
    roles = {"get": VIEWER, "delete": ADMIN}

    def get(self, request: Request, id: str) -> Response:
        agent = get_agent(id)
        return Response(about(agent, load_of(agent, timezone.now())))

    def delete(self, request: Request, id: str) -> Response:
        agent, target = get_agent(id), request.query_params.get("reassign")
        if target not in (None, "", DEFAULT):
            raise Invalid("Unknown target", details={"reassign": ["Monitors can only be moved to 'default'."]})
        services.remove(agent=agent, reassign=target == DEFAULT, actor=request.auth, request=request)
        return Response(status=204)


class AgentToken(AgentsView):
    """A new token for an agent whose own was lost."""

    roles = {"post": ADMIN}

    def post(self, request: Request, id: str) -> Response:
        agent = get_agent(id)
        token = services.renew_token(agent=agent, actor=request.auth, request=request)
        return Response(_with_token(request, agent, token))


def _with_token(request: Request, agent: Agent, token: str) -> dict[str, Any]:
    url = joining.server_url(request.build_absolute_uri("/"))
    return about(agent, load_of(agent, timezone.now())) | {
        "token": token,
        "command": joining.command_for(token=token, url=url),
    }


class AgentMetrics(AgentsView):
    """How busy an agent is, and was in the last `minutes` (60, at most 1440). Unknown numbers are null."""

    roles = {"get": VIEWER}

    def get(self, request: Request, id: str) -> Response:
        agent, now = get_agent(id), timezone.now()
        minutes = integer(request, "minutes", 60, 1, 1440)
        load, day = load_of(agent, now), queries.last_day(agent, now)
        return Response(
            {
                "agentId": agent.pk,
                "status": load.status,
                "collectedAt": seconds(load.heartbeat_at),
                "cpuPercent": load.cpu_percent,
                "memoryPercent": load.memory_percent,
                "memoryUsedMb": load.memory_used_mb,
                "loadAverage": load.load_average,
                "activeRuns": load.active_runs,
                "queuedRuns": load.queued_runs,
                "runsLast24h": day["runs"],
                "failedLast24h": day["failed"],
                "avgRunSeconds": day["avg_s"],
                "uptimeSeconds": load.uptime_s,
                "history": [
                    {
                        "at": seconds(sample.at),
                        "cpuPercent": sample.cpu_percent,
                        "memoryPercent": sample.memory_percent,
                        "activeRuns": sample.active_runs,
                    }
                    for sample in queries.history(agent, now, minutes, load)
                ],
            }
        )
