"""Log lines: JSON and syslog (contract: signals §9.1)."""

import re
from collections.abc import Callable, Mapping
from json.encoder import encode_basestring

from loadtest.signals.encoders import specs
from loadtest.signals.encoders.metrics import json_object
from loadtest.signals.encoders.times import rfc3339

# Time in Unix nanoseconds, severity, message, labels and fields in, one line out.
LogLine = Callable[[int, str, str, Mapping[str, str], Mapping[str, str]], str]
_USER_LEVEL = 8  # facility 1
_SYSLOG = {"fatal": 0, "error": 3, "warn": 4, "info": 6, "debug": 7, "trace": 7}
_PARAMETER = str.maketrans({"\\": r"\\", '"': r"\"", "]": r"\]", "\n": " ", "\r": " "})
_breaks = re.compile(r"[\r\n]+")


def log_encoder(spec: specs.AnyEncoder) -> LogLine:
    match spec:
        case specs.JsonLines():
            return json_line
        case specs.Syslog():
            return _syslog(spec)
    raise TypeError(f"{type(spec).__name__} writes no log lines")


def json_line(
    timestamp_ns: int, severity: str, message: str, labels: Mapping[str, str], fields: Mapping[str, str]
) -> str:
    return (
        f'{{"timestamp":"{rfc3339(timestamp_ns)}","severity":"{severity}","message":{encode_basestring(message)}'
        f',"labels":{json_object(labels)},"fields":{json_object(fields)}}}'
    )


def _syslog(spec: specs.Syslog) -> LogLine:
    def line(
        timestamp_ns: int, severity: str, message: str, labels: Mapping[str, str], fields: Mapping[str, str]
    ) -> str:
        data = "".join(f' {key}="{value.translate(_PARAMETER)}"' for key, value in labels.items())
        return (
            f"<{_USER_LEVEL + _SYSLOG[severity]}>1 {rfc3339(timestamp_ns)} {spec.hostname} {spec.app_name} - - "
            f"{f'[sonda{data}]' if data else '-'} {_breaks.sub(' ', message)}"
        )

    return line
