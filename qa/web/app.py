"""The FastAPI application behind the page: guard, API, script and style.

`create_app(library)` is a whole server without the chat; `ui.py` mounts Gradio into it last.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI, Response
from fastapi.staticfiles import StaticFiles
from starlette.concurrency import run_in_threadpool

from qa.chats import Chats
from qa.text import all_text
from qa.web.api import create_api
from qa.web.conversations import Conversations
from qa.web.gate import Gate
from qa.web.openapi import API, API_V1
from qa.web.protection import protect
from qa.web.replies import Json, handle_errors
from qa.web.services import Services
from qa.web.settings import STATIC, PageSettings
from qa.web.sources import Sources
from qa.web.suggestions import Suggestions
from qa.web.syncing import Syncing
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
        conversations: Those kept beside the library by default; closed when the server ends.
    """
    settings = settings or PageSettings()
    uploads = Uploads(library)
    services = Services(
        library=library,
        settings=settings,
        conversations=conversations or Conversations(library, Chats.open(library.path)),
        sources=Sources(library),
        uploads=uploads,
        syncing=Syncing(library, uploads),
        suggestions=Suggestions(library),
        gate=Gate(),
        pictures=Gate(at_once=4, waiting=64, seconds=5.0),
        previews=Gate(at_once=2, waiting=8, seconds=5.0),
    )
    app = FastAPI(
        title=settings.title,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_closing(services),
    )
    protect(app, settings)
    handle_errors(app)

    @app.get(f"{STATIC}/text.json", include_in_schema=False)
    def words() -> Response:
        return Json(all_text())

    app.mount(STATIC, StaticFiles(directory=_FOLDER))
    api = create_api(services)
    app.state.services, app.state.api = services, api
    for path in (API_V1, API):
        app.mount(path, api)
    return app


def _closing(services: Services) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if not services.settings.read_only:
            await run_in_threadpool(services.syncing.resume)
        yield
        await run_in_threadpool(services.syncing.close)
        await run_in_threadpool(services.suggestions.close)
        services.conversations.chats.close()

    return lifespan
