"""`users`: people from the command line; off-boarding one who leaves (journey J10), help for one who is locked out."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from config.api.errors import ApiError
from config.api.fields import camel
from security.accounts.models import User
from security.offboarding import services
from security.offboarding.plan import Plan, plan
from security.offboarding.wire import as_body
from security.second_factor import services as second_factor


class Command(BaseCommand):
    help = "Look after people. Example: pharos users off-board someone@example.org --plan"

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        leaving = actions.add_parser("off-board", help="close every door of a person who leaves")
        leaving.add_argument("email", help="the person's e-mail address")
        way = leaving.add_mutually_exclusive_group(required=True)
        way.add_argument("--plan", action="store_true", help="show what there is to do, and do nothing")
        way.add_argument("--yes", action="store_true", help="do all that the plan recommends")
        leaving.add_argument("--json", action="store_true", help="print JSON")
        lost = actions.add_parser("reset-second-factor", help="remove the second factor of a person who lost it")
        lost.add_argument("email", help="the person's e-mail address")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        user = User.objects.filter(email=options["email"].strip().lower()).first()
        if user is None:
            raise CommandError("There is no user with this e-mail address", returncode=4)
        if options["action"] == "reset-second-factor":
            self._reset_second_factor(user)
            return
        if options["plan"]:
            self._tell(plan(user=user, actor=None, now=now), as_json=options["json"])
            return
        try:
            done = services.off_board(user=user, choice=services.Choice(), actor=None, now=now)
        except ApiError as refusal:
            raise CommandError(refusal.message, returncode=3) from None
        if options["json"]:
            self.stdout.write(json.dumps({camel(name): value for name, value in asdict(done).items()}))
        else:
            self.stdout.write(services.told(user, done))

    def _reset_second_factor(self, user: User) -> None:
        try:
            second_factor.reset(user=user, actor=None)
        except ApiError as refusal:
            raise CommandError(refusal.message, returncode=3) from None
        self.stdout.write(f"{user.email} signs in with the password alone until a new second factor is set up.")

    def _tell(self, found: Plan, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(as_body(found)))
            return
        if found.obstacle:
            self.stdout.write(found.obstacle)
        self.stdout.write(f"{found.user.email}: {len(found.sessions)} sessions")
        for own in found.api_keys:
            agent = f"  agent of {own.instance_id}" if own.instance_id else ""
            self.stdout.write(f"api key    {own.key_prefix}  {own.name}{agent}")
        for held in found.ssh_keys:
            mark = "revoke" if held.certain else "perhaps"
            self.stdout.write(
                f"ssh key    {mark:<8} {held.key.comment}  {held.key.fingerprint}  {held.key.instance.name}"
            )
        for known in found.secrets:
            mark = "rotated since" if known.rotated else "rotate"
            self.stdout.write(f"secret     {mark:<14} {known.secret.name}  {known.how}")
        for one in found.teams:
            self.stdout.write(f"team       {one.team.name}  {one.role}")
        for duty in found.duties:
            alone = "  nobody else is in it" if duty.alone else ""
            self.stdout.write(f"{duty.kind.lower()}  {duty.name}{alone}")
