"""The API: every route that the page uses, as an application of its own.

It is mounted at `/api/v1`, where it stays as it is until there is a version 2, and at `/api`,
which is always the newest. A mounted application answers for everything below its path, so that
an unknown address or a wrong method never reaches the page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI

from qa.text import text
from qa.web.openapi import API_V1
from qa.web.replies import Json, handle_errors
from qa.web.routes.asking import asking_routes
from qa.web.routes.conversations import conversation_routes
from qa.web.routes.documents import document_routes
from qa.web.routes.reference import reference_routes
from qa.web.routes.sources import source_routes
from qa.web.routes.syncing import sync_routes

if TYPE_CHECKING:
    from fastapi.routing import APIRoute

    from qa.web.services import Services

__all__ = ["create_api"]

_ROUTES = (asking_routes, conversation_routes, source_routes, document_routes, sync_routes)
_TAGS = ("asking", "conversations", "sources", "documents", "server")


def create_api(services: Services) -> FastAPI:
    """Return the application that answers below `/api`."""
    api = FastAPI(
        title=text("api.title"),
        version="1",
        summary=text("api.summary"),
        description=text("api.description"),
        openapi_tags=[{"name": tag, "description": text(f"api.tag_{tag}")} for tag in _TAGS],
        servers=[{"url": API_V1}],
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # an absolute address would lead around a reverse proxy
        default_response_class=Json,
        generate_unique_id_function=_name,
    )
    handle_errors(api)
    for routes in _ROUTES:
        api.include_router(routes(services))
    api.include_router(reference_routes(api, root=services.settings.path.rstrip("/")))
    return api


def _name(route: APIRoute) -> str:
    # What a client that is made from the description calls its functions.
    return f"{route.tags[0]}_{route.name}" if route.tags else route.name
