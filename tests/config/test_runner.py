"""`scripts/test` must never call a run good that was not."""

import runpy
from pathlib import Path

import pytest

pytestmark = pytest.mark.static

ROOT = Path(__file__).resolve().parents[2]
REPORT = '<testsuites><testsuite tests="{tests}" failures="{failures}" errors="{errors}" skipped="1"/></testsuites>'


@pytest.fixture(scope="module")
def runner():
    return runpy.run_path(str(ROOT / "scripts/test"))


def test_counts_come_from_the_report(runner, tmp_path):
    report = tmp_path / "report.xml"
    report.write_text(REPORT.format(tests=10, failures=2, errors=1))
    count = runner["counted"](report, 1)
    assert (count.passed, count.failed, count.skipped) == (6, 3, 1)


def test_bad_end_without_a_failed_test_is_a_failure(runner, tmp_path):
    report = tmp_path / "report.xml"
    assert runner["counted"](report, 5).failed == 1
    report.write_text(REPORT.format(tests=10, failures=0, errors=0))
    assert runner["counted"](report, 3).failed == 1
    assert runner["counted"](report, 0).failed == 0


def test_every_marker_belongs_to_a_stage(runner, request):
    """A marker that no stage knows would hide its tests, or run them where they cannot."""
    declared = {line.partition(":")[0] for line in request.config.getini("markers") if ": " in line}
    ours = declared & {"static", "storage", "contract", "slow", "journey", "browser", "production"}
    named = " ".join(runner["MARKERS"].values()) + " static"
    assert not [marker for marker in ours if marker not in named]


A_FILE = """
from pathlib import Path

def test_right(): pass
def test_wrong(): assert {wrong}
def test_unsteady():
    seen = Path(__file__).with_name("seen")
    before, _ = seen.exists(), seen.touch()
    assert before or not {unsteady}
"""


@pytest.mark.parametrize(
    ("wrong", "unsteady", "passed", "failed"),
    [("True", "False", 3, 0), ("True", "True", 3, 0), ("False", "True", 1, 2)],
)
def test_a_second_look_forgives_only_what_then_passes(
    runner, tmp_path, wrong, unsteady, passed, failed, capfd, monkeypatch
):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -q\n")
    (tmp_path / "test_some.py").write_text(A_FILE.format(wrong=wrong, unsteady=unsteady))
    count = runner["pytest"](
        ["-p", "xdist", f"--rootdir={tmp_path}", "-c", f"{tmp_path}/pytest.ini", f"{tmp_path}"], databases={}
    )
    assert (count.passed, count.failed) == (passed, failed)
    assert ("second look" in capfd.readouterr().out) == (failed + (unsteady == "True") > 0)
