"""One event at a time, sent while the caller waits (contract: signals §10)."""
