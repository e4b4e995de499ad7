"""The models of all slices, so that Django finds them."""

from loadtest.signals.running.models import Chunk, Scenario, Snapshot

__all__ = ["Chunk", "Scenario", "Snapshot"]
