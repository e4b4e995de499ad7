"""The words of OTLP over HTTP: JSON or protobuf in, the same out (OTLP specification 1.x, "OTLP/HTTP")."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message

from config.api.errors import ApiError, Malformed
from fleet.collectors.bodies import UnknownEncoding
from fleet.collectors.protos import messages

M = TypeVar("M", bound=Message)
Status = messages("google.rpc", {"Status": {"code": "1 int32", "message": "2 string"}})["Status"]
# gRPC's numbers for what HTTP says.
CODES = {400: 3, 401: 16, 403: 7, 404: 5, 405: 12, 408: 4, 413: 8, 415: 3, 422: 3, 429: 8, 503: 14}
INTERNAL = 13


class Form(StrEnum):
    JSON = "application/json"
    PROTOBUF = "application/x-protobuf"


@dataclass(frozen=True)
class Answer:
    """What goes back to a collector."""

    status: int
    body: bytes
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


def form_of(content_type: str) -> Form:
    """The form of the body. Raises UnknownEncoding (415)."""
    try:
        return Form(content_type.partition(";")[0].strip().lower())
    except ValueError:
        raise UnknownEncoding("Content-Type must be application/json or application/x-protobuf") from None


def read(kind: type[M], body: bytes, form: Form) -> M:
    """The message in the body; members that are not known are passed over. Raises Malformed."""
    message = kind()
    try:
        if form is Form.PROTOBUF:
            message.ParseFromString(body)
        else:
            content = json.loads(body)
            if not isinstance(content, dict):
                raise Malformed("The body must be a JSON object")
            json_format.ParseDict(content, message, ignore_unknown_fields=True)
    except (DecodeError, json_format.ParseError, RecursionError, ValueError) as error:
        raise Malformed(f"The body is no valid OTLP message: {error}"[:300]) from None
    return message


def answer(message: Message, form: Form, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    if form is Form.PROTOBUF:
        return Answer(status, message.SerializeToString(), form, headers or {})
    body = json_format.MessageToDict(message)
    return Answer(status, json.dumps(body, separators=(",", ":")).encode(), form, headers or {})


def refusal(error: ApiError, content_type: str, headers: Mapping[str, str]) -> Answer:
    """An error as google.rpc.Status in the form of the request; in protobuf when that is none of ours."""
    try:
        form = form_of(content_type)
    except UnknownEncoding:
        form = Form.PROTOBUF
    status: Any = Status(code=CODES.get(error.status, INTERNAL), message=error.message)
    return answer(status, form, status=error.status, headers=headers)
