"""Insomnia exports of format 4: workspaces, folders, requests, environments. Pure."""

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from config.api.errors import Invalid
from loadtest.composing.compose import METHODS
from loadtest.exchange.documents import listed, mapping, text
from loadtest.exchange.tree import MAX_DEPTH, Json, Tree

_TOKEN = re.compile(r"\{\{\s*(?:_\.)?([^{}]*?)\s*\}\}")
FORMS = {"application/x-www-form-urlencoded": "x-www-form-urlencoded", "multipart/form-data": "form-data"}


def is_export(document: Any) -> bool:
    found = mapping(document)
    return found.get("_type") == "export" and isinstance(found.get("resources"), list)


def read_export(document: Json) -> Tree:
    """Each workspace as a collection. Raises Invalid for another format than 4."""
    if document.get("__export_format") != 4:
        raise Invalid("Only Insomnia exports of format 4 are read; export it as JSON or YAML of version 4")
    tree, children = Tree(format="insomnia"), defaultdict(list)
    resources = _translated(document["resources"])
    for one in listed(resources):
        children[text(one.get("parentId"))].append(one)
    workspaces = [one for one in listed(resources) if one.get("_type") == "workspace"]
    tree.name = text(workspaces[0].get("name")) if workspaces else "Imported from Insomnia"
    for workspace in workspaces:
        tree.collections.append(_folder(workspace, children, tree, 0))
        _environments(children[text(workspace.get("_id"))], children, tree)
    return tree


def _translated(value: Any) -> Any:
    """The document with `{{ _.name }}` written as `{{name}}`."""
    if isinstance(value, str):
        return _TOKEN.sub(r"{{\1}}", value)
    if isinstance(value, Mapping):
        return {key: _translated(inner) for key, inner in value.items()}
    return [_translated(inner) for inner in value] if isinstance(value, list) else value


def _folder(found: Json, children: dict[str, list[Json]], tree: Tree, depth: int) -> Json:
    if depth > MAX_DEPTH:
        raise Invalid("The folders are nested too deeply")
    made = tree.collection(
        text(found.get("name")).strip() or "Folder",
        description=text(found.get("description")),
        variables=_variables(found.get("environment")),
        auth=_auth(found.get("authentication"), tree) or {"mode": "none"},
    )
    for one in sorted(children[text(found.get("_id"))], key=_order):
        match one.get("_type"):
            case "request_group":
                made["collections"].append(_folder(one, children, tree, depth + 1))
            case "request":
                if request := _request(one, tree):
                    made["requests"].append(request)
            case "environment" | "workspace":
                pass
            case kind:
                tree.skip(text(kind)[:60].replace("_", " ") or "thing without a type")
    return made


def _order(found: Json) -> float:
    key = found.get("metaSortKey")
    return key if isinstance(key, int | float) else 0


def _request(found: Json, tree: Tree) -> Json | None:
    method, url = text(found.get("method")).upper() or "GET", text(found.get("url"))
    if method not in METHODS or not url.strip():
        tree.skip(f"method {method}"[:60] if url.strip() else "request without an address")
        return None
    body = _body(mapping(found.get("body")), tree)
    redirects = {"on": True, "off": False}.get(text(found.get("settingFollowRedirects")))
    return tree.request(
        text(found.get("name")).strip() or f"{method} {url}",
        description=text(found.get("description")),
        method=method,
        url=url,
        params=_rows(found.get("parameters")),
        headers=_rows(found.get("headers")),
        auth=_auth(found.get("authentication"), tree),
        **({"body": body} if body and method != "HEAD" else {}),
        **({} if redirects is None else {"followRedirects": redirects}),
    )


def _rows(value: Any) -> list[Json]:
    return [
        {"key": text(row.get("name")), "value": text(row.get("value")), "enabled": row.get("disabled") is not True}
        for row in listed(value)
        if row.get("name")
    ]


def _body(found: Json, tree: Tree) -> Json | None:
    kind, content = text(found.get("mimeType")), text(found.get("text"))
    if kind in FORMS:
        fields = listed(found.get("params"))
        tree.skip("file in a form", sum(row.get("type") == "file" for row in fields))
        return {"mode": FORMS[kind], "fields": _rows([row for row in fields if row.get("type") != "file"])}
    if "fileName" in found:
        tree.skip("file as body")
        return None
    if not content:
        return None
    mode = "graphql" if "graphql" in kind else "json" if "json" in kind else "xml" if "xml" in kind else "text"
    return {"mode": mode, "content": content}


def _auth(value: Any, tree: Tree) -> Json:
    found = mapping(value)
    match found.get("type"):
        case _ if not found.get("type") or found.get("disabled") is True:
            return {}
        case "none":
            return {"mode": "noauth"}
        case "bearer":
            return {"mode": "bearer", "token": text(found.get("token"))}
        case "basic":
            return {"mode": "basic", "username": text(found.get("username")), "password": text(found.get("password"))}
        case "apikey":
            place = "query" if found.get("addTo") == "queryParams" else "header"
            return {"mode": "apikey", "key": text(found.get("key")), "value": text(found.get("value")), "in": place}
    tree.skip(f"auth {text(found.get('type'))}"[:60])
    return {}


def _variables(value: Any) -> Json:
    found = mapping(value)
    return {name: {"value": text(inner), "enabled": True, "secret": False} for name, inner in found.items() if name}


def _environments(found: list[Json], children: dict[str, list[Json]], tree: Tree) -> None:
    """The base environment is that of the workspace's collection; those below it hold what differs."""
    for base in (one for one in found if one.get("_type") == "environment"):
        tree.collections[-1]["variables"] |= _variables(base.get("data"))
        for inner in children[text(base.get("_id"))]:
            name = text(inner.get("name")).strip() or "Environment"
            variables = _variables(inner.get("data"))
            tree.environments.append({"id": tree.new_id("env"), "name": name, "variables": variables})
