"""The models of all slices, so that Django finds them."""

from loadtest.replay.captures.models import Capture, Piece
from loadtest.replay.sessions.models import Cursor, Entry, LoadedCase, RuleUse, Session

__all__ = ["Capture", "Cursor", "Entry", "LoadedCase", "Piece", "RuleUse", "Session"]
