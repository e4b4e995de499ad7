"""The parts that `pharos up` runs inside one process, and how each is stopped."""

from config.parts.agent import LocalAgent
from config.parts.base import Part
from config.parts.work import Beat, Worker

__all__ = ["Beat", "LocalAgent", "Part", "Worker"]
