"""/api/v1/profiles, /registry/… and /version (contract: fleet console §2, §27), with a program that stands in for
the command line."""

import json
import sys

import pytest

from fleet.registry import sources

pytestmark = [pytest.mark.django_db, pytest.mark.contract]
EXTENSIONS = [
    {"name": "python", "category": "languages", "version": "1.2.0", "description": "Python with uv"},
    {"name": "nodejs", "category": "languages", "version": "2.0.0", "status": "stable", "software": "node 22"},
    {"name": "docker", "category": "infrastructure", "version": "1.0.0"},
]
CLI = """#!{python}
import json, os, sys, time
words = sys.argv[1:]
assert words.pop() == "--json"
with open({log!r}, "a") as log:
    log.write(json.dumps([words, "PHAROS_SECRET_KEY" in os.environ]) + "\\n")
answers = {answers}
time.sleep(answers.get("sleep", 0))
answer = answers.get(" ".join(words))
if answer is None:
    sys.exit("no such command: " + " ".join(words))
print(answer if isinstance(answer, str) else json.dumps(answer))
"""


@pytest.fixture(autouse=True)
def nothing_kept(settings, monkeypatch):
    sources.kept.clear()
    settings.SINDRI_CLI, settings.REGISTRY_CATALOGUE = "", None
    monkeypatch.setattr(sources.shutil, "which", lambda name: None)
    monkeypatch.setenv("PHAROS_SECRET_KEY", "x")


@pytest.fixture
def cli(tmp_path, settings):
    """`cli(answers)` installs a program; the list that comes back grows with its calls."""

    def install(answers):
        program, log = tmp_path / "sindri", tmp_path / "log"
        program.write_text(CLI.format(python=sys.executable, log=str(log), answers=repr(answers)))
        program.chmod(0o755)
        settings.SINDRI_CLI = str(program)
        return lambda: [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    return install


def test_extensions_by_category_and_words(api, cli):
    calls, client = cli({"extension list --all": EXTENSIONS}), api("VIEWER")
    body = client.get("/api/v1/registry/extensions").json()
    assert (body["total"], body["extensions"]) == (3, EXTENSIONS)
    found = client.get("/api/v1/registry/extensions?category=languages&search=UV").json()
    assert [one["name"] for one in found["extensions"]] == ["python"]
    assert client.get("/api/v1/registry/extensions?category=--help").json() == {"extensions": [], "total": 0}
    categories = client.get("/api/v1/registry/extensions/categories").json()["categories"]
    assert categories == [{"category": "infrastructure", "count": 1}, {"category": "languages", "count": 2}]
    assert calls() == [[["extension", "list", "--all"], False]], "asked once, without our secrets"


def test_profiles(api, cli):
    calls = cli(
        {
            "profile list": [
                {"name": "small", "description": "Few", "extensions": 1},
                {"name": "lost", "extensions": 4},
                {"name": "--help", "extensions": 0},
            ],
            "profile info small": {"name": "small", "extensions": ["python"], "total_with_dependencies": 3},
        }
    )
    small = {"name": "small", "description": "Few", "extensions": ["python"], "extension_count": 1}
    lost = {"name": "lost", "description": "", "extensions": [], "extension_count": 4}
    told = api("VIEWER").get("/api/v1/profiles").json()["profiles"]
    assert told[:2] == [small, lost]
    told = api("VIEWER").get("/api/v1/registry/profiles").json()["profiles"]
    assert told[:2] == [small | {"total_with_dependencies": 3}, lost | {"total_with_dependencies": 4}]
    assert [words for words, _ in calls()] == [
        ["profile", "list"],
        *(["profile", "info", one] for one in ("small", "lost")),
    ]


def test_versions(api, cli):
    body = api("VIEWER").get("/api/v1/version").json()
    assert body["cli_available"] is False
    assert {body[name] for name in ("sindri_cli", "cli_target", "cli_commit", "min_instance_version")} == {None}
    cli({"version": {"version": "3.1.4", "commit": "abc", "target": "x86_64-linux"}})
    body = api("VIEWER").get("/api/v1/version").json()
    assert (body["sindri_cli"], body["cli_commit"], body["cli_build_date"]) == ("3.1.4", "abc", None)
    assert (body["min_instance_version"], body["cli_available"]) == ("3.1.0", True)
    told = api("VIEWER").get("/api/v1/registry/version").json()
    assert told == {"version": "3.1.4", "commit": "abc", "target": "x86_64-linux"}


@pytest.mark.parametrize("path", ["extensions", "extensions/categories", "profiles", "version"])
def test_without_a_command_line(api, path):
    answer = api("VIEWER").get(f"/api/v1/registry/{path}")
    assert answer.status_code == 503
    assert {"error": "CLI_UNAVAILABLE", "fallback": True}.items() <= answer.json().items()
    assert answer.json()["message"]


def test_without_a_command_line_there_are_no_profiles(api):
    answer = api("VIEWER").get("/api/v1/profiles")
    assert (answer.status_code, answer.json()["error"], answer.json()["profiles"]) == (503, "CLI_UNAVAILABLE", [])
    status = api("VIEWER").get("/api/v1/registry/cli-status").json()
    assert (status["available"], bool(status["message"])) == (False, True)


@pytest.mark.parametrize(
    "answers",
    [{}, {"profile list": "no JSON"}, {"profile list": {"a": 1}}, {"profile list": [{}]}, {"sleep": 5}],
    ids=["exit", "text", "object", "shape", "slow"],
)
def test_a_command_line_that_fails(api, cli, monkeypatch, answers):
    monkeypatch.setattr(sources, "LIMIT_S", 0.5)
    calls = cli(answers)
    for _ in range(2):
        answer = api("VIEWER").get("/api/v1/profiles")
        assert (answer.status_code, answer.json()["error"], answer.json()["profiles"]) == (502, "CLI_ERROR", [])
    assert len(calls()) <= 1, "a failure is kept as well"
    assert api("VIEWER").get("/api/v1/registry/cli-status").json() == {"available": True}
    answer = api("VIEWER").get("/api/v1/registry/version")
    assert answer.status_code in (502, 200)


def test_a_catalogue_replaces_it(api, settings, tmp_path):
    settings.REGISTRY_CATALOGUE = tmp_path / "catalogue.yaml"
    client = api("VIEWER")
    assert client.get("/api/v1/registry/profiles").status_code == 502, "no such file"
    sources.kept.clear()
    settings.REGISTRY_CATALOGUE.write_text(
        "version: {version: '2026.1'}\n"
        "extensions: [{name: python, category: languages, version: 1.2.0}]\n"
        "profiles: [{name: small, description: Few, extensions: [python]}]\n"
    )
    assert client.get("/api/v1/profiles").json() == {
        "profiles": [{"name": "small", "description": "Few", "extensions": ["python"], "extension_count": 1}]
    }
    assert client.get("/api/v1/registry/extensions").json()["total"] == 1
    assert client.get("/api/v1/registry/version").json() == {"version": "2026.1"}
    assert client.get("/api/v1/registry/cli-status").json()["available"] is True
    assert client.get("/api/v1/version").json()["cli_available"] is False


def test_everything_needs_a_key(api):
    for path in ("profiles", "registry/extensions", "registry/cli-status", "version"):
        assert api(role=None).get(f"/api/v1/{path}").status_code == 401
