"""The models of all slices, so that Django finds them."""

from loadtest.runs.models import Run, RunShard, RunTick
from loadtest.workspace.models import Collection, Environment, Globals, SavedRequest, Setting

__all__ = ["Collection", "Environment", "Globals", "Run", "RunShard", "RunTick", "SavedRequest", "Setting"]
