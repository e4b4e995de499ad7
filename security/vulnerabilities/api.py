"""Findings over HTTP (contract: fleet console §22)."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.errors import Invalid
from config.api.permissions import OPERATOR, VIEWER, raised_door, require
from config.api.views import ApiView, FleetViewSet, check_id
from fleet.instances.queries import get_visible
from security.vulnerabilities import services, triage
from security.vulnerabilities.listing import as_shown, history, known_exploited, searched
from security.vulnerabilities.models import Finding, FindingQuerySet, Severity, Status
from security.vulnerabilities.serializers import (
    DecidedSerializer,
    DecisionSerializer,
    ReasonSerializer,
    ScanSerializer,
    VulnerabilitySerializer,
    body,
    decision_body,
)

YES_NO = (("true", "true"), ("false", "false"))


class FindingFilter(filters.FilterSet):
    instanceId = filters.CharFilter(field_name="instance_id", max_length=128)
    severity = filters.ChoiceFilter(choices=Severity.choices)
    status = filters.ChoiceFilter(choices=Status.choices)
    ecosystem = filters.CharFilter(lookup_expr="iexact", max_length=64)
    package = filters.CharFilter(field_name="package_name", lookup_expr="iexact", max_length=256)
    cveId = filters.CharFilter(field_name="cve_id", lookup_expr="iexact", max_length=128)
    search = filters.CharFilter(method="narrow_by_words", max_length=256)
    overdue = filters.ChoiceFilter(choices=YES_NO, method="narrow_by_date")
    kev = filters.ChoiceFilter(choices=YES_NO, method="narrow_by_list")

    class Meta:
        model = Finding
        fields = ()

    def narrow_by_words(self, found: FindingQuerySet, name: str, value: str) -> FindingQuerySet:
        return searched(found, value)

    def narrow_by_date(self, found: FindingQuerySet, name: str, value: str) -> FindingQuerySet:
        late = Finding.objects.overdue(timezone.now())
        return found.filter(pk__in=late.values("pk")) if value == "true" else found.exclude(pk__in=late.values("pk"))

    def narrow_by_list(self, found: FindingQuerySet, name: str, value: str) -> FindingQuerySet:
        return found.filter(known_exploited()) if value == "true" else found.exclude(known_exploited())


class InstanceScan(ApiView):
    """Match what is installed on one instance with the advisories, now."""

    roles = {"post": VIEWER}

    @extend_schema(request=None, responses=ScanSerializer)
    def post(self, request: Request, id: str) -> Response:
        check_id("Instance", id)
        instance = get_visible(instance_id=id, principal=request.auth)
        require(request.auth, raised_door(OPERATOR), team_id=instance.team_id)
        return Response(ScanSerializer(services.scan(instance=instance, actor=request.auth, now=timezone.now())).data)


class VulnerabilityViewSet(FleetViewSet):
    """Vulnerable packages on instances, the worst first, then the newest."""

    queryset = Finding.objects.all()
    serializer_class = VulnerabilitySerializer
    filterset_class = FindingFilter
    list_name, noun = "items", "Vulnerability"
    roles = {
        "list": VIEWER, "retrieve": VIEWER, "history": VIEWER, "acknowledge": VIEWER, "fix": VIEWER,
        "false_positive": VIEWER, "reopen": VIEWER,
    }  # fmt: skip

    def get_queryset(self) -> FindingQuerySet:
        return triage.visible(self.request.auth).worst_first()

    def get_object(self) -> Finding:
        return triage.get_visible(principal=self.request.auth, pk=self.kwargs["pk"])

    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response([body(finding) for finding in as_shown(page, timezone.now())])

    def retrieve(self, request: Request, pk: str) -> Response:
        (finding,) = as_shown([self.get_object()], timezone.now())
        return Response(body(finding))

    @extend_schema(responses=DecisionSerializer(many=True))
    @action(detail=True, filterset_class=None)
    def history(self, request: Request, pk: str) -> Response:
        """What was decided about it, by whom and why, newest first."""
        found: QuerySet = history(self.get_object())
        return self.get_paginated_response([decision_body(one) for one in self.paginate_queryset(found)])

    @extend_schema(request=ReasonSerializer, responses=DecidedSerializer)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: str) -> Response:
        """Somebody knows of it and takes care."""
        return self._decide(Status.ACKNOWLEDGED)

    @extend_schema(request=ReasonSerializer, responses=DecidedSerializer)
    @action(detail=True, methods=["post"])
    def fix(self, request: Request, pk: str) -> Response:
        """It is fixed; a scan that still finds it opens it again."""
        return self._decide(Status.FIXED)

    @extend_schema(request=ReasonSerializer, responses=DecidedSerializer)
    @action(detail=True, methods=["post"], url_path="false-positive")
    def false_positive(self, request: Request, pk: str) -> Response:
        """It does not concern this instance."""
        return self._decide(Status.FALSE_POSITIVE)

    @extend_schema(request=ReasonSerializer, responses=DecidedSerializer)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str) -> Response:
        """Take a decision back."""
        return self._decide(Status.OPEN)

    def _decide(self, status: Status) -> Response:
        finding, request = self.get_object(), self.request
        finding = triage.decide(
            finding=finding, status=status, actor=request.auth, reason=_reason(request.data), now=timezone.now(),
            request=request,
        )  # fmt: skip
        return Response({"id": finding.pk, "status": finding.status})


def _reason(given: Any) -> str:
    """The reason in a body, which may be missing. Raises Invalid."""
    if given and not isinstance(given, dict):
        sentence = "The body must be an object."
        raise Invalid(sentence, details={"": [sentence]})
    serializer = ReasonSerializer(data=given or {})
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data.get("reason", "")
