"""The documents: listed, added, removed, and those that could not be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Header, HTTPException, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from index.errors import DocumentNotFoundError, LibraryError, QuothError
from index.reports import Failure
from qa.text import text
from qa.visible import one_line
from qa.web.document_schemas import (
    Batch,
    Dismiss,
    DocumentEntry,
    DocumentList,
    Failed,
    FailureList,
    Numbers,
    OutdatedReply,
    Refused,
    Removed,
    Saved,
)
from qa.web.listing import Listings, Sort
from qa.web.routes.shared import allow, sync_reply
from qa.web.schemas import Number, problems
from qa.web.services import Services
from qa.web.uploads import Uploads, new_batch

if TYPE_CHECKING:
    from index.types import DocumentInfo

__all__ = ["document_routes"]

_MOST_FILES = 2_000  # in one request
_Document = Annotated[Number, Path(description="Number of the document.")]


def document_routes(services: Services) -> APIRouter:
    """Return the routes for the documents."""
    router = APIRouter(tags=["documents"])
    library, settings = services.library, services.settings
    syncing, uploads = services.syncing, services.uploads
    listings = Listings(library)

    @router.get("/documents", responses=problems(422))
    def documents(
        search: Annotated[str, Query(description="Words in name, folder or title.")] = "",
        folder: Annotated[str | None, Query(description="This folder and those in it.")] = None,
        type: Annotated[str | None, Query(description='Format, such as "pdf".')] = None,
        sort: Annotated[Sort | None, Query(description="Otherwise by path.")] = None,
        descending: bool = False,
        offset: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=0, le=10_000)] = 1_000,
    ) -> DocumentList:
        """List what is indexed."""
        listing = listings.newest()
        found = listing.select(
            search=search, folder=folder, type=type, sort=sort, descending=descending
        )
        end = offset + limit
        return DocumentList(
            documents=list(found[offset:end]),
            found=len(found),
            total=len(listing.entries),
            sentences=listing.sentences,
            next=end if limit and end < len(found) else None,
            generation=listing.generation,
            can_upload=settings.can_upload,
            can_remove=not settings.read_only,
            most_bytes=settings.limits.upload,
            sync=sync_reply(services),
        )

    @router.get("/documents/table", include_in_schema=False)
    def table(if_none_match: Annotated[str | None, Header()] = None) -> Response:
        """Return all documents at once, as the page needs them."""
        listing = listings.newest()
        headers = {"etag": listings.tag(listing), "cache-control": "private, no-cache"}
        if if_none_match == headers["etag"]:
            return Response(status_code=304, headers=headers)
        return Response(listing.table, media_type="application/json", headers=headers)

    @router.get("/documents/outdated")
    def outdated() -> OutdatedReply:
        """Tell which documents have changed on the disk since they were indexed."""
        return OutdatedReply.of(library.outdated())

    @router.get("/documents/failures")
    def failures() -> FailureList:
        """List the files that could not be read, each with the reason and the next step."""
        uploaded = {source.id for source in library.sources() if source.kind == "upload"}
        return FailureList(
            failures=[
                Failed.of_failure(failure, uploaded=failure.source in uploaded)
                for failure in library.failures()
            ]
        )

    @router.post("/documents/failures/dismiss", responses=problems(403, 422))
    def dismiss(body: Dismiss) -> FailureList:
        """Show failures no more, until the file or the reason is another."""
        allow(not settings.read_only, text("documents.no_change"))
        library.dismiss(
            Failure(source=f.source, path=f.path, file=None, reason="", kept=False, since="")
            for f in body.failures
        )
        return failures()

    @router.get("/documents/{document}", responses=problems(404))
    def document(document: _Document) -> DocumentEntry:
        """Return one document of the list."""
        for entry in listings.newest().entries:
            if entry.id == document:
                return entry
        raise DocumentNotFoundError(text("documents.no_document", number=str(document)))

    @router.post(
        "/documents",
        status_code=202,
        responses=problems(403, 413, 422),
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {
                    "multipart/form-data": {
                        "schema": {
                            "type": "object",
                            "required": ["files"],
                            "properties": {
                                "files": {
                                    "type": "array",
                                    "items": {
                                        "type": "string",
                                        "contentMediaType": "application/octet-stream",
                                    },
                                }
                            },
                        }
                    }
                },
            }
        },
    )
    async def upload(
        request: Request,
        batch: Annotated[
            Batch | None,
            Query(
                description="A name of your choice for what is sent in several requests: nothing "
                "is taken in before `POST /sync` names it. Without it, it is taken in now."
            ),
        ] = None,
    ) -> Saved:
        """Send files. A file name may hold subfolders; a file of the same path is replaced."""
        allow(settings.can_upload, text("documents.no_upload"))
        name = batch or new_batch()
        try:
            async with request.form(max_files=_MOST_FILES, max_fields=0) as form:
                files = [part for part in form.getlist("files") if isinstance(part, UploadFile)]
                saved, refused = await run_in_threadpool(_save_all, uploads, name, files)
        except OSError as error:  # while large files wait in the folder for temporary ones
            reason = (error.strerror or "unknown error").lower()
            raise LibraryError(text("documents.not_kept", reason=reason)) from error
        if not files:
            raise HTTPException(422, text("documents.no_file"))
        if saved and batch is None:
            await run_in_threadpool(syncing.take_in, name)
        return Saved(batch=name, saved=saved, refused=refused, sync=sync_reply(services))

    @router.delete("/documents/batch/{batch}", status_code=204, responses=problems(422))
    def forget(batch: Batch) -> None:
        """Forget files that were sent and not taken in."""
        allow(settings.can_upload, text("documents.no_upload"))
        uploads.forget(batch)

    @router.post("/documents/remove", responses=problems(403, 404, 409))
    def remove_several(body: Numbers) -> Removed:
        """Remove documents at once; uploaded files are deleted, others stay where they are."""
        return _remove(body.documents)

    @router.delete("/documents/{document}", responses=problems(403, 404, 409))
    def remove(document: _Document) -> Removed:
        """Remove a document; an uploaded file is deleted, any other stays where it is."""
        return _remove([document])

    def _remove(numbers: list[int]) -> Removed:
        allow(not settings.read_only, text("documents.no_remove"))
        syncing.refuse_while_running()
        removed: list[DocumentInfo] = library.remove(*numbers)
        stays = [i for i in removed if i.file is not None and library.uploads not in i.file.parents]
        return Removed(
            removed=[one_line(info.path) for info in removed],
            stays=len(stays),
            generation=library.generation,
        )

    return router


def _save_all(
    uploads: Uploads, batch: str, files: list[UploadFile]
) -> tuple[list[str], list[Refused]]:
    """Keep each file; return the paths kept, and name and reason of those refused."""
    saved: list[str] = []
    refused: list[Refused] = []
    for file in files:
        try:
            saved.append(uploads.save(batch, file.filename or "", file.file))
        except QuothError as error:
            refused.append(Refused(path=one_line(file.filename or ""), reason=str(error)))
    return saved, refused
