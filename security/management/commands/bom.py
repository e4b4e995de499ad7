"""`bom export|import INSTANCE FILE`: an instance's bill of material as CycloneDX."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q
from django.utils import timezone

from config.api.errors import ApiError
from fleet.instances.models import Instance
from security.bom import documents
from security.bom.cyclonedx import children
from security.bom.cyclonedx.reading import MOST_BYTES, VERSIONS


class Command(BaseCommand):
    help = "Export or import what is installed on an instance. Example: pharos bom export web-7 web-7.cdx.json"

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        export = actions.add_parser("export", help="write a CycloneDX document")
        export.add_argument("--spec", choices=VERSIONS, default=documents.NEWEST, help="version of CycloneDX")
        take = actions.add_parser("import", help="take over a CycloneDX document")
        for one in (export, take):
            one.add_argument("instance", help="its name or id")
            one.add_argument("file", help="a file; - is standard output or input")

    def handle(self, *args: Any, **options: Any) -> None:
        instance, file = _instance(options["instance"]), options["file"]
        try:
            if options["action"] == "export":
                document = children.write(
                    documents.order(instance=instance, version=options["spec"], now=timezone.now())
                )
                _write(file, document)
            else:
                self._take(instance, _read(file))
        except ApiError as error:
            raise CommandError("\n".join([error.message, *(error.details or {}).get("packages", [])])) from None
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from None

    def _take(self, instance: Instance, document: bytes) -> None:
        done = documents.take(instance=instance, document=document, actor=None, now=timezone.now())
        for line in documents.told(done):
            self.stdout.write(f"{instance.name}: {line}")
        for note in done.notes:
            self.stdout.write(f"Note: {note}")


def _instance(reference: str) -> Instance:
    found = list(Instance.objects.existing().filter(Q(pk=reference) | Q(name=reference)).order_by("-created_at")[:2])
    if not found:
        raise CommandError(f"There is no instance {reference}")
    if len(found) > 1:
        raise CommandError(f"Several instances are called {reference}: name one by its id")
    return found[0]


def _read(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read(MOST_BYTES + 1)
    with Path(file).open("rb") as opened:
        return opened.read(MOST_BYTES + 1)


def _write(file: str, document: bytes) -> None:
    if file == "-":
        sys.stdout.buffer.write(document + b"\n")
    else:
        Path(file).write_bytes(document)
