"""The FastAPI application behind the page: guard, routes, script and style.

`create_app(library)` is a whole server without the chat; `ui.py` mounts Gradio into it last.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from index.errors import (
    DocumentNotFoundError,
    LibraryLockedError,
    QuestionError,
    QuothError,
    SourceError,
)
from qa.visible import one_line
from qa.web.conversations import Conversations
from qa.web.guard import Guard, Limits
from qa.web.sources import Reference, Sources
from qa.web.uploads import SyncState, Uploads, is_upload

if TYPE_CHECKING:
    from index import Library
    from index.reports import SyncReport
    from index.types import DocumentInfo

__all__ = ["STATIC", "PageSettings", "create_app"]

STATIC = "/quoth"  # where script and style are served; Gradio has /static and /assets
_FOLDER = Path(__file__).parent / "static"
_MOST_FILES = 2_000  # in one upload

_STATUS: tuple[tuple[type[QuothError], int], ...] = (
    (QuestionError, 422),
    (DocumentNotFoundError, 404),
    (LibraryLockedError, 409),
    (SourceError, 422),
    (QuothError, 500),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSettings:
    """How the page is served.

    Attributes:
        title: What the page is called.
        read_only: Whether documents can neither be added nor removed.
        upload: Whether documents can be added.
        limits: Sizes of request bodies.
    """

    title: str = "Quoth"
    read_only: bool = False
    upload: bool = True
    limits: Limits = field(default_factory=Limits)

    @property
    def can_upload(self) -> bool:
        """Whether documents can be added."""
        return self.upload and not self.read_only


class Question(BaseModel):
    """What `/api/ask` takes; questions with the same `conversation` may follow up."""

    question: str
    conversation: str | None = Field(None, pattern=r"^[A-Za-z0-9_-]{1,64}$")


class _Json(JSONResponse):
    """JSON in ASCII: a document's text may hold lone surrogates, which UTF-8 has no form for."""

    def render(self, content: object) -> bytes:
        return json.dumps(content, separators=(",", ":")).encode("ascii")


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
    app = FastAPI(title=settings.title, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Guard, limits=settings.limits)
    app.add_exception_handler(QuothError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_malformed)
    _add_asking(app, library, conversations or _conversations(library))
    _add_sources(app, Sources(library))
    _add_documents(app, library, Uploads(library), settings)
    app.mount(STATIC, StaticFiles(directory=_FOLDER))
    return app


def _conversations(library: Library) -> Conversations:
    from qa import Chat

    return Conversations(lambda: Chat(library))


def _add_asking(app: FastAPI, library: Library, conversations: Conversations) -> None:
    from qa import Chat

    @app.post("/api/ask")
    def ask(body: Question) -> Response:
        """Answer a question, alone or within a conversation."""
        if body.conversation is None:
            return _Json(Chat(library).ask(body.question).to_dict())
        # The page's own conversations have keys that begin otherwise.
        turn = conversations.get(f"api:{body.conversation}").ask(body.question)
        if turn.answer is None:
            raise QuestionError(turn.problem)
        return _Json(turn.answer.to_dict())

    @app.get("/api/health")
    def health() -> Response:
        """Tell that the server runs and which state of the library answers."""
        return _Json({"status": "ok", "generation": library.generation})


def _add_sources(app: FastAPI, sources: Sources) -> None:
    @app.get("/api/source/{document}/{span}")
    def source(document: str, span: str) -> Response:
        """Return what stands at a citation, with the text around it."""
        return _Json(asdict(sources.open(Reference.parse(document, span))))

    @app.get("/api/page/{document}/{page}.png")
    def page(document: str, page: int) -> Response:
        """Return a page of a PDF as an image; its address changes when the text does."""
        image = sources.image(document, page)
        headers = {"cache-control": "private, max-age=3600"}
        return Response(image, media_type="image/png", headers=headers)


def _add_documents(
    app: FastAPI, library: Library, uploads: Uploads, settings: PageSettings
) -> None:
    @app.get("/api/documents")
    def documents() -> Response:
        """List what is indexed."""
        infos = library.documents()
        return _Json(
            {
                "documents": [_document(library, info) for info in infos],
                "sentences": sum(info.sentences for info in infos),
                "generation": library.generation,
                "can_upload": settings.can_upload,
                "can_remove": not settings.read_only,
                "most_bytes": settings.limits.upload,
                "sync": _sync(uploads.state),
            }
        )

    @app.post("/api/documents", status_code=202)
    async def upload(request: Request) -> Response:
        """Save the files of a form and take them in, in the background."""
        if not settings.can_upload:
            raise HTTPException(403, "Documents cannot be added on this page.")
        async with request.form(max_files=_MOST_FILES, max_fields=0) as form:
            files = [part for part in form.getlist("files") if isinstance(part, UploadFile)]
            saved, refused = await run_in_threadpool(_save_all, uploads, files)
        if not files:
            raise HTTPException(422, "No file was sent.")
        state = uploads.start() if saved else uploads.state
        return _Json({"saved": saved, "refused": refused, "sync": _sync(state)}, 202)

    @app.get("/api/sync")
    def sync() -> Response:
        """Tell where taking in the uploads stands."""
        return _Json(_sync(uploads.state))

    @app.delete("/api/documents/{document}")
    def remove(document: int) -> Response:
        """Remove a document; an uploaded file is deleted, any other stays where it is."""
        if settings.read_only:
            raise HTTPException(403, "Documents cannot be removed on this page.")
        removed = library.remove(document)
        return _Json({"removed": [i.path for i in removed], "generation": library.generation})


def _save_all(uploads: Uploads, files: list[UploadFile]) -> tuple[list[str], list[dict[str, str]]]:
    """Save each file; return the names saved, and name and reason of those refused."""
    saved: list[str] = []
    refused: list[dict[str, str]] = []
    for file in files:
        try:
            saved.append(uploads.save(file.filename or "", file.file))
        except QuothError as error:
            refused.append({"path": file.filename or "", "reason": str(error)})
    return saved, refused


def _document(library: Library, info: DocumentInfo) -> dict[str, Any]:
    return {
        "id": info.id,
        "name": one_line(info.name),
        "folder": one_line(info.folder),
        "title": one_line(info.title),
        "type": info.type,
        "date": info.date,
        "sentences": info.sentences,
        "pages": info.pages,
        "blank_pages": len(info.blank_pages),
        "indexed_at": info.indexed_at,
        "warnings": [one_line(text) for text in info.warnings],
        "uploaded": is_upload(library, info),
    }


def _sync(state: SyncState) -> dict[str, Any]:
    progress = state.progress
    return {
        "number": state.number,
        "running": state.running,
        "problem": state.problem,
        "progress": None
        if progress is None
        else {
            "path": progress.path,
            "files_done": progress.files_done,
            "files": progress.files,
            "sentences": progress.sentences,
            "seconds_left": progress.seconds_left,
        },
        "reports": [_report(report) for report in state.reports],
    }


def _report(report: SyncReport) -> dict[str, Any]:
    return {
        "added": list(report.added),
        "updated": list(report.updated),
        "renamed": [list(pair) for pair in report.renamed],
        "removed": list(report.removed),
        "unchanged": report.unchanged,
        "skipped": [asdict(skip) for skip in report.skipped],
        "warnings": list(report.warnings),
        "sentences": report.sentences,
        "seconds": round(report.seconds, 1),
    }


def _on_error(request: Request, error: Exception) -> Response:
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
    return _Json({"detail": str(error)}, status)


def _on_malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:]) or "the request"
    return _Json({"detail": f"{where}: {first['msg']}."}, 422)
