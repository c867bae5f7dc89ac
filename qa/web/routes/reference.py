"""What the API can do: as OpenAPI for programs, and as a page that needs neither script nor net."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse

from qa.web.openapi import API, API_V1
from qa.web.openapi import openapi as description
from qa.web.replies import Json

__all__ = ["reference_routes"]


def reference_routes(api: FastAPI, *, root: str) -> APIRouter:
    """Return the routes that describe `api`; `root` is where the server lives for browsers."""
    router = APIRouter(include_in_schema=False)

    @router.get("/openapi.json")
    def openapi(request: Request) -> Json:
        """Return the OpenAPI description, with the address of the version that was asked."""
        version = API_V1 if request.scope["root_path"].endswith(API_V1) else API
        return Json({**description(api), "servers": [{"url": f"{root}{version}"}]})

    @router.get("/docs")
    def docs() -> HTMLResponse:
        """Return the description as a page."""
        from qa.web.reference import page

        return HTMLResponse(page(description(api), root=root))

    return router
