"""Describe the API for other programs: `openapi.yaml` beside this file, served as JSON.

Written by hand and held to the routes and their answers by tests, so that it can say what a field means.
"""

import asyncio
from functools import cache
from importlib.resources import files
from typing import Any

import orjson
import yaml
from aiohttp import web


@cache
def description() -> dict[str, Any]:
    """The document."""
    document: dict[str, Any] = yaml.safe_load(files("gateway.web").joinpath("openapi.yaml").read_text())
    return document


async def openapi(_: web.Request) -> web.Response:
    """GET /api/openapi.json: what there is to ask for, and what is answered."""
    document = await asyncio.to_thread(description)
    return web.Response(body=orjson.dumps(document), content_type="application/json")
