"""OpenAPI 3.x and Swagger 2.0 documents: a collection with a folder for each tag. Pure."""

import re
from typing import Any
from urllib.parse import urljoin

from config.api.errors import Invalid
from loadtest.composing.compose import METHODS
from loadtest.exchange.documents import listed, mapping, text
from loadtest.exchange.openapi_parts import auth_of, body_of, parameters_of
from loadtest.exchange.references import References
from loadtest.exchange.samples import Samples
from loadtest.exchange.swagger import as_openapi
from loadtest.exchange.tree import Json, Tree

_PLACE = re.compile(r"\{([^{}/]+)\}")


def is_openapi(document: Any) -> bool:
    return isinstance(document, dict) and ("openapi" in document or "swagger" in document)


def read_openapi(document: Json, *, source_url: str = "") -> Tree:
    """The operations of a document as requests. Raises Invalid.

    `source_url` is where the document came from: servers may be given relative to it.
    """
    version = text(document.get("openapi") or document.get("swagger"))
    if version.startswith("2."):
        document = as_openapi(document)
    elif not version.startswith("3."):
        raise Invalid(f"OpenAPI {version[:20]} is not read; only versions 2.0 and 3 are")
    info, references = mapping(document.get("info")), References(document)
    tree = Tree(format="openapi", name=text(info.get("title")).strip() or "Imported API")
    made = tree.collection(
        tree.name,
        description=text(info.get("description")),
        variables={"baseUrl": _variable(_base(document, source_url, tree))},
        auth=auth_of(document.get("security"), references, tree) or {"mode": "none"},
    )
    tree.collections.append(made)
    folders: dict[str, Json] = {}
    about = {text(tag.get("name")): text(tag.get("description")) for tag in listed(document.get("tags"))}
    for path, item in mapping(document.get("paths")).items():
        for tag, request, names in _operations(path, references.object(item), references, tree):
            if tag and tag not in folders:
                folders[tag] = tree.collection(tag, description=about.get(tag, ""))
                made["collections"].append(folders[tag])
            (folders[tag] if tag else made)["requests"].append(request)
            made["variables"] = {name: _variable(value) for name, value in names.items()} | made["variables"]
    tree.skip("webhook", len(mapping(document.get("webhooks"))))
    tree.skip("reference that leads nowhere", len(references.lost))
    return tree


def _variable(value: str) -> Json:
    return {"value": value, "enabled": True, "secret": False}


def _base(document: Json, source_url: str, tree: Tree) -> str:
    """The address of the first server, its own variables filled in."""
    servers = listed(document.get("servers"))
    tree.skip("further server", len(servers) - 1 if servers else 0)
    first = servers[0] if servers else {}
    defaults = {name: text(mapping(one).get("default")) for name, one in mapping(first.get("variables")).items()}
    url = _PLACE.sub(lambda hit: defaults.get(hit[1], hit[0]), text(first.get("url")) or "/")
    if "://" not in url and source_url.startswith(("http://", "https://")):
        try:
            url = urljoin(source_url, url)
        except ValueError:
            tree.skip("address of the server")
    return url.rstrip("/")


def _operations(path: str, item: Json, references: References, tree: Tree) -> list[tuple[str, Json, dict[str, str]]]:
    """Each operation of a path: its first tag, its request, and the variables that its path needs."""
    found = []
    for method in METHODS:
        operation = item.get(method.lower())
        if not isinstance(operation, dict):
            continue
        tree.skip("callback", len(mapping(operation.get("callbacks"))))
        given = [references.object(one) for one in (*_list(item), *_list(operation))]
        parameters = parameters_of(given, Samples(references), tree)
        names = parameters.path | {name: "" for name in _PLACE.findall(path) if name not in parameters.path}
        body = body_of(references.object(operation.get("requestBody")), references, tree)
        security = operation.get("security")
        request = tree.request(
            (text(operation.get("summary")) or text(operation.get("operationId")) or f"{method} {path}")[:200],
            description=text(operation.get("description")),
            method=method,
            url="{{baseUrl}}" + _PLACE.sub(lambda hit: f"{{{{{hit[1]}}}}}", path),
            params=parameters.query,
            headers=parameters.headers,
            auth={"mode": "noauth"} if security == [] else auth_of(security, references, tree),
            **({"body": body} if body and method != "HEAD" else {}),
        )
        tags = operation.get("tags")
        tag = text(tags[0])[:200].strip() if isinstance(tags, list) and tags else ""
        found.append((tag, request, names))
    tree.skip("method TRACE", "trace" in item)
    return found


def _list(owner: Json) -> list[Any]:
    found = owner.get("parameters")
    return found if isinstance(found, list) else []
