"""How versions compare in each ecosystem; what is known of each rule's hard cases."""

from contextlib import suppress

import pytest

from security.vulnerabilities.ranges import holds
from security.vulnerabilities.versions import Unjudgeable, before

# Ecosystem, then versions in their order.
ORDERS = [
    ("npm", "0.9.9", "0.10.0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta.2", "1.0.0-beta.11",
     "1.0.0-rc.1", "1.0.0", "1.0.1+build.7", "1.10.0", "2.0.0"),
    ("PyPI", "1.0.dev1", "1.0a2", "1.0a10", "1.0b1", "1.0rc1", "1.0", "1.0.post1", "1.0.1", "1.10", "1!0.1"),
    ("Debian:12", "1.0~rc1-1", "1.0-1", "1.0-1+b1", "1.0-1+deb12u1", "1.0-2", "1.0.1-1", "1.10-1", "1:0.5-1"),
    ("Debian", "2.36-9+deb12u4", "2.36-9+deb12u10", "6.1.9-1", "6.1.90-1"),
    ("Ubuntu:22.04", "3.0.2-0ubuntu1.9", "3.0.2-0ubuntu1.10", "3.0.2-0ubuntu2"),
    ("Alpine:v3.19", "1.1.1_alpha1-r0", "1.1.1_rc2-r0", "1.1.1-r1", "1.1.1-r10", "1.1.1_git20240101-r0",
     "1.1.1a-r0", "1.1.1w-r0", "1.1.2-r0", "1.10-r0"),
    ("Rocky Linux:9", "1.1.1k-6.el9", "3.0.7~beta1-1.el9", "3.0.7-6.el9_2", "3.0.7-16.el9_2", "3.0.10-1.el9",
     "1:0.1-1.el9"),
    ("AlmaLinux:8", "4.18.0-513.9.1.el8_9", "4.18.0-513.11.1.el8_9"),
    ("openSUSE:Leap 15.5", "2.31-150300.63.1", "2.31-150300.68.1"),
    ("Red Hat:9", "5.14.0-362.8.1.el9_3", "5.14.0-362.13.1.el9_3"),
    ("Go", "0.0.0-20190101000000-abcdef123456", "v0.0.0-20200101000000-abcdef123456", "v1.2.3-rc.1", "1.2.3",
     "v1.2.10", "2.0.1+incompatible"),
    ("Maven", "1.0-alpha-1", "1.0-beta-1", "1.0-rc2", "1.0-SNAPSHOT", "1.0", "1.0.1", "2.9.10.8", "2.17.0"),
    ("Maven", "1.0.RC2", "1.0.RELEASE", "1.0.1.RELEASE"),
    ("crates.io", "0.3.9", "0.3.10-alpha.1", "0.3.10"),
    ("RubyGems", "1.0.0.pre1", "1.0.0", "1.0.0.1", "1.9", "1.10"),
    ("NuGet", "1.0.0-BETA", "1.0.0", "1.0.0.1", "1.0.0.10", "1.0.1"),
    ("Packagist", "v1.0.0-alpha2", "1.0.0-beta2", "1.0.0-beta10", "1.0.0-RC1", "1.0.0", "1.0.0-p1", "1.2.3.4",
     "1.2.3.10", "1.10"),
]  # fmt: skip
EQUAL = [
    ("npm", "v1.2.3", "1.2.3+anything"),
    ("Go", "v2.0.0+incompatible", "2.0.0"),
    ("PyPI", "1.0", "1.0.0"),
    ("NuGet", "1.0", "1.0.0.0"),
    ("Packagist", "v1.2", "1.2.0.0"),
    ("Debian", "0:1.0-1", "1.0-1"),
    ("Alpine", "1.2~abcdef-r1", "1.2"),
]
HELL = [
    "", " ", "\x00", "latest", "dev-master", "1.0.x-dev", "../../etc/passwd", "1" * 5000, "9" * 250, "1." * 120 + "1",
    "-" * 200, "~" * 200, "1:1:1:1", "(none):1-1", "٣.١", "²", "1.0\n2.0", "💥", "\ud800", "NaN", "1e400", "%s%n", "1!",
    "v" * 100, "0x10", "[1.0,2.0)", "^", "1.0_", "_p", "1..2", "1-" * 100, "a" * 250, "0" * 250,
]  # fmt: skip


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order[0])
def test_each_version_comes_before_all_that_follow_it(order: tuple[str, ...]) -> None:
    ecosystem, *versions = order
    for place, one in enumerate(versions):
        for other in versions[place + 1 :]:
            assert before(one, other, ecosystem), f"{one} < {other}"
            assert not before(other, one, ecosystem), f"not {other} < {one}"


@pytest.mark.parametrize(("ecosystem", "one", "other"), EQUAL)
def test_different_texts_are_the_same_version(ecosystem: str, one: str, other: str) -> None:
    assert not before(one, other, ecosystem)
    assert not before(other, one, ecosystem)


@pytest.mark.parametrize("ecosystem", [order[0] for order in ORDERS] + ["Hackage", "no such thing", ""])
def test_versions_from_hell_never_raise_out(ecosystem: str) -> None:
    events = [{"introduced": "0"}, {"fixed": "1.0"}]
    for text in HELL:
        for one, other in ((text, "1.0"), ("1.0", text), (text, text)):
            with suppress(Unjudgeable):
                before(one, other, ecosystem)
        held, fix = holds(text, ecosystem, [{"events": events}, {"events": [{"introduced": text}]}])
        assert isinstance(held, bool)
        assert fix in (None, "1.0")


def test_an_ecosystem_without_a_rule_has_no_order() -> None:
    with pytest.raises(Unjudgeable):
        before("1.0", "2.0", "Hackage")
