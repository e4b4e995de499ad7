"""Empties what a test that commits has filled.

Django's own way truncates every table after each such test and makes permissions and content types anew; looking for
the few tables with rows, and deleting those, costs a tenth of it.
"""

from functools import cache

from django.db import connection, transaction

KEPT = ("django_migrations", "django_content_type", "auth_permission")
INDEX = "_search"  # SQLite's full-text index of a table, and the tables that belong to it


def empty_tables(*_: object) -> None:
    """Delete all rows of the test database, but for what migrating put there about models."""
    quote = connection.ops.quote_name
    with transaction.atomic(), connection.cursor() as cursor:
        # Nothing but names of our own tables goes into these statements.
        filled = " UNION ALL ".join(f"SELECT '{t}' WHERE EXISTS (SELECT 1 FROM {quote(t)})" for t in _tables())  # noqa: S608
        cursor.execute(filled)
        for (table,) in cursor.fetchall():
            cursor.execute(f"DELETE FROM {quote(table)}")  # noqa: S608
        for index in _indexes():
            cursor.execute(f"INSERT INTO {quote(index)} ({quote(index)}) VALUES ('delete-all')")  # noqa: S608


@cache
def _tables() -> list[str]:
    return [name for name in connection.introspection.table_names() if name not in KEPT and INDEX not in name]


@cache
def _indexes() -> list[str]:
    """Outside indexes keep their entries when the rows go."""
    return [name for name in connection.introspection.table_names() if name.endswith(INDEX)]
