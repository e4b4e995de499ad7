"""Bad requests to the doors of OTLP: google.rpc.Status in the form of the request, and nothing is stored."""

import gzip
import json

import pytest
from django.utils import timezone
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from config.timeseries import writer as writers
from fleet.collectors import services
from fleet.collectors.bodies import MOST_BYTES
from fleet.collectors.models import StoredPoint
from fleet.collectors.otlp.messages import Status
from tests.fleet.collectors.conftest import JSON, OTEL, PROTOBUF, send
from tests.fleet.collectors.makers import as_protobuf, gauge, metrics

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.contract]
PATH = f"{OTEL}/metrics"
BOMB = gzip.compress(b"\0" * (40 << 20))


@pytest.mark.parametrize("door", ["asgi", "wsgi"])
@pytest.mark.parametrize(
    ("kind", "encoding", "body", "status"),
    [
        (JSON, "", b"{", 400),
        (JSON, "", b"[]", 400),
        (JSON, "", b'{"resourceMetrics": 5}', 400),
        (JSON, "", b'{"resourceMetrics": ' + b"[" * 20_000, 400),
        (JSON, "", b'{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"\\ud800"}]}]}]}', 400),
        (PROTOBUF, "", b"\xff\xff\xff", 400),
        (PROTOBUF, "gzip", b"no gzip", 400),
        (PROTOBUF, "gzip", gzip.compress(b"x" * 100, mtime=0)[:-9], 400),
        (PROTOBUF, "gzip", BOMB, 413),
        (PROTOBUF, "zstd", b"", 415),
        ("text/plain", "", b"", 415),
        (PROTOBUF, "", b"\0" * (MOST_BYTES + 1), 413),
    ],
)
def test_bad_bodies(door, kind, encoding, body, status, operator):
    answer = send(PATH, body, operator, kind, door=door, Content_Encoding=encoding)
    assert answer.status == status
    if kind == JSON:
        told = json.loads(answer.body)
        assert told["code"] == 3 and told["message"]
    else:
        assert answer.headers["content-type"] == PROTOBUF
        assert Status.FromString(answer.body).message


@pytest.mark.parametrize("door", ["asgi", "wsgi"])
def test_nothing_is_acknowledged_that_could_not_be_written(door, operator, instance, monkeypatch):
    def fail(rows):
        raise writers.OperationalError("the disk is full")

    monkeypatch.setattr(services.writer, "_write", fail)
    monkeypatch.setattr(services.writer, "_patience_s", 0.1)
    body = as_protobuf(metrics(gauge("a", timezone.now(), 1), host__name="web-1"))
    answer = send(PATH, body, operator, door=door)
    assert (answer.status, Status.FromString(answer.body).code) == (503, 14)
    assert int(answer.headers["retry-after"]) > 0
    assert not StoredPoint.objects.exists()


def test_a_budget_of_bytes(operator, instance, settings):
    settings.RATE_INGEST_BYTES = 40
    body = as_protobuf(metrics(gauge("a", timezone.now(), 1), gauge("b", timezone.now(), 1), host__name="web-1"))
    assert send(PATH, body, operator).status == 200
    answer = send(PATH, body, operator)
    assert (answer.status, Status.FromString(answer.body).code) == (429, 8)
    assert 0 < int(answer.headers["retry-after"]) <= 60


def test_spans_are_refused_and_told(operator):
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "GET /"}, {"name": "SELECT"}]}]}]}
    answer = send(f"{OTEL}/traces", json.dumps(body).encode(), operator, JSON)
    told = json.loads(answer.body)["partialSuccess"]
    assert (answer.status, told["rejectedSpans"]) == (200, "2")
    assert "does not store spans" in told["errorMessage"]
    nothing = send(f"{OTEL}/traces", b"", operator)
    assert ExportTraceServiceResponse.FromString(nothing.body).partial_success.rejected_spans == 0


def test_other_methods(api):
    assert api("OPERATOR").get(PATH).status_code == 405
