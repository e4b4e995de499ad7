"""What the Sindri command line and a catalogue file say, as types."""

from typing import Annotated

import msgspec
from msgspec import Meta, field

Name = Annotated[str, Meta(min_length=1, max_length=128)]
Names = Annotated[list[Name], Meta(max_length=2000)]


class Extension(msgspec.Struct, omit_defaults=True):
    """One extension; what is not known of it is left out."""

    name: Name
    category: str
    version: str
    software: str | None = None
    status: str | None = None
    description: str | None = None


class Summary(msgspec.Struct):
    """A profile as the list of profiles names it: with the number of its extensions."""

    name: Name
    description: str | None = None
    extensions: int = 0


class Profile(msgspec.Struct):
    """A profile with its extensions; `extension_count` is the number that was told when the names are not known."""

    name: Name
    description: str | None = None
    extensions: Names = []
    total_with_dependencies: int | None = None
    extension_count: int | None = None

    @property
    def count(self) -> int:
        return len(self.extensions) if self.extension_count is None else self.extension_count

    @property
    def count_with_dependencies(self) -> int:
        return self.count if self.total_with_dependencies is None else self.total_with_dependencies


class Version(msgspec.Struct, omit_defaults=True):
    version: str = field(default="unknown")
    commit: str | None = None
    build_date: str | None = None
    target: str | None = None


class Catalogue(msgspec.Struct):
    """A catalogue file."""

    version: Version = field(default_factory=Version)
    extensions: Annotated[list[Extension], Meta(max_length=20_000)] = []
    profiles: Annotated[list[Profile], Meta(max_length=2000)] = []
