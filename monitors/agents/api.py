"""GET /api/agents and /api/agents/{id}/metrics (contract: monitors §7)."""

from typing import Any

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.errors import NotFound
from config.api.fields import seconds
from config.api.pagination import OffsetPagination, integer
from config.api.permissions import VIEWER
from config.api.views import ApiView
from monitors.agents import queries, services
from monitors.agents.load import Load, load_of
from monitors.agents.models import Agent


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


class Agents(ApiView):
    """The agents, `default` among them always."""

    roles = {"get": VIEWER}
    rate_class = "monitors"

    def get(self, request: Request) -> Response:
        services.default_agent()
        pages, now = OffsetPagination(), timezone.now()
        agents = pages.paginate_queryset(Agent.objects.order_by("pk"), request, self)
        return pages.get_paginated_response([about(agent, load_of(agent, now)) for agent in agents])


class AgentMetrics(ApiView):
    """How busy an agent is, and was in the last `minutes` (60, at most 1440). Unknown numbers are null."""

    roles = {"get": VIEWER}
    rate_class = "monitors"

    def get(self, request: Request, id: str) -> Response:
        agent, now = services.get_agent(id), timezone.now()
        if agent is None:
            raise NotFound(f"Agent '{id}' not found")
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
                    for sample in queries.history(agent, now, minutes)
                ],
            }
        )
