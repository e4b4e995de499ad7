"""POST /api/v1/otel/v1/metrics: what collectors measure becomes series, answered when they are on disk."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse

from fleet.collectors.models import Series, StoredPoint
from tests.factories import make_key, make_team
from tests.fleet.collectors.conftest import JSON, OTEL, PROTOBUF, send, zipped
from tests.fleet.collectors.makers import as_protobuf, gauge, metrics, total
from tests.fleet.conftest import make_instance

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.contract]
PATH = f"{OTEL}/metrics"


def values() -> dict[str, list[float]]:
    """Stored values by series, as name and labels."""
    found = {}
    for one in Series.objects.order_by("name", "pk"):
        labels = ",".join(f"{name}={text}" for name, text in sorted(one.labels.items()))
        points = StoredPoint.objects.filter(series_id=one.pk).order_by("ts")
        found[f"{one.name}{{{labels}}}"] = [point.value for point in points]
    return found


@pytest.mark.parametrize("door", ["asgi", "wsgi"])
@pytest.mark.parametrize("form", [JSON, PROTOBUF])
def test_points_are_stored_when_it_is_answered(door, form, operator, instance):
    now = timezone.now()
    message = metrics(gauge("queue.depth", now, 7, queue="mail"), host__name="web-1", service__name="shop")
    body = json.dumps(message).encode() if form == JSON else as_protobuf(message)
    answer = send(PATH, key=operator, kind=form, door=door, **zipped(body))
    assert (answer.status, answer.headers["content-type"]) == (200, form)
    assert answer.body == (b'{"partialSuccess":{}}' if form == JSON else b"")
    assert values() == {"queue.depth{queue=mail,service.name=shop}": [7.0]}
    assert Series.objects.get().instance_id == instance.pk


def test_the_same_series_again_and_the_same_point_again(operator, instance):
    now = timezone.now()
    for step in (0, 1, 1, -1):
        body = as_protobuf(metrics(total("jobs", now + timedelta(seconds=step), 10 + step), host__name="web-1"))
        assert send(PATH, body, operator).status == 200
    assert values() == {"jobs{}": [9.0, 10.0, 11.0]}
    assert Series.objects.get().kind == "counter"


def test_what_cannot_be_stored_is_told_and_the_rest_is_stored(operator, instance):
    now = timezone.now()
    good = metrics(
        gauge("a", now, 1),
        gauge("b", now - timedelta(days=9), 1),
        gauge("c", now + timedelta(hours=1), 1),
        gauge("d", now, float("inf")),
        gauge("e", now, float("nan")),
        gauge("x" * 300, now, 1),
        host__name="web-1",
    )
    strange = metrics(gauge("a", now, 1), gauge("b", now, 1), host__name="nobody-knows")
    nameless = metrics(gauge("a", now, 1))
    message = {"resourceMetrics": [*good["resourceMetrics"], *strange["resourceMetrics"], *nameless["resourceMetrics"]]}
    answer = send(PATH, as_protobuf(message), operator)
    told = ExportMetricsServiceResponse.FromString(answer.body).partial_success
    assert (answer.status, told.rejected_data_points) == (200, 7)
    for words in ("older than 7 days", "in the future", "infinite", "longer than 255", "'nobody-knows'"):
        assert words in told.error_message or "and more" in told.error_message
    assert values() == {"a{}": [1.0]}


def test_histograms_and_summaries_become_series(operator, instance):
    now = timezone.now()
    at = {"timeUnixNano": str(int(now.timestamp() * 1000) * 1_000_000)}
    explicit = {"count": "6", "sum": 12.5, "explicitBounds": [1, 5], "bucketCounts": ["1", "2", "3"], "min": 0.5, **at}
    fine = {"count": "6", "sum": 30, "scale": 1, "zeroCount": "1", "positive": {"offset": 0, "bucketCounts": [1, 2, 2]}}
    message = metrics(
        {"name": "took", "unit": "s", "histogram": {"aggregationTemporality": 2, "dataPoints": [explicit]}},
        {"name": "fine", "exponentialHistogram": {"aggregationTemporality": 1, "dataPoints": [fine | at]}},
        {"name": "old", "summary": {"dataPoints": [
            {"count": "3", "sum": 6, "quantileValues": [{"quantile": 0.99, "value": 4}], **at}
        ]}},
        host__name="web-1",
    )  # fmt: skip
    assert send(PATH, as_protobuf(message), operator).body == b""
    assert {name: found[0] for name, found in values().items()} == {
        "took_count{}": 6, "took_sum{}": 12.5, "took_min{}": 0.5,
        "took_bucket{le=1}": 1, "took_bucket{le=5}": 3, "took_bucket{le=+Inf}": 6,
        "fine_count{}": 6, "fine_sum{}": 30,
        "fine_bucket{le=0}": 1, "fine_bucket{le=2}": 4, "fine_bucket{le=4}": 6, "fine_bucket{le=+Inf}": 6,
        "old_count{}": 3, "old_sum{}": 6, "old{quantile=0.99}": 4,
    }  # fmt: skip
    kinds = dict(Series.objects.filter(name__endswith="_count").values_list("name", "kind"))
    assert kinds == {"took_count": "counter", "fine_count": "delta", "old_count": "counter"}


def test_who_may_send(operator, instance):
    body = as_protobuf(metrics(gauge("a", timezone.now(), 1), host__name="web-1"))
    hidden = make_instance(name="hidden", team=make_team())
    other = as_protobuf(metrics(gauge("a", timezone.now(), 1), host__id=hidden.pk))
    own = make_key(role="OPERATOR", instance_id=instance.pk)[1]
    assert send(PATH, body, None).status == 401
    assert send(PATH, body, "sk-" + "0" * 48).status == 401
    assert send(PATH, body, make_key(role="DEVELOPER")[1]).status == 403
    for key in (operator, own):
        told = ExportMetricsServiceResponse.FromString(send(PATH, other, key).body)
        assert told.partial_success.rejected_data_points == 1
    assert not Series.objects.filter(instance=hidden).exists()
    nameless = as_protobuf(metrics(gauge("b", timezone.now(), 1)))
    assert send(PATH, nameless, own).body == b""
    assert Series.objects.get().instance_id == instance.pk


def test_a_label_with_countless_values(operator, instance, settings):
    settings.SERIES_PER_INSTANCE = 20
    now = timezone.now()
    known = gauge("known", now, 1)
    send(PATH, as_protobuf(metrics(known, host__name="web-1")), operator)
    many = [gauge("request", now, 1, id=str(number)) for number in range(100)]
    answer = send(PATH, as_protobuf(metrics(*many, host__name="web-1")), operator)
    told = ExportMetricsServiceResponse.FromString(answer.body).partial_success
    assert (told.rejected_data_points, Series.objects.count()) == (81, 20)
    assert "has 20 series already" in told.error_message
    later = gauge("known", now + timedelta(seconds=10), 2)
    assert send(PATH, as_protobuf(metrics(later, host__name="web-1")), operator).body == b""
    settings.SERIES_PER_INSTANCE, settings.SERIES_IN_TOTAL = 1000, 20
    told = ExportMetricsServiceResponse.FromString(
        send(PATH, as_protobuf(metrics(gauge("other", now, 1), host__name="web-1")), operator).body
    ).partial_success
    assert "there are 20 series already" in told.error_message


def test_machines_that_nobody_knows_register_where_that_is_set(operator, settings):
    from fleet.instances.models import Instance

    settings.COLLECTORS_REGISTER = True
    message = metrics(
        gauge("a", timezone.now(), 1), host__name="new-1", cloud__provider="aws", cloud__region="eu-west-1"
    )
    assert send(PATH, as_protobuf(message), operator).body == b""
    made = Instance.objects.get()
    assert (made.name, made.external_id, made.provider, made.region) == ("new-1", "new-1", "aws", "eu-west-1")
    assert Series.objects.get().instance_id == made.pk
