"""`pharos advisories import`: archives of osv.dev's shape, and those that somebody made to hurt."""

import gzip
import io
import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from security.vulnerabilities import archives, importing
from security.vulnerabilities.models import Advisory, Affected, Archive, Signal

pytestmark = pytest.mark.django_db
MIB = 2**20
MAY, JUNE = "2024-05-01T00:00:00Z", "2024-06-01T00:00:00Z"


def advisory(
    pk: str, *, modified: str = "2024-05-01T00:00:00Z", name: str = "pillow", fixed: str = "10.3.0", **more: Any
) -> dict:
    ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}]
    affected = [{"package": {"ecosystem": "PyPI", "name": name}, "ranges": ranges}]
    return {"id": pk, "modified": modified, "summary": f"About {pk}", "affected": affected} | more


def packed(path: Path, *documents: dict, **others: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for document in documents:
            archive.writestr(f"{document['id']}.json", json.dumps(document))
        for name, data in others.items():
            archive.writestr(name, data)
    return path


def take(*arguments: Any) -> tuple[str, str]:
    out, told = io.StringIO(), io.StringIO()
    call_command("advisories", "import", *map(str, arguments), stdout=out, stderr=told)
    return out.getvalue(), told.getvalue()


def refused(*arguments: Any) -> str:
    told = io.StringIO()
    with pytest.raises(CommandError):
        call_command("advisories", "import", *map(str, arguments), stdout=io.StringIO(), stderr=told)
    return told.getvalue()


def test_only_what_is_newer_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    out, _ = take(packed(path, advisory("A"), advisory("B")))
    assert "2 entries; 2 new, 0 changed, 0 as before, 0 withdrawn, 0 faults" in out
    row = Archive.objects.get()
    assert (row.name, row.entries, row.newest_at.year) == ("PyPI", 2, 2024)
    assert "the same as imported before" in take(path)[0]
    newer = advisory("A", modified=JUNE, fixed="11.0")
    older = advisory("B", modified="2024-01-01T00:00:00Z", fixed="1.0")
    out, _ = take(packed(path, newer, older, advisory("C")))
    assert "3 entries; 1 new, 1 changed, 1 as before" in out
    fixes = Affected.objects.order_by("advisory_id").values_list("advisory_id", "fix_version")
    assert list(fixes) == [("A", "11.0"), ("B", "10.3.0"), ("C", "10.3.0")]
    assert "0 new, 3 changed" in take(path, "--again")[0]
    assert Affected.objects.get(advisory_id="B").fix_version == "1.0"


def test_a_withdrawn_advisory_affects_nothing_any_more(tmp_path: Path) -> None:
    take(packed(tmp_path / "all.zip", advisory("A")))
    out, _ = take(packed(tmp_path / "all.zip", advisory("A", modified=JUNE, withdrawn=JUNE)))
    assert "1 withdrawn" in out
    assert Advisory.objects.get().withdrawn_at is not None
    assert not Affected.objects.exists()


def test_an_import_that_broke_off_is_mended_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = packed(tmp_path / "all.zip", *(advisory(f"A-{number}") for number in range(5)))
    monkeypatch.setattr(importing, "BATCH", 2)

    def break_off(done: int, total: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        importing.take_in(archives.sources(path)[0], again=False, now=timezone.now(), progress=break_off)
    assert Advisory.objects.count() == Affected.objects.count() == 2
    assert "3 new, 0 changed, 2 as before" in take(path)[0]
    assert Advisory.objects.count() == Affected.objects.count() == 5


def test_folders_and_single_files(tmp_path: Path) -> None:
    folder = tmp_path / "many"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "A.json").write_text(json.dumps(advisory("A")))
    (folder / "note.txt").write_text("nothing")
    packed(folder / "all.zip", advisory("B"))
    (tmp_path / "C.json").write_text(json.dumps(advisory("C")))
    take(folder, tmp_path / "C.json")
    assert set(Advisory.objects.values_list("pk", flat=True)) == {"A", "B", "C"}


def test_entries_that_cannot_be_taken_are_counted_and_named(tmp_path: Path) -> None:
    path = packed(
        tmp_path / "all.zip",
        advisory("A"),
        **{
            "broken.json": b'{"id": "X", ', "deep.json": b'{"id": "D", "database_specific": ' + b"[" * 200_000,
            "list.json": b"[]", "readme.txt": b"hello",
            "../../../../etc/cron.d/evil.json": b"no JSON", "huge.json": b" " * (8 * MIB + 1),
            "bomb.json": b"0" * (7 * MIB), "number.json": b'{"id": 1, "modified": "2024-01-01T00:00:00Z"}',
            "colour\x1b[31m.json": b"", "e.json": b"", "f.json": b"", "g.json": b"",
        },
    )  # fmt: skip
    before = set(tmp_path.parent.rglob("*"))
    out, told = take(path)
    assert "1 new" in out and "12 faults" in out
    for text in ("broken.json: ", "larger than 8 MiB", "times its size", "nested too deeply", "is no JSON file"):
        assert text in told
    assert "2 more faults are not shown" in told and "\x1b" not in told
    assert set(tmp_path.parent.rglob("*")) == before
    assert Advisory.objects.count() == 1


def test_encrypted_and_damaged_entries_are_faults(tmp_path: Path) -> None:
    path = packed(tmp_path / "all.zip", advisory("A"), advisory("B"), advisory("C"))
    data = bytearray(path.read_bytes())
    first = data.index(b"PK\x01\x02")
    struct.pack_into("<H", data, first + 8, 0x1)  # the first entry says that it is encrypted
    second = data.index(b"PK\x03\x04", 10)
    data[second + 45] ^= 0xFF  # the second one's content is another
    path.write_bytes(data)
    out, told = take(path)
    assert "1 new" in out and "2 faults" in out
    assert "A.json: is encrypted" in told and "B.json: is damaged" in told


@pytest.mark.parametrize("cut", [3, 30, 200, -1, -30, -100])
def test_a_truncated_archive_is_refused_or_partly_told(tmp_path: Path, cut: int) -> None:
    path = packed(tmp_path / "all.zip", *(advisory(f"A-{number}") for number in range(5)))
    path.write_bytes(path.read_bytes()[:cut])
    assert refused(path)
    assert not Advisory.objects.exists() and not Archive.objects.exists()


def test_hostile_lists_of_entries_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = packed(tmp_path / "all.zip", advisory("A"))
    whole = path.read_bytes()
    end = whole.index(archives.END)
    large = bytearray(whole)
    struct.pack_into("<L", large, end + 12, 0x7FFFFFFF)
    path.write_bytes(large)
    assert "list of entries is larger" in refused(path)
    path.write_bytes(whole)
    monkeypatch.setattr(archives, "MOST_TOTAL", 10)
    assert "unfolds to more" in refused(path)
    assert not Advisory.objects.exists()


def test_missing_and_empty_arguments_are_told(tmp_path: Path) -> None:
    assert "no such file" in refused(tmp_path / "none.zip")
    assert "neither" in refused(tmp_path)
    with pytest.raises(CommandError, match="Give a file"):
        call_command("advisories", "import")


def test_epss_and_kev(tmp_path: Path) -> None:
    scores = tmp_path / "epss.csv.gz"
    lines = (
        "#model_version:v2023.03.01,score_date:2024-05-01T00:00:00+0000\ncve,epss,percentile\nCVE-2024-0001,0.5,0.97\n"
    )
    scores.write_bytes(gzip.compress((lines + "CVE-2024-0002,2.0,nan\nnonsense\nCVE-2024-0003,0.001,0.1\n").encode()))
    kev = tmp_path / "kev.json"
    listed = {
        "cveID": "CVE-2024-0001",
        "dateAdded": "2024-05-02",
        "dueDate": "2024-05-23",
        "knownRansomwareCampaignUse": "Known",
    }
    kev.write_text(json.dumps({"dateReleased": "2024-05-03T10:00:00.0Z", "vulnerabilities": [listed]}))
    out, told = take("--epss", scores, "--kev", kev)
    assert "epss: 2 vulnerabilities, 2 faults" in out and "kev: 1 vulnerabilities, 0 faults" in out
    row = Signal.objects.get(pk="CVE-2024-0001")
    assert (row.epss, row.epss_percentile, row.kev_ransomware, str(row.kev_due_date)) == (0.5, 0.97, True, "2024-05-23")
    kev.write_text(json.dumps({"vulnerabilities": [listed | {"cveID": "CVE-2024-0003"}]}))
    take("--kev", kev)
    row.refresh_from_db()
    assert (row.epss, row.kev_added_date, row.kev_ransomware) == (0.5, None, False)
    out = io.StringIO()
    call_command("advisories", "status", stdout=out)
    assert "epss" in out.getvalue() and "2 entries" in out.getvalue() and "2024-05-01" in out.getvalue()


@pytest.mark.parametrize(
    "data", [b"", b"\x1f\x8bbroken", b"a,b,c\n1,2,3\n", b"\xff\xfe\n", b"cve,epss,percentile\n" + b"x" * 5000]
)
def test_lists_that_cannot_be_read_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "list"
    path.write_bytes(data)
    assert refused("--epss", path)
    assert refused("--kev", path)
    assert not Signal.objects.exists() and not Archive.objects.exists()
