"""The documents: listed, added, removed."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, HTTPException, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from index.errors import QuothError
from qa.visible import one_line
from qa.web.replies import Json
from qa.web.services import Services
from qa.web.uploads import SyncState, Uploads, is_upload

if TYPE_CHECKING:
    from index import Library
    from index.reports import SyncReport
    from index.types import DocumentInfo

__all__ = ["document_routes"]

_MOST_FILES = 2_000  # in one upload


def document_routes(services: Services) -> APIRouter:
    """Return the routes for the documents."""
    router = APIRouter()
    library, settings, uploads = services.library, services.settings, services.uploads

    @router.get("/documents")
    def documents() -> Response:
        """List what is indexed."""
        infos = library.documents()
        return Json(
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

    @router.post("/documents", status_code=202)
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
        return Json({"saved": saved, "refused": refused, "sync": _sync(state)}, 202)

    @router.get("/sync")
    def sync() -> Response:
        """Tell where taking in the uploads stands."""
        return Json(_sync(uploads.state))

    @router.delete("/documents/{document}")
    def remove(document: int) -> Response:
        """Remove a document; an uploaded file is deleted, any other stays where it is."""
        if settings.read_only:
            raise HTTPException(403, "Documents cannot be removed on this page.")
        removed = library.remove(document)
        return Json({"removed": [i.path for i in removed], "generation": library.generation})

    return router


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
