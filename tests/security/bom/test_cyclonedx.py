"""CycloneDX documents: what is read from them, what is refused, and that what is written can be read."""

import json
from datetime import UTC, datetime

import pytest

from config.api.errors import Invalid, TooLarge
from security.bom.cyclonedx import children, reading
from security.bom.cyclonedx.writing import Order

HEAD = {"bomFormat": "CycloneDX", "specVersion": "1.5"}
ROWS = [
    ["django", "5.2", "PyPI", "BSD-3-Clause", None, None],
    ["@a/b", "1.0.0", "npm", None, None, None],
    ["org.x:y", "1", "Maven", "Apache-2.0 OR MIT", None, None],
    ["golang.org/x/net", "0.17.0", "Go", None, None, None],
    ["stdlib", "1.21.5", "Go", None, None, None],
    ["libc6", "2.36-9+deb12u9", "Debian:12", None, "glibc", "2.36-9"],
    ["curl", "1:7.81", "Ubuntu:22.04:LTS", None, None, None],
    ["musl", "1.2.4-r2", "Alpine:v3.19", "MIT", None, None],
    ["bash", "5.1.8-9.el9", "Rocky Linux:9", "GPLv3+", None, None],
    ["pacman", "6.0 ünï", "Arch Linux", None, None, None],
]
STATEMENTS = [
    ["CVE-2024-1", "PyPI", "django", "not_affected", "code_not_reachable", "never called"],
    ["CVE-2024-2", "", "", "resolved", "", ""],
]


def read(**document):
    found = reading.contents(json.dumps(HEAD | document).encode())
    assert not found.fault, found.fault
    return found


def library(name, **more):
    return {"type": "library", "name": name, "version": "1", "purl": f"pkg:pypi/{name}@1", "bom-ref": name} | more


@pytest.mark.parametrize("version", ["1.4", "1.6"])
def test_what_is_written_is_read_as_it_was(version):
    order = Order(
        version=version, serial="12345678-1234-5678-1234-567812345678", instance_id="i1", instance_name="web-1",
        product_version="1.0", at=datetime(2026, 3, 1, tzinfo=UTC), packages=ROWS, statements=STATEMENTS,
    )  # fmt: skip
    document = children.write(order)
    whole = json.loads(document)
    assert (whole["bomFormat"], whole["specVersion"]) == ("CycloneDX", version)
    assert whole["serialNumber"] == "urn:uuid:12345678-1234-5678-1234-567812345678"
    assert (whole["metadata"]["component"]["name"], whole["metadata"]["timestamp"][:10]) == ("web-1", "2026-03-01")
    found = children.read(document)
    assert sorted(found.packages, key=str) == sorted(ROWS, key=str)
    assert sorted(found.statements) == sorted(STATEMENTS)
    assert found.notes == []


def test_components_within_components_are_read_and_files_are_not_missed():
    inner = library("inner", licenses=[{"license": {"id": "MIT"}}, {"license": {"name": "Other"}}])
    found = read(components=[
        library("outer", components=[inner], licenses=[{"expression": "MIT OR ISC"}]),
        {"type": "file", "name": "/etc/passwd"}, {"type": "library", "name": "unnamed", "version": "1"},
        {"type": "library", "name": "no-version", "purl": "pkg:pypi/no-version"},
        {"type": "operating-system", "name": "debian", "version": "12"},
        {"type": "library", "name": "bash", "version": "5", "purl": "pkg:deb/debian/bash@5"},
    ])  # fmt: skip
    assert [row[:4] for row in found.packages] == [
        ["outer", "1", "PyPI", "MIT OR ISC"], ["bash", "5", "Debian:12", None], ["inner", "1", "PyPI", "MIT AND Other"],
    ]  # fmt: skip
    assert found.notes == ["components without a package URL or without a version, left out: 2"]
    assert found.statements is None


def test_vex_statements_find_their_packages():
    def said(name, state="not_affected", refs=(), **more):
        return {"id": name, "analysis": {"state": state, **more}, "affects": [{"ref": ref} for ref in refs]}

    urn = "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#"
    found = read(components=[library("a")], vulnerabilities=[
        said("CVE-1", refs=["a"], justification="code_not_present", detail="d" * 3000), said("CVE-2", "in_triage"),
        said("CVE-3", refs=[f"{urn}a", f"{urn}pkg:npm/left-pad@1", "who?"]),
        said("CVE-4", "unheard-of"), {"id": "CVE-5"},
    ])  # fmt: skip
    assert found.statements == [
        ["CVE-1", "PyPI", "a", "not_affected", "code_not_present", "d" * 2000], ["CVE-2", "", "", "in_triage", "", ""],
        ["CVE-3", "PyPI", "a", "not_affected", "", ""], ["CVE-3", "npm", "left-pad", "not_affected", "", ""],
    ]  # fmt: skip
    assert found.notes == ["statements about vulnerabilities of components that are not known, left out: 1"]
    assert read(vulnerabilities=[said("CVE-1", refs=["pkg:pypi/a@1"])]).packages is None


@pytest.mark.parametrize(
    "document",
    [
        b"", b"[]", b"\xff", b"{", b'{"bomFormat":"CycloneDX","specVersion":"1.3"}', b'{"bomFormat":"SPDX"}',
        json.dumps(HEAD | {"components": [{"type": "library", "name": 5}]}).encode(),
        json.dumps(HEAD | {"components": [{"type": "library", "name": "\x00" * 5000}]}).encode(),
        json.dumps(HEAD).encode()[:-1] + b',"components":' + b'[{"type":"x","name":"x","components":' * 50_000,
    ],
    ids=range(9),
)  # fmt: skip
def test_what_is_no_document_is_refused_in_words(document):
    assert reading.contents(document).fault


def test_more_components_than_are_allowed_are_counted_at_every_depth(monkeypatch):
    monkeypatch.setattr(reading, "MOST_COMPONENTS", 3)
    nested = library("a", components=[library("b", components=[library("c"), library("d")])])
    assert "more than 3 components" in reading.contents(json.dumps(HEAD | {"components": [nested]}).encode()).fault


def test_a_million_components_are_refused_before_they_are_read():
    entry = b'{"type":"library","name":"a"},'
    start = json.dumps(HEAD).encode()[:-1] + b',"components":['
    with pytest.raises(Invalid, match="more than 200,000 components"):
        children.read(start + entry * 1_000_000 + b"{}]}")
    with pytest.raises(TooLarge, match="32 MiB"):
        children.read(start + entry * 1_200_000)
