"""Parts of an OpenAPI operation in our terms: parameters, bodies, security. Pure."""

import json
from dataclasses import dataclass, field
from typing import Any

from loadtest.exchange.documents import mapping, text
from loadtest.exchange.references import References
from loadtest.exchange.samples import Samples
from loadtest.exchange.tree import Json, Tree

FORMS = {"application/x-www-form-urlencoded": "x-www-form-urlencoded", "multipart/form-data": "form-data"}
OWN_HEADERS = ("accept", "content-type", "authorization")  # OpenAPI 3: parameters of these names mean nothing


@dataclass
class Parameters:
    """Rows for query and headers, and what stands for the places in the path."""

    query: list[Json] = field(default_factory=list)
    headers: list[Json] = field(default_factory=list)
    path: dict[str, str] = field(default_factory=dict)


def parameters_of(given: list[Json], samples: Samples, tree: Tree) -> Parameters:
    """Those of the path and of the operation, which comes last and wins. Optional ones are switched off."""
    latest = {(text(one.get("in")), text(one.get("name"))): one for one in given if one.get("name")}
    found = Parameters()
    for (place, name), one in latest.items():
        value = text(samples.of_media(one))
        row = {"key": name, "value": value, "enabled": one.get("required") is True}
        row |= {"description": about} if (about := text(one.get("description"))) else {}
        match place:
            case "query":
                found.query.append(row)
            case "header" if name.lower() not in OWN_HEADERS:
                found.headers.append(row)
            case "path":
                found.path[name] = value
            case "cookie":
                tree.skip("cookie parameter")
    return found


def body_of(request_body: Json, references: References, tree: Tree) -> Json | None:
    """The body in the first of its types that we can write, JSON before others."""
    content = mapping(request_body.get("content"))
    if not content:
        return None
    chosen = min(content, key=lambda kind: (_rank(kind), list(content).index(kind)))
    tree.skip("further type of a body", len(content) - 1)
    media, kind = mapping(content[chosen]), chosen.partition(";")[0].strip().lower()
    samples = Samples(references)
    if kind in FORMS:
        return {"mode": FORMS[kind], "fields": _fields(media, references, samples, tree)}
    value = samples.of_media(media)
    if "json" in kind:
        return {"mode": "json", "content": json.dumps(value, indent=2, ensure_ascii=False)}
    if kind.endswith("xml"):
        return {"mode": "xml", "content": value if isinstance(value, str) else ""}
    if kind.startswith("text/"):
        return {"mode": "text", "content": text(value)}
    tree.skip(f"body {kind}"[:60])
    return None


def _rank(kind: str) -> int:
    kind = kind.lower()
    return 0 if kind.startswith("application/json") else 1 if "json" in kind else 2 if kind in FORMS else 3


def _fields(media: Json, references: References, samples: Samples, tree: Tree) -> list[Json]:
    schema = references.object(media.get("schema"))
    files = {
        name
        for name, one in mapping(schema.get("properties")).items()
        if references.object(one).get("format") in ("binary", "base64")
    }
    tree.skip("file in a form", len(files))
    values = mapping(samples.of_media(media))
    return [{"key": name, "value": text(value), "enabled": True} for name, value in values.items() if name not in files]


def auth_of(security: Any, references: References, tree: Tree) -> Json:
    """The first way to authenticate that we know, with a variable for each credential; `{}` for none."""
    schemes = mapping(references.object(mapping(references.document.get("components"))).get("securitySchemes"))
    for requirement in security if isinstance(security, list) else ():
        for name in mapping(requirement):
            scheme = references.object(schemes.get(name))
            match (scheme.get("type"), text(scheme.get("scheme")).lower()):
                case ("http", "bearer"):
                    return {"mode": "bearer", "token": "{{bearerToken}}"}
                case ("http", "basic"):
                    return {"mode": "basic", "username": "{{username}}", "password": "{{password}}"}
                case ("apiKey", _) if scheme.get("in") in ("header", "query"):
                    key = text(scheme.get("name"))
                    return {"mode": "apikey", "key": key, "value": "{{apiKey}}", "in": scheme["in"]}
                case (kind, _):
                    tree.skip(f"auth {text(kind) or name}"[:60])
    return {}
