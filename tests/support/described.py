"""Hold the answers of the page's listener to what its OpenAPI document says of them."""

import re
from functools import cache
from typing import Any, Final

import orjson
from jsonschema import Draft202012Validator

from gateway.web.openapi import description

ANYWHERE: Final = frozenset({401, 403, 405, 413, 429, 503})
"""What may be answered whatever was asked for."""


def operations() -> dict[tuple[str, str], dict[str, Any]]:
    """Everything described, by method and path."""
    return {
        (method.upper(), path): operation
        for path, item in description()["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }


def check_answer(method: str, path: str, status: int, content_type: str, text: str) -> None:
    """Fail unless this is an answer that is described. What is no part of the API may be anything."""
    operation = _operation(method, path)
    if operation is None:
        return
    problem = {"$ref": "#/components/responses/Problem"} if status in ANYWHERE else None
    contents = _resolved(operation["responses"].get(str(status)) or problem)["content"]
    schema = contents[content_type].get("schema")
    if schema and content_type.endswith("json"):
        _validator(orjson.dumps(schema)).validate(orjson.loads(text))


def _operation(method: str, path: str) -> dict[str, Any] | None:
    bare = path.partition("?")[0]
    for (described, template), operation in operations().items():
        if described == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), bare):
            return operation
    return None


def _resolved(value: dict[str, Any] | None) -> dict[str, Any]:
    assert value is not None, "an answer that is not described"
    found = value
    if "$ref" in value:
        found = description()
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part]
    return found


@cache
def _validator(schema: bytes) -> Draft202012Validator:
    return Draft202012Validator({**orjson.loads(schema), "components": description()["components"]})
