"""The models of all slices, so that Django finds them."""

from monitors.agents.models import Agent, AgentSample, Worker
from monitors.monitors.models import Monitor, Script
from monitors.runs.models import LogChunk, Run

__all__ = ["Agent", "AgentSample", "LogChunk", "Monitor", "Run", "Script", "Worker"]
