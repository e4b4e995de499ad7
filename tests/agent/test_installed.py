"""What the agent finds installed: files of each package manager in a folder, and those of the real machine."""

import base64
import hashlib
import json
import os
import shutil
import struct
import subprocess
import zlib
from importlib.metadata import distributions
from pathlib import Path

import pytest
from pharos_agent.installed import distribution, running, ssh_keys
from pharos_agent.installed.collect import collect
from pharos_agent.stocktaking import payloads

from tests.agent.console import until

DPKG = """\
Package: libc6
Status: install ok installed
Architecture: amd64
Source: glibc (2.36-9)
Version: 2.36-9+deb12u9
Description: one
 continued: line

Package: removed
Status: deinstall ok config-files
Version: 1

Package: bash
Status: hold ok installed
Version: 5.2.15-2+b7
Source: bash
"""
APK = (
    "C:Q1abc\nP:libcrypto3\nV:3.1.4-r5\no:openssl\nL:Apache-2.0\n\nP:busybox\nV:1.36.1-r15\no:busybox\nL:GPL-2.0-only\n"
)
RPM = """#!/bin/sh
[ "$1 $2" = "-qa --root" ] || exit 9
printf 'openssl-libs\\t1:3.0.7-27.el9\\topenssl-3.0.7-27.el9.src.rpm\\tASL 2.0\\n'
printf 'gpg-pubkey\\t350d275d-6279464b\\t(none)\\tpubkey\\n'
printf 'bash\\t5.1.8-9.el9\\tbash-5.1.8-9.el9.src.rpm\\tGPLv3+\\n'
"""


def write(root: Path, path: str, content: str | bytes) -> Path:
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content.encode() if isinstance(content, str) else content)
    return place


def found(root: Path, **seen) -> dict:
    """Packages by ecosystem and name, and the rest, of a machine whose files are below the folder."""
    result = collect(root, look=lambda: running.Running(**seen))
    result["by_name"] = {(one["ecosystem"], one["name"]): one for one in result["packages"]}
    assert len(result["by_name"]) == len(result["packages"])
    return result


def test_dpkg_tells_source_packages_and_leaves_out_what_was_removed(tmp_path):
    write(tmp_path, "etc/os-release", 'ID=debian\nVERSION_ID="12"\n')
    write(tmp_path, "var/lib/dpkg/status", DPKG)
    write(tmp_path, "var/lib/dpkg/status.d/tzdata", "Package: tzdata\nVersion: 2024a-0\n")
    assert found(tmp_path)["packages"] == [
        {
            "name": "libc6", "version": "2.36-9+deb12u9", "ecosystem": "Debian:12",
            "source_name": "glibc", "source_version": "2.36-9",
        },
        {"name": "bash", "version": "5.2.15-2+b7", "ecosystem": "Debian:12"},
        {"name": "tzdata", "version": "2024a-0", "ecosystem": "Debian:12"},
    ]  # fmt: skip


def test_apk_tells_its_origin(tmp_path):
    write(tmp_path, "etc/os-release", "ID=alpine\nVERSION_ID=3.19.1\n")
    write(tmp_path, "lib/apk/db/installed", APK)
    assert found(tmp_path)["packages"] == [
        {
            "name": "libcrypto3", "version": "3.1.4-r5", "ecosystem": "Alpine:v3.19", "license": "Apache-2.0",
            "source_name": "openssl",
        },
        {"name": "busybox", "version": "1.36.1-r15", "ecosystem": "Alpine:v3.19", "license": "GPL-2.0-only"},
    ]  # fmt: skip


def test_rpm_is_asked_with_a_time_limit(tmp_path, monkeypatch):
    write(tmp_path, "etc/os-release", 'NAME="Rocky Linux"\nID="rocky"\nVERSION_ID="9.3"\n')
    (tmp_path / "var/lib/rpm").mkdir(parents=True)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert "no rpm to read it with" in found(tmp_path)["notes"][0]
    program = write(tmp_path, "bin/rpm", RPM)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    openssl, bash = found(tmp_path)["packages"]
    assert openssl == {
        "name": "openssl-libs", "version": "1:3.0.7-27.el9", "ecosystem": "Rocky Linux:9", "license": "ASL 2.0",
        "source_name": "openssl",
    }  # fmt: skip
    assert bash["name"] == "bash" and "source_name" not in bash
    write(tmp_path, "bin/rpm", "#!/bin/sh\nsleep 60\n")
    monkeypatch.setattr("pharos_agent.installed.system.RPM_TIMEOUT_S", 0.1)
    assert found(tmp_path)["notes"] == ["rpm: did not end within 0.1 s"]


def test_pip_is_told_apart_from_the_distribution(tmp_path):
    metadata = "Metadata-Version: 2.1\nName: {}\nVersion: {}\nLicense: MIT\n\nName: not this\n"
    site, shared = "usr/local/lib/python3.11/site-packages", "usr/lib/python3/dist-packages"
    write(tmp_path, f"{site}/Django-5.2.dist-info/METADATA", metadata.format("Django", "5.2"))
    write(tmp_path, f"{site}/old.egg-info", metadata.format("old", "1"))
    write(tmp_path, f"{site}/older.egg-info/PKG-INFO", "Name: older\nVersion: 2\nLicense: UNKNOWN\n")
    (tmp_path / f"{site}/broken.dist-info").mkdir()
    write(tmp_path, f"{shared}/requests-2.28.dist-info/METADATA", metadata.format("requests", "2.28"))
    write(tmp_path, f"{shared}/pipped-1.dist-info/METADATA", metadata.format("pipped", "1"))
    write(tmp_path, f"{shared}/pipped-1.dist-info/INSTALLER", "pip\n")
    venv = tmp_path / "srv/app/env"
    write(venv, "lib/python3.12/site-packages/flask-3.dist-info/METADATA", metadata.format("Flask", "3"))
    result = found(tmp_path, python_prefixes=[venv, venv])
    assert {name for _, name in result["by_name"]} == {"Django", "old", "older", "pipped", "Flask"}
    assert result["by_name"][("PyPI", "Django")]["license"] == "MIT"
    assert any("broken.dist-info" in note for note in result["notes"])


def test_npm_walks_nested_and_packed_folders_but_follows_no_links(tmp_path):
    def package(path, name, version="1.0.0", **more):
        write(tmp_path, f"{path}/package.json", json.dumps({"name": name, "version": version, **more}))

    package("usr/lib/node_modules/npm", "npm", "10.2.4", license="Artistic-2.0")
    package("usr/lib/node_modules/npm/node_modules/@isaacs/cliui", "@isaacs/cliui", license={"type": "ISC"})
    package("srv/app/node_modules/.pnpm/left-pad@1/node_modules/left-pad", "left-pad")
    package("srv/app/node_modules/odd", "odd", version=5)
    write(tmp_path, "srv/app/node_modules/bad/package.json", "[" * 100_000)
    (tmp_path / "srv/app/node_modules/loop").symlink_to(tmp_path / "srv/app")
    result = found(tmp_path, node_folders=[tmp_path / "srv/app/dist/server"])
    assert {name for _, name in result["by_name"]} == {"npm", "@isaacs/cliui", "left-pad"}
    assert result["by_name"][("npm", "@isaacs/cliui")]["license"] == "ISC"


def elf(sections: dict[bytes, bytes], *, wide: bool = True) -> bytes:
    """An ELF file with nothing but these sections."""
    names, body, rows = b"\0", b"", []
    head = 64 if wide else 52
    for name, content in [*sections.items(), (b".shstrtab", b"")]:
        at, names = len(names), names + name + b"\0"
        rows.append((at, head + len(body), len(content)))
        body += content
    rows[-1] = (rows[-1][0], head + len(body), len(names))
    table = head + len(body) + len(names)
    shape = "<IIQQQQIIQQ" if wide else "<IIIIIIIIII"
    packed = b"".join(struct.pack(shape, at, 1, 0, 0, start, size, 0, 0, 1, 0) for at, start, size in rows)
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1, 1]) + bytes(9)
    shape = "<HHIQQQIHHHHHH" if wide else "<HHIIIIIHHHHHH"
    size = 64 if wide else 40
    header = ident + struct.pack(shape, 2, 62, 1, 0, 0, table, 0, head, 0, 0, size, len(rows), len(rows) - 1)
    return header + body + names + packed


def go_section(version: str, modules: str) -> bytes:
    def counted(text: bytes) -> bytes:
        length, out = len(text), b""
        while length >= 0x80:
            out, length = out + bytes([length & 0x7F | 0x80]), length >> 7
        return out + bytes([length]) + text

    listed = b"m" * 16 + modules.encode() + b"m" * 16
    return b"\xff Go buildinf:\x08\x02" + bytes(16) + counted(version.encode()) + counted(listed)


MODULES = (
    "path\tgithub.com/a/cmd\nmod\tgithub.com/a\t(devel)\t\ndep\tgolang.org/x/net\tv0.17.0\th1:x\n"
    "dep\tgithub.com/b\tv1.0.0\n=>\tgithub.com/fork/b\tv1.0.1\th1:y\n" + "build\tx=y\n" * 20
)


@pytest.mark.parametrize("wide", [True, False])
def test_programs_that_declare_themselves(tmp_path, wide):
    rust = {"packages": [
        {"name": "ring", "version": "0.17.5", "source": "crates.io", "kind": "runtime"},
        {"name": "cc", "version": "1", "source": "crates.io", "kind": "build"},
    ]}  # fmt: skip
    sections = {b".go.buildinfo": go_section("go1.21.5", MODULES), b".dep-v0": zlib.compress(json.dumps(rust).encode())}
    whole = elf(sections, wide=wide)
    write(tmp_path, "usr/local/bin/tool", whole)
    for length in range(0, len(whole), 97):  # cut anywhere, it is no reason to fail
        write(tmp_path, f"usr/local/bin/cut-{length}", whole[:length])
    write(tmp_path, "usr/local/bin/huge", whole[:32] + b"\xff" * (len(whole) - 32))
    old = elf({b".go.buildinfo": b"\xff Go buildinf:\x08\x00" + bytes(48)}, wide=wide)
    running_one = write(tmp_path, "srv/old", old)
    result = found(tmp_path, programs=[running_one])
    assert {(one["ecosystem"], one["name"], one["version"]) for one in result["packages"]} == {
        ("Go", "stdlib", "1.21.5"), ("Go", "golang.org/x/net", "0.17.0"), ("Go", "github.com/fork/b", "1.0.1"),
        ("crates.io", "ring", "0.17.5"),
    }  # fmt: skip
    assert any("built with Go before 1.18" in note for note in result["notes"])


def blob(*fields: bytes) -> str:
    return base64.b64encode(b"".join(struct.pack(">I", len(one)) + one for one in fields)).decode()


def test_authorised_keys_are_told_by_fingerprint_never_as_they_stand(tmp_path):
    ed, rsa = blob(b"ssh-ed25519", b"k" * 32), blob(b"ssh-rsa", b"\1\0\1", b"\0" + b"\x80" + b"n" * 127)
    write(tmp_path, "etc/passwd", "root:x:0:0::/root:/bin/sh\nann:x:1:1::/home/ann:/bin/sh\nhalf:x\nx:x:2:2::/:/x\n")
    write(tmp_path, "root/.ssh/authorized_keys", f"# all\nssh-ed25519 {ed} ann@laptop\n\nssh-ed25519 not-base64 x\n")
    options = f'command="run \\"it\\" ssh-rsa",no-pty ssh-rsa {rsa}  old  key\x07\n'
    write(tmp_path, "home/ann/.ssh/authorized_keys", f"ssh-ed25519 {ed}\n{options}")
    result = found(tmp_path)
    digest = base64.b64encode(hashlib.sha256(base64.b64decode(ed)).digest()).decode().rstrip("=")
    keys = {one["key_type"]: one for one in result["ssh_keys"]}
    assert keys["ed25519"] == {
        "fingerprint": f"SHA256:{digest}", "key_type": "ed25519", "key_bits": 256, "comment": "ann@laptop",
        "accounts": ["root", "ann"],
    }  # fmt: skip
    assert (keys["rsa"]["key_bits"], keys["rsa"]["comment"], keys["rsa"]["accounts"]) == (1024, "old key", ["ann"])
    assert ed not in str(result) and rsa not in str(result)
    write(tmp_path, "etc/ssh/sshd_config", "AuthorizedKeysFile /etc/ssh/keys/%u\n")
    write(tmp_path, "etc/ssh/keys/ann", f"ssh-ed25519 {ed}\n")
    assert [one["accounts"] for one in found(tmp_path)["ssh_keys"]] == [["ann"]]


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="there is no ssh-keygen")
@pytest.mark.parametrize(("kind", "bits"), [("rsa", 2048), ("ecdsa", 384), ("ed25519", 256)])
def test_fingerprints_are_those_of_ssh_keygen(tmp_path, kind, bits):
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-b", str(bits), "-N", "", "-f", key], check=True)
    told = subprocess.run(
        ["ssh-keygen", "-lf", f"{key}.pub"], check=True, capture_output=True, text=True
    ).stdout.split()
    mine = ssh_keys.parsed(Path(f"{key}.pub").read_text())
    assert (str(mine["key_bits"]), mine["fingerprint"], f"({mine['key_type'].upper()})") == (told[0], told[1], told[-1])


RELEASES = {
    'ID=debian\nVERSION_ID="12"': "Debian:12",
    "ID=debian\nPRETTY_NAME=sid": "Debian",
    'ID=ubuntu\nVERSION_ID="22.04"\nVERSION="22.04.3 LTS (Jammy Jellyfish)"': "Ubuntu:22.04:LTS",
    'ID=ubuntu\nVERSION_ID="23.10"\nVERSION="23.10 (Mantic Minotaur)"': "Ubuntu:23.10",
    "ID=alpine\nVERSION_ID=3.20_alpha20240329": "Alpine:edge",
    'ID="almalinux"\nVERSION_ID="8.9"': "AlmaLinux:8",
    'ID="opensuse-leap"\nVERSION_ID="15.5"': "openSUSE:Leap 15.5",
    'ID="sles"\nVERSION_ID="15.5"': "SUSE:Linux Enterprise Server 15 SP5",
    'NAME="Fedora Linux"\nID=fedora\nVERSION_ID=40': "Fedora Linux:40",
    "NAME=\"unclosed": "unclosed",
    "": "",
}  # fmt: skip


@pytest.mark.parametrize(("content", "ecosystem"), RELEASES.items())
def test_ecosystems_have_the_names_of_osv(tmp_path, content, ecosystem):
    write(tmp_path, "usr/lib/os-release", content)
    assert distribution.ecosystem(tmp_path) == ecosystem


def test_a_pipe_a_loop_and_no_time_end_nothing(tmp_path):
    write(tmp_path, "etc/passwd", "ann:x:1:1::/home/ann:/bin/sh\n")
    (tmp_path / "home/ann/.ssh").mkdir(parents=True)
    os.mkfifo(tmp_path / "home/ann/.ssh/authorized_keys")
    (tmp_path / "var/lib/dpkg").mkdir(parents=True)
    (tmp_path / "var/lib/dpkg/status").symlink_to("status")
    write(tmp_path, "lib/apk/db/installed", APK)
    assert any("is no regular file" in note for note in found(tmp_path)["notes"])
    stopped = collect(tmp_path, most_s=-1, look=running.Running)
    assert stopped["packages"] == [] and any("not complete" in note for note in stopped["notes"])


def test_a_long_list_goes_out_in_parts():
    packages = [{"name": f"p{n}", "version": "1" * 200, "ecosystem": "npm"} for n in range(6000)]
    parts = list(payloads({"packages": packages, "ssh_keys": [1], "notes": ["n"]}))
    assert [one["part"] for one in parts] == [{"number": n, "count": 3} for n in (1, 2, 3)]
    assert [package for one in parts for package in one["packages"]] == packages
    assert all(len(json.dumps(one)) < 1 << 20 for one in parts)
    assert ["ssh_keys" in one for one in parts] == [False, False, True]


def test_the_real_machine_is_told_once_and_again_only_when_asked(console, start):
    start(first_inventory_s=0.05, inventory_s=0.05)

    def told():
        return [one for one in console.payloads("inventory") if "packages" in one]

    until(told, timeout_s=60)
    [report] = told()
    names = {(one["ecosystem"], one["name"]) for one in report["packages"]}
    here = {one.metadata["Name"] for one in distributions() if "site-packages" in str(one.locate_file(""))}
    assert here and here <= {name for ecosystem, name in names if ecosystem == "PyPI"}
    if shutil.which("dpkg-query"):
        query = ["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package}\n"]
        listed = subprocess.run(query, check=True, capture_output=True, text=True).stdout.splitlines()
        installed = {line.split()[1] for line in listed if line.startswith("installed ")}
        assert installed == {name for ecosystem, name in names if ecosystem.startswith(("Debian", "Ubuntu"))}
    console.send({"protocol_version": "1.0", "type": "inventory:request", "payload": {}})
    until(lambda: len(told()) == 2, timeout_s=60)
