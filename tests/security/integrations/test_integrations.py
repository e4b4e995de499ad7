"""`/api/v1/integrations` and the page of the same (contract: fleet console §28)."""

import pytest

from security.integrations.known import INTEGRATIONS
from tests.factories import make_secret

pytestmark = [pytest.mark.django_db, pytest.mark.contract]
URL = "/api/v1/integrations"
FIELDS = {
    *("id", "name", "description", "setupUrl", "enabledFeatures", "envVarName", "category", "required", "configured")
}
IDS = [
    *("fly-pricing", "runpod-pricing", "northflank-pricing", "gcp-pricing", "digitalocean-pricing"),
    *("github-oauth", "google-oauth", "resend", "smtp"),
]
PROVIDERS = [
    *("fly", "runpod", "northflank", "e2b", "devpod-aws", "devpod-gcp", "devpod-azure", "devpod-digitalocean"),
    *("docker", "kubernetes"),
]


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    """An environment in which nothing is configured."""
    for one in INTEGRATIONS.values():
        for name in one.variables:
            monkeypatch.delenv(name, raising=False)


def test_all_are_listed_in_the_shape_of_the_contract(api):
    told = api("VIEWER").get(URL).json()
    assert (told["total"], [one["id"] for one in told["data"]]) == (9, IDS)
    for one in told["data"]:
        several = {"envVarNames"} if one["category"] == "auth" else set()
        assert set(one) == FIELDS | several and one["configured"] is one["required"] is False
    assert api("VIEWER").get(f"{URL}/github-oauth").json()["envVarNames"] == [
        "GITHUB_CLIENT_ID",
        "GITHUB_CLIENT_SECRET",
    ]


def test_one_is_configured_when_all_of_its_variables_say_something(api, monkeypatch):
    client = api("VIEWER")
    monkeypatch.setenv("GITHUB_CLIENT_ID", "tiger-4711")
    monkeypatch.setenv("GITHUB_CLIENT_SECRET", " ")
    assert client.get(f"{URL}/github-oauth").json()["configured"] is False
    monkeypatch.setenv("GITHUB_CLIENT_SECRET", "lily-4711")
    answer = client.get(f"{URL}/github-oauth")
    assert answer.json()["configured"] is True and "4711" not in answer.content.decode()


def test_prices_may_take_their_key_from_the_vault(api):
    client = api("VIEWER")
    secret = make_secret("pricing.fly", "tiger-4711")
    assert client.get(f"{URL}/fly-pricing").json()["configured"] is False  # it is of another type
    secret.type = "API_KEY"
    secret.save()
    make_secret("pricing.github", "tiger-4711", type="API_KEY")
    configured = {one["id"] for one in client.get(URL).json()["data"] if one["configured"]}
    assert configured == {"fly-pricing"}


def test_what_each_provider_needs(api):
    client = api("VIEWER")
    told = client.get(f"{URL}/providers").json()
    assert (told["total"], [one["providerId"] for one in told["data"]]) == (10, PROVIDERS)
    assert client.get(f"{URL}/providers/e2b").json()["requiredEnvVars"] == ["E2B_API_KEY"]
    kubernetes = client.get(f"{URL}/providers/kubernetes").json()
    assert (kubernetes["requiredEnvVars"], kubernetes["optionalEnvVars"]) == ([], ["KUBECONFIG"])
    assert {"notes", "optionalEnvVars"}.isdisjoint(client.get(f"{URL}/providers/runpod").json())


@pytest.mark.parametrize(
    ("path", "status"), [("nothing", 404), ("providers/ssh", 404), ("x" * 129, 400), ("providers/" + "x" * 129, 400)]
)
def test_what_is_not_there(api, path, status):
    assert api("VIEWER").get(f"{URL}/{path}").status_code == status


def test_the_page_says_what_to_set_and_no_value(browser, monkeypatch):
    monkeypatch.setenv("PHAROS_EMAIL_URL", "smtp://user:tiger-4711@mail.example.org")
    page = browser("VIEWER").get("/settings/integrations/").content.decode()
    assert "PRICING_FLY_API_TOKEN" in page and "pricing.fly" in page and "tiger" not in page
    assert page.count("Not configured") == 8
