"""The OpenAPI description of the API; `python -m qa.web.openapi` writes it to docs/openapi.json."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from qa.text import text
from qa.web.schemas import Problem, problems

if TYPE_CHECKING:
    from fastapi import FastAPI

__all__ = ["API", "API_V1", "FILE", "as_text", "openapi", "published"]

API = "/api"
API_V1 = f"{API}/v1"

FILE = Path("docs/openapi.json")
_REF = "#/components/schemas/{model}"


def openapi(api: FastAPI) -> dict[str, Any]:
    """Return the description of `api` as OpenAPI 3.1."""
    schema = api.openapi()
    problem = Problem.model_json_schema(ref_template=_REF)
    schemas = {**problem.pop("$defs", {}), "Problem": problem}
    for path in schema["paths"].values():
        for operation in path.values():
            _tell_real_errors(operation["responses"])
    components = schema.setdefault("components", {}).setdefault("schemas", {})
    # What FastAPI says about its own replies to faulty requests, which ours replace.
    for unused in ("HTTPValidationError", "ValidationError"):
        components.pop(unused, None)
    components.update(schemas)
    schema["components"]["schemas"] = dict(sorted(components.items()))
    schema["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": text("api.token")}
    }
    schema["security"] = [{}, {"token": []}]  # without a password everyone may ask
    return schema


def _tell_real_errors(responses: dict[str, Any]) -> None:
    told = problems(422)[422]
    # Unless a route says otherwise, FastAPI describes replies that ours replace.
    if "application/json" in responses.get("422", {}).get("content", {}):
        responses["422"] = told
    responses["default"] = {**told, "description": text("api.any_error")}


def published() -> dict[str, Any]:
    """Return the description of the API of this version, served from an empty library."""
    from index import Library
    from qa.web.app import create_app

    with (
        TemporaryDirectory() as folder,
        Library.open(Path(folder) / "empty.quoth", create=True) as library,
    ):
        app = create_app(library)
        app.state.services.conversations.chats.close()
        return openapi(app.state.api)


def as_text(schema: dict[str, Any]) -> str:
    """Return `schema` as it is kept in a file."""
    return json.dumps(schema, indent=2, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(as_text(published()), encoding="utf-8")
