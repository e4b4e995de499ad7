"""Captured and imported cases: stored as they come, closed, shown, exported (contract: traffic replay §9)."""
