"""`audit`: prove that nobody touched the audit log, and take it along as a file."""

import json
import os
import sys
import time
from argparse import ArgumentTypeError
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.dateparse import parse_date, parse_datetime

from config.api.fields import camel
from security.audit import exporting, walking
from security.audit.walking import Place

EACH_S = 1.0  # between two lines of progress


def moment(text: str) -> datetime:
    """A day (its begin, UTC) or a moment with its offset."""
    try:
        found = parse_datetime(text) if "T" in text or " " in text else None
        day = parse_date(text) if found is None else None
    except ValueError:
        found = day = None
    if day:
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    if found is None or found.tzinfo is None:
        raise ArgumentTypeError("give a day (2026-01-31) or a moment with its offset (2026-01-31T12:00:00Z)")
    return found


class Command(BaseCommand):
    help = "Look after the audit log. Examples: pharos audit verify; pharos audit export --format csv > audit.csv"

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        verify = actions.add_parser("verify", help="walk the chain of seals; exit code 1 names the first bad entry")
        verify.add_argument("--json", action="store_true", help="print the verdict as JSON")
        export = actions.add_parser("export", help="print the entries that match, newest first, without a limit")
        export.add_argument("--format", choices=exporting.FORMATS, default="jsonl", help="default: %(default)s")
        export.add_argument("--from", dest="start", type=moment, help="the first day or moment")
        export.add_argument("--to", dest="end", type=moment, help="the day or moment before which to stop")
        export.add_argument("--user", dest="user_email", help="e-mail address of who did it")
        export.add_argument("--action", dest="action_is", help="such as UPDATE")
        export.add_argument("--resource", help="such as instance")
        export.add_argument("--resource-id", help="its id")

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, options["action"])(options)

    def verify(self, options: dict[str, Any]) -> None:
        verdict = walking.verify(progress=self._progress())
        if options["json"]:
            self.stdout.write(json.dumps({camel(name): value for name, value in asdict(verdict).items()}))
        if not verdict.ok:
            raise CommandError(f"{verdict.reason}. {verdict.checked} entries before it are whole.", returncode=1)
        if not options["json"]:
            self.stdout.write(f"The audit log is whole: {verdict.checked} entries checked.")

    def _progress(self) -> Callable[[Place], None]:
        """Tells each second how far the walk is."""
        total, told = walking.length(), time.monotonic()

        def tell(place: Place) -> None:
            nonlocal told
            if time.monotonic() - told >= EACH_S:
                told = time.monotonic()
                self.stderr.write(f"{place.checked} of {total} entries checked")

        return tell

    def export(self, options: dict[str, Any]) -> None:
        names = ("start", "end", "user_email", "resource", "resource_id")
        wanted = {name: options[name] for name in names} | {"action": options["action_is"]}
        write, _ = exporting.FORMATS[options["format"]]
        try:
            for line in write(exporting.begin(form=options["format"], actor=None, wanted=wanted)):
                self.stdout.write(line, ending="")
        except BrokenPipeError:  # the reader had enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
