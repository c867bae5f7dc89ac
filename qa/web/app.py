"""The FastAPI application behind the page: guard, routes, script and style.

`create_app(library)` is a whole server without the chat; `ui.py` mounts Gradio into it last.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI, Response
from fastapi.staticfiles import StaticFiles

from qa.web.conversations import Conversations
from qa.web.guard import Guard
from qa.web.replies import Json, handle_errors
from qa.web.routes.asking import asking_routes
from qa.web.routes.documents import document_routes
from qa.web.routes.sources import source_routes
from qa.web.services import Services
from qa.web.settings import STATIC, PageSettings
from qa.web.sources import Sources
from qa.web.text import all_text
from qa.web.uploads import Uploads

if TYPE_CHECKING:
    from index import Library

__all__ = ["create_app"]

_FOLDER = Path(__file__).parent / "static"


def create_app(
    library: Library,
    *,
    settings: PageSettings | None = None,
    conversations: Conversations | None = None,
) -> FastAPI:
    """Return the application that serves `library`.

    Args:
        library: Stays open as long as the application runs.
        settings: Defaults to those of `PageSettings`.
        conversations: Shared with whoever else asks; made here by default.
    """
    settings = settings or PageSettings()
    services = Services(
        library=library,
        settings=settings,
        conversations=conversations or _conversations(library),
        sources=Sources(library),
        uploads=Uploads(library),
    )
    app = FastAPI(title=settings.title, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Guard, limits=settings.limits)
    handle_errors(app)
    for routes in (asking_routes, source_routes, document_routes):
        app.include_router(routes(services), prefix="/api")

    @app.get(f"{STATIC}/text.json", include_in_schema=False)
    def words() -> Response:
        return Json(all_text())

    app.mount(STATIC, StaticFiles(directory=_FOLDER))
    return app


def _conversations(library: Library) -> Conversations:
    from qa import Chat

    return Conversations(lambda: Chat(library))
