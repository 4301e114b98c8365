"""What the server says about itself: the OpenAPI document and /docs."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema
import pytest
from fastapi.routing import iter_route_contexts

from tests.conftest import Tenant

CODES = {
    "bad_request": "400",
    "unauthorized": "401",
    "insufficient_scope": "403",
    "not_found": "404",
    "conflict": "409",
    "payload_too_large": "413",
    "unsupported_media_type": "415",
    "idempotency_mismatch": "422",
    "rate_limit_exceeded": "429",
    "internal_error": "500",
    "unavailable": "503",
}
RATE_HEADERS = {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}


@pytest.fixture
async def document(web: httpx.AsyncClient) -> dict[str, Any]:
    answer = await web.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def walk(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for entry in value.values():
            yield from walk(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from walk(entry)


def resolve(document: dict[str, Any], reference: str) -> Any:
    found: Any = document
    assert reference.startswith("#/")
    for part in reference[2:].split("/"):
        found = found[part]
    return found


async def test_it_is_openapi_3_1_and_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    assert re.fullmatch(r"3\.1\.\d+", document["openapi"])
    assert document["info"]["title"]
    assert document["info"]["version"]
    references = [entry["$ref"] for entry in walk(document) if isinstance(entry.get("$ref"), str)]
    assert len(references) > 50
    for reference in references:
        assert resolve(document, reference)


async def test_every_schema_is_a_json_schema(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert name not in {"HTTPValidationError", "ValidationError"}, "the framework's own errors are never sent"


async def test_every_route_of_the_api_is_in_it(document: dict[str, Any], web: httpx.AsyncClient) -> None:
    served = {
        (route.path, method.lower())
        for route in iter_route_contexts(web.door.fastapi.routes)  # type: ignore[attr-defined]  # set in `web`
        for method in route.methods or ()
        if route.path and route.path.startswith("/api/") and not route.path.endswith("openapi.json")
    }
    assert {(path, method) for path, method, _ in operations(document)} == served
    assert all(path.startswith("/api/v1/") for path, _ in served)


async def test_every_operation_says_what_it_does_and_what_it_can_answer(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names)
    for path, method, operation in operations(document):
        where = f"{method} {path}"
        assert operation["summary"], where
        assert operation["description"], where
        [success] = [status for status in operation["responses"] if status < "300"]
        assert success == ("201" if method == "post" and not path.endswith("/validate") else "200"), where
        assert "schema" in operation["responses"][success]["content"]["application/json"], where
        assert {"400", "401", "403", "429", "500", "503"} <= set(operation["responses"]), where
        if "{" in path:
            assert "404" in operation["responses"], where
        if method == "post":
            assert {"409", "413", "415", "422"} <= set(operation["responses"]), where
            assert "Idempotency-Key" in [parameter["name"] for parameter in operation["parameters"]], where
        assert set(operation["responses"]["429"]["headers"]) >= RATE_HEADERS, where
        assert set(operation["responses"][success]["headers"]) >= RATE_HEADERS, where


async def test_every_error_code_has_its_status_and_an_example_that_fits(document: dict[str, Any]) -> None:
    seen: dict[str, str] = {}
    for _, _, operation in operations(document):
        for status, response in operation["responses"].items():
            if status >= "400":
                content = response["content"]["application/json"]
                assert content["schema"] == {"$ref": "#/components/schemas/ErrorBody"}
                seen[content["example"]["error"]["code"]] = status
                check(document, content["schema"], content["example"])
    assert seen == CODES


def check(document: dict[str, Any], schema: dict[str, Any], value: Any) -> None:
    jsonschema.Draft202012Validator({**schema, "components": document["components"]}).validate(value)


def example(document: dict[str, Any], schema: dict[str, Any]) -> Any:
    """What the documentation shows for a schema: its examples put together, required fields alone where it has none."""
    if "$ref" in schema:
        schema = resolve(document, schema["$ref"])
    if "examples" in schema:
        return schema["examples"][0]
    if "properties" in schema:
        return {
            name: example(document, field)
            for name, field in schema["properties"].items()
            if name in schema.get("required", ()) or "examples" in field
        }
    if schema.get("type") == "array":
        return [example(document, schema["items"])]
    return schema.get("default", {"string": "text", "integer": 1}.get(schema.get("type", ""), {}))


async def test_every_body_has_examples_that_fit_their_schema(document: dict[str, Any]) -> None:
    bodies = 0
    for path, method, operation in operations(document):
        if method not in {"post", "patch"}:
            continue
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        fields = resolve(document, schema["$ref"])["properties"]
        assert any("examples" in field for field in fields.values()), path
        check(document, schema, example(document, schema))
        bodies += 1
    assert bodies >= 5


async def test_the_documented_example_of_the_main_call_has_the_fields_of_the_contract(document: dict[str, Any]) -> None:
    operation = document["paths"]["/api/v1/interviews"]["post"]
    body = resolve(document, operation["requestBody"]["content"]["application/json"]["schema"]["$ref"])
    assert set(body["properties"]) - {"org_id"} == {
        "contact_email",
        "sequence_id",
        "interview_type_id",
        "contact_name",
        "contact_context",
        "deal_id",
        "objective",
    }
    assert body["required"] == ["contact_email"]
    assert body["additionalProperties"] is False
    answer = resolve(document, operation["responses"]["201"]["content"]["application/json"]["schema"]["$ref"])
    assert set(answer["properties"]) == {
        "interview_request_id",
        "contact_id",
        "deal_id",
        "survey_url",
        "survey_token",
        "status",
        "outreach",
    }
    assert answer["properties"]["interview_request_id"]["type"] == "integer"
    assert answer["properties"]["status"]["enum"] == ["created", "sent"]


async def test_what_the_server_answers_fits_what_it_documents(document: dict[str, Any], acme: Tenant) -> None:
    made = await acme.api.post(
        "/interviews", {"contact_email": "a@b.com", "sequence_id": acme.sequence_id, "deal_id": acme.deal_id}
    )
    ids = {"interview_id": made.json()["interview_request_id"], "contact_id": made.json()["contact_id"]}
    ids["interview_type_id"] = acme.type_id
    post = document["paths"]["/api/v1/interviews"]["post"]["responses"]["201"]
    check(document, post["content"]["application/json"]["schema"], made.json())
    for path, method, operation in operations(document):
        if method == "get":
            answer = await acme.api.get(path.removeprefix("/api/v1").format(**ids))
            assert answer.status_code == 200, path
            check(document, operation["responses"]["200"]["content"]["application/json"]["schema"], answer.json())
            checked = await acme.api.get(path.removeprefix("/api/v1").format(**ids), headers={"Authorization": ""})
            check(document, {"$ref": "#/components/schemas/ErrorBody"}, checked.json())


async def test_both_ways_to_send_the_key_are_documented(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"].values()

    assert {(scheme["type"], scheme.get("scheme"), scheme.get("name")) for scheme in schemes} == {
        ("http", "bearer", None),
        ("apiKey", None, "X-API-Key"),
    }
    assert document["security"]


async def test_the_docs_page_loads_nothing_from_elsewhere(web: httpx.AsyncClient) -> None:
    page = await web.get("/docs")

    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert not re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", page.text)
    assets = re.findall(r"(?:src|href)=\"([^\"]+)\"", page.text)
    assert len(assets) >= 2
    for asset in assets:
        assert asset.startswith("/docs/assets/")
        answer = await web.get(asset)
        assert answer.status_code == 200
        assert len(answer.content) > 100
        if asset.endswith(".css"):
            assert not re.findall(r"url\(['\"]?(?:https?:)?//", answer.text)
    assert "/api/v1/openapi.json" in page.text


async def test_a_missing_asset_is_an_ordinary_not_found(web: httpx.AsyncClient) -> None:
    for path in ("/docs/assets/none.js", "/docs/assets/../app.py", "/redoc", "/openapi.json"):
        answer = await web.get(path)
        assert answer.status_code == 404, path
        assert answer.json()["error"]["code"] == "not_found"


async def test_the_printed_address_leads_to_the_documentation(web: httpx.AsyncClient) -> None:
    answer = await web.get("/")

    assert (answer.status_code, answer.headers["Location"]) == (307, "/docs")
