"""Where extensions and profiles are known from: a catalogue file, or the Sindri command line (contract: fleet console
§27). Each answer, a failure too, is kept for 60 s.
"""

import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec
import yaml
from django.conf import settings

from fleet.providers.base import DriverFailed
from fleet.providers.programs import run
from fleet.registry.shapes import Catalogue, Extension, Profile, Summary, Version

KEPT_S = 60.0
LIMIT_S = 15.0
MOST_BYTES = 8 << 20
MOST_PROFILES = 200
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class Missing(Exception):
    """Neither a catalogue nor the command line is there."""


class Failed(Exception):
    """What is there gives no answer that can be used."""


class CommandLine:
    """The program, asked with lists of arguments; all of one question within 15 s."""

    def __init__(self, path: str) -> None:
        self._path = path

    def version(self) -> Version:
        return self._ask(Version, "version")

    def extensions(self) -> list[Extension]:
        return self._ask(list[Extension], "extension", "list", "--all")

    def profiles(self) -> list[Profile]:
        """The list names them; each is asked for what it holds. One that gives no answer in time shows its number."""
        until = time.monotonic() + LIMIT_S
        return [self._profile(one, until) for one in self._ask(list[Summary], "profile", "list")[:MOST_PROFILES]]

    def _profile(self, one: Summary, until: float) -> Profile:
        profile = Profile(one.name, one.description, extension_count=one.extensions)
        left = until - time.monotonic()
        if left > 0 and NAME.fullmatch(one.name):
            try:
                found = self._ask(Profile, "profile", "info", one.name, limit_s=left)
            except Failed:
                return profile
            profile.extensions, profile.total_with_dependencies = found.extensions, found.total_with_dependencies
        return profile

    def _ask(self, kind: Any, *words: str, limit_s: float = LIMIT_S) -> Any:
        said = bytearray()

        def take(piece: bytes) -> None:
            said.extend(piece)
            if len(said) > MOST_BYTES:
                raise Failed(f"sindri {words[0]} said more than {MOST_BYTES} bytes")

        try:
            run([self._path, *words, "--json"], timeout_s=limit_s, what=f"sindri {words[0]}", output=take)
            return msgspec.json.decode(bytes(said), type=kind)
        except (DriverFailed, msgspec.DecodeError, RecursionError, UnicodeError) as error:
            raise Failed(str(error)[:300] or f"sindri {words[0]} failed") from None


class CatalogueFile:
    """A file of the same facts in JSON or YAML: `version`, `extensions`, `profiles`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def version(self) -> Version:
        return self._read().version

    def extensions(self) -> list[Extension]:
        return self._read().extensions

    def profiles(self) -> list[Profile]:
        return self._read().profiles

    def _read(self) -> Catalogue:
        try:
            with self._path.open("rb") as file:
                text = file.read(MOST_BYTES + 1)
            if len(text) > MOST_BYTES:
                raise Failed(f"The catalogue is larger than {MOST_BYTES} bytes")
            return msgspec.convert(yaml.load(text, yaml.CSafeLoader), Catalogue)
        except (OSError, yaml.YAMLError, msgspec.ValidationError, RecursionError, UnicodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise Failed(f"The catalogue cannot be read: {reason}"[:300]) from None


def command_line() -> CommandLine | None:
    """The configured program, else `sindri` on the path; None when there is none that can be started."""
    path = settings.SINDRI_CLI or shutil.which("sindri")
    return CommandLine(path) if path and os.access(path, os.X_OK) and Path(path).is_file() else None


def source() -> CommandLine | CatalogueFile:
    """The catalogue file, which replaces the command line, else that. Raises Missing."""
    if settings.REGISTRY_CATALOGUE:
        return CatalogueFile(settings.REGISTRY_CATALOGUE)
    if found := command_line():
        return found
    raise Missing("The sindri command line is not installed, and no catalogue is set up")


class Kept:
    """Answers of the last minute; who asks meanwhile waits for the one who asked first."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._answers: dict[Any, tuple[float, Any]] = {}

    def answer(self, what: str, ask: Callable[[], Any]) -> Any:
        key = (what, settings.SINDRI_CLI, settings.REGISTRY_CATALOGUE)
        with self._lock:
            until, answer = self._answers.get(key, (0.0, None))
            if until < time.monotonic():
                try:
                    answer = ask()
                except (Missing, Failed) as error:
                    answer = error
                self._answers[key] = (time.monotonic() + KEPT_S, answer)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def clear(self) -> None:
        self._answers.clear()


kept = Kept()
