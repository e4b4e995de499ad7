"""`pharos costs summary|import|prices`: what the fleet cost, a bill for the ledger, price tables."""

import json
from argparse import ArgumentTypeError
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from config.api.errors import ApiError
from costs.billing import services as billing
from costs.billing.lines import Unreadable
from costs.ledger import queries as ledger
from costs.ledger.queries import Amount, Days, Scope
from costs.money import cents, wire
from costs.pricing import queries as pricing
from costs.pricing import services as prices
from costs.reports import queries as reports
from fleet.instances.models import Provider

MOST_SHOWN = 200
MOST_DAYS = 731


def day(text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = date.min
    if not 2000 <= found.year <= 2200:
        raise ArgumentTypeError("give a day such as 2026-03-01")
    return found


class Command(BaseCommand):
    help = "Costs of the fleet. Example: pharos costs summary --from 2026-03-01 --to 2026-03-31"

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="summary|import|prices")
        summary = actions.add_parser("summary", help="what was spent, by provider, team and day")
        summary.add_argument("--from", dest="first", type=day, help="first UTC day; 30 days back without it")
        summary.add_argument("--to", dest="last", type=day, help="last UTC day; today without it")
        summary.add_argument("--provider", choices=Provider.values)
        summary.add_argument("--json", action="store_true", help="print JSON")
        bill = actions.add_parser("import", help="take a bill (FOCUS, CSV) into the ledger: all of it or nothing")
        bill.add_argument("file", type=Path)
        bill.add_argument("--replace", action="store_true", help="replace what was billed differently before")
        bill.add_argument("--skip-unknown", action="store_true", help="leave out resources that are no instance here")
        tables = actions.add_parser("prices", help="look at price tables").add_subparsers(dest="do", required=True)
        check = tables.add_parser("check", help="check the tables that hold today, or files")
        check.add_argument("file", type=Path, nargs="*")
        load = tables.add_parser("load", help="let the table in a file hold from its day on")
        load.add_argument("file", type=Path)

    def handle(self, *, action: str, **options: Any) -> None:
        try:
            {"summary": self.summary, "import": self.take_in, "prices": self.prices}[action](options)
        except ApiError as error:
            raise CommandError(_told(error)) from None

    def summary(self, options: dict[str, Any]) -> None:
        last = options["last"] or timezone.now().date()
        days = Days(options["first"] or last - timedelta(days=29), last)
        if not 1 <= len(days) <= MOST_DAYS:
            raise CommandError(f"Give 1 to {MOST_DAYS} days, the first one first.", returncode=2)
        scope = Scope(provider=options["provider"])
        points = ledger.daily_totals(days, scope)
        providers = ledger.totals_by("provider", days, scope)
        body: dict[str, Any] = {
            **reports.figures(sum(providers.values(), Amount())),
            "from": str(days.first),
            "to": str(days.last),
            "byProvider": {provider: wire(amount.total) for provider, amount in providers.items()},
            "byTeam": reports.by_team(days, scope),
            "points": [{"date": str(one)} | reports.figures(amount) for one, amount in points.items()],
        }
        if options["json"]:
            self.stdout.write(json.dumps(body))
            return
        self.stdout.write(f"{days.first} to {days.last} (UTC days), USD")
        for name in ("total", "compute", "storage", "network", "llm"):
            self.stdout.write(f"  {name:<10} {body[f'{name}Usd']:>14,.2f}")
        for title, rows in (
            ("By provider", body["byProvider"].items()),
            ("By team", [(row["team"], row["totalUsd"]) for row in body["byTeam"]]),
            ("By day", [(row["date"], row["totalUsd"]) for row in body["points"]]),
        ):
            self.stdout.write(title)
            for name, amount in rows:
                self.stdout.write(f"  {name:<30} {amount:>14,.2f}")

    def take_in(self, options: dict[str, Any]) -> None:
        try:
            taken = billing.take_in(
                options["file"], replace=options["replace"], skip_unknown=options["skip_unknown"], now=datetime.now(UTC)
            )
        except Unreadable as error:
            raise CommandError(str(error), returncode=2) from None
        except billing.Refused as error:
            for fault in error.faults[:MOST_SHOWN]:
                self.stderr.write(f"line {fault.line}: {fault.text}")
            more = len(error.faults) - MOST_SHOWN
            rest = f" {more} more are not shown." if more > 0 else ""
            raise CommandError(f"Nothing was imported: {len(error.faults)} faults.{rest}") from None
        self.stdout.write(
            f"{taken.lines} lines, {taken.skipped} left out. Days of instances: {taken.reconciled} reconciled, "
            f"{taken.new} new, {taken.replaced} replaced, {taken.unchanged} as before."
        )
        self.stdout.write(f"Billed {cents(taken.billed)} USD; estimated {cents(taken.estimated)} USD.")

    def prices(self, options: dict[str, Any]) -> None:
        if options["do"] == "load":
            row = prices.replace(document=prices.document_of(options["file"]), actor=None)
            self.stdout.write(f"{row.provider} version {row.version} holds from {row.valid_from} on.")
            return
        given: list[Path] = options["file"]
        tables = [prices.check_file(one) for one in given] or pricing.tables_on(timezone.now().date()).values()
        for table in tables:
            unsure = sum(size.estimate for size in table.sizes)
            told = f"{len(table.sizes)} sizes, {unsure} of them estimates" if table.priced else "no prices"
            self.stdout.write(f"ok  {table.provider:<13} {told}; as of {table.as_of}, {table.source}")


def _told(error: ApiError) -> str:
    places = [f"  {place or 'table'}: {text}" for place, texts in (error.details or {}).items() for text in texts]
    return "\n".join([error.message, *places[:MOST_SHOWN]])
