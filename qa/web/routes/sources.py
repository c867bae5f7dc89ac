"""Citations opened: the text around a quote, and pages as images."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter, Response

from qa.web.replies import Json
from qa.web.services import Services
from qa.web.sources import Reference

__all__ = ["source_routes"]


def source_routes(services: Services) -> APIRouter:
    """Return the routes for opening citations."""
    router = APIRouter()
    sources = services.sources

    @router.get("/source/{document}/{span}")
    def source(document: str, span: str) -> Response:
        """Return what stands at a citation, with the text around it."""
        return Json(asdict(sources.open(Reference.parse(document, span))))

    @router.get("/page/{document}/{page}.png")
    def page(document: str, page: int) -> Response:
        """Return a page of a PDF as an image; its address changes when the text does."""
        image = sources.image(document, page)
        headers = {"cache-control": "private, max-age=3600"}
        return Response(image, media_type="image/png", headers=headers)

    return router
