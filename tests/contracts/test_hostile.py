"""Requests made by a fuzzer from our own OpenAPI documents: whatever comes, the answer is never a fault of ours."""

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from tests.support import product as products

pytestmark = [pytest.mark.contract, pytest.mark.journey]

# Nothing may leave this machine: monitors refuse every address, and nobody presses "test" or "run".
ENVIRONMENT = {
    "PHAROS_MONITOR_TARGET_DENY": "0.0.0.0/0,::/0",
    "PHAROS_RATE_READS": "0",
    "PHAROS_RATE_WRITES": "0",
    "PHAROS_RATE_MONITOR_REQUESTS": "0",
    "PHAROS_RATE_MONITOR_RUNS": "0",
}
# The fuzzer cannot write protobuf: what collectors and proxies send has hostile tests of its own.
BINARY = ("/otel/v1/logs", "/otel/v1/metrics", "/otel/v1/traces", "/prometheus/write", "/v1/inject", "/v1/traces")
NOT_SENT = ("/test", "/run", "/request", "/import/fetch", *BINARY)
MEANT = (502, 503)  # another machine's fault, or a part that is not there
BUDGET = settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    database=None,
)


@pytest.fixture(scope="module")
def product():
    with products.embedded(**ENVIRONMENT) as running:
        yield running


@pytest.mark.parametrize("document", ["v1", "monitors", "loadtest", "signals", "replay"])
def test_no_request_is_a_server_error(product, document):
    key = product.new_key("ADMIN")
    headers = {"Authorization": f"Bearer {key}"}
    answer = requests.get(f"{product.url}/api/schema/{document}", headers=headers, timeout=20)
    assert answer.status_code == 200, answer.text
    schema = schemathesis.openapi.from_dict(answer.json())
    schema.config.update(base_url=product.url)
    operations = [found.ok() for found in schema.get_all_operations()]
    operations = [operation for operation in operations if not operation.path.rstrip("/").endswith(NOT_SENT)]
    assert len(operations) > 5
    with requests.Session() as session:
        faults = [fault for operation in operations for fault in provoke(operation, session, headers)]
    assert not faults, f"{len(faults)} faults, the first ones:\n" + "\n".join(faults[:5])


def provoke(operation, session, headers):
    """Send what the fuzzer makes for one operation; the requests that ended in a fault of ours."""
    faults = []

    @BUDGET
    @given(case=operation.as_strategy())
    def send(case):
        response = case.call(session=session, headers=headers, timeout=10)
        if response.status_code >= 500 and response.status_code not in MEANT:
            faults.append(f"{operation.label}: {response.status_code}\n{case.as_curl_command()}")

    send()
    return faults[:1]
