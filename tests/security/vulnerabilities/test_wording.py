"""Advisories in words: vectors, commands, links. What they say is not trusted."""

import shlex

import pytest

from security.vulnerabilities.wording import links, update_command, vector_in_words


@pytest.mark.parametrize(
    ("vector", "said"),
    [
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:H/I:L/A:N", ("Attacked", "over the network")),
        (
            "CVSS:4.0/AV:P/AC:H/AT:P/PR:H/UI:A/VC:H/VI:N/VA:N/SC:N/SI:S/SA:N",
            ("Loss of integrity in other systems", "a danger to people"),
        ),
        ("AV:A/AC:M/Au:S/C:P/I:C/A:N", ("Loss of integrity", "complete")),
    ],
)
def test_each_metric_of_a_vector_is_told(vector, said):
    found = vector_in_words(vector)
    assert said in found
    assert len(found) == vector.removeprefix("CVSS:").count(":"), "every metric is known"


@pytest.mark.parametrize("vector", ["", "/", "nonsense", "AV:?/C:", "CVSS:9/XX:Y", "AV:N" * 3])
def test_what_is_not_a_vector_says_nothing(vector):
    assert vector_in_words(vector) == []


@pytest.mark.parametrize(
    ("ecosystem", "name", "version", "command"),
    [
        ("PyPI", "requests", "2.32.0", "pip install --upgrade requests==2.32.0"),
        ("npm", "@babel/core", "7.1.0", "npm install @babel/core@7.1.0"),
        ("Debian:12", "openssl", "3.0.2", "apt-get update && apt-get install --only-upgrade openssl"),
        ("Alpine:v3.19", "curl", "8.1-r0", "apk update && apk add --upgrade curl"),
        ("Go", "example.org/x", "v1.2.3", "go get example.org/x@v1.2.3"),
        ("Maven", "a:b", "1", ""),
        ("PyPI", "requests", None, ""),
        ("Debian", "--config=/tmp/evil", "1", ""),
    ],
)
def test_the_command_that_updates(ecosystem, name, version, command):
    assert update_command(ecosystem, name, version) == command


def test_a_command_holds_nothing_that_a_shell_would_run():
    command = update_command("npm", "a; rm -rf ~", "1$(reboot)")
    assert shlex.split(command) == ["npm", "install", "a; rm -rf ~@1$(reboot)"]


def test_only_web_addresses_are_links():
    given = ["https://a.example/", {"url": "http://b.example/"}, "javascript:x", {"url": ["x"]}, None, {"type": "WEB"}]
    assert links([*given, "https://a.example/", "https://" + "x" * 3000]) == ["https://a.example/", "http://b.example/"]
    assert links("https://a.example/") == links(None) == []  # type: ignore[arg-type]
    assert len(links([f"https://{number}.example/" for number in range(200)])) == 50
