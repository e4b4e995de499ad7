"""Names of packages and ecosystems, and package URLs, without a database."""

import pytest

from config.api.errors import Invalid
from security.bom import names
from security.bom.cyclonedx import purls
from security.bom.packages import MOST_PACKAGES, Package, checked, digest


@pytest.mark.parametrize(
    ("text", "ecosystem"),
    [
        ("pypi", "PyPI"), (" NPM ", "npm"), ("DEBIAN:12", "Debian:12"), ("ubuntu:22.04:lts", "Ubuntu:22.04:LTS"),
        ("alpine:3.19", "Alpine:v3.19"), ("rocky linux:9", "Rocky Linux:9"), ("Arch Linux", "Arch Linux"),
        ("CRATES.IO", "crates.io"), ("Debian", "Debian"),
    ],
)  # fmt: skip
def test_ecosystems_have_one_spelling(text, ecosystem):
    assert names.ecosystem(text) == ecosystem


@pytest.mark.parametrize(
    ("ecosystem", "text", "name"),
    [
        ("PyPI", "Zope.Interface__x", "zope-interface-x"), ("NuGet", "Newtonsoft.Json", "newtonsoft.json"),
        ("npm", "JSONStream", "JSONStream"), ("Go", "github.com/Foo/Bar", "github.com/Foo/Bar"),
        ("Debian:12", " Bash ", "bash"),
    ],
)  # fmt: skip
def test_names_are_compared_as_their_ecosystem_does(ecosystem, text, name):
    assert names.canonical(ecosystem, text) == name


def test_the_same_package_counts_once_and_its_digest_knows_no_order():
    twice = [Package("Zope.Interface", "1", "pypi"), Package("zope-interface", "1 ", "PyPI", "MIT")]
    (one,) = checked(twice).values()
    assert one == Package("zope-interface", "1", "PyPI", "MIT")
    assert checked([Package("golang.org/x/net", "v0.1", "go")])[("Go", "golang.org/x/net", "0.1")]
    other = Package("b", "1", "npm")
    assert digest([one, other]) == digest([other, one]) != digest([one])


@pytest.mark.parametrize(
    "package",
    [
        Package("", "1", "npm"), Package("a", " ", "npm"), Package("a", "1", ""), Package("a\x00", "1", "npm"),
        Package("a" * 257, "1", "npm"), Package("a", "1", "n" * 65), Package("a", "1", "npm", "x\ny"),
        Package("a", 1, "npm"), Package("a", "\ud800", "npm"),
    ],
)  # fmt: skip
def test_bad_packages_are_named(package):
    with pytest.raises(Invalid) as refusal:
        checked([Package("good", "1", "npm"), package])
    assert refusal.value.details["packages"][0].startswith("packages[1]: ")


def test_too_many_packages_are_refused():
    with pytest.raises(Invalid, match="20,000"):
        checked([Package("a", "1", "npm")] * (MOST_PACKAGES + 1))


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("pkg:pypi/django@5.2", ("PyPI", "django", "5.2")),
        ("pkg:npm/%40angular/core@17.0.1", ("npm", "@angular/core", "17.0.1")),
        ("pkg:maven/org.apache.x/log4j-core@2.14.1", ("Maven", "org.apache.x:log4j-core", "2.14.1")),
        ("pkg:golang/golang.org/x/net@v0.17.0", ("Go", "golang.org/x/net", "0.17.0")),
        ("pkg:deb/debian/libc6@2-9?distro=debian-12&upstream=glibc@2", ("Debian:12", "libc6", "2-9", "glibc", "2")),
        ("pkg:deb/debian/dpkg@1.21?distro=bookworm", ("Debian:12", "dpkg", "1.21")),
        ("pkg:deb/ubuntu/curl@7.81?distro=jammy", ("Ubuntu:22.04:LTS", "curl", "7.81")),
        ("pkg:apk/alpine/musl@1.2.4?distro=alpine-3.19.1", ("Alpine:v3.19", "musl", "1.2.4")),
        ("pkg:rpm/rocky/bash@5.1?epoch=1&distro=rocky-9.3", ("Rocky Linux:9", "bash", "1:5.1")),
        ("pkg:deb/debian/bash@5", ("Debian:11", "bash", "5")),
        ("pkg:generic/openssl@3", ("generic", "openssl", "3")),
    ],
)  # fmt: skip
def test_package_urls_become_names_of_osv(url, named):
    found = purls.read(url, system=("debian", "11.8"))
    assert tuple(found)[: len(named)] == named and not any(tuple(found)[len(named) :])


@pytest.mark.parametrize("url", ["", "pkg:", "pypi/django@1", "pkg:pypi/django"])
def test_what_is_no_package_url_is_refused(url):
    with pytest.raises(ValueError):  # noqa: PT011 - the library's own words
        purls.read(url)
