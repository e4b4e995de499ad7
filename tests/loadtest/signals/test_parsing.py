"""What bodies of each dialect mean (contract: signals §4.1 to §4.3, §4.5, §4.8)."""

import json

import pytest

from loadtest.signals.encoders import specs as encodings
from loadtest.signals.generators import specs
from loadtest.signals.scenario import sinks
from loadtest.signals.scenario.entry import Document, Entry
from loadtest.signals.scenario.parsing import parse

CONSTANT = "generator: {type: constant, value: 1}"


def parsed(body: str, content_type: str | None = None, **environment: str) -> Document:
    return parse(body.encode(), content_type, environment=environment)


def test_a_flat_body() -> None:
    document = parsed(
        "name: pump_pressure_bar\nrate: 5\nduration: 90s\n"
        "generator: {type: sine, amplitude: 0.8, period_secs: 45, offset: 4.2}\n"
        "labels: {site: halden, pump: 3, ratio: 1.50, live: true, norway: no}\n"
    )
    (entry,) = document.entries
    assert document.flat and document.warnings == []
    assert entry.signal_type == "metrics" and entry.metric_type == "gauge"
    assert entry.generator == specs.Sine(amplitude=0.8, period_secs=45, offset=4.2)
    assert entry.labels == {"site": "halden", "pump": "3", "ratio": "1.5", "live": "true", "norway": "no"}
    assert (entry.encoder, entry.sink) == (encodings.PrometheusText(), sinks.Stdout())
    assert entry.duration_s == 90


def test_a_flat_body_of_logs_needs_no_signal_type() -> None:
    document = parsed("version: 1\nname: any name\nrate: 1\ngenerator: {type: template, templates: [{message: m}]}")
    assert document.entries[0].signal_type == "logs"
    assert document.entries[0].encoder == encodings.JsonLines()
    assert document.entries[0].metric_type is None


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json; charset=utf-8", '{"name": "m", "rate": 1, "generator": {"type": "constant", "value": 1}}'),
        ("text/plain", '{"name": "m", "rate": 1, "generator": {"type": "constant", "value": 1}}'),
        ("application/x-yaml", f"\ufeff# c\nname: m\nrate: 1e0\n{CONSTANT}"),
        (None, "name: m\nrate: &r 0x1\nlabels: {a: *r}\ngenerator: {value: 1.0, type: !!str constant}"),
    ],
)
def test_content_types(content_type: str | None, body: str) -> None:
    (entry,) = parsed(body, content_type).entries
    assert (entry.name, entry.rate, entry.generator) == ("m", 1.0, specs.Constant(value=1))


def test_a_list_is_answered_as_a_list_and_version_2_by_count() -> None:
    one = f"scenarios:\n- {{name: m, rate: 1, {CONSTANT}}}\n"
    assert not parsed(one).flat
    assert parsed(f"version: 2\nkind: runnable\n{one}").flat
    assert not parsed(f"version: 2\nkind: runnable\n{one}- {{name: n, rate: 1, {CONSTANT}}}").flat
    assert parsed(f"version: 2\nkind: runnable\nname: m\nrate: 1\ntags: [a]\nexpect: {{x: 1}}\n{CONSTANT}").flat


def test_defaults_are_merged_and_labels_key_by_key() -> None:
    document = parsed(
        "version: 2\nkind: runnable\nscenario_name: night\n"
        "defaults: {rate: 2, duration: 4m, sink: {type: memory}, labels: {a: d, b: d}, on_sink_error: fail}\n"
        f"scenarios:\n- {{name: m, {CONSTANT}, labels: {{b: e}}, rate: 3}}\n"
        f"- {{name: n, {CONSTANT}, phase_offset: 0s}}\n"
    )
    first, second = document.entries
    assert document.scenario_name == "night"
    assert (first.rate, first.labels, first.duration_s) == (3, {"a": "d", "b": "e"}, 240)
    assert (second.rate, second.labels, second.on_sink_error) == (2, {"a": "d", "b": "d"}, "fail")
    assert first.sink == sinks.Memory()


def test_metric_types() -> None:
    kinds = {
        "generator: {type: step, step_size: 1}": "counter",
        CONSTANT: "gauge",
        f"{CONSTANT}\nmetric_type: untyped": "untyped",
        "signal_type: histogram\ndistribution: {type: normal, mean: 1, stddev: 0}": "histogram",
        "signal_type: summary\ndistribution: {type: uniform, min: 1, max: 1}": "summary",
    }
    assert {body: parsed(f"name: m\nrate: 1\n{body}").entries[0].metric_type for body in kinds} == kinds


def test_histogram_and_summary_defaults() -> None:
    body = "name: m\nrate: 1\nsignal_type: {}\ndistribution: {{type: exponential, rate: 2}}"
    histogram, summary = (parsed(body.format(kind)).entries[0].generator for kind in ("histogram", "summary"))
    assert isinstance(histogram, specs.Histogram) and isinstance(summary, specs.Summary)
    assert histogram.buckets == [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
    assert (summary.quantiles, summary.observations_per_tick) == ([0.5, 0.9, 0.95, 0.99], 100)


def test_references_to_variables() -> None:
    body = (
        f'name: m\nrate: 1\n{CONSTANT}\nlabels: {{a: "${{LOKI_URL}}", b: "${{NOPE:-x}}", c: "$${{D}}", d: "$e ${{f}}"}}'
    )
    assert parsed(body, LOKI_URL="http://l").entries[0].labels == {
        "a": "http://l",
        "b": "x",
        "c": "${D}",
        "d": "$e ${f}",
    }


def test_an_entry_goes_to_a_database_and_back_and_is_shown_without_secrets() -> None:
    document = parsed(
        "scenarios:\n"
        f"- {{name: m, rate: 1, {CONSTANT}, gaps: {{every: 5s, for: 250ms}}, sink: {{type: http_push,"
        " url: 'http://me:pass@h:1/p?token=t', headers: {Authorization: Bearer s}}}\n"
        "- {name: n, rate: 2, generator: {type: sequence, values: [1, .inf, -.inf]}, jitter: 0.5}\n"
        "- {name: s, rate: 2, signal_type: summary, distribution: {type: uniform, min: 1, max: 2}}\n"
        '- {name: l, rate: 1, generator: {type: csv_replay, data: "ts,msg,k\\n0,hi,v\\n2,ho,w"}, signal_type: logs}\n'
    )
    stored = [json.loads(json.dumps(entry.config(), allow_nan=False)) for entry in document.entries]
    assert [Entry.from_config(one) for one in stored] == document.entries
    shown = document.entries[0].shown()
    assert shown["gaps"] == {"every": "5s", "for": "250ms"}
    assert shown["sink"]["headers"] == {"Authorization": "********"}
    assert shown["sink"]["url"] == "http://********@h:1/p?********"
    assert not {"pass", "Bearer", "token"} & set(json.dumps(shown).replace('"', " ").replace(":", " ").split())


def test_packs_expand_with_labels_in_order_of_precedence() -> None:
    document = parsed(
        "version: 2\nkind: runnable\ndefaults: {rate: 1, labels: {component: default, x: default, y: default}}\n"
        "scenarios:\n- id: sw\n  pack: switch_interface\n  labels: {interface: e7, y: entry}\n"
        "  overrides: {interface_oper_status: {generator: {type: constant, value: 2}, labels: {interface: e8}}}\n"
    )
    by_name = {entry.name: entry for entry in document.entries}
    assert not document.flat and len(by_name) == len(document.entries) == 5
    status, octets = by_name["interface_oper_status"], by_name["interface_in_octets_total"]
    assert status.generator == specs.Constant(value=2)
    assert status.labels["interface"] == "e8" and octets.labels["interface"] == "e7"
    assert octets.labels | {} == {
        "component": "default",
        "x": "default",
        "y": "entry",
        "device": "switch-1",
        "interface": "e7",
    }
    assert octets.id == "sw.interface_in_octets_total" and octets.metric_type == "counter"


def test_every_column_of_a_csv_becomes_an_entry() -> None:
    data = '# comment\nt,load,"temp{room=""a, b"",no=""1""}","{__name__=""x""}","{k=""v""}"\n' + "".join(
        f"{at},{at},{at * 2},,{at}\n" if at != 4 else "4,bad,8,7,1\n" for at in (0, 2, 4, 6)
    )
    generator = {"type": "csv_replay", "data": data, "timescale": 4, "default_metric_name": "d"}
    document = parsed(json.dumps({"id": "c", "generator": generator, "labels": {"no": "2"}}), "application/json")
    assert [(entry.name, entry.rate, entry.labels, entry.id) for entry in document.entries] == [
        ("load", 2.0, {"no": "2"}, "c.load"),
        ("temp", 2.0, {"room": "a, b", "no": "2"}, "c.temp"),
        ("x", 2.0, {"no": "2"}, "c.x"),
        ("d", 2.0, {"no": "2", "k": "v"}, "c.d"),
    ]
    assert [entry.generator.values for entry in document.entries] == [[0, 2, 6], [0, 4, 8, 12], [7], [0, 2, 1, 6]]  # type: ignore[union-attr]
    assert not document.flat


def test_chosen_columns_of_a_stored_file() -> None:
    generator = "{type: csv_replay, file: a.csv, repeat: false, columns: [{index: 2, name: b, labels: {n: 1}}]}"
    document = parse(
        f"name: m\nrate: 9\ngenerator: {generator}".encode(),
        None,
        environment={},
        files={"a.csv": "2026-09-21T14:13:20Z,1,5\n2026-09-21T14:13:25Z,2,6\n"}.__getitem__,
    )
    (entry,) = document.entries
    assert (entry.name, entry.rate, entry.labels) == ("b", 0.2, {"n": "1"})
    assert entry.generator == specs.CsvReplay(file="a.csv", column=2, repeat=False, values=[5, 6])


def test_rows_of_logs() -> None:
    data = "Timestamp,LEVEL,Message,user\n10,Warn,one,ann\n10.5,,two,\n"
    body = json.dumps({"name": "l", "signal_type": "logs", "generator": {"type": "csv_replay", "data": data}})
    (entry,) = parsed(body, "application/json").entries
    assert entry.rate == 2
    assert entry.generator.rows == [
        specs.LogRow("warn", "one", {"user": "ann"}),
        specs.LogRow("info", "two", {"user": ""}),
    ]  # type: ignore[union-attr]
