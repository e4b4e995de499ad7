"""Postman collections, environments and globals (v2.0.0, v2.1.0). Pure."""

from typing import Any

from config.api.errors import Invalid
from loadtest.composing.compose import METHODS
from loadtest.exchange import postman_parts as parts
from loadtest.exchange.documents import listed, mapping, text
from loadtest.exchange.tree import MAX_DEPTH, Json, Tree

BEHAVIOURS = {"followRedirects": bool, "strictSSL": bool, "maxRedirects": int}


def is_collection(document: Any) -> bool:
    found = mapping(document)
    return isinstance(found.get("item"), list) and isinstance(found.get("info"), dict)


def is_environment(document: Any) -> bool:
    found = mapping(document)
    return isinstance(found.get("values"), list) and ("name" in found or "_postman_variable_scope" in found)


def read_collection(document: Json, *, scripts: bool) -> Tree:
    """The collection with its folders and requests. Raises Invalid."""
    info = mapping(document.get("info"))
    if "v1." in text(info.get("schema")):
        raise Invalid("Postman collections of version 1 are not read; export it as version 2.1")
    tree = Tree(format="postman-collection", name=text(info.get("name")) or "Imported collection")
    document = document | {"name": tree.name, "description": info.get("description")}
    tree.collections.append(_folder(document, tree, 0, scripts))
    return tree


def _folder(item: Json, tree: Tree, depth: int, scripts: bool) -> Json:
    if depth > MAX_DEPTH:
        raise Invalid("The folders are nested too deeply")
    made = tree.collection(
        text(item.get("name")).strip() or "Folder",
        description=parts.description(item.get("description")),
        variables=parts.variables(item.get("variable")),
        auth=parts.auth(item.get("auth"), tree) or {"mode": "none"},
        **_scripts(item, tree, scripts),
    )
    for inner in listed(item.get("item")):
        if isinstance(inner.get("item"), list):
            made["collections"].append(_folder(inner, tree, depth + 1, scripts))
        elif (request := _request(inner, tree, scripts)) is not None:
            made["requests"].append(request)
    return made


def _request(item: Json, tree: Tree, scripts: bool) -> Json | None:
    given = item.get("request")
    found = {"url": given} if isinstance(given, str) else mapping(given)
    url, params = parts.address(found.get("url"))
    method = (text(found.get("method")) or "GET").upper()
    if not url.strip():
        tree.skip("request without an address")
        return None
    if method not in METHODS:
        tree.skip(f"method {method}"[:60])
        return None
    tree.skip("example", len(listed(item.get("response"))))
    tree.skip("certificate", "certificate" in found)
    tree.skip("proxy", "proxy" in found)
    body = parts.body(found.get("body"), tree)
    return tree.request(
        text(item.get("name")).strip() or f"{method} {url}"[:200],
        description=parts.description(found.get("description") or item.get("description")),
        method=method,
        url=url,
        params=params,
        headers=parts.rows(found.get("header")),
        auth=parts.auth(found.get("auth"), tree),
        **({"body": body} if body else {}),
        **_scripts(item, tree, scripts),
        **_behaviour(mapping(item.get("protocolProfileBehavior"))),
    )


def _scripts(item: Json, tree: Tree, wanted: bool) -> Json:
    found = parts.scripts(item.get("event"))
    if not wanted:
        tree.skip("script", len(found))
    return found if wanted else {}


def _behaviour(found: Json) -> Json:
    """How a request is sent, where the document says so."""
    wire = {"followRedirects": "followRedirects", "strictSSL": "verifySSL", "maxRedirects": "maxRedirects"}
    known = {name: found[name] for name, kind in BEHAVIOURS.items() if type(found.get(name)) is kind}
    if not 0 <= known.get("maxRedirects", 0) <= 100:
        del known["maxRedirects"]
    return {wire[name]: value for name, value in known.items()}


def read_environment(document: Json) -> Tree:
    """An environment, or the globals."""
    tree = Tree(format="postman-environment", name=text(document.get("name")).strip() or "Imported environment")
    found = parts.variables(document.get("values"))
    if document.get("_postman_variable_scope") == "globals":
        tree.format, tree.globals = "postman-globals", {"variables": found}
    else:
        tree.environments.append({"id": tree.new_id("env"), "name": tree.name, "variables": found})
    return tree
