"""Requests made from the OpenAPI schema, valid or not, get the answers that it promises."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi import checks

from serving_fixtures import Site

pytestmark = pytest.mark.slow

load_all_checks()
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
    checks.negative_data_rejection,
]
"""All but that valid data are accepted: a prompt may be valid by the schema and too long."""
OPERATIONS = (
    "GET /v1/models", "GET /v1/models/{name}", "POST /v1/chat/completions", "POST /v1/completions",
    "GET /tasks", "POST /tasks/kinds/predict", "POST /tasks/prices/predict",
    "POST /tasks/classes/predict", "GET /health", "GET /ready", "GET /metrics",
)  # fmt: skip


@pytest.fixture(scope="module")
def operations(site: Site) -> dict[str, Any]:
    schema = schemathesis.openapi.from_url(f"{site.url}/openapi.json")
    return {one.ok().label: one.ok() for one in schema.get_all_operations()}


def test_these_are_all_of_them(operations: dict[str, Any]) -> None:
    assert sorted(operations) == sorted(OPERATIONS)


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("name", OPERATIONS)
def test_requests_made_from_the_schema(
    operations: dict[str, Any], name: str, mode: GenerationMode
) -> None:
    operation = operations[name]
    if mode is GenerationMode.NEGATIVE and not operation.body:
        return  # nothing of it can be wrong
    answered = 0

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
    def check(case: Any) -> None:
        nonlocal answered
        case.call_and_validate(checks=CHECKS)
        answered += 1

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of schemathesis' own making
        check()
    assert answered
