"""Bringing the library up to date: what would happen, do it, watch it, stop it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query

from qa.text import text
from qa.web.document_schemas import PreviewReply, SourceReply, SyncReply, Update
from qa.web.schemas import problems
from qa.web.services import Services

__all__ = ["sync_routes"]


def sync_routes(services: Services) -> APIRouter:
    """Return the routes for bringing the library up to date."""
    router = APIRouter(tags=["documents"])
    library, settings, syncing = services.library, services.settings, services.syncing

    def state() -> SyncReply:
        return SyncReply.of_state(syncing.state, library.generation)

    def allow(permitted: bool, sentence: str) -> None:
        if not permitted:
            raise HTTPException(403, sentence)

    @router.get("/sources")
    def sources() -> list[SourceReply]:
        """List the folders, files, uploads and texts that the library keeps."""
        return [SourceReply.of_source(source) for source in library.sources()]

    @router.get("/sync")
    def sync() -> SyncReply:
        """Tell where it stands."""
        return state()

    @router.get("/sync/preview", responses=problems(403, 409, 422))
    def preview(sources: Annotated[list[int] | None, Query()] = None) -> PreviewReply:
        """Tell what bringing sources up to date would do, and do nothing."""
        allow(not settings.read_only, text("documents.no_change"))
        return PreviewReply.of_previews(syncing.preview(sources))

    @router.post("/sync", status_code=202, responses=problems(403, 422))
    def update(body: Update) -> SyncReply:
        """Bring sources up to date, or take in what was sent, in the background."""
        if body.batch is not None:
            allow(settings.can_upload, text("documents.no_upload"))
            syncing.take_in(body.batch)
        else:
            allow(not settings.read_only, text("documents.no_change"))
            syncing.update(body.sources, yes=body.yes)
        return state()

    @router.delete("/sync", status_code=202, responses=problems(403))
    def cancel() -> SyncReply:
        """Stop what is going on; the library stays as it was before this source."""
        allow(not settings.read_only, text("documents.no_change"))
        syncing.cancel()
        return state()

    return router
