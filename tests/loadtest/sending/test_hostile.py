"""Whatever a body holds, the answer is a 200 or a 400 in its envelope, and no run is left running."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loadtest.runs.models import Run
from loadtest.sending import delivery

TEXTS = [
    "",
    " ",
    "\0",
    "\ud800",
    "☃",
    "a\r\nb",
    "{{x}}",
    "{{",
    "%zz",
    "x" * 5000,
    "\u2028",
    "1e999",
    "-",
    "GET",
    "none",
]
PLAIN = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from(TEXTS)
    | st.text(max_size=8)
)
JUNK = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(TEXTS) | st.text(max_size=5), inner, max_size=3)
    ),
)
MODES = ["none", "inherit", "noauth", "bearer", "basic", "apikey", "oauth2", "?"]
TYPES = ["none", "json", "text", "form-data", "x-www-form-urlencoded", "graphql", "xml", "binary", "?"]
ROWS = st.lists(
    st.fixed_dictionaries({"key": st.sampled_from(TEXTS), "value": PLAIN, "enabled": st.booleans() | JUNK}), max_size=3
)
AUTH = st.fixed_dictionaries(
    {"mode": st.sampled_from(MODES)},
    optional=dict.fromkeys(("token", "username", "password", "key", "value", "in"), PLAIN),
)
BODY = st.fixed_dictionaries(
    {"type": st.sampled_from(TYPES)}, optional={"content": JUNK, "fields": ROWS | JUNK, "contentBase64": PLAIN}
)
URLS = [
    "http://127.0.0.1:9/",
    "http://127.0.0.1:9/{{x}}?a=b#c",
    "http://user:pass@127.0.0.1:9/ü ö",
    "http://[::1]:9/",
    "http://{{x}}/",
]
SCRIPTS = st.sampled_from(
    ["pm.request.url = {}", "pm.request.headers = 5", "pm.request.body = null", "throw 1", "pm.request.method = ''"]
)
FIELDS = {
    "headers": ROWS | JUNK, "params": ROWS | JUNK, "body": BODY | JUNK, "bodyType": st.sampled_from(TYPES) | JUNK,
    "auth": AUTH | JUNK, "requestId": PLAIN, "environmentId": PLAIN, "timeout": st.sampled_from([1, 50, 200]) | PLAIN,
    "followRedirects": PLAIN, "maxRedirects": PLAIN, "verifySSL": PLAIN, "preRequestScript": SCRIPTS | PLAIN,
    "postRequestScript": SCRIPTS | PLAIN,
}  # fmt: skip
METHODS = st.sampled_from(["GET", "post", "HEAD", "PUT", "OPTIONS"]) | PLAIN
BODIES = st.fixed_dictionaries({"method": METHODS, "url": st.sampled_from(URLS) | PLAIN}, optional=FIELDS)


@pytest.fixture
def nothing_is_sent(monkeypatch):
    """Whatever URL was made up: the names stay unasked."""
    real = delivery.outbound.request

    def request(method, url, **options):
        if "127.0.0.1:9" not in url and "[::1]:9" not in url:
            raise delivery.Unreachable("not in this test")
        return real(method, url, **options)

    monkeypatch.setattr(delivery.outbound, "request", request)


@settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)
@given(body=BODIES)
def test_no_body_is_a_fault_of_ours(operator, nothing_is_sent, body):
    answer = operator.post("/api/loadtest/request", body)
    assert answer.status_code in (200, 400), (answer.status_code, body)
    assert answer.status_code == 200 or isinstance(answer.json()["error"], str)
    assert not Run.objects.filter(status="running").exists()
