"""400 or 422, with the entry and the field named (contract: signals §4.3, §4.4, §4.7, §4.8)."""

import pytest

from loadtest.signals.scenario.errors import Refused, Shapeless, Unprocessable
from loadtest.signals.scenario.parsing import parse

JSON = "application/json"
GOOD = "name: m\nrate: 1\ngenerator: {type: constant, value: 1}\n"
LOG = "name: l\nrate: 1\nsignal_type: logs\ngenerator: {type: template, templates: [{message: hi}]}\n"
HISTOGRAM = "name: h\nrate: 1\nsignal_type: histogram\ndistribution: {type: exponential, rate: 1}\n"
V2 = "version: 2\nkind: runnable\n"


def refused(body: str | bytes, content_type: str | None = None) -> Refused:
    raw = body if isinstance(body, bytes) else body.encode()
    with pytest.raises(Refused) as caught:
        parse(raw, content_type, environment={"LOKI_URL": "http://l"})
    return caught.value


SHAPELESS = {
    "": "empty",
    "# nothing": "empty",
    "[1]": "mapping",
    "a: [": "line",
    "a: 1\na: 2": "twice",
    "x: *y": "anchor",
    "just text": "mapping",
    "---\na: 1\n---\nb: 1": "more than one",
    "a: !!python/object:os.system x": "tag",
    "? [1]\n: 2": "key",
    'name: "\\0"': "NUL",
    "\0": "characters",
    "rate: 1\ngenerator: {type: constant, value: 1}": "'name'",
    "name: m\ngenerator: {type: constant, value: 1}": "'rate'",
    "name: m\nrate: 1": "'generator'",
    "name: m\nrate: 1\nsignal_type: summary": "'distribution'",
    "name: m\nrate: 1\nsignal_type: logs": "'generator'",
    "scenarios: []": "'scenarios'",
    "scenarios: {}": "'scenarios'",
    "scenarios: [1]": "entry 1",
    "version: 3\n" + GOOD: "'version'",
    "version: true\n" + GOOD: "'version'",
    "version: 2\n" + GOOD: "'kind'",
    "version: 2\nkind: odd\n" + GOOD: "'kind'",
    "version: 2\nkind: composable\nname: p\nmetrics: []": "composable",
    "signal_type: traces\n" + GOOD: "'signal_type'",
    "id: 1x\n" + GOOD: "'id'",
    "id: 7\n" + GOOD: "'id'",
    V2 + "name: l\nrate: 1\nsignal_type: logs\ngenerator: {type: template, templates: [{message: m}]}": "log_generator",
    "pack: nothing\nrate: 1": "'pack'",
    "pack: host_cpu": "'rate'",
    GOOD + 'help: "${SECRET}"': "${SECRET}",
}


@pytest.mark.parametrize("body", SHAPELESS)
def test_no_usable_shape_is_400(body: str) -> None:
    fault = refused(body)
    assert type(fault) is Shapeless, fault.message
    if SHAPELESS[body] != "line":
        assert SHAPELESS[body] in fault.message


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe",
        b'{"a": 1',
        b'{"a": 1, "a": 2}',
        b"name: m",
        b'{"a": NaN}',
        b'{"a": "\\ud800"}',
        b'{"a\\u0000": 1}',
        b"[" * 100_000,
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a":' * 80 + b"1" + b"}" * 80,
        b'"text"',
        b"null",
    ],
    ids=range(12),
)
def test_json_that_is_none_is_400(body: bytes) -> None:
    assert type(refused(body, JSON)) is Shapeless


@pytest.mark.parametrize(
    "body",
    [
        "a: &a [" + "1," * 3000 + "]\nb: [*a, *a, *a, *a]",
        "a: &a {b: *a}",
        "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
        + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 10)}]\n" for n in range(9)),
        "[" * 100_000,
        "- " * 50_000,
        "? " * 50_000,
        "{" * 100_000,
        "a: [" + "1," * 51_000 + "]",
    ],
    ids=["wide", "loop", "laughs", "lists", "blocks", "keys", "mappings", "many"],
)
def test_yaml_that_unfolds_too_far_is_400(body: str) -> None:
    assert type(refused(body)) is Shapeless


# What is put over a body that is fine, and the field that the fault names.
UNPROCESSABLE = {
    "rate: abc": "'rate'",
    "rate: 0": "'rate'",
    "rate: -1": "'rate'",
    "rate: .nan": "'rate'",
    "rate: true": "'rate'",
    "rate: 1e400": "'rate'",
    "rate: 1e-10": "'rate'",
    "bursts: {every: 5s, for: 1s, multiplier: 1e-300}": "'rate'",
    "generator: {type: sine, amplitude: 1, period_secs: 1e-310, offset: 0}": "computed",
    "generator: {type: sawtooth, min: 0, max: 1, period_secs: 1e-320}\nrate: 1e-9": "computed",
    'generator: {type: csv_replay, data: "0,1\\n1e300,2"}': "'generator.data'",
    "rate: 50001": "'rate'",
    "rate: [1]": "'rate'",
    "name: 5": "'name'",
    "name: 5xx": "'name'",
    "name: 'a b'": "'name'",
    "name: ''": "'name'",
    "duration: 5": "'duration'",
    "duration: 0s": "'duration'",
    "duration: 5d": "'duration'",
    "duration: -1s": "'duration'",
    "duration: 1e3s": "'duration'",
    "duration: ٣s": "'duration'",
    "duration: 9999999999h": "'duration'",
    "generator: text": "'generator'",
    "generator: {type: zap}": "'generator.type'",
    "generator: {value: 1}": "'generator.type'",
    "generator: {type: constant}": "'generator.value'",
    "generator: {type: constant, value: x}": "'generator.value'",
    "generator: {type: uniform, min: 2, max: 1}": "'generator.min'",
    "generator: {type: uniform, min: 1}": "'generator.max'",
    "generator: {type: uniform, min: 0, max: 1, seed: -1}": "'generator.seed'",
    "generator: {type: uniform, min: 0, max: 1, seed: 18446744073709551616}": "'generator.seed'",
    "generator: {type: sine, amplitude: 1, period_secs: 0, offset: 0}": "'generator.period_secs'",
    "generator: {type: sawtooth, min: 0, max: 1, period_secs: -1}": "'generator.period_secs'",
    "generator: {type: sequence, values: []}": "'generator.values'",
    "generator: {type: sequence, values: [a]}": "'generator.values'",
    "generator: {type: spike, baseline: 0, magnitude: 1, duration_secs: 1, interval_secs: 0}": "interval_secs",
    "generator: {type: spike, baseline: 0, magnitude: 1, duration_secs: -1, interval_secs: 1}": "duration_secs",
    "generator: {type: flap, enum: boolean, up_value: 3}": "'generator.enum'",
    "generator: {type: flap, enum: odd}": "'generator.enum'",
    "generator: {type: leak, time_to_ceiling: 5s}\nduration: 6s": "'generator.time_to_ceiling'",
    "generator: {type: csv_replay, file: none.csv}": "'generator.file'",
    "generator: {type: csv_replay}": "'generator.file'",
    "generator: {type: csv_replay, data: ''}": "'generator.data'",
    "generator: {type: csv_replay, data: '0,1'}": "'generator.data'",
    'generator: {type: csv_replay, data: "0,1\\n0,2"}': "'generator.data'",
    'generator: {type: csv_replay, data: "0,1\\n1,2", timescale: 0}': "'generator.timescale'",
    'generator: {type: csv_replay, data: "t,1 x\\n0,1\\n1,2"}': "'generator.data'",
    "gaps: {every: 5s, for: 5s}": "'gaps.for'",
    "gaps: {every: 5s}": "'gaps.for'",
    "gaps: 5s": "'gaps'",
    "bursts: {every: 5s, for: 6s, multiplier: 2}": "'bursts.for'",
    "bursts: {every: 5s, for: 1s, multiplier: 0}": "'bursts.multiplier'",
    "bursts: {every: 5s, for: 1s, multiplier: 1e9}": "'rate'",
    "cardinality_spikes: [{label: a-b, every: 5s, for: 1s, cardinality: 1}]": "'cardinality_spikes[0].label'",
    "cardinality_spikes: [{label: a, every: 5s, for: 5s, cardinality: 1}]": "'cardinality_spikes[0].for'",
    "cardinality_spikes: [{label: a, every: 5s, for: 1s, cardinality: 0}]": "'cardinality_spikes[0].cardinality'",
    "cardinality_spikes: [{label: a, every: 5s, for: 1s, cardinality: 1, strategy: odd}]": "strategy",
    "cardinality_spikes: [7]": "'cardinality_spikes[0]'",
    "dynamic_labels: [{key: a-b, cardinality: 1}]": "'dynamic_labels[0].key'",
    "dynamic_labels: [{key: a, cardinality: 0}]": "'dynamic_labels[0].cardinality'",
    "dynamic_labels: [{key: a, values: []}]": "'dynamic_labels[0].values'",
    "dynamic_labels: [{key: a, values: [[1]]}]": "'dynamic_labels[0].values'",
    "dynamic_labels: [{key: a, cardinality: 100001}]": "series",
    "dynamic_labels: [{key: a, cardinality: 400}, {key: b, cardinality: 399}]": "series",
    "labels: {a-b: x}": "'a-b'",
    "labels: {a: [1]}": "'labels.a'",
    "labels: {a: null}": "'labels.a'",
    "labels: [a]": "'labels'",
    "labels: {__name__: x}": "'__name__'",
    f"labels: {{a: {'x' * 4097}}}": "4096",
    "labels: {" + ", ".join(f"l{number}: x" for number in range(65)) + "}": "64",
    "jitter: -1": "'jitter'",
    "jitter: .nan": "'jitter'",
    "jitter: .inf": "'jitter'",
    "jitter_seed: 1.5": "'jitter_seed'",
    "encoder: {type: odd}": "'encoder.type'",
    "encoder: {type: syslog}": "'encoder.type'",
    "encoder: json_lines": "'encoder'",
    "encoder: {type: otlp}": "OTLP",
    "encoder: {type: prometheus_text, precision: 18}": "'encoder.precision'",
    "encoder: {type: influx_lp, precision: -1}": "'encoder.precision'",
    "sink: {type: odd}": "'sink.type'",
    "sink: {type: kafka}": "Kafka",
    "sink: {type: otlp_grpc}": "OTLP",
    "sink: {type: http_push}": "'sink.url'",
    "sink: {type: http_push, url: 'file:///etc/passwd'}": "'sink.url'",
    "sink: {type: http_push, url: 'http://'}": "'sink.url'",
    "sink: {type: http_push, url: 'http://h:99999/'}": "'sink.url'",
    "sink: {type: http_push, url: 'http://h', headers: {A: \"b\\r\\nC: d\"}}": "'sink.headers.A'",
    "sink: {type: http_push, url: 'http://h', headers: {'A B': x}}": "'sink.headers.A B'",
    "sink: {type: http_push, url: 'http://h', batch_size: 0}": "'sink.batch_size'",
    "sink: {type: loki, url: 'http://h', retry: {max_attempts: 0, initial_backoff: 1s, max_backoff: 1s}}": "attempts",
    "sink: {type: loki, url: 'http://h', retry: {max_attempts: 1, initial_backoff: 2s, max_backoff: 1s}}": "backoff",
    "sink: {type: loki, url: 'http://h'}\nencoder: {type: remote_write}": "'sink.type'",
    "sink: {type: tcp, address: nowhere}": "'sink.address'",
    "sink: {type: udp, address: 'h:0'}": "'sink.address'",
    "sink: {type: file, path: /etc/passwd}": "'sink.path'",
    "sink: {type: file, path: ../x}": "'sink.path'",
    "sink: {type: platform, target: odd}": "'sink.target'",
    "sink: {type: platform, target: logs}": "'sink.target'",
    "on_sink_error: odd": "'on_sink_error'",
    "start_time: tomorrow": "'start_time'",
    "start_time: 2026-09-21": "'start_time'",
    "start_time: +99999d": "'start_time'",
    "metric_type: odd": "'metric_type'",
    "phase_offset: 5": "'phase_offset'",
    "delay: {open: 1s}": "'delay'",
    "overrides: {a: {}}": "not known",
}


def over(body: str, patch: str) -> str:
    """The body with the patch's fields in place of its own, in version 2, where nothing unknown passes."""
    names = {line.split(":")[0] for line in patch.splitlines()}
    kept = [line for line in body.splitlines() if line.split(":")[0] not in names]
    return V2 + "\n".join([*kept, patch])


@pytest.mark.parametrize("patch", UNPROCESSABLE)
def test_a_value_that_is_not_allowed_is_422(patch: str) -> None:
    parse((V2 + GOOD).encode(), None, environment={})
    fault = refused(over(GOOD, patch))
    assert type(fault) is Unprocessable, fault.message
    assert UNPROCESSABLE[patch] in fault.message
    assert fault.message.startswith(("entry 'm': ", "entry '", "entry 1: "))


@pytest.mark.parametrize(
    "patch",
    [
        "buckets: []",
        "buckets: [1, 1]",
        "buckets: [2, 1]",
        "buckets: [0, 1]",
        "buckets: [.inf]",
        "observations_per_tick: 0",
        f"observations_per_tick: 1\nrate: 10000\nbuckets: {list(range(1, 101))}",
        "observations_per_tick: 100000\nrate: 11",
        "distribution: {type: exponential, rate: 0}",
        "distribution: {type: odd}",
        "distribution: {type: csv_replay}",
        "distribution: {type: normal, mean: 1, stddev: -1}",
        "distribution: {type: uniform, min: 2, max: 1}",
        "distribution: {type: normal, mean: 1}",
        "labels: {le: x}",
        "quantiles: [0.5]",
        "jitter: 1",
    ],
)
def test_histograms(patch: str) -> None:
    parse((V2 + HISTOGRAM).encode(), None, environment={})
    assert type(refused(over(HISTOGRAM, patch))) is Unprocessable


@pytest.mark.parametrize("patch", ["quantiles: []", "quantiles: [0]", "quantiles: [1]", "quantiles: [0.9, 0.5]"])
def test_summaries(patch: str) -> None:
    summary = HISTOGRAM.replace("histogram", "summary")
    parse((V2 + summary).encode(), None, environment={})
    assert type(refused(over(summary, patch))) is Unprocessable


@pytest.mark.parametrize(
    "patch",
    [
        "log_generator: {type: template}",
        "log_generator: {type: template, templates: [{message: m, field_pools: {"
        + ", ".join(f"f{number}: [a]" for number in range(65))
        + "}}]}",
        "log_generator: {type: template, templates: []}",
        "log_generator: {type: template, templates: [{}]}",
        "log_generator: {type: template, templates: [{message: m, field_pools: {a: []}}]}",
        "log_generator: {type: template, templates: [{message: m}], severity_weights: {loud: 1}}",
        "log_generator: {type: template, templates: [{message: m}], severity_weights: {info: -1}}",
        "log_generator: {type: template, templates: [{message: m}], severity_weights: {info: 0}}",
        "log_generator: {type: sine}",
        "encoder: {type: prometheus_text}",
        "encoder: {type: syslog, hostname: 'a b'}",
        "sink: {type: remote_write, url: 'http://h'}",
        "sink: {type: platform, target: metrics}",
        'log_generator: {type: csv_replay, data: "a,b\\n1,2"}',
        'log_generator: {type: csv_replay, data: "level,msg\\nloud,2"}',
        'log_generator: {type: csv_replay, data: "level,msg\\ninfo,2", default_severity: loud}',
        "help: x",
    ],
)
def test_logs(patch: str) -> None:
    body = LOG.replace("generator", "log_generator")
    parse((V2 + body).encode(), None, environment={})
    assert type(refused(over(body, patch))) is Unprocessable


@pytest.mark.parametrize(
    "key", ["frequency: 1", "generator: {type: constant, value: 1, other: 2}", "sink: {type: memory, other: 1}"]
)
def test_unknown_keys_are_told_before_version_2_and_refused_in_it(key: str) -> None:
    body = over(GOOD, key)
    assert "is not known here" in refused(body).message
    document = parse(body.removeprefix(V2).encode(), None, environment={})
    assert len(document.warnings) == 1
    assert document.warnings[0].endswith("is not known here and was ignored")


@pytest.mark.parametrize(
    "key", ["defaults: {odd: 1}", "defaults: 5", "defaults: {labels: 5}", "odd: 1", "scenario_name: ''"]
)
def test_the_top_of_version_2(key: str) -> None:
    assert (
        type(refused(f"{V2}{key}\nscenarios:\n- {{name: m, rate: 1, generator: {{type: constant, value: 1}}}}"))
        is Unprocessable
    )


def test_shape_is_looked_at_before_values() -> None:
    body = "scenarios:\n- {name: a, rate: -1, generator: {type: constant, value: 1}}\n- {rate: 1}"
    fault = refused(body)
    assert (fault.status, fault.line) == (400, 3)


@pytest.mark.parametrize(
    ("body", "content_type", "line", "column"),
    [
        (f"# top\n{GOOD}duration: 5\n", None, 5, 1),
        ("scenarios:\n  - name: a\n    rate: 1\n    generator: {type: constant}", None, 4, 5),
        (
            "scenarios:\n  - name: a\n    rate: 1\n    generator:\n      type: uniform\n      min: 3\n      max: 1",
            None,
            6,
            7,
        ),
        ("name: a\nrate: [\n", None, 3, 1),
        ('{"name": "m",\n "rate": 0,\n "generator": {"type": "constant", "value": 1}}', JSON, 2, 2),
        ('{"name": "m",\n "rate" 0}', JSON, 2, 9),
        (
            "version: 2\nkind: runnable\ndefaults:\n  rate: -3\nname: m\ngenerator: {type: constant, value: 1}",
            None,
            4,
            3,
        ),
        (f'{GOOD}labels:\n  a: "${{NOPE}}"', None, 5, 7),
    ],
)
def test_the_line_is_known(body: str, content_type: str | None, line: int, column: int) -> None:
    fault = refused(body, content_type)
    assert (fault.line, fault.column) == (line, column), fault.message
