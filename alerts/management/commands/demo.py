"""`pharos demo load|remove`: data to look around with."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from alerts.demo import services
from alerts.demo.names import SEED
from config.api.errors import Conflict


class Command(BaseCommand):
    help = (
        "Load demo data to look around with, or remove it again. Nothing is sent anywhere, and removing touches "
        "nothing else. Example: pharos demo load --seed 7"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parts = parser.add_subparsers(dest="act", required=True, metavar="load|remove")
        load = parts.add_parser("load", help="instances, monitors, rules and a load test with a day of history")
        load.add_argument("--seed", type=int, default=SEED, help=f"the same number gives the same data ({SEED})")
        parts.add_parser("remove", help="take it all away again")

    def handle(self, *, act: str, **options: Any) -> None:
        if act == "remove":
            removed = services.remove(actor=None)
            self.stdout.write("Demo data removed." if removed else "There is no demo data.")
            return
        if not 0 <= options["seed"] < 2**62:
            raise CommandError("The seed must be a whole number from 0 on.", returncode=2)
        try:
            row = services.ask(actor=None, seed=options["seed"])
        except Conflict as refusal:
            raise CommandError(refusal.message) from None
        services.load(row, now=timezone.now())
        self.stdout.write("Demo data loaded: 24 instances, 8 monitors, 3 rules and a load test with its baseline.")
