"""The bodies of the workspace as JSON schemas, for the API document (contract: load testing §3-6, §8.1)."""

from typing import Any

from loadtest.composing.auth import MODES
from loadtest.composing.bodies import TYPES
from loadtest.composing.compose import METHODS
from loadtest.workspace.masking import TYPES as VALUE_TYPES

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
WHOLE: Schema = {"type": "integer"}
MILLISECONDS: Schema = {"type": "integer", "readOnly": True, "description": "Unix milliseconds"}
NULLABLE_TEXT: Schema = {"type": "string", "nullable": True}
SCRIPTS: Schema = {"preRequestScript": TEXT, "postRequestScript": TEXT}


def record(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties}


def listed(item: Schema) -> Schema:
    return {"type": "array", "items": item}


VARIABLES: Schema = {
    "type": "object",
    "description": "By name; a bare text, number or boolean is short for its value",
    "additionalProperties": record(
        value=TEXT, enabled=FLAG, secret=FLAG, type={"type": "string", "enum": list(VALUE_TYPES)}
    ),
}
AUTH: Schema = record(
    mode={"type": "string", "enum": list(MODES)},
    token=TEXT,
    username=TEXT,
    password=TEXT,
    key=TEXT,
    value=TEXT,
    **{"in": {"type": "string", "enum": ["header", "query"]}},
    config={"type": "object"},
)
PAIRS: Schema = {
    "oneOf": [
        {"type": "object", "additionalProperties": TEXT},
        listed(record(key=TEXT, value=TEXT, enabled=FLAG, description=TEXT)),
    ]
}
BODY: Schema = {
    "oneOf": [
        TEXT,
        record(
            type={"type": "string", "enum": list(TYPES)},
            content={"description": "Text, or JSON"},
            fields=listed(record(key=TEXT, value=TEXT, enabled=FLAG)),
            contentBase64=TEXT,
        ),
    ]
}
SAVED: Schema = {"id": TEXT, "name": TEXT, "description": TEXT, "createdAt": MILLISECONDS, "updatedAt": MILLISECONDS}
COLLECTION = record(**SAVED, parentId=NULLABLE_TEXT, order=WHOLE, variables=VARIABLES, auth=AUTH, **SCRIPTS)
REQUEST = record(
    **SAVED,
    collectionId=TEXT,
    method={"type": "string", "enum": list(METHODS)},
    url=TEXT,
    params=PAIRS,
    headers=PAIRS,
    body=BODY,
    bodyType={"type": "string", "enum": list(TYPES)},
    auth=AUTH,
    **SCRIPTS,
    order=WHOLE,
    timeout=WHOLE,
    followRedirects=FLAG,
    maxRedirects=WHOLE,
    verifySSL=FLAG,
)
ENVIRONMENT = record(**SAVED, isActive=FLAG, variables=VARIABLES)
GLOBALS = record(id={**TEXT, "readOnly": True}, variables=VARIABLES, updatedAt=MILLISECONDS)
DELETED = record(message=TEXT, id=TEXT)
SETTINGS = record(entries={"type": "object", "additionalProperties": {"oneOf": [TEXT, WHOLE, FLAG]}})
IMPORT = record(content=TEXT, importScripts=FLAG, importEnvironments=FLAG, sourceUrl=TEXT, collectionId=TEXT)
ADDRESS = record(url=TEXT, maxBytes=WHOLE)
