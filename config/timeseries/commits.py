"""How soon a connection learns that its commit is done."""

from django.db import DEFAULT_DB_ALIAS, connections


def tell_before_disk(using: str = DEFAULT_DB_ALIAS) -> None:
    """Commits of this thread's connection are told once everybody sees them; the disk has them within a second.

    For counters: what a server that loses its power in that second forgets are some counts, never an order. SQLite in
    WAL mode (`synchronous=NORMAL`) works that way always.
    """
    if connections[using].vendor == "postgresql":
        with connections[using].cursor() as cursor:
            cursor.execute("SET synchronous_commit TO OFF")
