"""The sink that speaks Prometheus remote write 1.0 (contract: signals §9.1, §9.2)."""

from collections.abc import Sequence

import cramjam

from config.outbound import Policy
from fleet.collectors.prometheus.messages import WriteRequest
from loadtest.signals.generators.batches import Batch, Sample
from loadtest.signals.scenario import sinks as wanted
from loadtest.signals.sinks.accounts import Account
from loadtest.signals.sinks.buffered import Buffered
from loadtest.signals.sinks.web import post

HEADERS = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}


class RemoteWrite(Buffered[Sample]):
    """One WriteRequest for each batch of `batch_size` time series."""

    most_waiting = 200_000

    def __init__(self, account: Account, sink: wanted.RemoteWrite, policy: Policy) -> None:
        super().__init__(account, size=sink.batch_size, age_s=sink.max_buffer_age_s, retry=sink.retry)
        self._url, self._headers, self._policy = sink.url, sink.headers | HEADERS, policy

    def items(self, batch: Batch) -> Sequence[Sample]:
        return batch.samples

    def deliver(self, items: list[Sample]) -> None:
        body = bytes(cramjam.snappy.compress_raw(message(items).SerializeToString()))
        post(self._url, body, self._headers, self._policy)


def message(samples: Sequence[Sample]) -> WriteRequest:
    """One TimeSeries for each sample, `__name__` first and the other labels sorted."""
    told = WriteRequest()
    for sample in samples:
        series = told.timeseries.add()
        series.labels.add(name="__name__", value=sample.name)
        for name in sorted(sample.labels):
            series.labels.add(name=name, value=sample.labels[name])
        series.samples.add(value=sample.value, timestamp=sample.timestamp_ns // 1_000_000)
    return told
