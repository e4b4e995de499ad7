"""Matching 1,000 instances of 500 packages with an archive of 200,000 advisories: import, first match, second match.

Import and matches are the commands that people run, each in a process of its own, whose time and memory are told.
The naive way asks for the advisories of each package of each instance and saves finding by finding; on a sample.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks import _stack

ADVISORIES, NAMES = 200_000, 50_000
INSTANCES, PACKAGES, POOL = 1_000, 500, 4_000
SAMPLE = 5  # instances for the naive way
MOST_S, MOST_MIB = 60.0, 400.0
ECOSYSTEMS = ("PyPI", "npm", "Debian:12", "Maven", "Go")
WORDS = ("LOW", "MODERATE", "HIGH", "CRITICAL")
_random = random.Random(10)


@dataclass
class Cost:
    """What a command took: seconds, those of its own CPU time, the most memory in MiB; what it printed."""

    seconds: float
    cpu_s: float
    mib: float
    told: str


def main() -> None:
    _stack.prepare("config.settings")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "all.zip"
        print("making an archive and a fleet …", flush=True)
        make_archive(path)
        print("importing …", flush=True)
        imported = command("import", str(path))
    make_fleet()
    print("matching …", flush=True)
    first, second = command("match"), command("match")
    report(imported, first, second, naive())


def make_archive(path: Path) -> None:
    """An archive of osv.dev's shape: each advisory with one or two packages, two branches, a list of versions."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number in range(ADVISORIES):
            places = {_random.randrange(NAMES) for _ in range(1 + number % 2)}
            document = {
                "id": f"BENCH-{number:06d}",
                "modified": "2026-01-01T00:00:00Z",
                "aliases": [f"CVE-2026-{number:06d}"],
                "summary": f"What is wrong, number {number}",
                "details": "It can be made to do what it should not. " * 10,
                "database_specific": {"severity": WORDS[number % 4]},
                "affected": [affected(place) for place in places],
            }
            archive.writestr(f"{document['id']}.json", json.dumps(document))


def affected(place: int) -> dict:
    """The package with this number, below 1.x and in 2.0 to 2.x."""
    low, high = _random.randrange(1, 40), _random.randrange(1, 40)
    events = [{"introduced": "0"}, {"fixed": f"1.{low}.0"}, {"introduced": "2.0.0"}, {"fixed": f"2.{high}.0"}]
    return {
        "package": {"ecosystem": ECOSYSTEMS[place % 5], "name": f"package-{place}"},
        "ranges": [{"type": "ECOSYSTEM", "events": events}],
        "versions": [f"1.{minor}.0" for minor in range(low)],
    }


def make_fleet() -> None:
    """Machines with packages from a pool that they share, in five versions each. For PostgreSQL."""
    from django.db import connection
    from django.utils import timezone

    from fleet.instances.models import Instance
    from security.bom.models import Component, Inventory

    now = timezone.now()
    machines = Instance.objects.bulk_create(Instance(name=f"bench-{n}", provider="ssh") for n in range(INSTANCES))
    components = Component.objects.bulk_create(
        Component(ecosystem=ECOSYSTEMS[place % 5], name=f"package-{place}", version=f"{1 + step % 2}.{35 + step}.1")
        for place in _random.sample(range(NAMES), POOL)
        for step in range(5)
    )
    Inventory.objects.bulk_create(
        Inventory(instance=one, source="agent", received_at=now, digest="0" * 64, packages=PACKAGES) for one in machines
    )
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY security_installed (instance_id, component_id, source) FROM STDIN") as rows,
    ):
        for machine in machines:
            for component in _random.sample(components, PACKAGES):
                rows.write_row((machine.pk, component.pk, "agent"))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def command(*arguments: str) -> Cost:
    """Run `pharos advisories` with these arguments."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "django", "advisories", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=os.environ, cwd=_stack.ROOT,
    )  # fmt: skip
    told = process.stdout.read() if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, told
    took, cpu_s = time.perf_counter() - started, usage.ru_utime + usage.ru_stime
    return Cost(took, cpu_s, usage.ru_maxrss / 1024, told.strip().replace("\n", " "))


def naive() -> tuple[float, int]:
    """Seconds for a sample of instances, package by package; how many findings that gives."""
    from django.utils import timezone

    from fleet.instances.models import Instance
    from security.bom.models import Installed
    from security.vulnerabilities.models import Affected, Finding
    from security.vulnerabilities.ranges import holds
    from security.vulnerabilities.severity import RANKS

    instances = list(Instance.objects.order_by("pk")[:SAMPLE])
    Finding.objects.filter(instance__in=instances).delete()
    started, found = time.perf_counter(), 0
    for instance in instances:
        for one in Installed.objects.filter(instance=instance).select_related("component"):
            package = one.component
            for row in Affected.objects.filter(ecosystem__iexact=package.ecosystem, name=package.name):
                if not (holds(package.version, package.ecosystem, row.ranges)[0] or package.version in row.versions):
                    continue
                severity = row.advisory.severity
                Finding.objects.update_or_create(
                    instance=instance, cve_id=row.advisory.cve_id, package_name=package.name,
                    ecosystem=package.ecosystem,
                    defaults={
                        "advisory": row.advisory, "package_version": package.version, "severity": severity,
                        "rank": RANKS[severity], "detected_at": timezone.now(),
                    },
                )  # fmt: skip
                found += 1
    return time.perf_counter() - started, found


def report(imported: Cost, first: Cost, second: Cost, sampled: tuple[float, int]) -> None:
    seconds, found = sampled
    print(f"\nmatching: {INSTANCES:,} instances x {PACKAGES} packages, {ADVISORIES:,} advisories")
    for name, cost in (("import", imported), ("first match", first), ("match again", second)):
        print(f"  {name:<12} {cost.seconds:6.1f} s  {cost.cpu_s:6.1f} s CPU  {cost.mib:5.0f} MiB   {cost.told}")
    print(f"  naive way    {seconds * INSTANCES / SAMPLE:6.0f} s  for all, from {SAMPLE} instances: {found} findings")
    slowest, most = max(first.seconds, second.seconds), max(first.mib, second.mib)
    kept = slowest <= MOST_S and most <= MOST_MIB
    print(f"  target: a match in {MOST_S:.0f} s and {MOST_MIB:.0f} MiB: {'kept' if kept else 'MISSED'}")


if __name__ == "__main__":
    main()
