"""`keys`: API keys from the command line (contract: fleet console §37)."""

from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.api.fields import seconds
from config.api.permissions import ROLES
from config.api.scopes import WORDS
from security.keys import services


def days(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 3650:
        raise ArgumentTypeError("give 1 to 3650 days")
    return int(text)


def name(text: str) -> str:
    if not text.strip() or len(text) > 100:
        raise ArgumentTypeError("give 1 to 100 characters")
    return text.strip()


class Command(BaseCommand):
    help = "Make, list and revoke API keys. Example: pharos keys create --name pipeline --role OPERATOR"

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser("create", help="make a service user and print its key, this one time")
        create.add_argument("--name", required=True, type=name, help="what the key is for")
        create.add_argument("--role", required=True, type=str.upper, choices=ROLES)
        create.add_argument("--expires-days", type=days, help="days until the key ends; without it never")
        create.add_argument(
            "--scope", action="append", default=[], choices=WORDS, metavar="API:RIGHT", dest="scopes",
            help=f"narrow the key; may be given several times, without it every API opens: {', '.join(WORDS)}",
        )  # fmt: skip
        actions.add_parser("list", help="show every key that is not revoked, never the key itself")
        revoke = actions.add_parser("revoke", help="end a key at once")
        revoke.add_argument("prefix", help="the start of the key, as the list shows it")

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, options["action"])(options)

    def create(self, options: dict[str, Any]) -> None:
        key, raw = services.create_service_key(
            name=options["name"], role=options["role"], days=options["expires_days"], scopes=options["scopes"]
        )
        self.stdout.write(raw)  # nothing else, so that a script can take it
        if options["verbosity"] > 1:
            self.stderr.write(f"{key.name}: role {key.user.role}, ends {seconds(key.expires_at) or 'never'}")

    def list(self, options: dict[str, Any]) -> None:
        for key in services.all_keys().iterator(chunk_size=500):
            role = services.effective_role(services.cap_of(key.role, key.instance_id), key.user.role)
            used, ends = seconds(key.last_used_at) or "never", seconds(key.expires_at) or "never"
            scopes = f"  ({', '.join(key.scopes)})" if key.scopes else ""
            self.stdout.write(f"{key.key_prefix}  {role:<9}  used {used:<20}  ends {ends:<20}  {key.name}{scopes}")

    def revoke(self, options: dict[str, Any]) -> None:
        found = list(services.all_keys().filter(key_prefix__startswith=options["prefix"][:10])[:2])
        if len(options["prefix"]) < 6 or not found:
            raise CommandError(f"No key starts with {options['prefix'][:10]}", returncode=4)
        if len(found) > 1:
            raise CommandError("Several keys start so. Give more of the prefix.", returncode=2)
        services.revoke(key=found[0])
        self.stdout.write(f"Revoked {found[0].key_prefix} ({found[0].name})")
