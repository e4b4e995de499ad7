"""How large batches of lines may be: 1,000 lines of 10,000 characters are never too many bytes."""

import json

import pytest

from config.api.errors import TooMany
from fleet.agents.budget import Budget
from tests.factories import make_key
from tests.fleet.collectors.conftest import JSON, send

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "/api/v1/logs/ingest/batch"


@pytest.mark.parametrize(("lines", "status"), [(560, 422), (5_100, 413)])
def test_a_large_batch_is_read(instance, lines, status):
    """The last line breaks a rule, so that nothing needs to be stored."""
    entry = {"instanceId": instance.pk, "level": "INFO", "source": "APP", "message": "x" * 10_000}
    body = json.dumps({"entries": [*[entry] * lines, {"level": "LOUD"}]}).encode()
    assert send(PATH, body, make_key(role="VIEWER")[1], JSON).status == status


def test_a_budget_lets_one_large_batch_pass(settings):
    settings.RATE_INGEST_BYTES = 1000
    budget = Budget()
    budget.take("a", 5000)
    budget.take("b", 600)
    for instance_id in ("a", "b"):
        with pytest.raises(TooMany):
            budget.take(instance_id, 500)
