"""The process that compares versions."""

import os
import sys

import pytest

from security.vulnerabilities import judging
from security.vulnerabilities.judging import Apart, NoAnswer, Question, judge

RANGES = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.10"}]}]


def test_it_answers_as_this_process_would_and_keeps_the_libraries_out_of_it() -> None:
    questions = [Question(version, "PyPI", RANGES) for version in ("1.9", "1.10", "x", "\x00\n\u2028", "1" * 9999)]
    with Apart() as apart:
        assert apart([]) == []
        assert apart(questions) == apart(questions) == judge(questions)
        pid = apart._process.pid
    assert judge(questions)[0] == (True, "1.10")
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_process_that_dies_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    start = judging.subprocess.Popen
    monkeypatch.setattr(
        judging.subprocess, "Popen", lambda command, **given: start([sys.executable, "-c", "raise SystemExit"], **given)
    )
    with Apart() as apart, pytest.raises(NoAnswer, match="ended without an answer"):
        apart([Question("1", "PyPI", RANGES)])
