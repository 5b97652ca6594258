"""The description of the API is what there is. That answers fit it, every test that asks for one checks."""

import re
from typing import TYPE_CHECKING

import jsonschema
import pytest
from openapi_spec_validator import validate

from gateway.web.admin import ROUTES
from tests.support.described import check_answer, operations

if TYPE_CHECKING:
    from tests.web.conftest import AdminSite


async def test_it_is_served_as_valid_openapi(site: "AdminSite") -> None:
    answer = await site.ask("/api/openapi.json")

    validate(answer.json)
    assert (await site.ask("/api/openapi.json", token=None)).status == 401


def test_each_route_of_the_api_is_described_and_each_description_is_a_route() -> None:
    served = {(route.method, re.sub(r"\{(\w+):[^}]*\}+", r"{\1}", route.path)) for route in ROUTES}

    assert set(operations()) == {key for key in served if key[1].startswith("/api/") or key[1] == "/live/stream"}


def test_an_answer_with_a_field_that_is_not_described_is_noticed() -> None:
    check_answer("POST", "/api/pause", 202, "application/json", '{"id": "1"}')

    with pytest.raises(jsonschema.ValidationError):
        check_answer("POST", "/api/pause", 202, "application/json", '{"id": "1", "secret": 2}')
    with pytest.raises(AssertionError):
        check_answer("POST", "/api/pause", 418, "application/json", "{}")
