"""Runs of JMeter plans: command line, parameters, self test, ends (contract: monitors §8.3).

The program is a shell script that does what JMeter does outside: reads the plan and the properties, writes its log
and a stored result file. Result files themselves are in test_jtl.py.
"""

import shutil
from pathlib import Path
from typing import Any

import pytest

from monitors.runs.models import Status
from monitors.tools import process, programs, registry
from monitors.tools.jmeter import selftest
from monitors.tools.jmeter.command import properties
from tests.monitors.tools.test_jtl import STORED

pytestmark = pytest.mark.django_db
PLAN = '<?xml version="1.0"?><jmeterTestPlan version="1.2"><hashTree/></jmeterTestPlan>'
PROGRAM = r"""#!/bin/sh
echo "INFO o.a.j.JMeter: Version 5.6.3" > jmeter.log
if grep -q 'Self test' plan.jmx; then
  [ -e "$(dirname "$0")/broken" ] && echo "ERROR - cannot load the plan" && exit 0
  printf 'timeStamp,elapsed,label,success\n1767225600000,1,One request,true\n' > result.jtl
  exit 0
fi
echo "args $*"
echo "java $JVM_ARGS"
echo "names $(env | cut -d= -f1 | sort | tr '\n' ' ')"
echo "mode $(stat -c %a params.properties) user $(id -u)"
cat params.properties
echo "WARN a line of the log" > jmeter.log
"""


@pytest.fixture
def jmeter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`jmeter(rest)` puts a program in place that ends with these shell commands; gives its folder."""

    def install(rest: str, *, result: str | None = None) -> Path:
        folder = tmp_path / "jmeter-5.6"
        program = folder / "bin" / "jmeter"
        program.parent.mkdir(parents=True)
        program.write_text(PROGRAM + rest)
        program.chmod(0o755)
        if result:
            shutil.copy(STORED / f"{result}.jtl", folder / "stored.jtl")
        monkeypatch.setattr(programs, "find", lambda name: str(program) if name == "jmeter" else None)
        return folder

    monkeypatch.setattr(selftest, "_known", {})
    return install


COPY = 'cp "$(dirname "$0")/../stored.jtl" result.jtl\n'


def test_a_run_with_figures(tool_run: Any, jmeter: Any) -> None:
    jmeter(COPY + "echo 'summary = 5'\n", result="5.6-with-transactions")
    run, log = tool_run("jmeter", PLAN, thresholds={"errorRatePercent": 10})
    assert (run.status, run.metrics["samples"], run.metrics["errorRate"]) == (Status.FAIL, 5, 0.4), log
    assert [one["threshold"] for one in run.breaches] == ["errorRatePercent"]
    assert "args -n -t plan.jmx -l result.jtl -j jmeter.log -q params.properties" in log
    for setting in ("output_format=csv", "print_field_names=true", "timestamp_format=ms", "default_delimiter=,"):
        assert f"-Jjmeter.save.saveservice.{setting} " in log
    assert "-Xms64m -Xmx512m -Djava.awt.headless=true" in log
    assert "WARN a line of the log\n" in log and "summary = 5\n" in log and "[runner] exit code 0" in log


def test_parameters_are_in_a_private_file_only(tool_run: Any, jmeter: Any) -> None:
    jmeter(COPY, result="2.13-headerless")
    given = {"GREETING": "two\nlines\\ π", "API_TOKEN": "tiger-4242"}
    run, log = tool_run("jmeter", PLAN, parameters=given)
    assert run.status == Status.PASS, log
    assert "GREETING=two\\u000alines\\u005c\\u0020\\u03c0\n" in log
    assert "API_TOKEN=********\n" in log and "tiger" not in log
    assert "mode 600 " in log
    names = next(line for line in log.splitlines() if line.startswith("names ")).split()[1:]
    assert set(names) - {"PWD", "_", "OLDPWD", "SHLVL"} == {"HOME", "JVM_ARGS", "LANG", "NO_COLOR", "PATH", "TMPDIR"}


def test_properties_outside_of_the_first_plane() -> None:
    assert properties({"A": " 😀!", "B": ""}) == "A=\\u0020\\ud83d\\ude00!\nB=\n"


@pytest.mark.parametrize(
    ("rest", "result", "code", "says"),
    [
        ("echo 'Error in NonGUIDriver: no such class'; exit 1", None, "no_samples", "no such class"),
        (COPY, "header-only", "no_samples", "measured no sample"),
        (COPY, "no-success-column", "bad_result", "lacks the column success"),
        (COPY, "broken-row", "bad_result", "Line 3"),
        ("ln -s /etc/passwd result.jtl", None, "no_samples", "measured no sample"),
        ("mkfifo result.jtl", None, "no_samples", "measured no sample"),
        ("kill -9 $$", None, "internal", "signal 9"),
    ],
)
def test_ends_without_figures(tool_run: Any, jmeter: Any, rest: str, result: str | None, code: str, says: str) -> None:
    jmeter(rest, result=result)
    run, log = tool_run("jmeter", PLAN)
    assert (run.status, run.error_code, run.metrics) == (Status.ERROR, code, None), log
    assert says in run.error_message


def test_the_time_is_over_and_the_figures_stay(tool_run: Any, jmeter: Any) -> None:
    jmeter(COPY + "sleep 60\n", result="cut-off")
    run, log = tool_run("jmeter", PLAN, timeout_s=1)
    assert (run.status, run.error) == (Status.TIMEOUT, None), log
    assert run.metrics["samples"] == 1


def test_the_log_file_counts_as_output(tool_run: Any, jmeter: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(process, "MOST_OUTPUT", 1 << 20)
    jmeter("while :; do printf '%01000d\\n' 7; done > jmeter.log\n")
    run, log = tool_run("jmeter", PLAN, timeout_s=60)
    assert (run.status, run.error_code) == (Status.ERROR, "output_limit"), log[-2000:]


def test_an_installed_program_that_cannot_run_plans(tool_run: Any, jmeter: Any) -> None:
    """As Debian's 2.13: it starts, complains, and ends with 0."""
    (jmeter(COPY, result="2.13-headerless") / "bin" / "broken").touch()
    run, _ = tool_run("jmeter", PLAN)
    assert (run.status, run.error_code) == (Status.ERROR, "tool_unavailable")
    assert "cannot load the plan" in run.error_message and "apache-jmeter-5.6.3" in run.error_message
    assert "jmeter" not in registry.versions()


def test_the_version_is_that_of_a_program_that_works(tool_run: Any, jmeter: Any) -> None:
    jmeter(COPY, result="2.13-headerless")
    tool_run("jmeter", PLAN)
    assert registry.versions()["jmeter"] == "5.6.3"


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("no XML", "no well-formed XML"),
        ("<project/>", "its first element is project"),
        ("<jmeterTestPlan>", "no well-formed XML"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><jmeterTestPlan>&b;</jmeterTestPlan>', "document type"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><jmeterTestPlan/>', "document type"),
    ],
)
def test_what_is_no_plan_is_refused(admin: Any, script: str, says: str) -> None:
    from tests.monitors.conftest import encoded

    body = {"name": "Plan", "schedule": "@hourly", "tool": "jmeter", "scriptContent": encoded(script)}
    answer = admin.post("/api/monitors", body)
    assert answer.status_code == 400
    assert says in answer.json()["details"]["script"][0]
