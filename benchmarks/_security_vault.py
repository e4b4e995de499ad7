"""10,000 secrets come under a new key while readers read and writers write.

The key is changed as a site changes it: readers know the new key and the old one, `pharos vault rotate` runs beside
them. A reader that fails once, or reads another value than was stored, fails the benchmark.
"""

import base64
import secrets
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks import _stack

SECRETS, READERS, WRITERS = 10_000, 4, 1
READ_PAUSE_S, WRITE_PAUSE_S = 0.005, 0.02  # they share one interpreter with the rotation


@dataclass
class Watch:
    """What readers and writers saw; threads append, the main thread reads when they are done."""

    over: threading.Event = field(default_factory=threading.Event)
    read_ms: list[float] = field(default_factory=list)
    writes: int = 0
    faults: list[str] = field(default_factory=list)


def main() -> None:
    """Stand-alone: `make bench NAME=security`, or with DATABASE_URL: `python -m benchmarks._security_vault`."""
    _stack.prepare("config.settings")
    measure()


def measure() -> None:
    """Make the secrets, change the key, print the figures. Needs Django to be set up on a database of its own."""
    from django.conf import settings

    from security.vault import keys, rotation

    old = settings.VAULT_KEY
    print(f"making {SECRETS:,} secrets …", flush=True)
    made = make()
    settings.VAULT_KEY = f"{base64.b64encode(secrets.token_bytes(32)).decode()},{old}"
    watch = Watch()
    threads = [threading.Thread(target=read, args=(made, watch)) for _ in range(READERS)]
    threads += [threading.Thread(target=write, args=(made, watch)) for _ in range(WRITERS)]
    for thread in threads:
        thread.start()
    began, cpu = time.perf_counter(), time.process_time()
    reports = rotation.rotate()
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    watch.over.set()
    for thread in threads:
        thread.join()
    done, left = sum(one.done for one in reports), sum(one.left for one in reports)
    under = sum(rotation.standing()["security.SecretVersion.sealed_value"].values())
    last = only_the_newest(made)
    print(f"re-wrapped: {done:,} of {under:,} tokens in {took:.1f} s ({done / took:,.0f} a second), {left} left")
    quantiles = statistics.quantiles(watch.read_ms, n=100)
    print(f"meanwhile: {len(watch.read_ms):,} reads, median {quantiles[49]:.1f} ms, p99 {quantiles[98]:.1f} ms,")
    print(f"           {watch.writes:,} writes, {len(watch.faults)} faults; {cpu:.1f} s of CPU, all threads of it")
    print(f"afterwards: {last:,} values read with the new key alone ({keys.newest()[0]})")
    settings.VAULT_KEY = f"{settings.VAULT_KEY},{old}"
    good = not (watch.faults or left or last != SECRETS)
    print(f"{'kept' if good else 'MISSED'}: no reader fails, nothing is left under the old key")
    for fault in watch.faults[:5]:
        print(f"  {fault}")
    if not good:
        raise SystemExit(1)


def make() -> dict[str, str]:
    """Secrets with values of 40 characters: ids of their versions with what they hold."""
    from security.vault.models import Secret, SecretVersion

    rows = Secret.objects.bulk_create(Secret(name=f"BENCH_{n}") for n in range(SECRETS))
    versions, values = [], {}
    for row in rows:
        version = SecretVersion(secret=row, number=1)
        version.value = values[version.pk] = secrets.token_urlsafe(30)
        versions.append(version)
    SecretVersion.objects.bulk_create(versions, batch_size=1000)
    return values


def read(made: dict[str, str], watch: Watch) -> None:
    """Read at random what was stored, as every use of a secret does."""
    from security.vault.models import SecretVersion

    wanted = list(made)

    def one() -> None:
        began = time.perf_counter()
        pk = secrets.choice(wanted)
        value = SecretVersion.objects.get(pk=pk).value
        if value not in (made[pk], made[pk].removesuffix("'"), f"{made[pk]}'"):
            watch.faults.append("a value that was never stored")
        watch.read_ms.append((time.perf_counter() - began) * 1000)
        time.sleep(READ_PAUSE_S)

    _until_over(one, watch)


def write(made: dict[str, str], watch: Watch) -> None:
    """Give secrets other values: each is told apart by one more mark at its end, or one less."""
    from security.vault.models import SecretVersion

    wanted = list(made)

    def one() -> None:
        pk = secrets.choice(wanted)
        value = made[pk].removesuffix("'") if made[pk].endswith("'") else f"{made[pk]}'"
        version = SecretVersion(pk=pk)
        version.value = value
        SecretVersion.objects.filter(pk=pk).update(sealed_value=version.sealed_value)
        made[pk] = value
        watch.writes += 1
        time.sleep(WRITE_PAUSE_S)

    _until_over(one, watch)


def only_the_newest(made: dict[str, str]) -> int:
    """How many values are right when the older key is gone."""
    from django.conf import settings

    from security.vault.models import SecretVersion

    settings.VAULT_KEY = settings.VAULT_KEY.split(",")[0]
    found = SecretVersion.objects.filter(pk__in=made).iterator(chunk_size=2000)
    return sum(version.value == made[version.pk] for version in found)


def _until_over(act: Callable[[], None], watch: Watch) -> None:
    from django.db import connection

    try:
        while not watch.over.is_set():
            act()
    except Exception as error:  # noqa: BLE001 - a reader that fails is what this looks for
        watch.faults.append(f"{type(error).__name__}: {error}")
    finally:
        connection.close()


if __name__ == "__main__":
    main()
