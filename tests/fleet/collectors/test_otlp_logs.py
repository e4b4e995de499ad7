"""POST /api/v1/otel/v1/logs: records become lines, answered when they are on disk."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

from config.timeseries import Query, rows_of
from fleet.collectors import services
from tests.fleet.collectors.conftest import JSON, OTEL, PROTOBUF, send, zipped
from tests.fleet.collectors.makers import as_protobuf, attributes, logs, ns

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.contract]
PATH = f"{OTEL}/logs"
TRACE, SPAN = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"


def lines(api, **query) -> list[dict]:
    return api("VIEWER").get("/api/v1/logs", query).json()["logs"]


@pytest.mark.parametrize("door", ["asgi", "wsgi"])
@pytest.mark.parametrize("form", [JSON, PROTOBUF])
def test_a_record_is_a_line(door, form, operator, instance, api):
    at = timezone.now() - timedelta(minutes=1)
    record = {
        "timeUnixNano": ns(at),
        "severityNumber": 17,
        "body": {"stringValue": "payment failed\n"},
        "attributes": [*attributes(user=7, log__file__path="/var/log/shop.log")],
    }
    message = logs(record, host__name="web-1", service__name="shop")
    raw = json.dumps(message | {"unknown": 1}).encode() if form == JSON else as_protobuf(message)
    answer = send(PATH, key=operator, kind=form, door=door, **zipped(raw))
    assert (answer.status, answer.body) == (200, b'{"partialSuccess":{}}' if form == JSON else b"")
    [line] = lines(api)
    assert (line["instanceId"], line["level"], line["source"]) == (instance.pk, "ERROR", "APP")
    assert line["message"] == "payment failed"
    assert line["metadata"]["service.name"] == "shop" and line["metadata"]["path"] == "/var/log/shop.log"
    assert int(line["metadata"]["user"]) == 7
    assert abs(timezone.datetime.fromisoformat(line["timestamp"]) - at) < timedelta(milliseconds=2)
    assert lines(api, search="payment") == [line]


@pytest.mark.parametrize("form", [JSON, PROTOBUF])
def test_ids_of_traces_are_hexadecimal(form, operator, instance, api):
    record = {"body": {"stringValue": "x"}, "traceId": TRACE, "spanId": SPAN}
    raw = json.dumps(logs(record, host__name="web-1")).encode()
    if form == PROTOBUF:
        message = as_request(record)
        raw = message.SerializeToString()
    assert send(PATH, raw, operator, form).status == 200
    [line] = lines(api)
    assert (line["metadata"]["trace_id"], line["metadata"]["span_id"]) == (TRACE, SPAN)


def as_request(record):
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

    request = ExportLogsServiceRequest.FromString(as_protobuf(logs({"body": record["body"]}, host__name="web-1")))
    made = request.resource_logs[0].scope_logs[0].log_records[0]
    made.trace_id, made.span_id = bytes.fromhex(TRACE), bytes.fromhex(SPAN)
    return request


def test_levels_bodies_and_times(operator, instance, api):
    now = timezone.now()
    records = [
        {"severityNumber": 1, "body": {"stringValue": "trace"}},
        {"severityNumber": 9, "body": {"intValue": "5"}},
        {"severityNumber": 13, "body": {"kvlistValue": {"values": attributes(a=1, b="x\x00y")}}},
        {"severityText": "Fatal", "body": {"stringValue": "text tells"}},
        {"eventName": "session.start", "timeUnixNano": ns(now + timedelta(days=3))},
        {"body": {"stringValue": "long " + "x" * 20_000}, "timeUnixNano": str(2**64 - 1)},
    ]
    assert send(PATH, as_protobuf(logs(*records, host__name="web-1")), operator).body == b""
    found = {line["message"][:20]: line for line in lines(api)}
    assert {message: line["level"] for message, line in found.items()} == {
        "trace": "DEBUG",
        "5": "INFO",
        '{"a":1,"b":"x\\u0000y"}'[:20]: "WARN",
        "text tells": "ERROR",
        "session.start": "INFO",
        "long xxxxxxxxxxxxxxx": "INFO",
    }
    assert found["session.start"]["metadata"]["event"] == "session.start"
    assert found["long xxxxxxxxxxxxxxx"]["metadata"]["truncated_characters"] == 10_005
    assert all(timezone.datetime.fromisoformat(one["timestamp"]) <= timezone.now() for one in found.values())


def test_records_of_machines_that_nobody_knows_are_told(operator, instance, api):
    good = logs({"body": {"stringValue": "kept"}}, host__name="web-1")
    bad = logs({"body": {"stringValue": "a"}}, {"body": {"stringValue": "b"}}, host__name="web-9")
    message = {"resourceLogs": [*good["resourceLogs"], *bad["resourceLogs"]]}
    told = ExportLogsServiceResponse.FromString(send(PATH, as_protobuf(message), operator).body).partial_success
    assert (told.rejected_log_records, "'web-9'" in told.error_message) == (2, True)
    assert [line["message"] for line in lines(api)] == ["kept"]


def test_too_many_records_at_once(operator, instance, monkeypatch):
    monkeypatch.setattr(services, "MOST_LINES", 2)
    records = [{"body": {"stringValue": str(number)}} for number in range(3)]
    assert send(PATH, as_protobuf(logs(*records, host__name="web-1")), operator).status == 413
    assert rows_of(Query("SELECT count(*) FROM log_entry")) == [(0,)]
