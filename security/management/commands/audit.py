"""`audit verify`: prove that nobody touched the audit log."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from security.audit.services import verify


class Command(BaseCommand):
    help = "Look after the audit log. Example: pharos audit verify"

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("verify", help="walk the chain of seals; exit code 1 names the first bad entry")

    def handle(self, *args: Any, **options: Any) -> None:
        verdict = verify()
        if not verdict.ok:
            raise CommandError(f"{verdict.reason}. {verdict.checked} entries before it are whole.", returncode=1)
        self.stdout.write(f"The audit log is whole: {verdict.checked} entries checked.")
