"""What the server says of itself: `/api/v1/openapi.json` (OpenAPI 3.1) and `/docs`, without a foreign origin."""

import importlib.resources
from typing import Any

from fastapi import FastAPI, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from starlette.responses import JSONResponse
from starlette.staticfiles import StaticFiles

from afterword.api.shapes import ErrorBody

# Which errors a call can answer, beside those that any call can.
_EVERYWHERE = {
    "400": ("bad_request", "A missing or malformed field, or an id that is not in your organization."),
    "401": ("unauthorized", "Invalid or missing API key."),
    "403": ("insufficient_scope", "The key lacks a scope."),
    "429": ("rate_limit_exceeded", "Too many requests. Check X-RateLimit-Reset and retry after."),
    "500": ("internal_error", "A fault of ours; nothing half-written stays behind."),
    "503": ("unavailable", "The database cannot be reached. Retry-After says when to come back."),
}
_WITH_ID = {"404": ("not_found", "Nothing of that id in your organization.")}
_WITH_BODY = {
    "413": ("payload_too_large", "The body is over 256 KiB."),
    "415": ("unsupported_media_type", "The body is not application/json in UTF-8."),
}
_POST = {
    "409": ("conflict", "The first call with this Idempotency-Key is still running."),
    "422": ("idempotency_mismatch", "The Idempotency-Key came before with another body."),
}
_RATE_HEADERS = {
    "X-RateLimit-Limit": "Your plan's request limit per window",
    "X-RateLimit-Remaining": "Requests remaining in the current window",
    "X-RateLimit-Reset": "Unix timestamp when the window resets",
}


def mount_docs(app: FastAPI) -> None:
    """Serve the schema and the interactive documentation; its assets come out of a wheel, not from a CDN."""
    assets = importlib.resources.files("fastapi_offline") / "static"
    app.mount("/docs/assets", StaticFiles(directory=str(assets)), name="docs-assets")

    async def openapi() -> Response:
        """The machine-readable description of the API."""
        return JSONResponse(schema(app))

    async def docs() -> Response:
        """The interactive documentation."""
        return get_swagger_ui_html(
            openapi_url="/api/v1/openapi.json",
            title="Afterword API",
            swagger_js_url="/docs/assets/swagger-ui-bundle.js",
            swagger_css_url="/docs/assets/swagger-ui.css",
            swagger_favicon_url="/docs/assets/favicon.png",
        )

    app.add_api_route("/api/v1/openapi.json", openapi, include_in_schema=False)
    app.add_api_route("/docs", docs, include_in_schema=False)


def schema(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, made once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title="Afterword",
            version="1",
            openapi_version="3.1.0",
            summary="Win-loss and customer interviews by API",
            description="Ask for an interview with one call; read the transcript when it is done.",
            routes=app.routes,
            license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        )
        document["servers"] = [{"url": "/"}]
        components = document.setdefault("components", {})
        components["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer", "description": "An API key, `aw_…`"},
            "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        }
        document["security"] = [{"bearer": []}, {"header": []}]
        for name in ("HTTPValidationError", "ValidationError"):
            components.get("schemas", {}).pop(name, None)
        error = ErrorBody.model_json_schema(ref_template="#/components/schemas/{model}")
        components["schemas"] |= error.pop("$defs") | {"ErrorBody": error}
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                _complete(path, method, operation)
        app.openapi_schema = document
    return app.openapi_schema


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    """Add what every call shares: errors with an example each, rate headers, the Idempotency-Key."""
    possible = dict(_EVERYWHERE)
    if "{" in path:
        possible |= _WITH_ID
    if method in {"post", "patch"}:
        possible |= _WITH_BODY
    if method == "post":
        possible |= _POST
        operation.setdefault("parameters", []).append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "1 to 255 printable characters. The same key and body get the same answer for 24 hours.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255},
                "example": "6f1c1b9e-renewal-4821",
            }
        )
    responses = operation["responses"]
    responses.pop("422", None)
    for status, (code, meaning) in sorted(possible.items()):
        example = {"error": {"code": code, "message": meaning}, "request_id": "req_01k9x3m5p7q8r9s0t1v2w3x4y5"}
        responses[status] = {
            "description": meaning,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}, "example": example}},
        }
    for response in responses.values():
        response["headers"] = {
            name: {"description": meaning, "schema": {"type": "integer"}} for name, meaning in _RATE_HEADERS.items()
        }
