"""POST /api/v1/prometheus/write: samples of Prometheus become series, answered when they are on disk."""

import struct
from datetime import timedelta

import pytest
from django.utils import timezone

from fleet.collectors.models import HostFeed, Series, StoredPoint
from fleet.collectors.prometheus.messages import Request, WriteRequest
from fleet.instances.services import enroll
from tests.factories import make_key
from tests.fleet.collectors.conftest import JSON, PROTOBUF, WRITE, send, snappy
from tests.fleet.collectors.makers import written
from tests.fleet.conftest import make_instance

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.contract]
STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
V2 = f"{PROTOBUF};proto=io.prometheus.write.v2.Request"


def labels(name, instance="web-1:9100", **more):
    return {"__name__": name, "instance": instance, "job": "node", **more}


def write(body, key, kind=PROTOBUF, **more):
    return send(WRITE, snappy(body), key, kind, Content_Encoding="snappy", **more)


@pytest.mark.parametrize("door", ["asgi", "wsgi"])
def test_samples_are_stored_when_it_is_answered(door, operator, instance):
    now = timezone.now()
    body = written(
        (labels("http_requests_total", code="200"), [(now - timedelta(seconds=15), 4), (now, 9)]),
        (labels("temperature"), [(now, 21.5), (now + timedelta(seconds=1), STALE)]),
    )
    answer = write(body, operator, door=door)
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["x-prometheus-remote-write-samples-written"] == "4"
    counter, gauge = Series.objects.order_by("name")
    assert (counter.name, counter.kind, gauge.kind) == ("http_requests_total", "counter", "gauge")
    assert counter.labels == {"instance": "web-1:9100", "job": "node", "code": "200"}
    assert [point.value for point in StoredPoint.objects.order_by("series_id", "ts")] == [4, 9, 21.5]
    assert write(body, operator, door=door).status == 204
    assert StoredPoint.objects.count() == 3


def test_version_2(operator, instance):
    symbols = ["", "__name__", "took_seconds", "host", "web-1", "s", "queue"]
    request = Request(symbols=symbols)
    at = int(timezone.now().timestamp() * 1000)
    one = request.timeseries.add(labels_refs=[1, 2, 3, 4])
    one.histograms.add(count_int=5, sum=2.5, timestamp=at)
    one.metadata.type, one.metadata.unit_ref = 3, 5
    request.timeseries.add(labels_refs=[1, 6, 3, 4]).samples.add(value=7, timestamp=at)
    answer = write(request.SerializeToString(), operator, V2)
    assert answer.status == 204
    assert answer.headers["x-prometheus-remote-write-histograms-written"] == "1"
    found = {one.name: (one.kind, one.unit) for one in Series.objects.all()}
    assert found == {
        "took_seconds_count": ("counter", ""),
        "took_seconds_sum": ("counter", "s"),
        "queue": ("gauge", ""),
    }
    broken = Request(symbols=[""])
    broken.timeseries.add(labels_refs=[1, 9]).samples.add(value=7, timestamp=at)
    assert write(broken.SerializeToString(), operator, V2).status == 400


def test_what_cannot_be_stored_is_told_and_the_rest_is_stored(operator, instance):
    now = timezone.now()
    body = written(
        (labels("a"), [(now, 1), (now - timedelta(days=8), 2)]),
        (labels("b", instance="elsewhere:9100"), [(now, 1)]),
    )
    answer = write(body, operator)
    assert answer.status == 400
    assert b"2 of 3 samples were refused" in answer.body and b"'elsewhere'" in answer.body
    assert answer.headers["x-prometheus-remote-write-samples-written"] == "1"
    assert [point.value for point in StoredPoint.objects.all()] == [1]


def test_which_instance(operator):
    first = make_instance(name="web-1")
    second = make_instance(name="other", external_id="db-1")
    now = timezone.now()
    body = written(
        (labels("a", instance=f"{first.pk}:9100"), [(now, 1)]),
        (labels("b", instance="db-1:9187"), [(now, 1)]),
        ({"__name__": "c", "host": "web-1"}, [(now, 1)]),
    )
    assert write(body, operator).status == 204
    assert dict(Series.objects.values_list("name", "instance_id")) == {"a": first.pk, "b": second.pk, "c": first.pk}


def test_figures_of_a_machine_wait_to_become_samples(operator, instance):
    assert write(written((labels("node_load1"), [(timezone.now(), 0.5)])), operator).status == 204
    assert write(written((labels("up"), [(timezone.now(), 1)])), operator).status == 204
    assert HostFeed.objects.get().pending
    assert dict(Series.objects.values_list("name", "of_host")) == {"node_load1": True, "up": False}


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"no snappy", {"Content_Encoding": "snappy"}, 400),
        (snappy(b"\xff\xff\xff"), {"Content_Encoding": "snappy"}, 400),
        (b"\xff\xff\xff\xff\x0fabc", {"Content_Encoding": "snappy"}, 413),
        (snappy(b"\0" * (40 << 20)), {"Content_Encoding": "snappy"}, 413),
        (snappy(b""), {"Content_Encoding": "gzip"}, 415),
        (snappy(b""), {"Content_Encoding": "snappy", "kind": JSON}, 415),
        (snappy(b""), {"Content_Encoding": "snappy", "kind": f"{PROTOBUF};proto=other"}, 415),
        (snappy(WriteRequest().SerializeToString()), {"Content_Encoding": "snappy"}, 204),
    ],
)
def test_bodies(body, headers, status, operator):
    answer = send(WRITE, body, operator, **headers)
    assert answer.status == status, answer.body
    assert status == 204 or answer.headers["content-type"].startswith("text/plain")


def test_who_may_write(instance):
    body = written((labels("a"), [(timezone.now(), 1)]))
    assert write(body, None).status == 401
    assert write(body, make_key(role="VIEWER")[1]).status == 403
    _, key = enroll(name="web-2")
    answer = write(body, key)
    assert (answer.status, b"'web-1'" in answer.body, Series.objects.exists()) == (400, True, False)
