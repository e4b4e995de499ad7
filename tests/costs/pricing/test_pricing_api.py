"""/api/v1/costs/pricing and /api/v1/providers (contract: fleet console §15, §26)."""

import json

import pytest
from django.core.management import CommandError, call_command

from costs.pricing.models import PriceList
from costs.pricing.queries import price_of, tables_on
from security.audit.models import AuditEntry
from tests.costs.making import DAY
from tests.costs.pricing.test_tables import GOOD, changed

pytestmark = [pytest.mark.django_db, pytest.mark.contract]
FLY = "/api/v1/costs/pricing/fly"


@pytest.fixture(autouse=True)
def today(time_machine):
    time_machine.move_to("2026-11-20T12:00:00Z", tick=False)


def test_prices_of_today(api):
    providers = api("VIEWER").get("/api/v1/costs/pricing").json()["providers"]
    assert len(providers) == 10
    fly = providers["fly"]
    assert (fly["name"], fly["storage"], fly["network"]) == (
        "Fly.io",
        {"gbPerMonth": 0.15},
        {"egressGbFree": 100.0, "egressGbPrice": 0.02},
    )
    tier = next(one for one in fly["computeTiers"] if one["id"] == "performance-2x")
    assert (tier["label"], tier["vcpu"], tier["memoryGb"], tier["pricePerMonth"]) == ("performance-2x", 2.0, 4.0, 62.0)
    assert fly["source"].startswith("https://") and fly["asOf"]


def test_an_administrator_replaces_a_table_from_a_day_on(api):
    admin = api("ADMIN")
    answer = admin.put(FLY, GOOD)
    assert answer.status_code == 201, answer.content
    assert (answer.json()["version"], answer.json()["validFrom"]) == (1, "2026-12-01")
    assert tables_on(DAY)["fly"].name == "Fly.io"
    later = tables_on(DAY.replace(month=12, day=1))["fly"]
    assert (later.name, later.label) == ("Fly by contract", "fly version 1 of 2026-12-01")
    price = price_of("fly", "ams", "large", DAY.replace(month=12))
    assert price.per_month == 100 and price_of("fly", "ams", "large", DAY) is None
    assert admin.put(FLY, changed(("valid_from",), "2026-11-20")).json()["version"] == 2
    shown = admin.get(FLY).json()
    assert shown["table"] == "fly version 2 of 2026-11-20" and [row["version"] for row in shown["versions"]] == [2, 1]
    again = admin.put(FLY, shown["document"])
    assert again.status_code == 201, again.content  # what is shown can be put back
    assert AuditEntry.objects.filter(resource="price_list", action="UPDATE").count() == 3


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (changed(("valid_from",), "2026-11-19"), "valid_from"),  # what was counted keeps its prices
        (changed(("provider",), "aws"), "provider"),
        (changed(("currency",), "EUR"), "currency"),
        (changed(("sizes", 0, "price_per_hour"), -1), "sizes.0.price_per_hour"),
    ],
)
def test_tables_that_cannot_hold_change_nothing(api, document, field):
    answer = api("ADMIN").put(FLY, document)
    assert answer.status_code == 400 and field in answer.json()["details"]["fieldErrors"]
    assert not PriceList.objects.exists()


@pytest.mark.parametrize("body", ["[]", "5", '"x"', "{", "null", '{"sizes": ' + "[" * 400 + "]" * 400 + "}"])
def test_bodies_that_are_no_table(api, body):
    assert api("ADMIN").put(FLY, body, content_type="application/json").status_code == 400


def test_who_may_replace_prices(api):
    assert api("OPERATOR").put(FLY, GOOD).status_code == 403
    assert api("ADMIN").put("/api/v1/costs/pricing/moon", GOOD).status_code == 404
    assert api("VIEWER").get("/api/v1/costs/pricing/moon").status_code == 404


def test_the_command_checks_and_loads_tables(tmp_path, capsys):
    call_command("costs", "prices", "check")
    assert capsys.readouterr().out.count("ok  ") == 10
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(changed(("sizes", 0, "price_per_hour"), -1)))
    with pytest.raises(CommandError, match=r"sizes\.0\.price_per_hour: Ensure this value"):
        call_command("costs", "prices", "check", str(path))
    path.write_text(json.dumps(GOOD))
    call_command("costs", "prices", "load", str(path))
    assert "fly version 1 holds from 2026-12-01 on." in capsys.readouterr().out
    path.write_text("{")
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("costs", "prices", "check", str(path))


def test_providers_and_regions(api):
    client = api("VIEWER")
    providers = client.get("/api/v1/providers").json()["providers"]
    assert [one["id"] for one in providers] == [
        *("fly", "docker", "digitalocean", "e2b", "kubernetes", "runpod", "northflank", "aws", "gcp", "azure"),
    ]
    assert all(one["name"] and one["description"] for one in providers)
    available = client.get("/api/v1/providers/availability").json()["availability"]
    assert set(available) == {one["id"] for one in providers}
    assert all(one["available"] is True or one["reason"] for one in available.values())
    regions = client.get("/api/v1/providers/fly/regions").json()["regions"]
    assert {"id": "ams", "name": "Amsterdam", "location": "Amsterdam"} in regions
    for provider in ("docker", "kubernetes", "e2b", "runpod", "northflank", "digitalocean"):
        assert client.get(f"/api/v1/providers/{provider}/regions").json()["regions"]


def test_the_catalog_of_a_provider(api):
    client = api("VIEWER")
    body = client.get("/api/v1/providers/fly/compute-catalog").json()
    assert body["storage_pricing"] == {"gb_per_month": 0.15}
    assert body["network_pricing"] == {"egress_gb_price": 0.02, "egress_free_gb": 100.0}
    assert (body["source"], body["fetched_at"]) == ("fallback", "2024-06-01T00:00:00.000Z")
    assert next(size for size in body["sizes"] if size["id"] == "performance-2x") == {
        "id": "performance-2x",
        "name": "performance-2x",
        "provider": "fly",
        "category": "cpu",
        "vcpus": 2,
        "memory_gb": 4,
        "storage_gb": 0,
        "price_per_hour": 0.084932,
        "price_per_month": 62.0,
        "price_source": "static",
        "estimate": False,
    }
    card = client.get("/api/v1/providers/aws/compute-catalog?region=us-east-1").json()["sizes"][-1]
    assert (card["category"], card["gpu_name"], card["gpu_count"], card["gpu_memory_gb"]) == (
        "gpu",
        "NVIDIA A10G",
        1,
        24,
    )


def test_sizes_of_docker_fit_on_this_machine(api, monkeypatch):
    monkeypatch.setattr("costs.catalog.queries.os.cpu_count", lambda: 2)
    sizes = api("VIEWER").get("/api/v1/providers/docker/compute-catalog").json()["sizes"]
    assert [size["vcpus"] for size in sizes] in ([1, 2], [1])
    assert {(size["price_per_month"], size["price_source"]) for size in sizes} == {(0.0, "none")}


def test_sizes_that_name_regions_are_there_only(api):
    document = changed(("valid_from",), "2026-11-20")
    document["sizes"][0] |= {"regions": ["ams"], "regional": {"ams": 0.02}}
    api("ADMIN").put(FLY, document)
    client = api("VIEWER")

    def sizes(query=""):
        found = client.get(f"/api/v1/providers/fly/compute-catalog{query}").json()["sizes"]
        return {size["id"]: size["price_per_hour"] for size in found}

    assert sizes("?region=ams")["small"] == 0.02 and "small" not in sizes("?region=fra") and "small" in sizes()


def test_the_worked_example_as_an_estimate(api):
    path = "/api/v1/providers/fly/compute-catalog/estimate?size_id=performance-2x"
    client = api("VIEWER")
    assert client.get(f"{path}&disk_gb=50&egress_gb=120").json() == {
        "compute": 62.0,
        "storage": 7.5,
        "network": 0.4,
        "total": 69.9,
        "currency": "USD",
    }
    assert client.get(path).json()["total"] == 65.0  # 20 GB of disk, traffic within what is free


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("fly/compute-catalog/estimate", 400),
        ("fly/compute-catalog/estimate?size_id=none", 404),
        ("fly/compute-catalog/estimate?size_id=%00", 404),
        ("fly/compute-catalog/estimate?size_id=performance-2x&disk_gb=-1", 422),
        ("fly/compute-catalog/estimate?size_id=performance-2x&disk_gb=1e99", 422),
        ("fly/compute-catalog/estimate?size_id=performance-2x&egress_gb=NaN", 422),
        ("fly/compute-catalog/estimate?size_id=performance-2x&egress_gb=much", 422),
        (f"fly/compute-catalog?region={'x' * 65}", 422),
        ("moon/compute-catalog", 404),
        ("moon/compute-catalog/estimate", 404),
        ("moon/regions", 404),
        ("ssh/regions", 404),
    ],
)
def test_questions_that_make_no_sense(api, path, status):
    answer = api("VIEWER").get(f"/api/v1/providers/{path}")
    assert answer.status_code == status, answer.content


def test_an_administrator_reads_the_files_again(api):
    path = "/api/v1/providers/fly/compute-catalog/refresh"
    assert api("OPERATOR").post(path).status_code == 403
    body = api("ADMIN").post(path).json()
    assert (body["provider"], body["sizes_count"], body["source"]) == ("fly", 15, "fallback")
    assert body["fetched_at"] == "2026-11-20T12:00:00.000Z" and body["message"]
