"""OTLP over HTTP (contract: fleet console §33.5): logs, metrics, and what is said to spans."""

from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as traces

from config.api.errors import ApiError
from fleet.collectors import services
from fleet.collectors.api.door import Request, door
from fleet.collectors.bodies import unfolded
from fleet.collectors.otlp import logs as records
from fleet.collectors.otlp import messages
from fleet.collectors.otlp import metrics as points
from fleet.collectors.otlp.messages import Answer, Form
from fleet.collectors.refusals import Refused

NO_SPANS = "Pharos does not store spans"


class Otlp:
    """What the three signals share."""

    asked: Any
    answered: Any
    rejected: str  # the field of the answer that counts what was not taken

    def read(self, request: Request) -> tuple[Any, Form]:
        form = messages.form_of(request.headers.get("Content-Type", ""))
        body = unfolded(request.body, request.headers.get("Content-Encoding", ""))
        return messages.read(self.asked, body, form), form

    def answer(self, form: Form, rejected: int, text: str) -> Answer:
        """Full success is an empty message; in JSON `{"partialSuccess":{}}`, as the contract has it."""
        told = self.answered()
        if rejected:
            setattr(told.partial_success, self.rejected, rejected)
            told.partial_success.error_message = text
        elif form is Form.JSON:
            told.partial_success.SetInParent()
        return messages.answer(told, form)

    def refusal(self, error: ApiError, request_headers: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        return messages.refusal(error, request_headers.get("Content-Type", ""), headers)


class OtlpLogs(Otlp):
    """Log records of OTLP; answered when they are on disk."""

    asked, answered = logs.ExportLogsServiceRequest, logs.ExportLogsServiceResponse
    rejected = "rejected_log_records"

    def take(self, request: Request) -> "tuple[Future[None], Answer]":
        message, form = self.read(request)
        refused = Refused()
        entries = list(records.entries(message, sender=request.sender, refused=refused, now=request.now))
        stored = services.store_entries(entries)
        return stored, self.answer(form, refused.total, refused.text)


class OtlpMetrics(Otlp):
    """Metrics of OTLP; answered when they are on disk."""

    asked, answered = metrics.ExportMetricsServiceRequest, metrics.ExportMetricsServiceResponse
    rejected = "rejected_data_points"

    def take(self, request: Request) -> "tuple[Future[None], Answer]":
        message, form = self.read(request)
        refused, now_ms = Refused(), int(request.now.timestamp() * 1000)
        curves = points.curves(message, sender=request.sender, refused=refused, now_ms=now_ms)
        stored = services.store_curves(curves, refused, now=request.now)
        # A histogram is refused as each of the series that it becomes, and counted once.
        return stored, self.answer(form, min(refused.total, points.count(message)), refused.text)


class OtlpTraces(Otlp):
    """Spans of OTLP are read and refused, so that a collector knows that they go nowhere."""

    asked, answered = traces.ExportTraceServiceRequest, traces.ExportTraceServiceResponse
    rejected = "rejected_spans"

    def take(self, request: Request) -> "tuple[Future[None], Answer]":
        message, form = self.read(request)
        spans = sum(len(scope.spans) for group in message.resource_spans for scope in group.scope_spans)
        nothing: Future[None] = Future()
        nothing.set_result(None)
        return nothing, self.answer(form, spans, NO_SPANS)


take_logs = door(OtlpLogs(), *Form)
take_metrics = door(OtlpMetrics(), *Form)
take_traces = door(OtlpTraces(), *Form)
