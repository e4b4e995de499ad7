"""Prometheus remote write, versions 1 and 2."""

from collections.abc import Mapping
from concurrent.futures import Future

from config.api.errors import ApiError
from fleet.collectors import services
from fleet.collectors.api.door import Request, door
from fleet.collectors.bodies import UnknownEncoding, from_snappy
from fleet.collectors.otlp.messages import Answer
from fleet.collectors.prometheus import reading
from fleet.collectors.refusals import Refused

WRITTEN = "X-Prometheus-Remote-Write-"
TEXT = "text/plain; charset=utf-8"


class RemoteWrite:
    """Samples of Prometheus; answered when they are on disk.

    When some cannot be stored the others are, and the answer is 400 with the reasons: Prometheus then counts them as
    failed and does not send them again.
    """

    def take(self, request: Request) -> "tuple[Future[None], Answer]":
        if request.headers.get("Content-Encoding", "").strip().lower() != "snappy":
            raise UnknownEncoding("Content-Encoding must be snappy")
        message = reading.read(from_snappy(request.body), request.headers.get("Content-Type", ""))
        refused = Refused()
        curves = reading.curves(message, sender=request.sender, refused=refused)
        samples, histograms = reading.counts(message)
        stored = services.store_curves(curves, refused, now=request.now)
        written = max(0, samples + histograms - refused.total)
        headers = {
            f"{WRITTEN}Samples-Written": str(min(samples, written)),
            f"{WRITTEN}Histograms-Written": str(max(0, written - samples)),
            f"{WRITTEN}Exemplars-Written": "0",
        }
        if refused.total:
            text = f"{refused.total} of {samples + histograms} samples were refused. {refused.text}"
            return stored, Answer(400, text.encode(), TEXT, headers)
        return stored, Answer(204, b"", "", headers)

    def refusal(self, error: ApiError, request_headers: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        return Answer(error.status, error.message.encode(), TEXT, headers)


take_remote_write = door(RemoteWrite(), "application/x-protobuf")
