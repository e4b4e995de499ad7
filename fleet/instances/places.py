"""Where an instance is, from what it says of itself; nobody outside is asked (contract: fleet console §3)."""

import math
from functools import cache
from pathlib import Path
from typing import Any

from fleet.instances.models import Instance

Place = dict[str, Any]
NOWHERE: Place = {"geo_lat": None, "geo_lon": None, "geo_label": None, "geo_source": None}


def place_of(instance: Instance, geo: dict[str, Any] | None) -> Place:
    """The `geo_*` fields: from the provider's region code, else the `geo` that was sent, else the tags.

    Empty when nothing new is known, so that an earlier place stays; a place that came from a region code goes with it.
    """
    place = _from_region(instance) or _from_metadata(geo or {}) or _from_tags(instance.tags)
    if not place and instance.geo_source in ("region_registry", "user_tags"):
        return NOWHERE
    return place


def _from_region(instance: Instance) -> Place:
    found = regions().get((instance.provider, (instance.region or "").lower()))
    return _place(*found, "region_registry") if found else {}


def _from_metadata(geo: dict[str, Any]) -> Place:
    if geo.get("lat") is None or geo.get("lon") is None:
        return {}
    return _place(geo["lat"], geo["lon"], geo.get("city") or None, "cloud_metadata")


def _from_tags(tags: dict[str, str]) -> Place:
    try:
        lat, lon = float(tags["geo_lat"]), float(tags["geo_lon"])
    except (KeyError, ValueError):
        return {}
    if not (math.isfinite(lat) and math.isfinite(lon) and abs(lat) <= 90 and abs(lon) <= 180):
        return {}
    return _place(lat, lon, tags.get("geo_label") or None, "user_tags")


def _place(lat: float, lon: float, label: str | None, source: str) -> Place:
    return {"geo_lat": lat, "geo_lon": lon, "geo_label": label and label[:128], "geo_source": source}


@cache
def regions() -> dict[tuple[str, str], tuple[float, float, str]]:
    """Known region codes: `(provider, code)` → latitude, longitude, place."""
    table = {}
    for line in Path(__file__).with_name("regions.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            provider, code, lat, lon, place = line.split(None, 4)
            table[provider, code] = (float(lat), float(lon), place)
    return table
