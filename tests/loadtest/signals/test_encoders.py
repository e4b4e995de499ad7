"""How values, lines and messages look on the wire (contract: signals §9.1)."""

import json
import math
import struct
from random import Random

import pytest

from fleet.collectors.prometheus.messages import WriteRequest
from loadtest.signals.encoders import specs
from loadtest.signals.encoders.logs import log_encoder
from loadtest.signals.encoders.metrics import line_encoder
from loadtest.signals.encoders.numbers import fixed_text, json_text, rounded, value_text, value_texts
from loadtest.signals.encoders.remote_write import STALE, write_request
from loadtest.signals.encoders.times import rfc3339

AT_NS = 1_790_000_000_123_456_789
NASTY = 'a"b\\c\nd,e f=g]'


def line(spec: specs.AnyEncoder, value: float, name: str = "lift_speed", **labels: str) -> str:
    encoder = line_encoder(spec)
    before, between = encoder.frame(name, labels)
    return f"{before}{encoder.numbers([value])[0]}{between}{encoder.stamps([AT_NS])[0]}{encoder.after}"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (100.0, "100"), (3.75, "3.75"), (1e-7, "0.0000001"), (-0.0, "-0"), (1e21, "1" + "0" * 21),
        (0.1 + 0.2, "0.30000000000000004"),
        (math.nan, "NaN"), (math.inf, "inf"), (-math.inf, "-inf"), (123456789012345680.0, "123456789012345680"),
    ],
)  # fmt: skip
def test_value_text_is_the_shortest_without_exponent(value: float, text: str) -> None:
    assert value_text(value) == text


@pytest.mark.parametrize("value", [5e-324, 1.7976931348623157e308, 2.5e-5, 1e16, 9007199254740993.0])
def test_value_text_reads_back(value: float) -> None:
    assert float(value_text(value)) == value
    assert "e" not in value_text(value)


@pytest.mark.parametrize("also", [[], [math.nan], [1e-300, math.inf]])
def test_many_texts_at_once_are_the_same(also: list[float]) -> None:
    random = Random(3)
    values = [struct.unpack("<d", random.randbytes(8))[0] for _ in range(2000)]
    values = [one for one in values if 1e-4 < abs(one) < 1e15] + [random.uniform(-1e3, 1e3) for _ in range(2000)]
    values += [0.0, -0.0, 1.0, -2.0, 10.0, 0.5, 1e15, 123456.0, 5e-5, *also]
    assert value_texts(values) == [value_text(one) for one in values]
    assert value_texts([]) == []


def test_fixed_decimals() -> None:
    assert [fixed_text(value, 2) for value in (3.755, 2.0, -0.005, math.nan)] == ["3.75", "2.00", "-0.01", "NaN"]
    assert fixed_text(2.5, 0) == "2"


def test_json_rounds_halves_away_from_zero() -> None:
    assert [rounded(value, 0) for value in (0.5, 1.5, 2.5, -2.5, 0.49999999999999994)] == [1, 2, 3, -3, 0]
    assert rounded(3.14159, 2) == 3.14
    assert rounded(1e300, 17) == 1e300
    assert [json_text(value) for value in (100.0, math.nan, math.inf)] == ["100.0", "null", "null"]


def test_prometheus_text() -> None:
    assert line(specs.PrometheusText(), 3.75, car="2", tower="n") == 'lift_speed{car="2",tower="n"} 3.75 1790000000123'
    assert line(specs.PrometheusText(precision=1), 3.0) == "lift_speed 3.0 1790000000123"
    assert line(specs.PrometheusText(), 1, x=NASTY) == 'lift_speed{x="a\\"b\\\\c\\nd,e f=g]"} 1 1790000000123'


def test_influx_line() -> None:
    assert line(specs.InfluxLine(), 3.75, car="2") == "lift_speed,car=2 value=3.75 1790000000123456789"
    assert line(specs.InfluxLine(field_key="a b"), 1) == "lift_speed a\\ b=1 1790000000123456789"
    nasty = line(specs.InfluxLine(), 1, x=NASTY)
    assert "\n" not in nasty
    assert 'x=a"b' in nasty and "d\\,e\\ f\\=g]" in nasty


def test_json_lines_of_metrics() -> None:
    text = line(specs.JsonLines(), 3.75, car="2")
    assert text == '{"name":"lift_speed","value":3.75,"labels":{"car":"2"},"timestamp":"2026-09-21T14:13:20.123Z"}'
    assert json.loads(line(specs.JsonLines(precision=1), math.nan, x=NASTY)) == {
        "name": "lift_speed", "value": None, "labels": {"x": NASTY}, "timestamp": "2026-09-21T14:13:20.123Z",
    }  # fmt: skip


def test_json_lines_of_logs() -> None:
    text = log_encoder(specs.JsonLines())(AT_NS, "warn", NASTY, {}, {"k": "é"})
    assert text.startswith('{"timestamp":"2026-09-21T14:13:20.123Z","severity":"warn","message":"')
    assert text.endswith('"labels":{},"fields":{"k":"é"}}')
    assert json.loads(text)["message"] == NASTY


@pytest.mark.parametrize(
    ("severity", "number"), [("fatal", 8), ("error", 11), ("warn", 12), ("info", 14), ("debug", 15), ("trace", 15)]
)
def test_syslog(severity: str, number: int) -> None:
    text = log_encoder(specs.Syslog())(AT_NS, severity, "one\ntwo", {}, {})
    assert text == f"<{number}>1 2026-09-21T14:13:20.123Z sonda sonda - - - one two"


def test_syslog_labels_are_escaped() -> None:
    text = log_encoder(specs.Syslog(hostname="h", app_name="a"))(AT_NS, "info", "m", {"car": NASTY}, {})
    assert text == '<14>1 2026-09-21T14:13:20.123Z h a - - [sonda car="a\\"b\\\\c d,e f=g\\]"] m'


def test_times_before_1970_and_of_early_years() -> None:
    assert rfc3339(-1_000_000) == "1969-12-31T23:59:59.999Z"
    assert rfc3339(-62_000_000_000 * 10**9).startswith("0005-")


def test_remote_write_and_its_stale_marker() -> None:
    body = write_request([("up", {"Zone": "n", "job": "x"}, 1.5, AT_NS), ("up", {}, STALE, AT_NS + 10**6)])
    first, second = WriteRequest.FromString(body).timeseries
    assert [(one.name, one.value) for one in first.labels] == [("__name__", "up"), ("Zone", "n"), ("job", "x")]
    assert [(one.value, one.timestamp) for one in first.samples] == [(1.5, 1_790_000_000_123)]
    assert struct.pack("<d", second.samples[0].value) == struct.pack("<Q", 0x7FF0000000000002)
    assert struct.pack("<Q", 0x7FF0000000000002) in body
