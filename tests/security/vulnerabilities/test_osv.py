"""OSV documents as rows: severity, CVE, what is cut, what is refused."""

import json
from typing import Any

import pytest

from security.vulnerabilities.osv import Unreadable, parse

V2, V3 = "AV:N/AC:L/Au:N/C:C/I:C/A:C", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N"
V4 = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"
LOW_V3 = "CVSS:3.0/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N"


def document(**members: Any) -> bytes:
    return json.dumps({"id": "GHSA-1", "modified": "2024-05-01T10:00:00.123456789Z"} | members).encode()


def affecting(**members: Any) -> list[dict]:
    return [{"package": {"ecosystem": "PyPI", "name": "Zope.Interface"}} | members]


@pytest.mark.parametrize(
    ("members", "severity", "score"),
    [
        ({"database_specific": {"severity": "MODERATE"}}, "MEDIUM", None),
        ({"database_specific": {"severity": "critical"}}, "CRITICAL", None),
        ({"database_specific": {"severity": "LOW"}, "severity": [{"type": "CVSS_V3", "score": V3}]}, "LOW", 9.1),
        ({"severity": [{"type": "CVSS_V3", "score": V3}]}, "CRITICAL", 9.1),
        ({"severity": [{"type": "CVSS_V2", "score": V2}]}, "CRITICAL", 10.0),
        ({"severity": [{"type": "CVSS_V3", "score": LOW_V3}]}, "LOW", 1.8),
        ({"severity": [{"type": "CVSS_V3", "score": V3}, {"type": "CVSS_V4", "score": V4}]}, "MEDIUM", 6.9),
        ({"severity": [{"type": "CVSS_V4", "score": "nonsense"}, {"type": "CVSS_V3", "score": V3}]}, "CRITICAL", 9.1),
        ({"severity": [{"type": "CVSS_V3", "score": "7.5"}]}, "HIGH", 7.5),
        ({"severity": [{"type": "CVSS_V3", "score": 4}]}, "MEDIUM", 4.0),
        ({"severity": [{"type": "CVSS_V3", "score": "0"}]}, "UNKNOWN", 0.0),
        ({"severity": [{"type": "CVSS_V3", "score": "nan"}]}, "UNKNOWN", None),
        ({"severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/" + "AV:N/" * 1000}]}, "UNKNOWN", None),
        ({"severity": [{"type": "Ubuntu", "score": "negligible"}]}, "LOW", None),
        ({"affected": affecting(severity=[{"type": "CVSS_V3", "score": V3}])}, "CRITICAL", 9.1),
        ({"affected": affecting(ecosystem_specific={"severity": "Important"})}, "HIGH", None),
        ({"database_specific": {"severity": ["HIGH"]}}, "UNKNOWN", None),
        ({"database_specific": "HIGH"}, "UNKNOWN", None),
        ({}, "UNKNOWN", None),
    ],
)
def test_severity(members: dict, severity: str, score: float | None) -> None:
    found = parse(document(**members)).advisory
    assert (found.severity, found.cvss_score) == (severity, score)


@pytest.mark.parametrize(
    ("members", "cve"),
    [
        ({"aliases": ["PYSEC-1", "CVE-2024-1", "CVE-2024-2"]}, "CVE-2024-1"),
        ({"aliases": ["PYSEC-1"]}, "GHSA-1"),
        ({"aliases": None}, "GHSA-1"),
        ({"upstream": ["CVE-2024-7"]}, "CVE-2024-7"),
        ({"upstream": ["CVE-2024-7", "CVE-2024-8"]}, "GHSA-1"),
    ],
)
def test_the_cve_is_the_first_alias_that_is_one(members: dict, cve: str) -> None:
    assert parse(document(**members)).advisory.cve_id == cve


def test_packages_as_they_are_compared() -> None:
    ranges = [
        {"type": "GIT", "events": [{"introduced": "0"}, {"fixed": "abcdef"}]},
        {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "6.0"}]},
    ]
    row = parse(document(affected=affecting(ranges=ranges, versions=["5.0"]))).affected[0]
    assert (row.ecosystem, row.name, row.versions, row.fix_version) == ("pypi", "zope-interface", ["5.0"], "6.0")
    assert row.ranges == [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "6.0"}]}]


def test_a_withdrawn_advisory_speaks_of_no_package() -> None:
    found = parse(document(withdrawn="2024-06-01T00:00:00Z", affected=affecting(versions=["1"])))
    assert found.advisory.withdrawn_at is not None
    assert found.affected == []


def test_texts_are_stored_without_what_databases_refuse() -> None:
    links = [{"url": url} for url in ("https://example.org/1", "javascript:alert(1)", "https://" + "x" * 5000)]
    affected = affecting(versions=["1\0"], ranges=[{"type": "SEMVER", "events": [{"introduced": "\0"}]}])
    found = parse(document(summary="a\0b", details="x" * 200_000, references=links, affected=affected))
    assert found.advisory.title == "a\ufffdb"
    assert len(found.advisory.description) == 100_000
    assert found.advisory.references == ["https://example.org/1"]
    assert "\0" not in json.dumps([found.affected[0].versions, found.affected[0].ranges], ensure_ascii=False)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"id": "A"}', b"[" * 100_000, b'{"a":' * 100_000,
        document(id=""), document(id="x" * 129), document(id="a\0b"), document(id=7), document(modified="yesterday"),
        document(modified="0001-01-01T00:00:00+14:00"), document(modified="9999-12-31T23:59:59-14:00"),
        document(modified=None), document(affected={}), document(affected=[7]), document(affected=[{"package": 7}]),
        document(affected=affecting(versions=[1])), document(affected=affecting(ranges=[{"events": [{"fixed": 1}]}])),
        document(affected=[{"package": {"name": "", "ecosystem": "npm"}}]),
        document(affected=[{"package": {"name": "a\0", "ecosystem": "npm"}}]),
        document(affected=[{"package": {"name": "a", "ecosystem": "x" * 65}}]),
        document(severity=[{"type": 1, "score": {}}]), document(aliases="CVE-1"), b'{"id":"\\ud800","modified":""}',
    ],
)  # fmt: skip
def test_what_is_no_advisory_is_told_so(data: bytes) -> None:
    with pytest.raises(Unreadable):
        parse(data)
