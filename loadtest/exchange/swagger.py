"""A Swagger 2.0 document in the words of OpenAPI 3, as far as imports read it. Pure."""

from typing import Any

from loadtest.exchange.documents import listed, mapping, text
from loadtest.exchange.references import References
from loadtest.exchange.tree import Json

METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
FORM = "application/x-www-form-urlencoded"
NOT_SCHEMA = ("name", "in", "required", "description", "schema", "collectionFormat")


def as_openapi(document: Json) -> Json:
    """The same API as an OpenAPI 3 document. `definitions` stay where references to them point."""
    references = References(document)
    paths = {
        path: _item(references.object(item), document, references)
        for path, item in mapping(document.get("paths")).items()
    }
    schemes = {name: _scheme(mapping(one)) for name, one in mapping(document.get("securityDefinitions")).items()}
    return {
        **document,
        "openapi": "3.0.0",
        "servers": _servers(document),
        "paths": paths,
        "components": {"securitySchemes": schemes},
    }


def _servers(document: Json) -> list[Json]:
    base, host = text(document.get("basePath")), text(document.get("host"))
    if not host:
        return [{"url": base or "/"}]
    schemes = document.get("schemes")
    known = [one for one in schemes if one in ("https", "http")] if isinstance(schemes, list) else []
    return [{"url": f"{scheme}://{host}{base}"} for scheme in sorted(known, reverse=True) or ["https"]]


def _scheme(scheme: Json) -> Json:
    return {"type": "http", "scheme": "basic"} if scheme.get("type") == "basic" else scheme


def _item(item: Json, document: Json, references: References) -> Json:
    shared = _parameters(item, references)
    return {
        method: _operation(mapping(item[method]), shared, document, references)
        for method in METHODS
        if isinstance(item.get(method), dict)
    }


def _parameters(owner: Json, references: References) -> list[Json]:
    found = owner.get("parameters")
    return [references.object(one) for one in found] if isinstance(found, list) else []


def _operation(operation: Json, shared: list[Json], document: Json, references: References) -> Json:
    parameters = [*shared, *_parameters(operation, references)]
    consumes = operation.get("consumes", document.get("consumes"))
    kinds = [text(kind) for kind in consumes] if isinstance(consumes, list) else []
    made = {
        **operation,
        "parameters": [_parameter(one) for one in parameters if one.get("in") not in ("body", "formData")],
    }
    if content := _content(parameters, kinds):
        made["requestBody"] = {"content": content}
    return made


def _parameter(parameter: Json) -> Json:
    return {
        **{name: parameter.get(name) for name in ("name", "in", "required", "description")},
        "schema": _schema(parameter),
    }


def _schema(parameter: Json) -> Json:
    """What Swagger writes beside a parameter's name, as a schema; a file is a string of bytes."""
    found = {name: value for name, value in parameter.items() if name not in NOT_SCHEMA}
    return {"type": "string", "format": "binary"} if found.get("type") == "file" else found


def _content(parameters: list[Json], kinds: list[str]) -> Json:
    bodies = [one for one in parameters if one.get("in") == "body"]
    if bodies:
        return {kind: {"schema": bodies[-1].get("schema")} for kind in kinds or ["application/json"]}
    fields: dict[str, Any] = {
        text(one.get("name")): _schema(one) for one in listed(parameters) if one.get("in") == "formData"
    }
    if not fields:
        return {}
    files = any(schema.get("format") == "binary" for schema in fields.values())
    kind = "multipart/form-data" if files or "multipart/form-data" in kinds else FORM
    return {kind: {"schema": {"type": "object", "properties": fields}}}
