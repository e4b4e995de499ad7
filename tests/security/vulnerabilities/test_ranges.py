"""OSV's ranges: which versions they hold, and what fixes those (https://ossf.github.io/osv-schema/#evaluation)."""

import pytest

from security.vulnerabilities import ecosystems
from security.vulnerabilities.ranges import first_fix, holds


def ranged(*events: tuple[str, str]) -> dict:
    return {"type": "ECOSYSTEM", "events": [{kind: text} for kind, text in events]}


START = ("introduced", "0")
TWO_BRANCHES = ranged(START, ("fixed", "4.2.1"), ("introduced", "5.0"), ("fixed", "5.1.3"))
SHUFFLED = ranged(("fixed", "5.1.3"), ("introduced", "5.0"), ("fixed", "4.2.1"), START)
CASES = [
    (ranged(START), "1", True, None),
    (ranged(START, ("fixed", "1.5")), "1.4.9", True, "1.5"),
    (ranged(START, ("fixed", "1.5")), "1.5", False, None),
    (ranged(START, ("fixed", "1.5")), "1.10", False, None),
    (ranged(START, ("fixed", "1.5")), "1.5rc1", True, "1.5"),
    (ranged(("introduced", "1.2"), ("fixed", "1.5")), "1.1", False, None),
    (ranged(("introduced", "1.2"), ("fixed", "1.5")), "1.2", True, "1.5"),
    (ranged(START, ("last_affected", "1.5")), "1.5", True, None),
    (ranged(START, ("last_affected", "1.5")), "1.5.0", True, None),
    (ranged(START, ("last_affected", "1.5")), "1.5.1", False, None),
    (TWO_BRANCHES, "4.2", True, "4.2.1"),
    (TWO_BRANCHES, "4.9", False, None),
    (TWO_BRANCHES, "5.1", True, "5.1.3"),
    (TWO_BRANCHES, "5.1.3", False, None),
    (SHUFFLED, "4.2", True, "4.2.1"),
    (SHUFFLED, "5.0", True, "5.1.3"),
    (ranged(START, ("fixed", "2"), ("introduced", "2"), ("fixed", "3")), "2", True, "3"),
    (ranged(START, ("limit", "2.0")), "1.9", True, None),
    (ranged(START, ("limit", "2.0")), "2.0", False, None),
    (ranged(START, ("limit", "*")), "9", True, None),
    (ranged(("fixed", "2.0")), "1.0", False, None),
    (ranged(), "1.0", False, None),
]


@pytest.mark.parametrize(("given", "version", "held", "fix"), CASES)
def test_a_range_holds_a_version(given: dict, version: str, held: bool, fix: str | None) -> None:
    assert holds(version, "PyPI", [given]) == (held, fix)


def test_the_fix_is_that_of_the_range_that_holds_the_version() -> None:
    ranges = [ranged(START, ("fixed", "4.2.1")), ranged(("introduced", "5.0"), ("fixed", "5.1.3"))]
    assert holds("5.1", "PyPI", ranges) == (True, "5.1.3")
    assert first_fix(ranges) == "4.2.1"
    assert first_fix([ranged(START)]) is None


@pytest.mark.parametrize(("version", "held"), [("r7", True), ("r6", False), ("r8", False)])
def test_what_does_not_compare_is_held_only_by_its_exact_name(version: str, held: bool) -> None:
    given = [ranged(START, ("last_affected", "r7"))]
    assert holds(version, "Hackage", given)[0] is held
    assert holds(version, "PyPI", given)[0] is held


@pytest.mark.parametrize(
    ("package", "advisory"),
    [
        ("PyPI", "pypi"), ("Debian:12", "debian:12"), ("Debian:12", "Debian"), ("Ubuntu:22.04", "Ubuntu:22.04:LTS"),
        ("Alpine:v3.19", "alpine:v3.19"), ("Red Hat:9", "Red Hat:enterprise_linux:9::baseos"),
    ],
)  # fmt: skip
def test_a_package_is_matched_by_advisories_of_its_ecosystem(package: str, advisory: str) -> None:
    assert ecosystems.key(advisory) in ecosystems.keys(package)


@pytest.mark.parametrize(
    ("package", "advisory"),
    [("Debian:12", "Debian:11"), ("Debian", "Debian:12"), ("Ubuntu:22.04", "Ubuntu:Pro:22.04:LTS")],
)  # fmt: skip
def test_and_not_by_those_of_other_releases(package: str, advisory: str) -> None:
    assert ecosystems.key(advisory) not in ecosystems.keys(package)
