"""Bringing the library up to date: what would happen, do it, watch it, stop it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi import Request as HttpRequest
from starlette.concurrency import run_in_threadpool

from qa.text import text
from qa.web.document_schemas import PreviewReply, SourceReply, SyncReply, Update
from qa.web.owner import owner_of
from qa.web.routes.shared import allow, sync_reply
from qa.web.schemas import Number, problems
from qa.web.services import Services

__all__ = ["sync_routes"]


def sync_routes(services: Services) -> APIRouter:
    """Return the routes for bringing the library up to date."""
    router = APIRouter(tags=["documents"])
    library, settings, syncing = services.library, services.settings, services.syncing

    @router.get("/sources")
    def sources() -> list[SourceReply]:
        """List the folders, files, uploads and texts that the library keeps."""
        return [SourceReply.of_source(source) for source in library.sources()]

    @router.get("/sync")
    def sync() -> SyncReply:
        """Tell where it stands."""
        return sync_reply(services)

    @router.get("/sync/preview", responses=problems(403, 409, 422, 503))
    async def preview(
        request: HttpRequest, sources: Annotated[list[Number] | None, Query()] = None
    ) -> PreviewReply:
        """Tell what bringing sources up to date would do, and do nothing."""
        allow(not settings.read_only, text("documents.no_change"))
        # Files are read for it, which must not take the threads of everyone.
        async with services.previews.through(owner_of(request)):
            return PreviewReply.of_previews(await run_in_threadpool(syncing.preview, sources))

    @router.post("/sync", status_code=202, responses=problems(403, 422))
    def update(body: Update) -> SyncReply:
        """Bring sources up to date, or take in what was sent, in the background."""
        if body.batch is not None:
            allow(settings.can_upload, text("documents.no_upload"))
            syncing.take_in(body.batch)
        else:
            allow(not settings.read_only, text("documents.no_change"))
            syncing.update(body.sources, yes=body.yes)
        return sync_reply(services)

    @router.delete("/sync", status_code=202, responses=problems(403))
    def cancel() -> SyncReply:
        """Stop what is going on; the library stays as it was before this source."""
        allow(not settings.read_only, text("documents.no_change"))
        syncing.cancel()
        return sync_reply(services)

    return router
