"""`vault status|rotate|new-key`: change the key that stored secrets are encrypted with (docs/vault.md)."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.env import make_vault_key
from security.vault import keys, rotation


class Command(BaseCommand):
    help = "Look after the keys of the vault. Example: pharos vault rotate"

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        status = actions.add_parser("status", help="under which keys stored secrets lie; exit code 1: a key is missing")
        rotate = actions.add_parser("rotate", help="bring all under the newest key, online; exit code 1: some are not")
        rotate.add_argument("--batch", type=int, default=rotation.BATCH, help="rows that are read at once")
        for one in (status, rotate):
            one.add_argument("--json", action="store_true", help="print JSON")
        actions.add_parser("new-key", help="print a new key, and where it goes")

    def handle(self, *args: Any, **options: Any) -> None:
        match options["action"]:
            case "status":
                self._status(options["json"])
            case "rotate":
                self._rotate(options["json"], max(options["batch"], 1))
            case "new-key":
                self.stdout.write(make_vault_key())
                self.stderr.write(
                    "Put it in front of the others in PHAROS_VAULT_KEY, separated by a comma, restart all processes,\n"
                    "then run: pharos vault rotate. The older keys can go once it says that nothing needs them."
                )

    def _status(self, as_json: bool) -> None:
        standing, lacking, newest = rotation.standing(), rotation.lacking(), keys.newest()[0]
        if as_json:
            found = {"newest": newest, "configured": list(keys.configured()), "columns": standing, "missing": lacking}
            self.stdout.write(json.dumps(found, indent=2))
        else:
            self.stdout.write(f"Newest key: {newest}. Configured: {', '.join(keys.configured())}.")
            for column, counts in standing.items():
                told = ", ".join(f"{count} under {key_id}" for key_id, count in sorted(counts.items()))
                self.stdout.write(f"{column}: {told or 'nothing stored'}")
        if lacking:
            named = ", ".join(f"{key_id} ({count} secrets)" for key_id, count in lacking.items())
            raise CommandError(f"Not configured, though stored secrets need them: {named}", returncode=1)

    def _rotate(self, as_json: bool, batch: int) -> None:
        reports = rotation.rotate(batch=batch, progress=self._tell)
        left, done = sum(one.left for one in reports), sum(one.done for one in reports)
        if as_json:
            found = [
                {"column": one.column, "done": one.done, "left": one.left, "faults": one.faults} for one in reports
            ]
            self.stdout.write(json.dumps({"newest": keys.newest()[0], "columns": found}, indent=2))
        else:
            for one in reports:
                if one.done or one.left:
                    self.stdout.write(f"{one.column}: {one.done} brought under the newest key, {one.left} rows left")
                for fault, count in sorted(one.faults.items()):
                    self.stdout.write(f"  {count} times: {fault}")
            self.stdout.write(f"{done} secrets were brought under the key {keys.newest()[0]}.")
        if left:
            raise CommandError(f"{left} rows still hold secrets under older keys; keep those keys.", returncode=1)
        if not as_json:
            self.stdout.write("Nothing lies under an older key any more.")

    def _tell(self, report: rotation.Report) -> None:
        self.stderr.write(f"{report.column}: {report.done} done")
