"""Metric lines: what surrounds the value of a series never changes, so it is made once (contract: signals §9.1)."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial, singledispatch
from json.encoder import encode_basestring

import msgspec

from loadtest.signals.encoders import specs
from loadtest.signals.encoders.numbers import fixed_text, json_text, rounded, value_texts
from loadtest.signals.encoders.times import millisecond_texts, nanosecond_texts, rfc3339_texts

# The text before the value, and the text between value and time.
Frame = tuple[str, str]


class LineEncoder(msgspec.Struct, frozen=True):
    """One line is `before + number + between + stamp + after`; numbers and stamps are made many at a time."""

    frame: Callable[[str, Mapping[str, str]], Frame]
    numbers: Callable[[Sequence[float]], list[str]]
    stamps: Callable[[Sequence[int]], list[str]]
    after: str = ""


_PROMETHEUS = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
# A line of InfluxDB ends at a newline wherever it stands, and has no escape for it: two characters stand for it.
_INFLUX = str.maketrans({"\\": r"\\", ",": r"\,", " ": r"\ ", "=": r"\=", "\n": r"\n", "\r": r"\r"})


def label_text(labels: Mapping[str, str]) -> str:
    """`{car="2",tower="n"}`, or nothing without labels; they are sorted already."""
    if not labels:
        return ""
    return "{" + ",".join(f'{key}="{value.translate(_PROMETHEUS)}"' for key, value in labels.items()) + "}"


def _prometheus(name: str, labels: Mapping[str, str]) -> Frame:
    return f"{name}{label_text(labels)} ", " "


def _influx(field_key: str, name: str, labels: Mapping[str, str]) -> Frame:
    tags = "".join(f",{key.translate(_INFLUX)}={value.translate(_INFLUX)}" for key, value in labels.items())
    return f"{name.translate(_INFLUX)}{tags} {field_key.translate(_INFLUX)}=", " "


def json_object(texts: Mapping[str, str]) -> str:
    return "{" + ",".join(f"{encode_basestring(key)}:{encode_basestring(text)}" for key, text in texts.items()) + "}"


def _json(name: str, labels: Mapping[str, str]) -> Frame:
    return f'{{"name":{encode_basestring(name)},"value":', f',"labels":{json_object(labels)},"timestamp":"'


@singledispatch
def line_encoder(spec: specs.AnyEncoder) -> LineEncoder:
    raise TypeError(f"{type(spec).__name__} writes no metric lines")


@line_encoder.register
def _(spec: specs.PrometheusText) -> LineEncoder:
    return LineEncoder(_prometheus, _numbers(spec.precision), millisecond_texts)


@line_encoder.register
def _(spec: specs.InfluxLine) -> LineEncoder:
    return LineEncoder(partial(_influx, spec.field_key), _numbers(spec.precision), nanosecond_texts)


@line_encoder.register
def _(spec: specs.JsonLines) -> LineEncoder:
    decimals = spec.precision

    def numbers(values: Sequence[float]) -> list[str]:
        return [json_text(value if decimals is None else rounded(value, decimals)) for value in values]

    return LineEncoder(_json, numbers, rfc3339_texts, '"}')


def _numbers(precision: int | None) -> Callable[[Sequence[float]], list[str]]:
    return value_texts if precision is None else lambda values: [fixed_text(value, precision) for value in values]


SCRAPED = line_encoder(specs.PrometheusText())  # what the scrape buffer holds, whatever the entry's encoder is
