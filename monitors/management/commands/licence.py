"""`pharos licence keygen|issue|show`: pairs of keys, licence keys, and what holds here (contract: monitors §9)."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from monitors.licence import keys, services


class Command(BaseCommand):
    help = "Makes and reads licence keys. Private keys are written to a file of yours and kept nowhere else."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parts = parser.add_subparsers(dest="act", required=True, metavar="keygen|issue|show")
        pair = parts.add_parser("keygen", help="make a pair of keys")
        pair.add_argument("--kid", required=True, help="name of the pair, part of every key that it signs")
        pair.add_argument("--out", required=True, help="new file for the private key")
        issue = parts.add_parser("issue", help="sign a licence key")
        issue.add_argument("--kid", required=True, help="name of the pair")
        issue.add_argument("--key-file", required=True, help="file with the private key")
        issue.add_argument("--tier", required=True, choices=keys.TIERS)
        issue.add_argument("--to", default="", help="whom it is issued to")
        issue.add_argument("--days", type=int, help="days that it is valid; without it, for ever")
        for name, noun in (("monitors", "most monitors"), ("agents", "most agents beside default")):
            issue.add_argument(f"--{name}", type=int, help=f"{noun}; without it, no limit")
        issue.add_argument("--min-interval", type=int, help="shortest gap of a schedule in seconds")
        show = parts.add_parser("show", help="tell what holds here, or what a key grants")
        show.add_argument("--key", help="a licence key to read, signed by one of LICENSE_PUBLIC_KEYS")

    def handle(self, *, act: str, **options: Any) -> None:
        try:
            getattr(self, act)(options)
        except (keys.BadKey, OSError) as fault:
            raise CommandError(str(fault)) from None

    def keygen(self, options: dict[str, Any]) -> None:
        if not options["kid"] or set(options["kid"]) & set(":, "):
            raise CommandError("A kid has no colon, comma or space.")
        private, public = keys.make_pair()
        handle = os.open(options["out"], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(private + "\n")
        self.stdout.write(f"The private key is in {options['out']}. Keep it off servers. Servers get:\n")
        self.stdout.write(f"LICENSE_PUBLIC_KEYS={options['kid']}:{public}")

    def issue(self, options: dict[str, Any]) -> None:
        now = timezone.now().replace(microsecond=0)
        terms = keys.Terms(
            kid=options["kid"],
            tier=options["tier"],
            monitor_limit=options["monitors"],
            agent_limit=options["agents"],
            min_interval_s=options["min_interval"],
            issued_to=options["to"],
            issued_at=now,
            valid_until=now + timedelta(days=options["days"]) if options["days"] else None,
        )
        self.stdout.write(keys.sign(terms, Path(options["key_file"]).read_text(encoding="ascii").strip()))

    def show(self, options: dict[str, Any]) -> None:
        if options["key"]:
            found: Any = keys.read(options["key"], settings.LICENSE_PUBLIC_KEYS)
        else:
            found = services.standing()
        for name, value in vars(found).items():
            self.stdout.write(f"{name:<15} {'-' if value is None else value}")
