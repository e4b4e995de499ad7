"""The models of all slices, so that Django finds them."""

from monitors.agents.models import Agent, AgentSample, Worker
from monitors.licence.models import Licence
from monitors.monitors.models import Monitor, Script
from monitors.runs.models import LogChunk, Run, Screenshot
from monitors.status_page.models import PublicMonitor, StatusNote, StatusPage
from monitors.trials.models import Trial
from monitors.uptime.models import MonitorDay

__all__ = [
    "Agent",
    "AgentSample",
    "MonitorDay",
    "Licence",
    "LogChunk",
    "Monitor",
    "StatusNote",
    "Run",
    "Screenshot",
    "Script",
    "PublicMonitor",
    "StatusPage",
    "Trial",
    "Worker",
]
