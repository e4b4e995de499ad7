"""`pharos advisories import|match|status`: what is known of vulnerabilities, and what that says of the fleet."""

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Count
from django.utils import timezone

from security.vulnerabilities import archives, importing, signals
from security.vulnerabilities.importing import Taken
from security.vulnerabilities.models import Archive, Finding, FleetMatch, Status
from security.vulnerabilities.services import match_all

TELLS_EVERY_S = 2.0


class Command(BaseCommand):
    help = "Advisories from files; nothing is fetched. Example: pharos advisories import PyPI.zip --kev kev.json"

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="import|match|status")
        take = actions.add_parser("import", help="take in what is newer, then match it with what is installed")
        take.add_argument("path", type=Path, nargs="*", help="ZIP archives or JSON files in OSV format, or folders")
        take.add_argument("--epss", type=Path, metavar="FILE.csv[.gz]", help="EPSS scores of first.org")
        take.add_argument("--kev", type=Path, metavar="FILE.json", help="CISA's catalogue of exploited vulnerabilities")
        take.add_argument("--again", action="store_true", help="store every advisory anew, also what did not change")
        actions.add_parser("match", help="match what is installed with the advisories now")
        actions.add_parser("status", help="show what was imported, and how many findings are open")

    def handle(self, *, action: str, **options: Any) -> None:
        {"import": self.take_in, "match": self.match, "status": self.status}[action](options)

    def take_in(self, options: dict[str, Any]) -> None:
        if not options["path"] and not options["epss"] and not options["kev"]:
            raise CommandError("Give a file or a folder, --epss or --kev.", returncode=2)
        done, refused = list[Taken](), 0
        for path in options["path"]:
            try:
                for source in archives.sources(path):
                    done.append(self._advisories(source, options["again"]))
            except (archives.Refused, OSError) as fault:
                refused += self._refuse(path, fault)
        for name, read in (("epss", signals.take_in_epss), ("kev", signals.take_in_kev)):
            if path := options[name]:
                try:
                    done.append(self._told(read(path, now=timezone.now())))
                except (archives.Refused, OSError) as fault:
                    refused += self._refuse(path, fault)
        if any(taken.stored and taken.source != "epss" for taken in done):
            self.match(options)
        if refused or any(taken.faults == taken.read > 0 for taken in done):
            raise CommandError("Not all of it was imported; the lines above say what and why.")

    def match(self, options: dict[str, Any]) -> None:
        counts = match_all(now=timezone.now(), progress=Progress(self.stderr, "instances matched"))
        self.stdout.write(
            f"Matched: {counts.detected} vulnerable packages; {counts.new} findings are new, {counts.reopened} open "
            f"again, {counts.fixed} fixed."
        )

    def status(self, options: dict[str, Any]) -> None:
        rows = list(Archive.objects.order_by("name"))
        if not rows:
            self.stdout.write("Nothing was imported yet: pharos advisories import FILE")
        for row in rows:
            newest = f"{row.newest_at:%Y-%m-%d}" if row.newest_at else "unknown"
            taken = f"{row.imported_at:%Y-%m-%d %H:%M} UTC"
            self.stdout.write(f"{row.name:<16} {row.entries:>8} entries   newest {newest:<10}   imported {taken}")
        counted = dict(Finding.objects.current().values_list("status").annotate(Count("pk")).order_by())
        told = ", ".join(f"{counted.get(status.value, 0)} {status.label.lower()}" for status in Status)
        last = FleetMatch.objects.filter(pk=1).values_list("finished_at", flat=True).first()
        self.stdout.write(f"Findings: {told}. Last matched: {f'{last:%Y-%m-%d %H:%M} UTC' if last else 'never'}.")

    def _advisories(self, source: archives.Source, again: bool) -> Taken:
        progress = Progress(self.stderr, f"entries of {source.name}")
        return self._told(importing.take_in(source, again=again, now=timezone.now(), progress=progress))

    def _told(self, taken: Taken) -> Taken:
        for fault in taken.named:
            self.stderr.write(f"{taken.source}: {fault}")
        if taken.faults > len(taken.named):
            self.stderr.write(f"{taken.source}: {taken.faults - len(taken.named)} more faults are not shown")
        if taken.same:
            self.stdout.write(f"{taken.source}: the same as imported before.")
        elif taken.source in ("epss", "kev"):
            self.stdout.write(f"{taken.source}: {taken.changed} vulnerabilities, {taken.faults} faults.")
        else:
            self.stdout.write(
                f"{taken.source}: {taken.read} entries; {taken.new} new, {taken.changed} changed, {taken.unchanged} "
                f"as before, {taken.withdrawn} withdrawn, {taken.faults} faults."
            )
        return taken

    def _refuse(self, path: Path, fault: Exception) -> int:
        self.stderr.write(f"{path}: {fault}")
        return 1


class Progress:
    """Says how far it is, at most every other second."""

    def __init__(self, stream: Any, what: str) -> None:
        self._stream, self._what, self._next = stream, what, time.monotonic() + TELLS_EVERY_S

    def __call__(self, done: int, total: int) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + TELLS_EVERY_S
            self._stream.write(f"{done} of {total} {self._what}")
