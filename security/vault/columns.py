"""Where tokens of the vault are stored: every app enters its sealed columns here, so that keys can be changed.

Lower rooms know nothing of higher ones: an app registers its columns when it is ready.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet, TextField
from django.db.models.functions import Cast

from security.vault.crypto import current_prefix

WRAPPER = "secret"  # a token inside JSON is {"secret": token}

ContextOf = Callable[..., str]


@dataclass(frozen=True)
class Column:
    """A column with one token in its text, or with tokens inside its JSON (`nested`).

    `context_of` gives the context that an older token was encrypted with: of the row, and for a nested one of the row
    and the name that it stands under. None where no older tokens can be.
    """

    model: type[Model]
    name: str
    context_of: ContextOf | None
    nested: bool

    def __str__(self) -> str:
        return f"{self.model._meta.label}.{self.name}"

    def sealed(self) -> QuerySet[Any]:
        """The rows that hold a token, in the order of their keys."""
        rows = self.model._default_manager.only(self.name).order_by("pk")
        if self.nested:
            return rows.alias(_text=Cast(self.name, TextField())).filter(_text__contains=f'"{WRAPPER}"')
        return rows.exclude(**{self.name: ""})

    def behind(self) -> QuerySet[Any]:
        """The rows that may hold a token which the newest key did not wrap."""
        return self.sealed() if self.nested else self.sealed().exclude(**{f"{self.name}__startswith": current_prefix()})

    def context(self, row: Model, name: str) -> str | None:
        """The context of an older token, which for a nested one includes the name that it stands under."""
        if self.context_of is None:
            return None
        return self.context_of(row, name) if self.nested else self.context_of(row)


_columns: dict[str, Column] = {}


def register(model: type[Model], name: str, context_of: ContextOf | None = None, *, nested: bool = False) -> None:
    """Enter a sealed column. Called once for each, when its app is ready."""
    column = Column(model, name, context_of, nested)
    _columns[str(column)] = column


def registered() -> list[Column]:
    """All sealed columns, by name."""
    return [_columns[name] for name in sorted(_columns)]


def tokens_in(column: Column, row: Model) -> Iterator[tuple[str, str]]:
    """The tokens of a row with the names that they stand under; "" for the only one of a column."""
    value = getattr(row, column.name)
    return _nested(value, "") if column.nested else iter([("", value)])


def replaced(value: Any, tokens: dict[str, str]) -> Any:
    """The stored value with tokens replaced."""
    if isinstance(value, str):
        return tokens.get(value, value)
    if isinstance(value, dict):
        return {name: replaced(inner, tokens) for name, inner in value.items()}
    return [replaced(inner, tokens) for inner in value] if isinstance(value, list) else value


def _nested(value: Any, name: str) -> Iterator[tuple[str, str]]:
    """The tokens inside a JSON value with the name that each stands under."""
    if isinstance(value, dict):
        if isinstance(token := value.get(WRAPPER), str) and len(value) == 1:
            yield name, token
        else:
            for key, inner in value.items():
                yield from _nested(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _nested(inner, name)
