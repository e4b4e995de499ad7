"""`pharos doctor`: is everything in place, and how to mend what is not."""

import sys
from typing import Any

from django.core.management import BaseCommand

from config.checks import examine


class Command(BaseCommand):
    help = "Check database, broker, migrations, keys, clock, disk, scheduler and tools, and say how to mend each."
    requires_system_checks = ()

    def handle(self, **options: Any) -> None:
        failed = 0
        for name, good, text in examine():
            failed += good is False
            mark = {True: "ok  ", False: "FAIL", None: "note"}[good]
            self.stdout.write(f"{mark}  {name}: {text}")
        if failed:
            sys.exit(1)
