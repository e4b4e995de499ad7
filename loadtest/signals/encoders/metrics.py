"""Metric lines: what surrounds the value of a series never changes, so it is made once (contract: signals §9.1)."""

from collections.abc import Callable, Mapping
from functools import partial, singledispatch
from json.encoder import encode_basestring

import msgspec

from loadtest.signals.encoders import specs
from loadtest.signals.encoders.numbers import fixed_text, json_text, rounded, value_text
from loadtest.signals.encoders.times import milliseconds_text, rfc3339

# The text before the value, and the text between value and time.
Frame = tuple[str, str]


class LineEncoder(msgspec.Struct, frozen=True):
    """One line is `before + number(value) + between + stamp(time) + after`."""

    frame: Callable[[str, Mapping[str, str]], Frame]
    number: Callable[[float], str]
    stamp: Callable[[int], str]
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
    return LineEncoder(_prometheus, _number(spec.precision), milliseconds_text)


@line_encoder.register
def _(spec: specs.InfluxLine) -> LineEncoder:
    return LineEncoder(partial(_influx, spec.field_key), _number(spec.precision), str)


@line_encoder.register
def _(spec: specs.JsonLines) -> LineEncoder:
    if spec.precision is None:
        return LineEncoder(_json, json_text, rfc3339, '"}')
    decimals = spec.precision
    return LineEncoder(_json, lambda value: json_text(rounded(value, decimals)), rfc3339, '"}')


def _number(precision: int | None) -> Callable[[float], str]:
    return value_text if precision is None else lambda value: fixed_text(value, precision)


SCRAPED = line_encoder(specs.PrometheusText())  # what the scrape buffer holds, whatever the entry's encoder is
