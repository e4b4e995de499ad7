"""How vulnerabilities are exploited: EPSS probabilities (CSV) and CISA's list of known exploited ones (JSON)."""

import csv
import gzip
import hashlib
import io
import math
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from itertools import islice
from pathlib import Path
from typing import IO, cast

import msgspec
from django.db import transaction

from security.vulnerabilities.archives import Refused
from security.vulnerabilities.importing import Taken
from security.vulnerabilities.models import Archive, Signal

BATCH = 2000
MOST_BYTES = 512 * 2**20  # of a list, unfolded
LONGEST_LINE = 4096
_CVE = re.compile(r"CVE-\d{4}-\d{4,19}")


class _Exploited(msgspec.Struct, rename="camel"):
    date_added: date
    cve_id: str = msgspec.field(name="cveID")
    due_date: date | None = None
    known_ransomware_campaign_use: str = ""


class _Catalogue(msgspec.Struct, rename="camel"):
    vulnerabilities: list[_Exploited]
    date_released: datetime | None = None


def take_in_epss(path: Path, *, now: datetime) -> Taken:
    """Import EPSS scores as first.org publishes them: cve, epss, percentile; gzip or plain. Raises Refused."""
    taken, seal = Taken("epss"), hashlib.sha256()
    try:
        with _unfolded(path) as file:
            rows = _scores(_lines(file, seal), taken)
            while batch := list(islice(rows, BATCH)):
                _store(batch, ["epss", "epss_percentile"])
                taken.changed += len(batch)
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as fault:
        raise Refused(f"The list cannot be read: {fault}") from None
    if not taken.changed:
        raise Refused("The list has no scores: it has the columns cve, epss and percentile")
    _note(taken, seal.hexdigest(), now)
    return taken


def take_in_kev(path: Path, *, now: datetime) -> Taken:
    """Import CISA's catalogue (JSON); what is no longer in it counts as not listed. Raises Refused."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise Refused("The catalogue is larger than 512 MiB")
        data = path.read_bytes()
        catalogue = msgspec.json.decode(data, type=_Catalogue)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise Refused(f"The catalogue cannot be read: {fault}") from None
    taken, rows = Taken("kev", newest_at=_utc(catalogue.date_released)), {}
    for one in catalogue.vulnerabilities:
        taken.read += 1
        if not _CVE.fullmatch(one.cve_id):
            taken.fault(one.cve_id, "is no CVE")
            continue
        known = one.known_ransomware_campaign_use.lower() == "known"
        rows[one.cve_id] = Signal(
            cve_id=one.cve_id, kev_added_date=one.date_added, kev_due_date=one.due_date, kev_ransomware=known
        )
    if not rows:
        raise Refused("The catalogue lists no vulnerability")
    columns = ["kev_added_date", "kev_due_date", "kev_ransomware"]
    with transaction.atomic():
        listed = Signal.objects.exclude(kev_added_date=None)
        listed.update(kev_added_date=None, kev_due_date=None, kev_ransomware=False)
        _store(list(rows.values()), columns)
    taken.changed = len(rows)
    _note(taken, hashlib.sha256(data).hexdigest(), now)
    return taken


def _unfolded(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(path)) if packed else path.open("rb")


def _lines(file: IO[bytes], seal: "hashlib._Hash") -> Iterator[str]:
    total = 0
    while line := file.readline(LONGEST_LINE):
        total += len(line)
        if total > MOST_BYTES or len(line) == LONGEST_LINE:
            raise Refused("The list is too long, or one of its lines is")
        seal.update(line)
        yield line.decode()


def _scores(lines: Iterator[str], taken: Taken) -> Iterator[Signal]:
    head = next(lines, "")
    if head.startswith("#"):
        dated = re.search(r"score_date:(\d{4}-\d{2}-\d{2})", head)
        taken.newest_at = _midnight(dated[1]) if dated else None
        head = next(lines, "")
    if [name.strip().lower() for name in next(csv.reader(io.StringIO(head)), [])[:3]] != ["cve", "epss", "percentile"]:
        return
    for row in csv.reader(lines):
        taken.read += 1
        score, percentile = (_share(text) for text in row[1:3]) if len(row) >= 3 else (None, None)
        if score is None or percentile is None or not _CVE.fullmatch(row[0]):
            taken.fault(f"line {taken.read}", "is no CVE with two numbers from 0 to 1")
            continue
        yield Signal(cve_id=row[0], epss=score, epss_percentile=percentile)


def _share(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and 0 <= number <= 1 else None


def _utc(value: datetime | None) -> datetime | None:
    return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


def _midnight(text: str) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(text), time.min, tzinfo=UTC)
    except ValueError:
        return None


def _store(rows: list[Signal], columns: list[str]) -> None:
    unique = {row.cve_id: row for row in rows}  # PostgreSQL touches no row twice in one statement
    Signal.objects.bulk_create(
        unique.values(), update_conflicts=True, unique_fields=["cve_id"], update_fields=columns, batch_size=BATCH
    )


def _note(taken: Taken, seal: str, now: datetime) -> None:
    told = {"digest": seal, "entries": taken.changed, "newest_at": taken.newest_at, "imported_at": now}
    Archive.objects.update_or_create(name=taken.source, defaults=told)
